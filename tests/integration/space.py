#!/usr/bin/env python3
"""A disk that gets full, and a quota: what grows is refused, what was deleted makes room, and writes go on."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time

from members import SECONDS, Failed, Reply, wait_for
from process import error_of, expect, expect_in, request, run_stories, text_of

MIB = 1 << 20
MS_REMOUNT = 32
VALUE_BYTES = 64 << 10
SMALL_LOG = ("--log-segment-bytes", "4mb", "--log-max-bytes", "8mb", "--overlay-bytes", "4mb")


def may_mount():
    """Whoever is not root gets a name space in which he is, where the system gives them; else mounting fails, and says so."""
    if os.geteuid() != 0:
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", "--mount", sys.executable, *sys.argv])


class Disk:
    """A file system of its own, where a member's directory is to be."""

    def __init__(self, where, mib, more=""):
        self.where = where
        os.makedirs(where)
        self.mount("-t", "tmpfs", "-o", f"size={mib}m{more}", "tmpfs", where)

    def mount(self, *options):
        done = subprocess.run(["mount", *options], stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise Failed(f"this test needs the right to mount a tmpfs: run it as root ({done.stderr.decode()})")

    def resize(self, mib):
        """By the call itself: the program repeats options that nobody but root may repeat."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"tmpfs", self.where.encode(), b"tmpfs", MS_REMOUNT, f"size={mib}m".encode()):
            raise Failed(f"{self.where} cannot be made larger: {os.strerror(ctypes.get_errno())}")

    def free(self):
        v = os.statvfs(self.where)
        return v.f_bavail * v.f_frsize

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.where], check=True)


def value_of(i):
    """Nothing that compression could make small, and another one for each key."""
    return value_of.noise[i:] + value_of.noise[:i]


value_of.noise = os.urandom(VALUE_BYTES)


def starts(server):
    server.start()
    wait_for(lambda: server.say("PING") == b"PONG", f"{server.name} does not start")
    wait_for(lambda: server.say("GET", "none") is None, f"{server.name} does not read")
    return server


class Writer:
    """Writes key after key on one connection; knows which were acknowledged."""

    def __init__(self, server, words):
        self.stream = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
        self.replies = Reply(self.stream.makefile("rb"))
        self.words = words
        self.done = []
        self.next = 0

    def go_on(self, count=32):
        """True: all were taken; else the last error."""
        numbers = range(self.next, self.next + count)
        self.next += count
        self.stream.sendall(b"".join(request(*self.words(i)) for i in numbers))
        refused = None
        for i in numbers:
            try:
                self.replies.read()
                self.done.append(i)
            except Failed as e:
                refused = str(e)
        return refused or True

    def until_refused(self):
        """Until nothing is taken for a while: the past and the log make room once more when an alarm begins."""
        refusals = 0
        while refusals < 20:
            answer = self.go_on() if refusals == 0 else self.go_on(1)
            refusals = 0 if answer is True else refusals + 1
            if answer is not True:
                expect_in("OOM command not allowed: a member is short of disk space; delete keys", answer, "a refusal")
                time.sleep(0.05)
        return answer

    def until(self, holds, why):
        """Refused, and this holds too: room that was made late ends an alarm, and then more is written."""
        wait_for(lambda: self.until_refused() and holds(), why)


def sets(server):
    return Writer(server, lambda i: (b"SET", b"key:%d" % i, value_of(i)))


def expect_values(server, numbers):
    for i in numbers:
        if server.say("GET", f"key:{i}") != value_of(i):
            raise Failed(f"key:{i} is not what it was")


def is_short(server):
    return b"no_space:1" in server.say("INFO", "raft")


def refuses(server, *words):
    expect_in("OOM command not allowed", error_of(server, *words), server.name)
    return True


def figure_of(server, name):
    for line in server.say("INFO", "persistence").decode().split("\r\n"):
        if line.startswith(name + ":"):
            return int(line.split(":")[1])
    raise Failed(f"INFO has no {name}")


def a_disk_that_gets_full(house):
    with Disk(os.path.join(house.root, "n1"), 512) as disk:
        server = starts(house.add("n1", *SMALL_LOG, "--disk-reserve", "128mb"))
        first = server.say("REVISION")
        writer = sets(server)
        writer.until(lambda: is_short(server) and figure_of(server, "disk_free_bytes") < 141 * MIB, "what INFO says")
        expect_in("less than disk-reserve (134217728): free room there, or delete keys", text_of(server.said), "the log")
        expect(disk.free() > 16 * MIB, True, f"{disk.free()} bytes are left")
        expect(figure_of(server, "disk_reserve_bytes"), 128 * MIB, "INFO")
        expect_values(server, writer.done[::100])
        wait_for(lambda: "COMPACTED" in error_of(server, "AT", str(first + 1), "GET", "key:0"), "the past is given up")
        for i in writer.done[::2]:
            expect(server.say("DEL", f"key:{i}"), 1, "DEL")
        wait_for(lambda: server.say("SET", "key:-1", "there") == b"OK", "writes are not taken again")
        wait_for(lambda: not is_short(server), "the alarm stands")
        kept = writer.done[1::2]
        expect_values(server, kept[::10])
        expect(server.say("DBSIZE"), len(kept) + 1, "what is left")
        expect(server.process.poll(), None, "the process")
        server.end(signal.SIGTERM)
        starts(server)
        expect(server.say("DBSIZE"), len(kept) + 1, "what is left after a restart")
        expect_values(server, kept[::100])


def a_quota(house):
    """Elements of collections, which are rows of another kind; and the same end of it."""
    server = starts(house.add("n1", *SMALL_LOG, "--disk-reserve", "0", "--quota-bytes", "96mb"))
    writer = Writer(server, lambda i: (b"HSET", b"hash:%d" % (i % 7), b"field:%d" % i, value_of(i)))
    writer.until(lambda: refuses(server, "APPEND", "other", "1") and figure_of(server, "disk_used_bytes") > 86 * MIB,
                 "what INFO says is used, or another one is not refused")
    expect_in("more than quota-bytes (100663296): delete keys, or raise it", text_of(server.said), "the log")
    expect(figure_of(server, "disk_quota_bytes"), 96 * MIB, "INFO")
    expect(server.say("HGET", "hash:0", "field:0"), value_of(0), "HGET")
    for i in range(7):
        expect(server.say("DEL", f"hash:{i}"), 1, "DEL")
    wait_for(lambda: server.say("SET", "other", "1") == b"OK", "writes are not taken again")
    writer.until_refused()
    expect(server.say("CONFIG", "SET", "quota-bytes", "1gb"), b"OK", "CONFIG SET")
    wait_for(lambda: server.say("SET", "other", "2") == b"OK", "writes are not taken again")


def one_member_of_three(house):
    """Its disk is everybody's: an alarm is raised for all of them, and ends for all of them."""
    with Disk(os.path.join(house.root, "n3"), 128) as disk:
        members = [house.add(f"n{i}") for i in (1, 2, 3)]
        cluster = ",".join(f"{m.name}=127.0.0.1:{m.peer_port}" for m in members)
        for m in members:
            m.options = ("--initial-cluster", cluster, *SMALL_LOG, "--disk-reserve", "48mb" if m.name == "n3" else "1mb")
            m.start()
        for m in members:
            wait_for(lambda m=m: m.say("SET", m.name, "there") == b"OK", f"{m.name} takes no write")
        writer = sets(members[0])
        writer.until(lambda: all(refuses(m, "SET", m.name, "there") for m in members), "not all refuse")
        for m in members:
            wait_for(lambda m=m: is_short(m), f"{m.name} has no alarm")
            expect(m.say("GET", m.name), b"there", f"a read of {m.name}")
        expect("is short of disk space" in text_of(members[1].said), True, "n2 knows of it")
        disk.resize(1024)
        for m in members:
            wait_for(lambda m=m: m.say("SET", m.name, "2") == b"OK", f"{m.name} takes no write again")
        expect_values(members[2], writer.done[::50])


def a_log_that_cannot_be_written(house):
    """Without a reserve the disk gets full in earnest. The process ends, and nothing is lost."""
    with Disk(os.path.join(house.root, "n1"), 64) as disk:
        server = starts(house.add("n1", *SMALL_LOG, "--disk-reserve", "0"))
        writer = sets(server)
        try:
            while True:
                writer.go_on()
        except OSError:
            pass
        process = server.process
        process.wait(SECONDS)
        expect(process.returncode, 1, "the exit code")
        expect_in("the member cannot go on: no space left on the disk", text_of(server.said), "the log")
        expect_in("free room there and start it again", text_of(server.said), "what to do")
        server.end()
        disk.resize(256)
        starts(server)
        expect_values(server, writer.done)
        wait_for(lambda: server.say("SET", "after", "all") == b"OK", "it takes writes again")


if __name__ == "__main__":
    may_mount()
    run_stories(__doc__, [a_disk_that_gets_full, a_quota, one_member_of_three, a_log_that_cannot_be_written])
