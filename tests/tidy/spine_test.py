"""The parts of bench/spine that need no server, and how it refuses what it cannot do."""

import json
import os
import subprocess
import sys
from unittest import mock

import specimen

sys.path.insert(0, str(specimen.ROOT / "bench"))

from spine_parts import Failure, figures, load  # noqa: E402
from spine_parts.figures import LOADS, PING, REDIS, Load, Sample  # noqa: E402

HEAD = ('"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms",'
        '"p99_latency_ms","max_latency_ms"\n')
SET = LOADS[0]


def report(unsent=0, **fields):
    """What conclave-bench --json prints, as far as it is read."""
    row = {"requests": 27777, "requests_per_s": 13888.89, "errors": 0, "nulls": 0, "p50_ms": 3.831, "p99_ms": 12.047}
    return json.dumps({"all": {**row, **fields}, "errors": {"CLUSTERDOWN": 1}, "unsent": unsent})


def round_of(redis, ping, one):
    return {(PING, REDIS): Sample(ping, 0.3, 0.6), (SET, REDIS): Sample(redis, 0.2, 0.5),
            (SET, "one"): Sample(one, one / 1000, one / 500)}


class FiguresTest(specimen.SpecimenTest):
    def test_a_line_of_redis_benchmark_is_read(self):
        line = '"SET","13888.89","4.358","1.456","3.831","9.151","12.047","13.207"\n'
        self.assertEqual(figures.parse_csv(HEAD + line), Sample(13888.89, 3.831, 12.047))

    def test_a_report_of_conclave_bench_is_read(self):
        self.assertEqual(figures.parse_report(report()), Sample(13888.89, 3.831, 12.047))

    def test_a_report_with_errors_or_missing_keys_is_no_figure(self):
        for wrong in ({"errors": 1}, {"nulls": 1}, {"requests": 0}):
            with self.subTest(wrong), self.assertRaisesRegex(Failure, "CLUSTERDOWN"):
                figures.parse_report(report(**wrong))
        with self.assertRaises(Failure):
            figures.parse_report(report(unsent=1))
        for text in ("", "{}", "[]", "null", '{"all": 1}', "ERROR\n"):
            with self.subTest(text), self.assertRaisesRegex(Failure, "something unknown"):
                figures.parse_report(text)

    def test_both_generators_are_asked_for_the_same_load(self):
        asked = []
        with mock.patch.object(load, "run", lambda command, *_: asked.append(command) or answers.pop(0)):
            server = mock.Mock(port=7)
            answers = [report()]
            sample = load.ConclaveBench("bench", 2, 1000).measure(server, Load("SET", 64, 16), "one")
            self.assertEqual(sample.p50_ms, 3.831)
            words = asked.pop()
            for option, value in (("--host", "127.0.0.1:7"), ("--connections", 64), ("--pipeline", 16),
                                  ("--keys", 1000), ("--value-bytes", load.VALUE_BYTES), ("--mix", "set"),
                                  ("--seconds", 2)):
                self.assertEqual(words[words.index(option) + 1], value)
            answers = [HEAD + '"SET","10000","1","1","1","1","1","1"\n'] * 2
            load.RedisBenchmark(2, 1000).measure(server, Load("SET", 64, 16), "one")
            for option, value in (("-c", 64), ("-P", 16), ("-r", 1000), ("-d", load.VALUE_BYTES), ("-t", "set"),
                                  ("-n", 20 * 64 * 16)):
                self.assertEqual(asked[-1][asked[-1].index(option) + 1], value)

    def test_anything_else_is_refused(self):
        for text in ("", HEAD, HEAD + '"SET","nan"\n', HEAD + '"SET","1"\n"GET","2"\n', "ERROR\n"):
            with self.subTest(text), self.assertRaises(Failure):
                figures.parse_csv(text)

    def test_requests_are_whole_rounds_of_all_connections(self):
        self.assertEqual(figures.requests_for(2, 1000, Load("SET", 1)), 2000)
        self.assertEqual(figures.requests_for(2, 1000, Load("SET", 64)), 31 * 64)
        self.assertEqual(figures.requests_for(2, 1, Load("SET", 64, 16)), 64 * 16)

    def test_ratios_are_taken_within_a_round_and_then_the_median(self):
        rounds = [round_of(100, 1000, 50), round_of(200, 1000, 40), round_of(50, 500, 45)]
        summary = figures.summarize(rounds, SET, "one")
        self.assertEqual(summary.rate, 45)
        self.assertAlmostEqual(summary.spread, 10 / 45)
        self.assertEqual((summary.p50_ms, summary.p99_ms), (0.045, 0.09))
        self.assertEqual(summary.of_redis, 0.5)  # of 0.5, 0.2 and 0.9
        self.assertEqual(summary.of_ping, 0.05)  # of 0.05, 0.04 and 0.09

    def test_the_table_has_what_was_measured(self):
        lines = list(figures.table([round_of(100, 1000, 50)], [REDIS, "one", "three"]))
        self.assertEqual([line.split("  ")[0] for line in lines[1:]],
                         [str(PING), "", str(SET), "", ""])
        self.assertEqual(lines[-1].split(), ["one", "50", "-", "0.050", "0.100", "0.50", "0.05"])
        self.assertEqual(len(list(figures.table([], [REDIS]))), 1)

    def test_the_file_has_every_sample(self):
        lines = [line.split("\t") for line in
                 figures.tsv([round_of(100, 1000, 50), round_of(200, 1000, 40)])]
        self.assertEqual(lines[0], figures.COLUMNS)
        self.assertEqual(len(lines), 7)
        self.assertEqual(lines[-1], ["2", "SET", "1", "1", "one", "40.00", "0.040", "0.080",
                                     "0.2000", "0.0400"])

    def test_the_leader_is_the_one_of_the_newest_term(self):
        led = "2026-11-21T10:37:47.809Z notice  leads term {}\n"
        lost = "2026-11-21T10:37:51.598Z notice  no longer leads term {}\n"
        other = "2026-11-21T10:37:47.809Z notice  ready: 127.0.0.1:1, leader n3 (e9)\n"
        for n1, n2, leader in (("", other, None), (led.format(9) + other, led.format(10), "n2"),
                               (led.format(2), led.format(3) + lost.format(3), "n1"),
                               (led.format(1) + lost.format(1) + led.format(3), led.format(2), "n1")):
            with self.subTest(n1=n1, n2=n2):
                self.assertEqual(figures.leader_in({"n1": n1, "n2": n2}), leader)

    def test_the_filesystem_is_that_of_the_nearest_mount(self):
        mounts = ("22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
                  "30 22 0:25 / /tmp rw shared:1 - tmpfs tmpfs rw\n"
                  "31 30 254:1 / /tmp/a\\040disk rw - xfs /dev/vdb rw\n")
        for path, kind in (("/", "ext4"), ("/tmpest", "ext4"), ("/tmp", "tmpfs"), ("/tmp/x", "tmpfs"),
                           ("/tmp/a disk/x", "xfs")):
            self.assertEqual(figures.filesystem_of(path, mounts), kind, path)

    def test_the_filling_sets_every_key_once(self):
        made = list(load.batches(2500))
        self.assertEqual([count for _, count in made], [1000, 1000, 500])
        text = b"".join(commands for commands, _ in made)
        self.assertEqual(len(text), 2500 * len(load.bulk(b"SET") + b"*3\r\n" + load.bulk(load.key(0)) +
                                               load.bulk(b"x" * load.VALUE_BYTES)))
        for number in range(2500):
            self.assertEqual(text.count(load.bulk(load.key(number))), 1)


class RefusalTest(specimen.SpecimenTest):
    def spine(self, *args, **env):
        done = subprocess.run([specimen.ROOT / "bench/spine", *args], env={**os.environ, **env},
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def tools(self):
        """A path on which every program is there and none does anything."""
        for program in ("redis-server", "redis-benchmark", "setpriv", "conclave-bench"):
            self.write(f"tools/{program}", "#!/bin/sh\necho no use\nexit 3\n").chmod(0o755)
        return f"{self.root}/tools:{os.environ['PATH']}"

    def test_no_program_to_measure(self):
        status, said = self.spine("--server", "no/such", PATH=self.tools())
        self.assertEqual(status, 1)
        self.assertIn("there is no program no/such: make release", said)
        status, said = self.spine("--server", "/bin/true", "--bench", "no/bench", PATH=self.tools())
        self.assertEqual(status, 1)
        self.assertIn("there is no program no/bench: make release", said)

    def test_a_server_that_ends_is_told_with_its_log_and_leaves_nothing(self):
        (self.root / "data").mkdir()
        status, said = self.spine("--server", "/bin/true", "--bench", f"{self.root}/tools/conclave-bench",
                                  PATH=self.tools(), TMPDIR=str(self.root / "data"))
        self.assertEqual(status, 1)
        self.assertIn("redis-server ended with status 3; the end of the log", said)
        self.assertIn("    no use\n", said)
        self.assertEqual(list((self.root / "data").iterdir()), [])

    def test_figures_have_to_be_above_0(self):
        self.assertEqual(self.spine("--rounds", "0")[0], 2)


if __name__ == "__main__":
    specimen.main()
