#!/usr/bin/env python3
"""What members say of their part: each a master, or the leader a master and the others its slaves, in the form of Redis."""

import signal
import socket
import tempfile

from members import SECONDS, Failed, Reply, free_ports, wait_for
from process import expect, request, run_stories, start_redis

PLACES = {f"n{i}": f"host{i}.example:{7000 + i}" for i in (1, 2, 3)}


def begin(house, *options):
    members = [house.add(f"n{i}") for i in (1, 2, 3)]
    cluster = ",".join(f"{m.name}=127.0.0.1:{m.peer_port}" for m in members)
    for m in members:
        m.options = ("--initial-cluster", cluster, "--announce-client", PLACES[m.name], *options)
        m.start()
    for m in members:
        wait_for(lambda m=m: m.say("SET", m.name, "1") == b"OK", f"{m.name} takes no write")
    return members


def replication_of(member):
    lines = member.say("INFO", "replication").decode().split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


def hello_of(port):
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as s:
        s.sendall(request(b"HELLO", b"2"))
        row = Reply(s.makefile("rb")).read()
        return dict(zip(row[::2], row[1::2]))[b"role"]


def leader_of(members):
    leads = [m for m in members if b"raft_role:leader" in m.say("INFO", "raft")]
    if len(leads) != 1:
        raise Failed(f"{len(leads)} lead")
    return leads[0]


def all_are_masters(house):
    for m in begin(house):
        expect(m.say("ROLE")[::2], [b"master", []], f"ROLE of {m.name}")
        expect(hello_of(m.port), b"master", f"HELLO of {m.name}")
        expect(replication_of(m)["role"], "master", f"INFO of {m.name}")
        expect(replication_of(m)["connected_slaves"], "0", f"INFO of {m.name}")


def expect_slave(member, leader):
    host, port = PLACES[leader.name].split(":")
    role = member.say("ROLE")
    expect(role[:4], [b"slave", host.encode(), int(port), b"connected"], f"ROLE of {member.name}")
    expect(role[4] > 0, True, f"the offset of {member.name}")
    expect(hello_of(member.port), b"replica", f"HELLO of {member.name}")
    info = replication_of(member)
    expect([info[x] for x in ("role", "master_host", "master_port", "master_link_status", "connected_slaves")],
           ["slave", host, port, "up", "0"], f"INFO of {member.name}")


def expect_master(member, slaves):
    role = member.say("ROLE")
    expect(role[0], b"master", f"ROLE of {member.name}")
    places = sorted(PLACES[s.name] for s in slaves)
    expect(sorted(b":".join(row[:2]).decode() for row in role[2]), places, "the slaves of ROLE")
    for row in role[2]:
        expect(0 < int(row[2]) <= role[1] + 1000, True, f"an offset, {row}")
    expect(hello_of(member.port), b"master", f"HELLO of {member.name}")
    info = replication_of(member)
    expect([info["role"], info["connected_slaves"]], ["master", str(len(slaves))], f"INFO of {member.name}")
    rows = [dict(part.split("=") for part in info[f"slave{i}"].split(",")) for i in range(len(slaves))]
    expect(sorted(f"{row['ip']}:{row['port']}" for row in rows), places, "the slaves of INFO")
    expect({row["state"] for row in rows}, {"online"} if rows else set(), "their states")


def stands(members, leader):
    """Addresses are told after the start, and an election may be under way."""
    try:
        expect_master(leader, [m for m in members if m is not leader])
        for m in members:
            if m is not leader:
                expect_slave(m, leader)
    except KeyError as e:
        raise Failed(f"{e} is missing") from e
    return True


def the_leader_is_the_master(house):
    members = begin(house, "--announce-role", "raft")
    wait_for(lambda: stands(members, leader_of(members)), "one master, two slaves")
    first = leader_of(members)
    rest = [m for m in members if m is not first]
    first.end(signal.SIGKILL)
    wait_for(lambda: stands(rest, leader_of(rest)), "the new leader is the master, with one slave")
    # Slaves take writes as well.
    slave = next(m for m in rest if m is not leader_of(rest))
    expect(slave.say("SET", "by", "slave"), b"OK", "a write at a slave")
    leader_of(rest).end(signal.SIGKILL)
    wait_for(lambda: slave.say("ROLE")[:4] == [b"slave", b"", 0, b"connect"], "without a leader it is nobody's slave")
    expect(replication_of(slave)["master_link_status"], "down", "INFO")


def lines_are_those_of_redis(house):
    """What Redis calls the fields that a slave and a master have; ours are among them."""
    port, far = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="conclave-roles-") as where:
        redis = [start_redis(where, p, "--repl-diskless-sync-delay", "0", *more)
                 for p, more in ((port, ()), (far, ("--replicaof", "127.0.0.1", str(port))))]
        try:
            server = house.add("redis")
            server.port = port
            other = house.add("replica")
            other.port = far
            wait_for(lambda: other.say("ROLE")[3] == b"connected", "the replica does not connect")
            wait_for(lambda: server.say("ROLE")[2], "the master does not know of it")
            theirs = replication_of(server), replication_of(other)
            forms = [[type(x) for x in s.say("ROLE")] for s in (server, other)]
            rows = [type(x) for x in server.say("ROLE")[2][0]]
            hello = hello_of(port), hello_of(far)
        finally:
            for process in redis:
                process.kill()
                process.wait(SECONDS)
    members = begin(house, "--announce-role", "raft")
    wait_for(lambda: stands(members, leader_of(members)), "one master, two slaves")
    leader = leader_of(members)
    slave = next(m for m in members if m is not leader)
    expect((hello_of(leader.port), hello_of(slave.port)), hello, "HELLO")
    expect([[type(x) for x in s.say("ROLE")] for s in (leader, slave)], forms, "the forms of ROLE")
    expect([type(x) for x in leader.say("ROLE")[2][0]], rows, "the form of a slave's row")
    expect(set(replication_of(leader)) - set(theirs[0]), {"slave1"}, "fields of a master that Redis has not")
    expect(set(replication_of(slave)) - set(theirs[1]), set(), "fields of a slave that Redis has not")
    keys = [[part.split("=")[0] for part in info["slave0"].split(",")] for info in (replication_of(leader), theirs[0])]
    expect(keys[0], keys[1], "the row of a slave")


if __name__ == "__main__":
    run_stories(__doc__, [all_are_masters, the_leader_is_the_master, lines_are_those_of_redis])
