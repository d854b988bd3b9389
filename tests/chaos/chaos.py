#!/usr/bin/env python3
"""Real servers under real faults: clients write and read all the while, and in the end everything has to fit.

Members run in network namespaces of their own, where that is allowed; what lies between them can be cut,
slow, narrow or lossy. Faults and what clients ask are drawn from a seed; the machine's own timing is not,
so a failure may need some runs to show again. After two minutes comes another cluster, from the next seed.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import disk
import network as networks
from cluster import Cluster, Failed
from faults import FAULTS, Nemesis
from history import History
from judge import Judge
from load import Load
from protocol import Error
from report import Report
from works import KINDS, MONEY, Shared

CLUSTER_SECONDS = 120  # then comes the next one
REST_SECONDS = 60  # after the faults, until every question is answered


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--ctl", required=True)
    parser.add_argument("--checker", required=True, help="conclave-history-check")
    parser.add_argument("--wire", required=True, help="conclave-wire")
    parser.add_argument("--seconds", type=float, default=60, help="of faults, all clusters together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--members", type=int, default=0, help="left out: the seed says, three or five")
    parser.add_argument("--only", action="append", help="a fault, by its name; may be given again")
    parser.add_argument("--script", help="faults in this order, once, with commas between")
    parser.add_argument("--think-ms", type=float, default=60, help="what a client rests between its questions")
    parser.add_argument("--keep", action="store_true", help="keep the directory of a run in which all held, too")
    return parser.parse_args()


def fault_called(name):
    for fault in FAULTS:
        if fault.name == name.strip():
            return fault
    raise SystemExit(f"chaos: no fault is called '{name}'; there are: {', '.join(f.name for f in FAULTS)}")


def options_of(rng):
    """Small, so that segments and overlays change all the time, and who was away needs a state and not the log.

    Not smaller: each group of entries takes 4 KiB, and the log has to reach back as far as a state takes to travel.
    """
    return ["--log-max-bytes", rng.choice(("16mb", "32mb")), "--log-segment-bytes", rng.choice(("64kb", "256kb")),
            "--overlay-bytes", rng.choice(("64kb", "256kb", "1mb")), "--header-cache-bytes", "1mb",
            "--value-cache-bytes", rng.choice(("0", "1mb")), "--history-retention", rng.choice(("3s", "1h")),
            "--check-interval", "2s"]


class Run:
    """One cluster, from its birth to its end."""

    def __init__(self, args, root, seed, seconds, faults):
        self.args, self.root, self.began = args, root, time.monotonic()
        self.seed, self.seconds = seed, seconds
        rng = random.Random(seed)
        self.network, self.no_network = networks.make(args.wire)
        size = args.members or rng.choice((3, 3, 5))
        self.cluster = Cluster(root, args.server, self.network, size, options_of(rng))
        if args.small_disk and rng.random() < 0.7:
            self.cluster.members[0].disk = disk.SmallDisk(self.cluster.members[0].dir)
        self.history, self.shared = History(os.path.join(root, "history")), Shared()
        self.diary = open(os.path.join(root, "faults"), "w", encoding="utf-8")  # pylint: disable=consider-using-with
        self.nemesis = Nemesis(self.cluster, faults, random.Random(rng.random()), self.log,
                               lambda: self.history.found)
        self.load = Load(self.cluster, self.history, self.shared, random.Random(rng.random()), KINDS,
                         args.think_ms / 1000)
        self.judge = Judge(self.cluster, self.history, self.shared, {"ctl": args.ctl, "checker": args.checker})
        self.report = Report(self)

    def log(self, text):
        self.diary.write(f"{time.monotonic() - self.began:8.3f} {text}\n")
        self.diary.flush()

    def begin(self):
        self.cluster.start()
        self.shared.money = MONEY * len(self.shared.accounts)
        accounts = [word for name in self.shared.accounts for word in (name, MONEY)]
        words = [*accounts, self.shared.tokens[0].name, self.shared.tokens[0].begins]
        self.cluster.wait_for(lambda: self.cluster.members[0].ask("MSET", *words) == b"OK", "no MSET")
        self.load.start()

    def faults(self):
        self.report.from_s = time.monotonic()
        try:
            if self.args.script:
                for fault in map(fault_called, self.args.script.split(",")):
                    if self.nemesis.can(fault):
                        self.nemesis.one(fault)
                        self.cluster.await_service()
            else:
                self.nemesis.run(time.monotonic() + self.seconds)
        finally:
            self.network.heal()
            self.report.till_s = time.monotonic()

    def calm(self):
        """All is well again: so everybody is served, and everything answered."""
        self.log("the faults are over")
        self.cluster.await_service()
        if not self.load.rest(REST_SECONDS):
            raise Failed(f"not everything is answered: {self.load.unanswered()}")

    def end(self):
        self.judge.look()
        for member in self.cluster.members:
            member.end()
        self.judge.look_at_directories()

    def go(self):
        try:
            self.begin()
            self.faults()
            self.calm()
            self.end()
        except (Failed, Error, OSError) as why:
            self.judge.note("the cluster lives", str(why) or repr(why))
        finally:
            self.load.end()
            self.cluster.close()
            self.network.close()
        self.judge.look_at_history()
        self.diary.close()
        return self.report.print()


def stop(number, _):
    """The first signal unwinds, which ends the servers; others may not disturb that."""
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


def run_one(args, seed, seconds, faults):
    """One cluster; True if everything held."""
    root = tempfile.mkdtemp(prefix="conclave-chaos-")
    run = Run(args, root, seed, seconds, faults)
    held = run.go()
    if held and not args.keep:
        shutil.rmtree(root)
    else:
        print(f"kept in {root}: what the members said, their data, `faults`, and `history`")
    run.report.print_verdict()
    return held


def main():
    args = arguments()
    faults = [fault_called(name) for name in args.only or []] or FAULTS
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    args.small_disk = disk.own_mounts()
    left, seed = args.seconds, args.seed
    while run_one(args, seed, min(left, CLUSTER_SECONDS), faults):
        left, seed = left - CLUSTER_SECONDS, seed + 1
        if left <= 0 or args.script:
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
