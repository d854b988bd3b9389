"""What the runs of a load generator say: reading them, medians over rounds, the table. No I/O."""

import csv
import io
import json
from dataclasses import dataclass
from statistics import median

from . import Failure

REDIS = "redis-server"
COLUMNS = ["round", "command", "connections", "pipeline", "server", "requests_per_s", "p50_ms",
           "p99_ms", "of_redis", "of_ping"]


@dataclass(frozen=True)
class Load:
    """What the load generator is told to do."""
    command: str
    connections: int
    pipeline: int = 1

    def __str__(self):
        plural = "s" if self.connections > 1 else ""
        pipeline = f" x pipeline {self.pipeline}" if self.pipeline > 1 else ""
        return f"{self.command}, {self.connections} connection{plural}{pipeline}"


PING = Load("PING", 50)
LOADS = [Load(command, connections, pipeline) for command in ("SET", "GET")
         for connections, pipeline in ((1, 1), (64, 1), (1000, 1), (64, 16))]


@dataclass(frozen=True)
class Sample:
    """One run of a load generator."""
    rate: float  # requests/s
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Summary:
    """All rounds of one load on one server."""
    rate: float
    spread: float  # from the lowest rate to the highest, as a part of the median
    p50_ms: float
    p99_ms: float
    of_redis: float  # the ratio to redis-server under the same load, in the same round
    of_ping: float


def parse_report(text):
    """The sample in what `conclave-bench --json` prints. What was refused or not there is no figure."""
    try:
        report = json.loads(text)
        row = report["all"]
        if row["errors"] or row["nulls"] or report["unsent"] or not row["requests"]:
            raise Failure(f"{row['requests']} requests, {row['errors']} errors {report['errors']}, "
                          f"{row['nulls']} keys not there")
        return Sample(float(row["requests_per_s"]), float(row["p50_ms"]), float(row["p99_ms"]))
    except (KeyError, TypeError, ValueError):
        raise Failure(f"conclave-bench printed something unknown:\n{text}") from None


def parse_csv(text):
    """The sample in what `redis-benchmark --csv` prints for one command."""
    rows = list(csv.DictReader(io.StringIO(text)))
    try:
        (row,) = rows
        return Sample(float(row["rps"]), float(row["p50_latency_ms"]), float(row["p99_latency_ms"]))
    except (KeyError, TypeError, ValueError):
        raise Failure(f"redis-benchmark printed something unknown:\n{text}") from None


def requests_for(seconds, rate, load):
    """How many requests take about so long; whole rounds of all connections."""
    round_trip = load.connections * load.pipeline
    return max(1, round(seconds * rate / round_trip)) * round_trip


def ratios(rounds, load, server):
    """(ratio to redis-server, ratio to PING) of each round; a round is {(load, server): sample}."""
    return [(r[load, server].rate / r[load, REDIS].rate, r[load, server].rate / r[PING, REDIS].rate)
            for r in rounds]


def summarize(rounds, load, server):
    samples = [r[load, server] for r in rounds]
    rates = [s.rate for s in samples]
    of_redis, of_ping = zip(*ratios(rounds, load, server))
    return Summary(median(rates), (max(rates) - min(rates)) / median(rates),
                   median(s.p50_ms for s in samples), median(s.p99_ms for s in samples),
                   median(of_redis), median(of_ping))


def table(rounds, servers):
    """The lines of the table: what was measured in every one of the rounds."""
    measured = set.intersection(*(set(r) for r in rounds)) if rounds else set()
    yield (f"{'':18} {'requests/s':>12} {'spread':>7} {'p50 ms':>8} {'p99 ms':>8} "
           f"{'of redis':>9} {'of PING':>8}")
    for load in [PING, *LOADS]:
        rows = [(server, summarize(rounds, load, server)) for server in servers
                if {(load, server), (load, REDIS), (PING, REDIS)} <= measured]
        if rows:
            yield str(load)
        for server, s in rows:
            spread = f"{s.spread:.0%}" if len(rounds) > 1 else "-"
            yield (f"  {server:16} {s.rate:12,.0f} {spread:>7} {s.p50_ms:8.3f} {s.p99_ms:8.3f} "
                   f"{s.of_redis:9.2f} {s.of_ping:8.2f}")


def tsv(rounds):
    """The lines of a file with every sample, for other programs."""
    yield "\t".join(COLUMNS)
    for number, samples in enumerate(rounds, 1):
        for (load, server), s in samples.items():
            if (load, REDIS) not in samples or (PING, REDIS) not in samples:
                continue
            (of,) = ratios([samples], load, server)
            yield "\t".join([str(number), load.command, str(load.connections), str(load.pipeline),
                             server, f"{s.rate:.2f}", f"{s.p50_ms:.3f}", f"{s.p99_ms:.3f}",
                             *(f"{ratio:.4f}" for ratio in of)])


def leader_in(logs):
    """Whose log says that it leads, of the newest term; `logs` is {name: text}, None: nobody."""
    terms = {}
    for name, text in logs.items():
        for line in text.splitlines():
            words = line.split()[2:]  # behind time and level
            if words[:2] == ["leads", "term"]:
                terms[name] = int(words[2])
            elif words[:4] == ["no", "longer", "leads", "term"]:
                terms.pop(name, None)
    return max(terms, key=terms.get, default=None)


def filesystem_of(path, mountinfo):
    """The kind of filesystem that an absolute path is on, by the text of /proc/self/mountinfo."""
    best, kind = "", "unknown"
    for line in mountinfo.splitlines():
        mount, _, rest = line.partition(" - ")
        point = mount.split()[4].replace("\\040", " ").rstrip("/")
        if (path == point or path.startswith(point + "/")) and len(point) >= len(best):
            best, kind = point, rest.split()[0]
    return kind
