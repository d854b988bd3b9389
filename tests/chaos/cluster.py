"""The members: real processes, each on a machine of the network, and what an operator does with them."""

import os
import shutil
import signal
import subprocess
import time

from protocol import Asker, Error

START_SECONDS = 60  # a start, or an end in peace, takes no longer, on a busy machine too
ASK_SECONDS = 4
HEARTBEAT_MS, ELECTION_MS = 50, 500


class Failed(Exception):
    """A promise was broken."""


class Member:
    """One directory, and the process that works on it, if any."""

    def __init__(self, cluster, name, *options):
        self.cluster, self.name, self.options = cluster, name, options
        self.machine = cluster.network.take()
        self.dir = os.path.join(cluster.root, name)
        self.socket = os.path.join(cluster.root, name + ".sock")
        self.said = os.path.join(cluster.root, name + ".log")
        self.disk = None  # one of its own that can be filled
        self.may_end = False
        self.rotten = False  # bits of its files were flipped at some time
        self.process = None
        self.runs, self.started_s = 0, 0
        self.ended_in_peace = {}  # by run: whether it did, as soon as that is known
        self.answers_since = None  # it can be expected to answer

    def peer_address(self):
        return f"{self.cluster.network.address(self.machine)}:{self.cluster.network.ports(self.machine)[1]}"

    def start(self):
        network = self.cluster.network
        port, peer_port = network.ports(self.machine)
        words = [self.cluster.server, "--name", self.name, "--dir", self.dir, "--bind", network.address(self.machine),
                 "--port", port, "--peer-port", peer_port, "--unixsocket", self.socket,
                 "--heartbeat-interval", HEARTBEAT_MS, "--election-timeout", ELECTION_MS,
                 *self.cluster.options, *self.options]
        self.runs += 1
        with open(self.said, "ab") as said:
            said.write(b"---- run %d\n" % self.runs)
            said.flush()
            self.process = subprocess.Popen(network.command(self.machine, [str(w) for w in words]), stderr=said,
                                            start_new_session=True)
        self.answers_since = self.started_s = time.monotonic()
        return self

    def lives(self):
        return self.process is not None

    def check(self):
        """A process ends when it is told to, and not before."""
        if self.process is None or self.process.poll() is None:
            return
        if not self.may_end:
            raise Failed(f"{self.name} ended by itself with {self.process.returncode}; see {self.said}")
        self.has_ended(in_peace=False)

    def has_ended(self, in_peace):
        self.answers_since = None
        self.ended_in_peace[self.runs] = in_peace
        self.process = None

    def kill(self):
        self.check()
        if not self.lives():  # it was free to end
            return
        self.answers_since = None
        self.process.kill()
        self.process.wait()
        self.has_ended(in_peace=False)

    def end(self):
        """In peace: what was asked is answered before."""
        self.check()
        self.answers_since = None
        self.process.terminate()
        try:
            code = self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} does not end on SIGTERM") from None
        self.has_ended(in_peace=True)
        if code != 0:
            raise Failed(f"{self.name} ended with {code} on SIGTERM; see {self.said}")

    def pause(self):
        self.answers_since = None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)
        self.answers_since = time.monotonic()

    def ask(self, *words):
        with Asker(self.socket, ASK_SECONDS) as asker:
            return asker.ask(*words)

    def info(self):
        text = self.ask("INFO", "raft").decode()
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)

    def has_said(self):
        with open(self.said, encoding="utf-8", errors="replace") as said:
            return said.read()

    def has_said_in_this_run(self):
        return self.has_said().rpartition(f"---- run {self.runs}\n")[2]


class Cluster:
    """So many places for members; who stands in one may change."""

    def __init__(self, root, server, network, size, options):
        self.root, self.server, self.network, self.options = root, server, network, options
        self.named = size
        self.members = [Member(self, f"n{i + 1}") for i in range(size)]
        self.gone = []
        whole = ",".join(f"{m.name}={m.peer_address()}" for m in self.members)
        for member in self.members:
            member.options = ("--initial-cluster", whole)

    def start(self):
        for member in self.members:
            member.start()
        self.await_service()

    def check(self):
        for member in self.members:
            member.check()

    def majority_started_since(self, moment):
        return sum(m.started_s > moment for m in self.members) > len(self.members) // 2

    def newcomer(self, *options):
        """Starts a member with an empty directory that comes to the others."""
        self.named += 1
        through = next(m for m in self.members if m.lives())
        member = Member(self, f"n{self.named}", "--join", through.peer_address(), *options)
        return member.start()

    def drop(self, member):
        """It is out of the cluster; so its machine and its data go."""
        if member.lives():
            member.kill()
        self.network.give_back(member.machine)
        if member.disk:
            member.disk.close()
            member.disk = None
        shutil.rmtree(member.dir, ignore_errors=True)
        self.gone.append(member)

    def close(self):
        for member in self.members + self.gone:
            if member.lives():
                member.process.kill()
                member.process.wait()
                member.process = None
            if member.disk:
                member.disk.close()
                member.disk = None

    def leader(self):
        """Who leads the newest term as far as the members know, or None."""
        found, newest = None, -1
        for member in self.members:
            if member.answers_since is None:
                continue
            try:
                info = member.info()
            except (OSError, Error):
                continue
            if info["raft_role"] == "leader" and int(info["raft_term"]) > newest:
                found, newest = member, int(info["raft_term"])
        return found

    def rows_at(self, member):
        """Of the list of members that it gives."""
        return [dict(zip(row[::2], row[1::2])) for row in member.ask("MEMBER", "LIST")]

    def roles_at(self, member):
        """{name: role} as it sees them."""
        return {row[b"name"].decode(): row[b"role"].decode() for row in self.rows_at(member)}

    def leaders_at(self, member):
        """The names of those that it takes for leaders."""
        return [row[b"name"].decode() for row in self.rows_at(member) if row[b"leads"]]

    def roles(self):
        """The same of the first that answers."""
        for member in self.members:
            try:
                return self.roles_at(member)
            except (OSError, Error):
                continue
        return {}

    def wait_for(self, what, why, seconds=START_SECONDS):
        till = time.monotonic() + seconds
        last = None
        while time.monotonic() < till:
            self.check()
            try:
                if answer := what():
                    return answer
            except (OSError, Error) as e:
                last = e
            time.sleep(0.05)
        raise Failed(f"{why} within {seconds} s ({last})")

    def await_service(self):
        """Every member takes a write, and reads."""
        for member in self.members:
            self.wait_for(lambda m=member: m.ask("SET", f"service:{m.name}", "1") == b"OK",
                          f"{member.name} takes no write")

    def change(self, done, *words):
        """A change of the membership, asked for again until it is there."""
        def once():
            if done(self.roles()):
                return True
            for member in self.members:
                if member.answers_since is not None:
                    member.ask("MEMBER", *words)
                    break
            return done(self.roles())
        self.wait_for(once, f"MEMBER {' '.join(words)} never comes about")
