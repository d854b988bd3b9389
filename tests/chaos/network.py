"""The network between the members: one of its own (wire.c), or none but this machine's."""

import os
import socket
import subprocess

MACHINES = 8


class NoNetwork(Exception):
    """There can be no network of our own; the text says why."""


# What runs a command that is killed when this process ends, however it ends.
BOUND = ("setpriv", "--pdeathsig", "KILL")


class Wire:
    """So many machines, each in a network namespace, and what lies between them."""

    can_fail = True

    def __init__(self, program):
        # A session of its own: a Ctrl-C is for this process alone.
        self.process = subprocess.Popen([*BOUND, program, str(MACHINES)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        start_new_session=True)
        words = self.process.stdout.readline().split()
        if not words:
            raise NoNetwork(self.process.communicate()[1].strip() or "the wire ended")
        self.spaces = [f"/proc/{words[1]}/fd/{number}" for number in words[2:]]
        self.free = list(range(MACHINES))

    def take(self):
        """A machine that nobody uses; the one that was given back last comes first."""
        return self.free.pop(0)

    def give_back(self, machine):
        self.free.insert(0, machine)

    def address(self, machine):
        return f"10.73.0.{machine + 1}"

    def ports(self, _machine):
        """(for clients, for members): nobody else is there."""
        return 6379, 16379

    def command(self, machine, words):
        """What runs a command on a machine."""
        return ["nsenter", f"--net={self.spaces[machine]}", *BOUND, *words]

    def path(self, source, target, cut=False, loss=0, delay_ms=0, rate=0):
        """What becomes of packets from one machine to another; loss in a thousand, bytes a second."""
        self.process.stdin.write(f"{source + 1} {target + 1} {int(cut)} {loss} {int(delay_ms * 1000)} {rate}\n")
        self.process.stdin.flush()

    def heal(self):
        for source in range(MACHINES):
            for target in range(MACHINES):
                self.path(source, target)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
        self.process.stderr.close()


class Loopback:
    """Where namespaces are not allowed: everybody on 127.0.0.1, and nothing that can be cut."""

    can_fail = False

    def __init__(self):
        self.held = {}

    def take(self):
        machine = len(self.held)
        probes = [socket.socket() for _ in range(2)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        self.held[machine] = tuple(probe.getsockname()[1] for probe in probes)
        for probe in probes:
            probe.close()
        return machine

    def give_back(self, machine):
        pass

    def address(self, _machine):
        return "127.0.0.1"

    def ports(self, machine):
        return self.held[machine]

    def command(self, _machine, words):
        return [*BOUND, *words]

    def heal(self):
        pass

    def close(self):
        pass


def make(program):
    """(the network, why it is not one of its own or None)"""
    if not os.path.exists(program):
        raise SystemExit(f"chaos: there is no program {program}: make release")
    try:
        return Wire(program), None
    except NoNetwork as why:
        return Loopback(), str(why)
