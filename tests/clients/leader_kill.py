#!/usr/bin/env python3
"""Programs with one library each count on all members of a cluster, whose leaders die and hand over all the while.

Clients of the first member, which lives, notice nothing: whatever they asked is answered, and done once. Clients of the
others lose what was not answered when their member was killed; that is done once or not at all. counting.py says what
is asked, and looks at the answers.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
from collections import Counter

from counting import Slot
from members import SECONDS, Failed, House, Server, change, start_three, wait_for

CONNECTIONS = 2  # of each program to each member
ROUNDS = 5  # that each connection ends, at most, before the next thing happens
BUILD_SECONDS = 600  # Go builds its own library first, once
HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "..", "..", "build")
MODULES = os.path.join(BUILD, "npm", "node_modules")
LIBRARIES = ("hiredis", "redis_py", "node_redis", "ioredis", "redigo")


class ProgramFailed(Exception):
    """That is nothing to wait for."""


class AsDelivered(Server):
    """As it starts when nothing is said; but then what it is told to by the test."""

    def arguments(self):
        return [self.house.server, "--name", self.name, "--dir", self.dir, "--port", str(self.port),
                "--peer-port", str(self.peer_port), *self.options]


class PlainHouse(House):
    kind = AsDelivered


def built_redigo(house):
    """Debian has the library as sources."""
    if not shutil.which("go"):
        raise ProgramFailed("there is no go: scripts/install-deps clients")
    program = os.path.join(house.root, "count_redigo")
    subprocess.run(["go", "build", "-o", program, os.path.join(HERE, "count_redigo.go")], check=True,
                   timeout=BUILD_SECONDS, env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode",
                                               "GOCACHE": os.path.abspath(os.path.join(BUILD, "go"))})
    return program


def program_with(library, house, hiredis):
    if library == "hiredis":
        return [hiredis]
    if library == "redis_py":
        return ["/usr/bin/python3", os.path.join(HERE, "count_redis_py.py")]
    if library == "redigo":
        return [built_redigo(house)]
    return [os.path.join(MODULES, ".bin", "node"), os.path.join(HERE, "count_node.js")]


class Driver:
    """A program that counts."""

    def __init__(self, house, library, program, servers):
        self.name = library
        self.slots = {name: Slot(name) for member in range(len(servers)) for name in
                      (f"{library}.{member}.{i}" for i in range(CONNECTIONS))}
        self.wrote, self.said = (os.path.join(house.root, library + end) for end in (".rounds", ".log"))
        with open(self.wrote, "wb") as wrote, open(self.said, "wb") as said:
            self.process = subprocess.Popen(
                [*program, library, str(CONNECTIONS), *(str(s.port) for s in servers)],
                stdin=subprocess.PIPE, stdout=wrote, stderr=said, env={**os.environ, "NODE_PATH": MODULES})

    def check(self):
        if self.process.poll() is not None:
            raise ProgramFailed(f"the program with {self.name} ended:\n{self.has_said()}")

    def has_said(self):
        with open(self.said, encoding="utf-8", errors="replace") as said:
            return said.read()[-4000:]

    def end(self):
        """All it heard is told."""
        self.check()
        self.process.stdin.close()
        if self.process.wait(SECONDS) != 0:
            raise ProgramFailed(f"the program with {self.name} failed:\n{self.has_said()}")
        with open(self.wrote, encoding="utf-8") as wrote:
            for line in wrote:
                name, number, *replies = line.split()
                self.slots[name].hear(int(number), replies)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Story:
    def __init__(self, house, servers, drivers, chance):
        self.house, self.servers, self.drivers, self.random = house, servers, drivers, chance
        self.target = servers[0]  # is not killed
        self.slots = [slot for driver in drivers for slot in driver.slots.values()]
        self.kills = Counter()

    def of_member(self, server):
        return [s for s in self.slots if int(s.name.split(".")[1]) == self.servers.index(server)]

    def go_on(self, *without):
        """Everybody does some more, but those of the members that are down."""
        slots = [s for s in self.slots if not any(s in self.of_member(w) for w in without)]
        names = [f"{slot.name}:n" for slot in slots]
        steps = self.random.randint(1, ROUNDS * 16)
        wanted = [int(n or 0) + steps for n in self.target.say("MGET", *names)]

        def all_did():
            for driver in self.drivers:
                driver.check()
            counts = [int(n or 0) for n in self.target.say("MGET", *names)]
            late = [name for name, n, w in zip(names, counts, wanted) if n < w]
            if late:
                raise Failed(f"late: {' '.join(late)}")
            return True

        wait_for(all_did, "some connections stand still")

    def leader(self):
        names = [name for name, row in self.target.members().items() if row[b"leads"]]
        return next((s for s in self.servers if s.name in names), None)

    def hand_over(self, server):
        if wait_for(self.leader, "nobody leads") is not server:
            change(self.target, "TRANSFER", server.name)
            wait_for(lambda: self.leader() is server, f"{server.name} does not lead")

    def kill_leader(self):
        """The member that lives leads as well, hands over to another, and that one dies."""
        self.hand_over(self.target)
        self.go_on()
        leader = self.random.choice(self.servers[1:])
        self.hand_over(leader)
        self.go_on()
        leader.end()
        self.kills[leader.name] += 1
        self.go_on(leader)
        leader.start()
        wait_for(lambda: leader.say("SET", "back", leader.name) == b"OK", f"{leader.name} does not come back")
        self.go_on()

    # ---- in the end

    def look(self):
        """What is wrong."""
        for server in self.servers:
            for slot in self.slots:
                self.look_at(slot, server)
        problems = [problem for slot in self.slots for problem in slot.problems]
        for server in self.servers:
            for slot in self.of_member(server):
                if slot.losses > self.kills[server.name]:
                    problems.append(f"{slot.name} lost its connection {slot.losses} times, and {server.name} was "
                                    f"killed {self.kills[server.name]} times")
        return problems

    def look_at(self, slot, server):
        count, value, *strings = server.say("MGET", f"{slot.name}:n", f"{slot.name}:v", *slot.strings())
        slot.look(int(count or 0), value and value.decode(), [(s or b"").decode() for s in strings])

    def errors_without_cause(self):
        """Who is connected to a member that lives hears of no change of leader, while there is patience."""
        return [f"{slot.name}: {dict(slot.errors)}" for slot in self.of_member(self.target) if slot.errors]

    def report(self):
        for driver in self.drivers:
            incrs, errors = Counter(), Counter()
            for slot in driver.slots.values():
                incrs.update(slot.incrs)
                errors.update(slot.errors)
            print(f"{driver.name}: INCR {dict(incrs)}, connections lost "
                  f"{sum(slot.losses for slot in driver.slots.values())}, errors {dict(errors)}")
        at_target = sum((slot.errors for slot in self.of_member(self.target)), Counter())
        print(f"errors at {self.target.name}, which lived: {dict(at_target)}")


def run(house, args):
    programs = {library: program_with(library, house, args.hiredis) for library in args.only or LIBRARIES}
    servers = start_three(house, *(() if args.impatient else ("--request-timeout", "60s")))
    drivers = []
    try:
        for library, program in programs.items():
            drivers.append(Driver(house, library, program, servers))
        story = Story(house, servers, drivers, random.Random(args.seed))
        story.go_on()
        for _ in range(args.kills):
            story.kill_leader()
        for driver in drivers:
            driver.end()
    finally:
        for driver in drivers:
            driver.kill()
    problems = story.look() + ([] if args.impatient else story.errors_without_cause())
    story.report()
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--hiredis", required=True, help="the program built of count_hiredis.c")
    parser.add_argument("--kills", type=int, default=int(os.environ.get("KILLS", "4")), help="KILLS if left out, or 4")
    parser.add_argument("--seed", type=int, default=1, help="who is killed, and after how many steps")
    parser.add_argument("--only", action="append", choices=LIBRARIES, help="may be given again")
    parser.add_argument("--impatient", action="store_true", help="with the server's own request-timeout: what is not "
                        "answered by then gets an error, on a busy machine also because a leader died")
    args = parser.parse_args()
    house = PlainHouse(os.path.abspath(args.server))
    try:
        problems = run(house, args)
    except (Failed, ProgramFailed, OSError) as e:
        problems = [str(e) or repr(e)]
    finally:
        for server in house.all.values():
            server.end()
    if problems:
        sys.exit("\n".join([*problems[:40], f"{len(problems)} problems; kept in {house.root}"]))
    house.close()
    print(f"leader_kill: all counted right over {args.kills} kills")


if __name__ == "__main__":
    main()
