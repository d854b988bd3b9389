#!/usr/bin/env python3
"""Kills a real server again and again, takes from its disk what was not synced, and looks at what is left.

A server works on a directory for some lives, under load. Each life ends at a call drawn at random (some of
them during the start), or at a moment; then the directory becomes what a disk could hold after the power
went off (power.py), and the next life begins on that. After each start everything is looked at (load.py).
After its last life a server ends in peace, and what it leaves is dumped and compared.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter

from load import UNREADABLE, Connection, Load, Wrong
from power import STYLES, Disk, TraceError

START_SECONDS = 60  # a start and the first answers take no longer, on a busy machine too
END_SECONDS = 60
PORTS = random.Random()  # a seed decides what happens, and not where
STOPPED = "CLUSTERDOWN This member has stopped; see its log"
UNSEEN = ("LOG",)  # RocksDB's diary goes through stdio


class Gone(Exception):
    """The server has died, as it was to."""


def free_port():
    """One that no connection gets by chance before the server has it: from below those that the system gives."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as text:
        first = int(text.read().split()[0])
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", PORTS.randrange(first // 2, first)))
            except OSError:
                continue
            return probe.getsockname()[1]


class Server:
    """One life."""

    def __init__(self, house, options, dies_at, fails, seed):
        self.port, peer_port = free_port(), free_port()
        self.ready, self.fails = False, fails is not None
        environment = dict(os.environ, LD_PRELOAD=house.args.shim, POWER_ROOT=house.disk.root,
                           POWER_TRACE=house.trace, POWER_DIES_AT=str(dies_at), POWER_SEED=str(seed),
                           POWER_SLOW_US="20000")
        if fails:
            environment[f"POWER_{fails[0]}"] = str(fails[1])
        with open(house.said, "wb") as said:
            self.process = subprocess.Popen(
                [house.args.server, "--dir", house.disk.root, "--port", str(self.port), "--peer-port",
                 str(peer_port), "--request-timeout", "60000", *options], env=environment, stderr=said)

    def lives(self):
        return self.process.poll() is None

    def wait_for(self, what, seconds):
        """Calls `what` until it answers something; Gone if the server died, Wrong if it takes too long."""
        till = time.monotonic() + seconds
        while time.monotonic() < till:
            self.check_alive()
            try:
                if answer := what():
                    return answer
            except OSError:
                pass
            time.sleep(0.002)
        raise Wrong(f"the server does not answer within {seconds} seconds")

    def connect(self):
        return self.wait_for(lambda: Connection(self.port), START_SECONDS)

    def check_alive(self):
        code = self.process.poll()
        if code == -signal.SIGKILL or (code == 1 and self.fails):
            raise Gone
        if code is not None:
            raise Wrong(f"the server ended by itself with {code}")

    def look(self, keys):
        """Keys and values; waits until the server answers."""
        connection = self.connect()
        left = list(keys)
        for key in keys:
            connection.out += b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key)

        def more():
            connection.write()
            there, replies = connection.read(), list(connection.replies())
            if not replies and not there:
                self.process.wait(END_SECONDS)
            return replies

        try:
            while left:
                for reply in self.wait_for(more, START_SECONDS):
                    if isinstance(reply, Wrong):
                        raise Gone if self.fails and str(reply) in (UNREADABLE, STOPPED) else reply
                    yield left.pop(0), reply
        finally:
            connection.close()

    def end(self, how):
        """Ends it, and says with what code it ended."""
        if self.lives():
            self.process.send_signal(how)
        return self.process.wait(END_SECONDS)


class House:
    """One directory, from empty to the end."""

    def __init__(self, args, work, seed, counts):
        self.args, self.work, self.seed, self.counts = args, work, seed, counts
        self.random = random.Random(seed)
        self.disk = Disk(os.path.join(work, "disk"))
        self.trace = os.path.join(work, "trace")
        self.said = os.path.join(work, "said")
        self.load = Load(self.random, self.random.randint(1, 6))
        self.options = [
            "--overlay-bytes", self.random.choice(("64kb", "64kb", "256kb")),
            "--log-segment-bytes", self.random.choice(("16kb", "32kb", "256kb")),
            "--log-max-bytes", "1mb",
            "--header-cache-bytes", "1mb",
            "--value-cache-bytes", self.random.choice(("0", "1mb")),
            # What is dead leaves the engine then, for the first time right after a start.
            "--history-retention", self.random.choice(("0", "1s", "1h")),
        ]
        self.start_calls = 200  # followed calls of a start, as far as is known

    def live(self, in_peace=False):
        """One life and its end; True if it ended by a kill."""
        (dies_at, most, seconds), fails = ((0, 500, END_SECONDS), None) if in_peace else self._plan()
        inodes = self.disk.write_out()
        server = Server(self, self.options, dies_at, fails, self.random.getrandbits(32))
        try:
            self._work(server, most, seconds)
        except Gone:
            pass
        finally:
            code = server.end(signal.SIGTERM if in_peace else signal.SIGKILL)
        if fails:
            self._check_failure(code)
        elif code != (0 if in_peace else -signal.SIGKILL):
            raise Wrong(f"the server ended with {code}")
        self.load.disconnect()
        self.disk.replay(self.trace, inodes)
        if in_peace:
            self._check_trace()
        self._lose_power(server)
        return not in_peace

    def _plan(self):
        """At which call it dies; how many writes, and for how long, if it lives. And the call that fails."""
        if self.random.random() < 0.3:
            return (0, 1 << 30, 1.5), self._plan_failure()
        return self._plan_end(), None

    def _plan_failure(self):
        how = self.random.random()
        if how < 0.3:
            return "READ_FAILS_AT", int(10 ** self.random.uniform(0, 2.5))
        if how < 0.5:
            return "FAILS_AT", self.random.randint(1, self.start_calls)
        return "FAILS_AT", self.start_calls + int(10 ** self.random.uniform(0, 2.5))

    def _plan_end(self):
        how = self.random.random()
        if how < 0.3:
            return self.random.randint(1, self.start_calls), 0, 0
        if how < 0.7:
            calls = int(10 ** self.random.uniform(0, 3.3))
            return self.start_calls + calls, 1 << 30, 1.5
        return 0, 1 << 30, self.random.uniform(0.01, 0.8)

    def _work(self, server, most, seconds):
        self.load.check(server.look)
        server.ready = True
        self.counts["starts"] += 1
        self.load.connect(server.connect, server.fails)
        till = time.monotonic() + seconds
        self.load.run(lambda: time.monotonic() < till and server.lives(), most)
        if server.fails and "cannot go on" in self._said():
            server.process.wait(END_SECONDS)

    def _said(self):
        with open(self.said, encoding="utf-8", errors="replace") as text:
            return text.read()

    def _check_failure(self, code):
        """It went on without what failed, or it stopped and said so."""
        said = self._said()
        failed = re.search(r"^power_shim: (\w+) fails$", said, re.MULTILINE)
        if code == 1 and failed and "the disk failed: see what the system says of it" in said:
            self.counts["stopped by a failed disk"] += 1
        elif code == -signal.SIGKILL:
            self.counts["went on with a failed disk"] += failed is not None
        else:
            raise Wrong(f"the disk failed, and the server ended with {code}")

    def _lose_power(self, server):
        style = self.random.choice(STYLES)
        self.disk.lose_power(self.random, style)
        self.counts[style] += 1
        self.counts["killed under load" if server.ready else "killed while starting"] += 1
        self.counts["writes known"] += sum(client.known for client in self.load.clients)

    def _check_trace(self):
        """What was written down is what happened."""
        differs = self.disk.differs(UNSEEN)
        if differs:
            raise TraceError(differs)

    def end(self):
        """A life in peace, and what is then on the disk, twice and after one more life."""
        self.live(in_peace=True)
        self.disk.write_out()
        first = self._dump()
        if self._dump() != first:
            raise Wrong("two dumps of the same directory are not equal")
        self.counts["records dumped"] += len(first)

    def _dump(self):
        done = subprocess.run([self.args.ctl, "state", "dump", self.disk.root, "--json"], check=False,
                              capture_output=True)
        if done.returncode != 0:
            raise Wrong(f"the dump fails: {done.stderr.decode()}{done.stdout[-1000:].decode()}")
        return [json.loads(line) for line in done.stdout.splitlines()]


def report_failure(house, error, args):
    """Says what is known, and keeps the disk as it was before the last start."""
    before = os.path.join(house.work, "before")
    house.disk.write_out(before)
    with open(house.said, encoding="utf-8", errors="replace") as said:
        lines = said.read().splitlines()
    print(f"FAILED: {error}", *lines[-20:], sep="\n")
    print(f"the directory is kept in {house.work}: before/ is what that life began with, or what the "
          f"power left of it; disk/ how it stands; options {' '.join(house.options)}")
    print(f"again: make crash SEED={house.seed} KILLS={args.kills}")


def run(args):
    counts, kills, seed, began = Counter(), 0, args.seed, time.monotonic()
    while kills < args.kills:
        work = tempfile.mkdtemp(prefix="conclave-crash-")
        house = House(args, work, seed, counts)
        try:
            for _ in range(min(house.random.randint(5, 30), args.kills - kills)):
                kills += house.live()
            house.end()
        except (Wrong, TraceError, subprocess.TimeoutExpired) as error:
            report_failure(house, error, args)
            return 1
        shutil.rmtree(work)
        seed += 1
    told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    print(f"crash: {kills} kills, seeds {args.seed} to {seed - 1}, "
          f"{time.monotonic() - began:.0f} seconds; {told}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--ctl", required=True)
    parser.add_argument("--shim", required=True)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
