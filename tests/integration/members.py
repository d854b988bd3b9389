#!/usr/bin/env python3
"""Members come and go: three real servers, a fourth that joins and gets its vote, removals, a replacement,
one that was away for longer than the log reaches back."""

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SECONDS = 60  # nothing takes longer, on a busy machine too

LOG_BYTES = 1 << 20
# Small, so that little has to be written.
SIZES = ("--log-max-bytes", str(LOG_BYTES), "--log-segment-bytes", str(64 << 10), "--overlay-bytes", str(128 << 10))


# Of the ports that have an owner in these tests: nobody else is given them until this process ends.
CLAIMS = []


def free_ports(count):
    """Below those that the system gives to connections, any of which could be in the way when a server starts."""
    ports = []
    while len(ports) < count:
        port = random.randrange(20000, 32000)
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0conclave-tests-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        CLAIMS.append(claim)
        ports.append(port)
    return ports


class Failed(Exception):
    pass


class Reply:
    """One reply of the protocol: bytes, int, None or a list; an error is a Failed."""

    def __init__(self, stream):
        self.stream = stream

    def read(self):
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("the connection ended")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise Failed(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.stream.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        return rest


class Server:
    program = None  # what is run under the name that arguments() begins with; that itself if None

    def __init__(self, house, name, *options):
        self.house, self.name, self.options = house, name, options
        self.port, self.peer_port = free_ports(2)
        self.dir = os.path.join(house.root, name)
        self.said = os.path.join(house.root, name + ".log")
        self.process = None

    def arguments(self):
        return [self.house.server, "--name", self.name, "--dir", self.dir, "--port", str(self.port),
                "--peer-port", str(self.peer_port), "--heartbeat-interval", "50",
                "--election-timeout", "500", *SIZES, *self.options]

    def start(self):
        with open(self.said, "ab") as said:
            self.process = subprocess.Popen(self.arguments(), executable=self.program, stderr=said)
        return self

    def end(self, how=signal.SIGKILL):
        if self.process:
            self.process.send_signal(how)
            self.process.wait(SECONDS)
            self.process = None

    def say(self, *words):
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as s:
            s.sendall(b"*%d\r\n" % len(words) + b"".join(
                b"$%d\r\n%s\r\n" % (len(w), w) for w in (str(w).encode() for w in words)))
            return Reply(s.makefile("rb")).read()

    def write(self, count, size):
        """So many keys of this size, without waiting for each."""
        request = b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, size, b"v" * size)
                           for key in (b"key:%d" % i for i in range(count)))
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as s:
            s.sendall(request)
            replies = Reply(s.makefile("rb"))
            for _ in range(count):
                replies.read()

    def log_bytes(self):
        where = os.path.join(self.dir, "log")
        return sum(os.stat(os.path.join(where, name)).st_size for name in os.listdir(where))

    def refuses(self, text, *words):
        try:
            answer = self.say(*words)
        except Failed as e:
            if text not in str(e):
                raise Failed(f"{words}: {e}, and not {text}") from e
            return
        raise Failed(f"{words}: {answer}")

    def members(self):
        """By name: the other fields."""
        rows = [dict(zip(row[::2], row[1::2])) for row in self.say("MEMBER", "LIST")]
        return {row[b"name"].decode(): row for row in rows}

    def roles(self):
        return {name: row[b"role"].decode() for name, row in self.members().items()}

    def has_said(self, text):
        with open(self.said, encoding="utf-8") as said:
            return text in said.read()


class House:
    kind = Server

    def __init__(self, server):
        self.server = server
        self.root = tempfile.mkdtemp(prefix="conclave-members-")
        self.all = {}

    def add(self, name, *options):
        self.all[name] = self.kind(self, name, *options)
        return self.all[name]

    def close(self):
        for server in self.all.values():
            server.end()
        shutil.rmtree(self.root)


def wait_for(what, why):
    till = time.monotonic() + SECONDS
    last = None
    while time.monotonic() < till:
        try:
            if answer := what():
                return answer
        except (OSError, Failed) as e:
            last = e
        time.sleep(0.02)
    raise Failed(f"{why} ({last})")


def change(server, *words):
    """A change of the membership; another one may be under way."""
    def once():
        try:
            return server.say("MEMBER", *words) == b"OK"
        except Failed as e:
            if "TRYAGAIN" not in str(e):
                sys.exit(f"MEMBER {' '.join(words)}: {e}")
            raise
    wait_for(once, f"MEMBER {words} never ends")


def start_three(house, *options):
    """One cluster, each of whose members takes writes."""
    first = [house.add(f"n{i}") for i in (1, 2, 3)]
    cluster = ",".join(f"{s.name}=127.0.0.1:{s.peer_port}" for s in first)
    for s in first:
        s.options = (*options, "--initial-cluster", cluster)
        s.start()
    for s in first:
        wait_for(lambda s=s: s.say("SET", s.name, "there") == b"OK", f"{s.name} takes no write")
    return first


def begin(house):
    first = start_three(house)
    for s in first:
        wait_for(lambda s=s: all(m[b"address"] for m in s.members().values()),
                 f"{s.name} does not know where the others are")
    return first


def counts_who_is_gone(first):
    """Who was heard a moment ago, and whose process is gone since, is none that is left."""
    leader = next(s for s in first if first[0].members()[s.name][b"leads"] == 1)
    gone, other = (s for s in first if s is not leader)
    gone.end()
    wait_for(lambda: leader.has_said(f"no connection to {gone.name} at 127.0.0.1:{gone.peer_port}: Connection refused"),
             f"{leader.name} does not notice that {gone.name} is gone")
    leader.refuses("ERR refused: of the 2 voters that would be left 1 answer", "MEMBER", "REMOVE", other.name)
    leader.refuses("does not answer", "MEMBER", "TRANSFER", gone.name)
    gone.start()
    wait_for(lambda: gone.say("SET", gone.name, "there") == b"OK", f"{gone.name} takes no write")


def is_far_behind(first):
    """The log stays within its bounds whoever is away; who comes back gets the state instead."""
    away = first[2]
    away.end()
    wait_for(lambda: first[0].say("SET", "goes", "on") == b"OK", "no write without n3")
    for _ in range(4):
        first[0].write(250, 8000)
    # What is not stored yet stays as well: up to two overlays, here and in the files behind them.
    for s in first[:2]:
        wait_for(lambda s=s: s.log_bytes() < 2 * LOG_BYTES, f"the log of {s.name} grows beyond its bounds")
    away.start()
    wait_for(lambda: len(away.say("GET", "key:249")) == 8000, "n3 does not catch up")
    wait_for(lambda: away.has_said("goes on behind a snapshot"), "n3 was given no state")
    wait_for(lambda: away.say("SET", "n3", "there") == b"OK", "n3 takes no write")


def joins(house, first):
    """A fourth one knows nothing but one address, and gets its vote by itself."""
    n4 = house.add("n4", "--join", f"127.0.0.1:{first[1].peer_port}").start()
    wait_for(lambda: n4.say("GET", "n1") == b"there", "n4 does not read")
    wait_for(lambda: first[0].roles().get("n4") == "voter", "n4 gets no vote")
    wait_for(lambda: n4.say("SET", "n4", "there") == b"OK", "n4 takes no write")
    address = n4.members()["n4"][b"address"].decode()
    if address != f"127.0.0.1:{n4.peer_port}":
        raise Failed(f"n4 stands at {address}")
    if n4.has_said("knows no member called n4"):
        raise Failed("n4 warns of what is no news while it joins")
    first[0].refuses("a member called n4", "MEMBER", "ADD", "00000000000000aa", "n4", "a:1")
    return n4


def comes_back_elsewhere(n4, first):
    """With the directory goes the member, not with its port; the others learn where it is."""
    n4.end(signal.SIGTERM)
    n4.port, n4.peer_port = free_ports(2)
    n4.start()
    where = f"127.0.0.1:{n4.peer_port}".encode()
    wait_for(lambda: first[2].members()["n4"][b"address"] == where, "n4 is not found")
    wait_for(lambda: n4.say("SET", "moved", "1") == b"OK", "n4 takes no write where it is now")


def all_come_back_elsewhere(n4, first):
    """In their logs stands where they were, and none can be elected before they have found each other."""
    servers = [*first, n4]
    for server in servers:
        server.end()
        server.port, server.peer_port = free_ports(2)
    cluster = ",".join(f"{s.name}=127.0.0.1:{s.peer_port}" for s in first)
    for server in first:
        server.options = (*server.options[:-1], cluster)
    n4.options = ("--join", f"127.0.0.1:{first[1].peer_port}")
    for server in servers:
        server.start()
    for server in servers:
        wait_for(lambda s=server: s.say("SET", s.name, "there") == b"OK", f"{server.name} takes no write where it is now")
    where = {s.name: f"127.0.0.1:{s.peer_port}".encode() for s in servers}
    wait_for(lambda: {name: row[b"address"] for name, row in n4.members().items()} == where, "it is not known where all are")


def is_removed(n4, first):
    change(first[0], "REMOVE", "n4")
    wait_for(lambda: "n4" not in first[2].roles(), "n4 stays")
    wait_for(lambda: n4.has_said("was removed from the cluster"), "n4 does not know")
    n4.refuses("CLUSTERDOWN This member was removed", "GET", "n1")
    n4.end()
    n4.start()
    wait_for(lambda: n4.say("PING") == b"PONG", "n4 does not start")
    # What it had not applied it learns again, or nobody tells it any more.
    wait_for(lambda: n4.refuses("CLUSTERDOWN", "GET", "n1") or True, "n4 serves although it is out")
    n4.end()


def is_replaced(house, first):
    """The machine of n3 is gone; a new one takes its vote in one step."""
    lost = first[2]
    lost.end()
    shutil.rmtree(lost.dir)
    n5 = house.add("n5", "--join", f"127.0.0.1:{first[0].peer_port}", "--auto-promote", "no").start()
    wait_for(lambda: n5.say("GET", "n3") == b"there", "n5 does not read")
    wait_for(lambda: first[0].refuses("does not answer", "MEMBER", "TRANSFER", "n3") or True,
             "n3 is not missed")
    first[0].refuses("refused: of the 2 voters", "MEMBER", "DEMOTE", "n2")
    if n5.roles()["n5"] != "learner":
        raise Failed("n5 has got a vote although it was not to")
    wait_for(lambda: n5.say("MEMBER", "REPLACE", "n3", "n5") == b"OK", "n5 does not replace n3")
    wait_for(lambda: n5.roles() == {"n1": "voter", "n2": "voter", "n5": "voter"}, "n3 stays")
    # As it was started before, in an empty directory: it is nobody.
    lost.start()
    wait_for(lambda: lost.has_said("knows no member called n3"), "n3 is not told that it is out")
    lost.refuses("CLUSTERDOWN", "SET", "n3", "again")
    lost.end()
    return n5


def leads(n5, first):
    change(first[1], "TRANSFER", "n5")
    wait_for(lambda: n5.members()["n5"][b"leads"] == 1, "n5 does not lead")
    first[0].end()
    wait_for(lambda: first[1].say("SET", "last", "1") == b"OK", "no write without n1")
    wait_for(lambda: n5.say("GET", "last") == b"1", "no read without n1")


def goes_on_alone(house, first):
    """Two of three are lost for ever; the third one goes on, and takes new ones in."""
    n2 = first[1]
    for server in house.all.values():
        server.end()
    n2.start()
    wait_for(lambda: n2.say("PING") == b"PONG", "n2 does not start")
    n2.refuses("CLUSTERDOWN", "SET", "alone", "no")
    # It knows who takes part, and nobody who leads.
    wait_for(lambda: n2.refuses("CLUSTERDOWN There is no leader", "MEMBER", "TRANSFER", "n5") or True, "n2 waits")
    n2.refuses("CLUSTERDOWN There is no leader that could hand over", "FAILOVER")
    if {row[b"leads"] for row in n2.members().values()} != {0} or "n5" not in n2.roles():
        raise Failed(f"{n2.members()}")
    n2.end()
    options = n2.options
    n2.options = (*options, "--force-new-cluster")
    n2.start()
    wait_for(lambda: n2.say("SET", "alone", "yes") == b"OK", "n2 does not go on alone")
    if n2.roles() != {"n2": "voter"} or n2.say("GET", "last") != b"1":
        raise Failed(f"{n2.roles()}, {n2.say('GET', 'last')}")
    n2.end()
    n2.options = options
    n2.start()
    wait_for(lambda: n2.say("GET", "alone") == b"yes", "n2 does not start again")
    n6 = house.add("n6", "--join", f"127.0.0.1:{n2.peer_port}").start()
    wait_for(lambda: n6.roles().get("n6") == "voter", "n6 gets no vote")
    wait_for(lambda: n6.say("GET", "alone") == b"yes", "n6 does not read")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    house = House(os.path.abspath(parser.parse_args().server))
    try:
        first = begin(house)
        counts_who_is_gone(first)
        is_far_behind(first)
        n4 = joins(house, first)
        comes_back_elsewhere(n4, first)
        all_come_back_elsewhere(n4, first)
        is_removed(n4, first)
        n5 = is_replaced(house, first)
        leads(n5, first)
        goes_on_alone(house, first)
    except (Failed, OSError) as e:
        for server in house.all.values():
            print(f"==== {server.name}")
            with open(server.said, encoding="utf-8") as said:
                print(said.read())
        sys.exit(f"members: {e}")
    finally:
        house.close()
    print("members: came, were away, moved, left, were replaced and went on alone")


if __name__ == "__main__":
    main()
