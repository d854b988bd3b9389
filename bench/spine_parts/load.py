"""What the servers are asked: the keys before anything is measured, then the load of a generator."""

import random
import socket
import subprocess

from . import Failure
from .figures import parse_csv, parse_report, requests_for
from .servers import HOST

VALUE_BYTES = 256
FILL_TIMEOUT = 30  # seconds without any answer
FILL_BATCH = 1000
FILL_AHEAD = 4  # batches that are sent before the first of them is answered
TESTS = {"SET": "set", "GET": "get", "PING": "ping_mbulk"}


def bulk(data):
    return b"$%d\r\n%s\r\n" % (len(data), data)


def key(number):
    """As both generators write them."""
    return b"key:%012d" % number


def batches(keys):
    """(commands, how many) that set every key once, each to other bytes."""
    rng = random.Random(1)
    pool = rng.randbytes(1 << 20)
    for first in range(0, keys, FILL_BATCH):
        numbers = range(first, min(first + FILL_BATCH, keys))
        places = [rng.randrange(len(pool) - VALUE_BYTES) for _ in numbers]
        yield b"".join(b"*3\r\n$3\r\nSET\r\n" + bulk(key(n)) + bulk(pool[at:at + VALUE_BYTES])
                       for n, at in zip(numbers, places)), len(numbers)


def expect(replies, expected, server):
    found = replies.read(len(expected))
    if found != expected:
        said = found.decode(errors="replace") + replies.readline(200).decode(errors="replace")
        raise Failure(f"{server.name} answered {said.strip()[-300:]!r}; {server.log_end()}")


def fill(server, keys):
    """Sets all keys, and sees that some of them are there."""
    try:
        with socket.create_connection((HOST, server.port), timeout=FILL_TIMEOUT) as s:
            replies = s.makefile("rb")
            waiting = []
            for commands, count in batches(keys):
                s.sendall(commands)
                waiting.append(count)
                if len(waiting) == FILL_AHEAD:
                    expect(replies, b"+OK\r\n" * waiting.pop(0), server)
            for count in waiting:
                expect(replies, b"+OK\r\n" * count, server)
    except OSError as error:
        raise Failure(f"{server.name} cannot be filled: {error}; {server.log_end()}") from None


def check_filled(server, keys):
    """Keys from all over the range are there: a GET of none would be a cheap one."""
    with socket.create_connection((HOST, server.port), timeout=FILL_TIMEOUT) as s:
        replies = s.makefile("rb")
        for number in range(0, keys, max(1, keys // 100)):
            s.sendall(b"*2\r\n$3\r\nGET\r\n" + bulk(key(number)))
            expect(replies, b"$%d\r\n" % VALUE_BYTES, server)
            replies.read(VALUE_BYTES + 2)


def run(command, patience, server, load):
    """What a load generator prints."""
    command = [str(word) for word in command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        raise Failure(f"{load}: {command[0]} has not ended in {patience:.0f} s; "
                      f"{server.log_end()}") from None
    server.check_alive()
    if done.returncode != 0:
        raise Failure(f"{load}: {command[0]} ended with status {done.returncode}: "
                      f"{(done.stderr or done.stdout).strip()}; {server.log_end()}")
    return done.stdout


class ConclaveBench:
    """Runs conclave-bench for so many seconds at a time."""

    def __init__(self, program, seconds, keys):
        self.program, self.seconds, self.keys = program, seconds, keys

    def measure(self, server, load, _):
        """One sample."""
        command = [self.program, "--host", f"{HOST}:{server.port}", "--json", "--mix", load.command.lower(),
                   "--connections", load.connections, "--pipeline", load.pipeline,
                   "--seconds", self.seconds, "--warmup", min(1, 0.2 * self.seconds),
                   "--keys", self.keys, "--value-bytes", VALUE_BYTES]
        try:
            return parse_report(run(command, 10 * self.seconds + 30, server, load))
        except Failure as failure:
            raise Failure(f"{load} on {server.name}: {failure}") from None


class RedisBenchmark:
    """Runs redis-benchmark for about so many seconds at a time."""

    def __init__(self, seconds, keys):
        self.seconds, self.keys = seconds, keys
        self.rates = {}  # (load, row): what it last was

    def measure(self, server, load, row):
        """One sample. The number of requests follows from the row's last rate, at first from a trial."""
        if (load, row) not in self.rates:
            self.rates[load, row] = self.trial(server, load)
        sample = self.run(server, load, requests_for(self.seconds, self.rates[load, row], load))
        self.rates[load, row] = sample.rate
        return sample

    def trial(self, server, load):
        """The rate, from runs that grow until one is no longer short."""
        requests = 20 * load.connections * load.pipeline
        while True:
            rate = self.run(server, load, requests).rate
            if requests >= 0.1 * self.seconds * rate:
                return rate
            requests = 2 * requests_for(0.1 * self.seconds, rate, load)

    def run(self, server, load, requests):
        command = ["redis-benchmark", "-h", HOST, "-p", server.port, "-t", TESTS[load.command],
                   "-c", load.connections, "-P", load.pipeline, "-n", requests,
                   "-r", self.keys, "-d", VALUE_BYTES, "--csv"]
        return parse_csv(run(command, 10 * self.seconds + 30, server, load))
