#!/usr/bin/env python3
"""redis-cli shows of a real server what it shows of Redis, and our own commands in its help, hints and completion."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import unittest

from members import SECONDS
from terminal import Terminal
from with_server import begin, house_of

FILL = """MSET str:a 1 str:b 22 str:c 333 other 55555 quoted "a \\"b\\" \\r\\n"
HSET hash field 1
SET number 10
"""

# The arguments of a call, and what it reads. Both servers are in the state that the lines above leave.
SAME = [
    ("GET str:c",), ("GET none",), ("--no-raw GET none",), ("--no-raw GET quoted",), ("GET quoted",),
    ("-3 --no-raw GET none",), ("ECHO \u00e9",), ("--no-raw ECHO \u00e9",), ("--no-raw TYPE hash",),
    ("MGET str:a none",), ("--no-raw MGET str:a none",), ("--csv MGET str:a none quoted",),
    ("HGETALL hash",), ("--no-raw HGETALL hash",), ("-3 --no-raw HGETALL hash",), ("-3 --csv HGETALL hash",),
    ("--json HGETALL hash",), ("-2 --json HGETALL hash",), ("--json MGET none number quoted",),
    ("--quoted-json GET quoted",), ("--json OBJECT ENCODING number",),
    ("-3 --json CONFIG GET databases",), ("-x SET read", "from stdin\n"), ("GET read",),
    ("-X tag SET tag second", "x"), ("GET second",), ("-X tag SET third tag", "in it"), ("GET third",),
    ("-r 3 INCR number",), ("-r 2 -i 0.01 INCR number",), ("-n 3 SET there 1",), ("-n 3 DBSIZE",), ("DBSIZE",),
    ('--quoted-input GET "str\\x3aa"',), ("-d , MGET str:a str:b",), ("-D ; -r 2 GET str:a",), ("-c GET str:a",),
    ("", "SET piped 1\nINCR piped\nMULTI\nINCR piped\nGET piped\nEXEC\nNOSUCH\nGET\n"),
    ("--no-raw", "MULTI\nNOSUCH\nEXEC\n"),
    ("NOSUCH a b",), ("-e NOSUCH a b",), ("GET",), ("-e GET",), ("-e INCR quoted",), ("-e GET hash",),
    ("-e GET str:a",),
    ("-e AUTH x",), ("-a wrong --no-auth-warning PING",), ("-a wrong GET str:a",), ("-n 16 PING",), ("-n 16 -e PING",),
    ("-e -x SET", "only a value"), ("-3 -e HELLO 4",), ("-e --pipe", "SET p 1\r\nINCR p\r\nNOSUCH\r\nINCR p\r\n"),
    ("--pipe", "*3\r\n$3\r\nSET\r\n$1\r\np\r\n$1\r\n1\r\n" * 5000), ("--pipe", "SET p 1\nINCR p\n" * 100), ("GET p",),
    ("--scan --pattern nothing*",), ("--scan --pattern str:a",), ("-3 CLIENT GETNAME",),
    ("-3 --no-raw CLIENT GETNAME",),
    ("--hotkeys",), ("--bigkeys",),
]

HELP = {
    "help get": "GET key",
    "help set": "SET key value [NX|XX|",
    "help bitcount": "BITCOUNT key [start end [BYTE|BIT]]",
    "help mset": "MSET key value [key value ...]",
    "help client setname": "CLIENT SETNAME connection-name",
    "help member promote": "MEMBER PROMOTE member",
    "help delrange": "DELRANGE min max",
    "help @history": "HISTORY GET key [FROM revision] [TO revision] [COUNT count] [REV]",
}


PROMPT = r"127\.0\.0\.1:\d+(\[3\])?(\(TX\))?> "


def words_of(line):
    return line.split(" ") if line else []


def comparable(arguments, done, server):
    """What two runs have in common: not the port, nor the order of keys."""
    out = done.stdout.replace(str(server.port), "PORT")
    if "--bigkeys" in arguments:
        out = out[out.index("-------- summary"):]
    return out, done.stderr.replace(str(server.port), "PORT"), done.returncode


class RedisCliTest(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        cls.houses = [house_of(cls.program), house_of("redis-server")]
        cls.addClassCleanup(lambda: [house.close() for house in cls.houses])
        cls.ours, cls.redis = [begin(house) for house in cls.houses]
        home = tempfile.TemporaryDirectory(prefix="conclave-cli-")
        cls.addClassCleanup(home.cleanup)
        cls.environment = {**os.environ, "HOME": home.name, "TERM": "xterm"}

    def setUp(self):
        for server in (self.ours, self.redis):
            server.say("FLUSHALL")
            self.run_cli(server, [], FILL)

    def run_cli(self, server, arguments, text="", seconds=SECONDS):
        return subprocess.run(["redis-cli", "-p", str(server.port), *arguments], input=text, text=True, check=False,
                              capture_output=True, timeout=seconds, env=self.environment)

    def terminal(self, *arguments):
        terminal = Terminal(["redis-cli", "-p", str(self.ours.port), *arguments], self.environment)
        self.addCleanup(terminal.close)
        terminal.wait_for(PROMPT)
        return terminal

    def enter(self, terminal, typed, shown):
        """A line, what comes of it, and the next prompt."""
        terminal.send(typed + "\r")
        terminal.wait_for(shown + r".*?\n" + PROMPT)

    def test_the_same_is_shown_as_of_redis(self):
        for line, *text in SAME:
            shown = [comparable(line, self.run_cli(server, words_of(line), *text), server)
                     for server in (self.ours, self.redis)]
            with self.subTest(line):
                self.assertEqual(*shown)

    def test_a_scan_shows_every_key(self):
        self.run_cli(self.ours, ["--pipe"], "".join(f"SET scanned:{i} x\r\n" for i in range(500)))
        for arguments in (["--scan", "--pattern", "scanned:*"], ["-3", "--scan", "--pattern", "scanned:*"]):
            shown = self.run_cli(self.ours, arguments).stdout.split()
            self.assertEqual(sorted(shown), sorted(f"scanned:{i}" for i in range(500)))
        self.assertEqual(len(self.run_cli(self.ours, ["--scan"]).stdout.split()), 507)

    def test_memkeys_finds_the_largest(self):
        self.ours.say("SET", "largest", "x" * 10000)
        shown = self.run_cli(self.ours, ["--memkeys"]).stdout
        self.assertRegex(shown, r"Biggest string found '\"largest\"' has 1\d{4} bytes")
        self.assertRegex(shown, r"Biggest +hash found '\"hash\"' has \d+ bytes")

    def test_latency_is_measured_for_as_long_as_was_said(self):
        shown = self.run_cli(self.ours, ["--latency", "--csv", "-i", "0.1"]).stdout
        self.assertRegex(shown, r"^\d+,\d+,\d+\.\d+,\d+\n$")

    def test_stat_goes_on_until_it_is_left(self):
        stat = Terminal(["redis-cli", "-p", str(self.ours.port), "--stat", "-i", "0.01"], self.environment)
        self.addCleanup(stat.close)
        stat.wait_for(r"keys +mem +clients +blocked +requests +connections")
        for _ in range(3):
            stat.wait_for(r"7 +\d+\.\d+[KMG] +\d+ +0 +\d+ \(\+\d+\) +\d+")

    def test_latency_is_shown_until_it_is_left(self):
        latency = Terminal(["redis-cli", "-p", str(self.ours.port), "--latency"], self.environment)
        self.addCleanup(latency.close)
        latency.wait_for(r"min: \d+, max: \d+, avg: \d+\.\d+ \(\d+ samples\)")
        latency.wait_for(r"\(\d\d samples\)")

    def test_what_a_replica_would_get_is_refused(self):
        for arguments in (["--rdb", "-"], ["--functions-rdb", "-"], ["--replica"]):
            done = self.run_cli(self.ours, arguments)
            self.assertEqual((done.returncode, done.stdout.encode()[:20] if "--rdb" in arguments else b""), (1, b""))
            self.assertRegex(done.stderr, "SYNC with master failed: -ERR unknown command|Failed requesting")

    def test_help_is_what_the_server_says_of_its_commands(self):
        for line, wanted in HELP.items():
            with self.subTest(line):
                self.assertIn(wanted, re.sub(r"\x1b\[[0-9;]*m", "", self.run_cli(self.ours, line.split()).stdout))

    def test_hints_and_completion_know_the_commands_of_the_server(self):
        terminal = self.terminal()
        terminal.send("set k ")
        terminal.wait_for(r"set k value \[NX\|XX\|")
        self.enter(terminal, "v", "OK")
        terminal.send("history get k")
        terminal.wait_for(r"history get k.*\[FROM revision\]")
        self.enter(terminal, "", '"revision"')
        terminal.send("delr\t")
        terminal.wait_for("DELRANGE")
        self.enter(terminal, " - +", r"\(integer\) 8")
        terminal.send("help member tr\t")
        terminal.wait_for("help MEMBER TRANSFER")
        self.enter(terminal, "", "summary: ")

    def test_the_prompt_tells_database_and_transaction(self):
        terminal = self.terminal("-3")
        for typed, shown in (("select 3", "OK"), ("multi", "OK"), ("set a 1", "QUEUED"), ("exec", r"1\) OK"),
                             ("hello 3", '1# "server" => "redis"'), ("hgetall none", r"\(empty hash\)"),
                             ("nosuch", r"\(error\) ERR unknown command 'nosuch'"), ("2 dbsize", r"1\r\n.*1"),
                             ("config get databases", '1# "databases" => "16"'), ("reset", "RESET"), ("dbsize", "7")):
            self.enter(terminal, typed, shown)
        terminal.send("quit\r")
        terminal.wait_for_end()

    def test_a_monitor_shows_what_others_write(self):
        for version in "-2", "-3":
            monitor = self.terminal(version)
            monitor.send("monitor\r")
            monitor.wait_for("OK")
            self.run_cli(self.ours, ["-n", "3", "SET", "shown", "a \"b\"\n"])
            monitor.wait_for(r'\d+\.\d{6} \[3 127\.0\.0\.1:\d+\] "SET" "shown" "a \\"b\\"\\n"')

    def test_who_waited_at_a_prompt_connects_anew(self):
        terminal = self.terminal()
        self.enter(terminal, "set kept 1", "OK")
        self.ours.end()
        terminal.send("get kept\r")
        terminal.wait_for("not connected> ")
        self.ours.start()
        while True:
            terminal.send("get kept\r")
            if terminal.wait_for(r'"1"\r\n127\.0\.0\.1:\d+> |\nnot connected> ').startswith('"1"'):
                break


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--server", required=True)
    known, rest = options.parse_known_args()
    RedisCliTest.program = known.server
    unittest.main(argv=[sys.argv[0], *rest])
