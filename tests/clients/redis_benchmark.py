#!/usr/bin/env python3
"""redis-benchmark beside the server at CONCLAVE_PORT, which counts what it was asked: its tests of what there is."""

import csv
import os
import re
import subprocess
import unittest

TESTS = "ping_inline,ping_mbulk,set,get,incr,mset,hset"
ROWS = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "HSET", "MSET (10 keys)"]
REQUESTS = 2400  # goes into whole pipelines, each way
PORT = os.environ["CONCLAVE_PORT"]


def run(program, *arguments):
    return subprocess.run([program, "-p", PORT, *arguments], capture_output=True, text=True, timeout=60, check=True)


def say(*words):
    return run("redis-cli", *words).stdout.strip()


def calls():
    """By command: how often it was called, and how often it failed."""
    told = say("INFO", "commandstats")
    lines = re.findall(r"cmdstat_([^:]+):calls=(\d+),.*rejected_calls=(\d+),failed_calls=(\d+)", told)
    return {name: (int(count), int(rejected) + int(failed)) for name, count, rejected, failed in lines}


class RedisBenchmarkTest(unittest.TestCase):
    def setUp(self):
        say("FLUSHALL")
        say("CONFIG", "RESETSTAT")

    def measure(self, *arguments, tests=TESTS):
        done = run("redis-benchmark", "--csv", "-n", str(REQUESTS), "-c", "50", "-t", tests, *arguments)
        self.assertEqual([line for line in done.stderr.splitlines() if "Keepalive disabled" not in line], [])
        rows = list(csv.reader(done.stdout.splitlines()))
        self.assertEqual(rows[0][:2], ["test", "rps"])
        for row in rows[1:]:
            self.assertGreater(float(row[1]), 0)
        return [row[0] for row in rows[1:]]

    def check_counts(self):
        found = calls()
        wanted = {"ping": 2 * REQUESTS, **{name: REQUESTS for name in ("set", "get", "incr", "hset", "mset")}}
        self.assertEqual({name: found[name] for name in wanted}, {name: (n, 0) for name, n in wanted.items()})
        self.assertEqual(say("INFO", "errorstats"), "# Errorstats")

    def test_one_request_at_a_time(self):
        self.assertEqual(self.measure(), ROWS)
        self.check_counts()
        self.assertEqual(say("GET", "counter:__rand_int__"), str(REQUESTS))
        self.assertEqual(say("HLEN", "myhash"), "1")

    def test_pipelines(self):
        self.assertEqual(self.measure("-P", "16", "-3"), ROWS)
        self.check_counts()

    def test_two_threads(self):
        self.assertEqual(self.measure("-P", "16", "--threads", "2"), ROWS)
        self.check_counts()

    def test_random_keys_and_large_values(self):
        self.measure("-P", "16", "-r", "100", "-d", "5000", tests="set,get")
        keys = say("KEYS", "key:*").split()
        self.assertTrue(90 < len(keys) <= 100, keys)
        self.assertEqual(say("STRLEN", keys[0]), "5000")

    def test_a_connection_for_each_request(self):
        self.measure("-k", "0", tests="get")
        self.assertEqual(calls()["get"], (REQUESTS, 0))


if __name__ == "__main__":
    unittest.main()
