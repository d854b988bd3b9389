"""The servers under test, each a process of its own on free ports of 127.0.0.1."""

import os
import random
import socket
import subprocess
import time
from pathlib import Path

from . import Failure
from .figures import leader_in

HOST = "127.0.0.1"
START_SECONDS = 30
END_SECONDS = 10
LOG_LINES = 30
PORTS = range(20000, 32768)  # below those that Linux gives to outgoing connections

# A set value of one of the server's directives would be measured unseen.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith("CONCLAVE_")}


def free_ports(count):
    """Different ports that nobody listens on, and that no outgoing connection is given meanwhile."""
    ports = []
    for port in random.sample(PORTS, len(PORTS)):
        try:
            socket.create_server((HOST, port)).close()
        except OSError:
            continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise Failure(f"there are no {count} free ports from {PORTS[0]} to {PORTS[-1]}")


class Server:
    """One process. It ends with this one, whatever ends this one."""

    def __init__(self, name, folder, port, command):
        self.name, self.port = name, port
        self.log_path = folder / f"{name}.log"
        with self.log_path.open("wb") as log:
            # A session of its own: Ctrl-C reaches this script alone, which then ends the servers.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *map(str, command)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=ENVIRONMENT)

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def log_end(self):
        lines = self.log().splitlines()[-LOG_LINES:] or ["(empty)"]
        return "\n".join([f"the end of the log of {self.name}:", *("    " + line for line in lines)])

    def check_alive(self):
        status = self.process.poll()
        if status is not None:
            raise Failure(f"{self.name} ended with status {status}; {self.log_end()}")

    def await_ready(self):
        """Until it has answered a SET with OK."""
        give_up, said = time.monotonic() + START_SECONDS, "nothing"
        while time.monotonic() < give_up:
            self.check_alive()
            try:
                with socket.create_connection((HOST, self.port), timeout=5) as s:
                    s.sendall(b"SET spine ready\r\n")
                    said = s.recv(4096).decode(errors="replace").strip()
            except OSError as error:
                said = str(error)
            if said == "+OK":
                return
            time.sleep(0.05)
        raise Failure(f"{self.name} is not ready after {START_SECONDS} s: {said}; {self.log_end()}")

    def busy_seconds(self):
        """The processor time that it and its children have used."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return sum(processor_seconds(p) for p in (pid, *children))

    def end(self):
        self.process.terminate()

    def await_end(self):
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def processor_seconds(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:  # it has ended
        return 0
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Servers:
    """All that were started; as a context, they end with it."""

    def __init__(self, folder, conclave):
        self.folder, self.conclave = folder, conclave
        self.ports = free_ports(9)  # at once: a server may need a while until it listens
        self.all = []
        self.three = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.all:
            server.end()
        for server in self.all:
            server.await_end()

    def start(self, name, port, command):
        self.all.append(Server(name, self.folder, port, command))
        return self.all[-1]

    def start_redis(self):
        port = self.ports.pop()
        directory = self.folder / "redis"
        directory.mkdir()
        return self.start("redis-server", port, [
            "redis-server", "--bind", HOST, "--port", port, "--dir", directory,
            "--appendonly", "yes", "--appendfsync", "always", "--save", ""])

    def start_member(self, label, name, port, peer_port, *more):
        return self.start(label, port, [
            self.conclave, "--name", name, "--bind", HOST, "--port", port,
            "--peer-port", peer_port, "--dir", self.folder / label, *more])

    def start_one(self):
        return self.start_member("one", "n1", self.ports.pop(), self.ports.pop())

    def start_three(self):
        peer_ports = {name: self.ports.pop() for name in ("n1", "n2", "n3")}
        cluster = ",".join(f"{name}={HOST}:{port}" for name, port in peer_ports.items())
        for name, peer_port in peer_ports.items():
            self.three.append(self.start_member(f"three-{name}", name, self.ports.pop(), peer_port,
                                                "--initial-cluster", cluster))

    def leader(self):
        """The one of the three that leads."""
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            leader = leader_in({server.name: server.log() for server in self.three})
            for server in self.three:
                server.check_alive()
                if server.name == leader:
                    return server
            time.sleep(0.05)
        raise Failure("\n".join([f"nobody leads the three members after {START_SECONDS} s",
                                 *(server.log_end() for server in self.three)]))

    def follower(self):
        leader = self.leader()
        return next(server for server in self.three if server is not leader)

    def settle(self, seconds):
        """Waits, but not longer than told, until what earlier loads left behind is done."""
        give_up, step = time.monotonic() + seconds, 0.2
        before = self.busy_seconds()
        while time.monotonic() < give_up:
            time.sleep(step)
            after = self.busy_seconds()
            if after - before <= 0.1 * step:
                return
            before = after

    def busy_seconds(self):
        for server in self.all:
            server.check_alive()
        return sum(server.busy_seconds() for server in self.all)
