#!/usr/bin/env python3
"""Runs a program beside a server of its own, whose port is in CONCLAVE_PORT.

A server that dies is started again, so a program that wants to see that kills it: INFO says its process_id.
With --server redis-server it is Redis that runs: what a library wants of a server is what it gets there.
"""

import argparse
import os
import shutil
import subprocess
import sys
import threading

import sides
from members import SECONDS, House, Server, start_three, wait_for


# What these tests ask for has one answer, however long a busy disk keeps it back.
PATIENCE = ("--election-timeout", "3000", "--request-timeout", "60s")


class Redis(Server):
    """redis-server in the place of ours."""

    program = sides.PROGRAM

    def arguments(self):
        os.makedirs(self.dir, exist_ok=True)
        return ["redis-server", "--port", str(self.port), "--dir", self.dir, "--appendonly", "yes",
                "--appendfsync", "always", "--logfile", self.said]


class RedisHouse(House):
    kind = Redis


def house_of(server):
    """A house of our servers, or of redis-server."""
    if os.path.basename(server) == "redis-server":
        return RedisHouse(server)
    return House(os.path.abspath(server))


def begin(house):
    """The one server of a house, ready for writes."""
    server = house.add("n1", *PATIENCE).start()
    wait_for(lambda: server.say("SET", "begun", "1") == b"OK", "the server does not start")
    server.say("FLUSHALL")
    return server


def begin_follower(house):
    """One of three members that does not lead."""
    first = start_three(house, *PATIENCE)
    leader = wait_for(lambda: next((name for name, row in first[0].members().items() if row[b"leads"]), None),
                      "nobody leads")
    return next(server for server in first if server.name != leader)


class Keeper(threading.Thread):
    """Starts the server again whenever it ends, until it may rest."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.rests, self.lock = server, False, threading.Lock()

    def run(self):
        while True:
            self.server.process.wait()
            with self.lock:
                if self.rests:
                    return
                self.server.start()

    def rest(self):
        with self.lock:
            self.rests = True


def run_beside(server, program):
    keeper = Keeper(server)
    keeper.start()
    try:
        status = subprocess.run(program, check=False, timeout=2 * SECONDS,
                                env={**os.environ, "CONCLAVE_PORT": str(server.port)}).returncode
    finally:
        keeper.rest()
    if status:
        with open(server.said, encoding="utf-8", errors="replace") as said:
            print("==== the server\n" + said.read()[-4000:])
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--follower", action="store_true", help="three members run, and this one does not lead")
    parser.add_argument("program", nargs="+", help="and its arguments, after --")
    args = parser.parse_args()
    if not shutil.which(args.program[0]):
        sys.exit(f"{args.program[0]} is missing: scripts/install-deps clients")
    house = house_of(args.server)
    try:
        server = begin_follower(house) if args.follower else begin(house)
        return run_beside(server, args.program)
    finally:
        house.close()


if __name__ == "__main__":
    sys.exit(main())
