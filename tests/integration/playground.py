#!/usr/bin/env python3
"""conclave-ctl playground: a cluster in a terminal and by pipes; what it is told to do, and that nothing stays behind."""

import argparse
import os
import pty
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from members import SECONDS, Failed, Reply, wait_for


def expect(holds, why):
    if not holds:
        raise Failed(why)


def is_free(port):
    try:
        socket.create_server(("127.0.0.1", port)).close()
        return True
    except OSError:
        return False


def free_base(count):
    """The first of so many ports in a row that nobody has, nor those 10000 above; below those of outgoing connections."""
    for _ in range(200):
        base = random.randrange(10100, 22000)
        if all(is_free(port + above) for port in range(base, base + count) for above in (0, 10000)):
            return base
    raise Failed("no ports are free")


class Playground:
    """One that runs; `said` is all that it has shown so far."""

    def __init__(self, house, *options, terminal=False, nodes=3):
        self.base, self.said, self.nodes = free_base(nodes), "", nodes
        command = [house.ctl, "playground", "--port", str(self.base), *options]
        if "--dir" not in options:
            command += ["--nodes", str(nodes)]
        env = {**os.environ, "TMPDIR": house.root, "CONCLAVE_REQUIREPASS": "not for these", "TERM": "xterm"}
        if terminal:
            self.input, inner = pty.openpty()
            os.set_blocking(self.input, False)
            subprocess.run(["stty", "rows", "40", "cols", "120"], stdin=inner, check=True)
            self.output = self.input
            self.process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=env,
                                            start_new_session=True, preexec_fn=take_terminal)
            os.close(inner)
        else:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, env=env, start_new_session=True)
            self.input, self.output = self.process.stdin.fileno(), self.process.stdout.fileno()
            os.set_blocking(self.output, False)
        house.all.append(self)

    def tell(self, line):
        os.write(self.input, line.encode() + b"\n")

    def read(self):
        """What has come; False at the end."""
        select.select([self.output], [], [], 0.1)
        try:
            data = os.read(self.output, 65536)
        except BlockingIOError:
            return True
        except OSError:  # a terminal that nobody has any more
            return False
        self.said += data.decode(errors="replace")
        return bool(data)

    def await_text(self, pattern, behind=0):
        """The match of it in what was shown from that place on; where it ends is the next place."""
        till = time.monotonic() + SECONDS
        while not (found := re.compile(pattern).search(self.said, behind)):
            if time.monotonic() > till or not self.read():
                raise Failed(f"{pattern!r} is not said: {self.said[behind:]}")
        return found

    def ready(self):
        self.await_text(r"redis-cli -p \d+ +# n%d" % self.nodes)
        return self

    def await_end(self, code=0):
        while self.read():
            pass
        expect(self.process.wait(SECONDS) == code, f"exit code {self.process.returncode}: {self.said}")

    def say(self, node, *words):
        with socket.create_connection(("127.0.0.1", self.base + node - 1), timeout=SECONDS) as s:
            s.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
            return Reply(s.makefile("rb")).read()

    def leader(self):
        """The number of the member that leads, by what the members themselves say."""
        for node in range(1, self.nodes + 1):
            try:
                if b"raft_role:leader" in self.say(node, "INFO", "raft"):
                    return node
            except OSError:
                pass
        return None

    def servers(self):
        """The processes of its members."""
        return [pid for n in range(1, self.nodes + 1) for pid in self.processes(f"n{n}")]

    def processes(self, name):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().split(b"\0")
            except OSError:
                continue
            if (words[1:3] == [b"--name", name.encode()] and b"--port" in words
                    and words[words.index(b"--port") + 1] in self.ports()):
                found.append(int(pid))
        return found

    def ports(self):
        return [str(self.base + i).encode() for i in range(self.nodes)]


def take_terminal():
    """The terminal is the one that Ctrl-C is typed at."""
    import fcntl  # pylint: disable=import-outside-toplevel
    import termios  # pylint: disable=import-outside-toplevel
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class House:
    def __init__(self, ctl):
        self.ctl, self.all = ctl, []
        self.root = tempfile.mkdtemp(prefix="conclave-playgrounds-")

    def close(self):
        for p in self.all:
            p.process.kill()
            p.process.wait(SECONDS)
        shutil.rmtree(self.root)

    def is_empty(self):
        return not os.listdir(self.root)


def nothing_is_left(house, p):
    expect(not p.servers(), f"processes are left: {p.servers()}")
    expect(house.is_empty(), f"files are left: {os.listdir(house.root)}")


def serves_through_a_kill(house):
    p = Playground(house).ready()
    expect(f"redis-cli -p {p.base}    # n1" in p.said, f"lines to paste: {p.said}")
    expect(len(p.servers()) == 3 and not house.is_empty(), "three processes and a directory")
    expect(p.say(1, "SET", "a", "1") == b"OK" and p.say(3, "GET", "a") == b"1", "it serves")
    dead = wait_for(p.leader, "nobody leads")
    others = [n for n in (1, 2, 3) if n != dead]
    place = len(p.said)
    p.tell("kill leader")
    p.await_text(rf"n{dead} is killed", place)
    p.await_text(rf"n{dead}: killed", place)
    p.await_text(r"leader of term \d+, n[%d%d] leads" % tuple(others), place)
    wait_for(lambda: p.say(others[0], "SET", "b", "2") == b"OK", "no write without the leader")
    place = len(p.said)
    p.tell("status")
    p.await_text(rf"n{dead} +{p.base + dead - 1} +killed", place)
    expect(len(p.servers()) == 2, "the killed one runs")
    p.tell(f"start n{dead}")
    p.await_text(rf"n{dead}: running, follower of term \d+, n\d leads", place)
    wait_for(lambda: p.say(dead, "GET", "b") == b"2", "the one that is back has not caught up")
    return p


def is_told(p):
    """Every command, and those that make no sense."""
    for line, wanted in (("pause n2", "n2 is held"), ("resume n2", "n2 goes on"), ("resume n2", "n2 is not paused"),
                         ("stop n3", "n3: stopped"), ("kill n3", "n3 does not run; start n3"),
                         ("start n3", "n3: running"), ("start n3", "n3 runs already"),
                         ("kill n4", "there is no member 'n4'"), ("kill", r"which one\? As in: kill n1"),
                         ("kill n1 n2", "one at a time, as in: kill n1"),
                         ("dance", "there is no command 'dance'"), ("help", "pause +n1 +it stands still"),
                         ("x" * 600, "there is no command 'xxx")):
        place = len(p.said)
        p.tell(line)
        p.await_text(wanted, place)
    # Before the first of two has come about.
    (before,) = p.processes("n3")
    place = len(p.said)
    p.tell("kill n3\nstart n3")
    p.await_text("n3 starts", place)
    p.await_text("n3: running", place)
    expect(p.processes("n3") not in ([], [before]), "n3 is the one that was killed")
    place = len(p.said)
    p.tell("pause n1")
    p.await_text("n1: paused", place)
    wait_for(lambda: p.say(2, "SET", "c", "3") == b"OK", "no write without n1")
    p.tell("resume n1")
    p.await_text("n1: running", place)
    wait_for(lambda: p.say(1, "GET", "c") == b"3", "n1 does not go on")


def says_who_ends_by_itself(p):
    place = len(p.said)
    (pid,) = p.processes("n2")
    os.kill(pid, signal.SIGABRT)
    p.await_text(r"n2 has ended by itself, with signal 6; the end of \S+/n2.log:\n +\S", place)
    p.await_text("n2: ended", place)


def ends_with_its_input(house, p):
    p.tell("pause n1")  # one that is held, and one that does not run: they are no reason to stay
    p.process.stdin.close()
    p.await_end()
    nothing_is_left(house, p)


def ends_with_ctrl_c(house):
    p = Playground(house, terminal=True).ready()
    p.await_text(r"\x1b\[\d;1Hn[123] +\d+ +running +leader")  # the table, drawn in its place
    place = len(p.said)
    p.tell("stop n2")
    p.await_text(r"\x1b\[3;1Hn2 +\d+ +stopped", place)
    p.await_text("n2 is asked to end\r\n> ", place)
    os.write(p.input, b"\x03")
    p.await_end()
    expect("\x1b[r" in p.said[place:], "the terminal is not given back")
    nothing_is_left(house, p)


def dies_with_its_members(house):
    """Even if it cannot end them."""
    p = Playground(house, nodes=1).ready()
    expect(len(p.servers()) == 1, "one process")
    p.process.kill()
    p.process.wait(SECONDS)
    wait_for(lambda: not p.servers(), "its member lives")
    for name in os.listdir(house.root):
        shutil.rmtree(os.path.join(house.root, name))


def stays_where_it_is_told(house):
    where = os.path.join(house.root, "kept")
    # The second time it knows by itself how many there are.
    for before, value, more in ((None, "1", ("--nodes", "2")), (b"1", "2", ())):
        p = Playground(house, "--dir", where, *more, nodes=2).ready()
        expect(where in p.said and p.say(2, "GET", "a") == before, f"what was there: {p.said}")
        expect(p.say(1, "SET", "a", value) == b"OK", "a write")
        # The second time they are elsewhere, both, and it stands in their logs where they were.
        wait_for(lambda p=p: all(str(port).encode() in b"".join(row[5] for row in p.say(2, "MEMBER", "LIST"))
                                 for port in (p.base + 10000, p.base + 10001)), "it is not known where they are")
        p.tell("quit")
        p.await_end()
        expect(sorted(os.listdir(where)) == ["n1", "n1.log", "n2", "n2.log"], f"{os.listdir(where)}")
    done = subprocess.run([house.ctl, "playground", "--dir", where, "--nodes", "4"], capture_output=True, text=True,
                          timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)
    expect(done.returncode == 1 and f"{where} holds 2 members, and 4 are asked for" in done.stderr, f"{done}")
    shutil.rmtree(where)
    nothing_is_left(house, p)


def cannot_begin(house):
    def refusal(*options, code=1):
        done = subprocess.run([house.ctl, "playground", *options], capture_output=True, text=True, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, check=False, env={**os.environ, "TMPDIR": house.root})
        expect(done.returncode == code, f"{options}: {done}")
        expect(house.is_empty(), f"files are left: {os.listdir(house.root)}")
        return done.stderr

    base = free_base(3)
    for taken in (base + 1, base + 10002):
        with socket.create_server(("127.0.0.1", taken)):
            said = refusal("--port", str(base))
        expect(f"port {taken} of 127.0.0.1: Address already in use; --port says where to begin" in said, said)
    expect("/nowhere/server: No such file" in refusal("--port", str(base), "--server", "/nowhere/server"), "a server")
    said = refusal("--port", str(base), "--server", "/bin/false")
    expect("does not start" in said, said)
    expect("/proc/none/d: No such file" in refusal("--port", str(base), "--dir", "/proc/none/d"), "a directory")
    expect("--nodes takes a number from 1 to 9" in refusal("--nodes", "10", code=2), "too many")
    expect("there are 65535" in refusal("--port", "60000", code=2), "ports")
    expect("it is said: conclave-ctl playground" in refusal("now", code=2), "words")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="lies beside the other one")
    parser.add_argument("--ctl", required=True)
    house = House(os.path.abspath(parser.parse_args().ctl))
    try:
        cannot_begin(house)
        p = serves_through_a_kill(house)
        is_told(p)
        says_who_ends_by_itself(p)
        ends_with_its_input(house, p)
        ends_with_ctrl_c(house)
        dies_with_its_members(house)
        stays_where_it_is_told(house)
    except Failed as e:
        sys.exit(f"playground: {e}")
    finally:
        house.close()
    print("playground: served, was told, told of deaths, and left nothing behind")


if __name__ == "__main__":
    main()
