#!/usr/bin/env python3
"""conclave-ctl speaks to real members: what it says of them, how it changes them, and what it says when it cannot."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys

from members import SECONDS, Failed, House, begin, free_ports, wait_for


def expect(holds, why):
    if not holds:
        raise Failed(why)


class Ctl:
    def __init__(self, program):
        self.program = program

    def run(self, server, *words, code=0, **env):
        """What it prints; of one that fails, what it complains about."""
        at = ("--port", str(server.port)) if server else ()
        done = subprocess.run([self.program, *at, *words], capture_output=True, text=True, timeout=SECONDS,
                              check=False, env={**os.environ, **env})
        expect(done.returncode == code, f"{words}: exit code {done.returncode}, and not {code}: {done}")
        expect(bool(done.stderr) == bool(code), f"{words}: {done.stderr}")
        return done.stderr if code else done.stdout

    def json(self, server, *words, **env):
        return json.loads(self.run(server, *words, "--json", **env))

    def change(self, server, *words):
        """Another change may be under way, which it says."""
        def once():
            done = subprocess.run([self.program, "member", *words, "--port", str(server.port)], capture_output=True,
                                  text=True, timeout=SECONDS, check=False)
            if done.returncode == 0:
                return True
            expect("TRYAGAIN" in done.stderr and "in a moment" in done.stderr, f"{words}: {done.stderr}")
            return False
        wait_for(once, f"member {words} never ends")


def leader_of(ctl, server):
    return wait_for(lambda: next((m["name"] for m in ctl.json(server, "member", "list") if m["leads"]), None),
                    "nobody leads")


def tells_of_members(ctl, servers):
    n1 = servers[0]
    leader = leader_of(ctl, n1)
    listed = ctl.json(n1, "member", "list")
    expect([m["role"] for m in listed] == ["voter"] * 3 and len({m["id"] for m in listed}) == 3, f"list: {listed}")
    expect({m["name"]: m["address"] for m in listed} == {s.name: f"127.0.0.1:{s.peer_port}" for s in servers},
           f"addresses: {listed}")
    table = ctl.run(n1, "member", "list").splitlines()
    expect(table[0].split() == ["NAME", "ID", "ADDRESS", "ROLE"] and len(table) == 4, f"table: {table}")
    row = next(line.split() for line in table if line.startswith(leader + " "))
    expect(row[2:] == [f"127.0.0.1:{next(s for s in servers if s.name == leader).peer_port}", "voter,", "leads"],
           f"its leader: {row}")


def tells_of_itself(ctl, servers):
    n2 = servers[1]
    n2.say("SET", "a", "1")
    told = ctl.json(n2, "status")
    expect(told["raft_name"] == "n2" and told["raft_leader"] == leader_of(ctl, n2), f"status: {told}")
    expect(told["revision"] > 0 and told["raft_applied_index"] > 0 and len(told["members"]) == 3, f"status: {told}")
    text = ctl.run(n2, "status")
    for wanted in (f"member   n2 at 127.0.0.1:{n2.port}, version ", f" of term {told['raft_term']}, ",
                   f"{told['raft_leader']} leads\n", "keys     db0 keys=", "\nNAME "):
        expect(wanted in text, f"status has no {wanted!r}: {text}")


def changes_members(ctl, house, servers):
    n1, n2 = servers[0], servers[1]
    ctl.change(n1, "transfer", "n2")
    wait_for(lambda: leader_of(ctl, n1) == "n2", "n2 does not lead")
    n4 = house.add("n4", "--join", f"127.0.0.1:{n1.peer_port}", "--auto-promote", "no").start()
    wait_for(lambda: n1.roles().get("n4") == "learner", "n4 does not join")
    ctl.change(n2, "promote", "n4")
    wait_for(lambda: n1.roles()["n4"] == "voter", "n4 gets no vote")
    ctl.change(n1, "demote", "n4")
    wait_for(lambda: n1.roles()["n4"] == "learner", "n4 keeps its vote")
    ctl.change(n1, "replace", "n3", "n4")
    wait_for(lambda: n1.roles() == {"n1": "voter", "n2": "voter", "n4": "voter"}, "n3 stays")
    ctl.change(n1, "update", "n4", f"localhost:{n4.peer_port}")
    wait_for(lambda: n1.members()["n4"][b"address"] == f"localhost:{n4.peer_port}".encode(), "n4 stands elsewhere")
    wait_for(lambda: n4.say("SET", "n4", "1") == b"OK", "n4 is not reached there")
    expect(n1.members()["n4"][b"address"] == f"localhost:{n4.peer_port}".encode(), "n4 took that back")
    ctl.change(n1, "add", "00000000000000aa", "n5", "127.0.0.1:1", "learner")
    wait_for(lambda: "n5" in n1.roles(), "n5 is not taken in")
    ctl.change(n1, "remove", "n5")
    wait_for(lambda: "n5" not in n1.roles(), "n5 stays")
    refused = ctl.run(n1, "member", "promote", "nobody", code=1)
    expect("nobody" in refused, f"a member that is none: {refused}")
    expect(json.loads(ctl.run(n1, "member", "transfer", "n2", "--json"))["result"] == "OK", "JSON of a change")


def knows_no_leader(ctl, servers):
    """Two of three are gone: it tells what it knows, and that this is not all right."""
    n1 = servers[0]
    for s in servers[1:]:
        s.end()
    wait_for(lambda: b"raft_leader:\r\n" in n1.say("INFO", "raft"), "n1 still believes in a leader")
    done = subprocess.run([ctl.program, "status", "--port", str(n1.port)], capture_output=True, text=True,
                          timeout=SECONDS, check=False)
    expect(done.returncode == 1 and "no leader is known" in done.stderr, f"{done}")
    expect("nobody is known to lead" in done.stdout and "NAME" in done.stdout, f"{done}")
    said = ctl.run(n1, "member", "transfer", "n2", code=1)
    expect("conclave-ctl" in said, f"what to do: {said}")


def says_what_to_do(ctl, house):
    port = free_ports(1)[0]
    said = ctl.run(None, "status", "--port", str(port), code=1)
    expect(f"127.0.0.1:{port}: Connection refused; --host and --port say" in said, f"nobody there: {said}")
    said = ctl.run(None, "status", "--host", "no such host", code=1)
    expect("--host" in said, f"no host: {said}")
    s = house.add("secret", "--requirepass", "hush").start()
    wait_for(lambda: s.refuses("NOAUTH", "GET", "a") or True, "it starts")
    said = ctl.run(s, "status", code=1)
    expect("NOAUTH" in said and "CONCLAVE_PASSWORD" in said, f"no password: {said}")
    said = ctl.run(s, "member", "list", "--password", "wrong", code=1)
    expect("WRONGPASS" in said and "CONCLAVE_PASSWORD" in said, f"a wrong one: {said}")
    expect(ctl.json(s, "member", "list", CONCLAVE_PASSWORD="hush")[0]["name"] == "secret", "in the environment")
    expect(ctl.json(s, "member", "list", "--user", "default", "--password", "hush"), "as an option")
    # The port for other members speaks another protocol.
    said = ctl.run(None, "status", "--port", str(s.peer_port), code=1)
    expect(f"127.0.0.1:{s.peer_port}: " in said, f"a port for members: {said}")
    s.end(signal.SIGKILL)
    with socket.create_server(("127.0.0.1", 0)) as other:
        process = subprocess.Popen([ctl.program, "status", "--port", str(other.getsockname()[1])],
                                   stderr=subprocess.PIPE, text=True)
        connection, _ = other.accept()
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()
        said = process.communicate(timeout=SECONDS)[1]
        expect(process.returncode == 1 and "no such server" in said, f"another protocol: {said}")


def refuses_nonsense(ctl):
    for words, wanted in (((), "what is to be done?"), (("member",), "there is no command 'member'"),
                          (("member", "lists"), "there is no command 'member lists'"),
                          (("member", "promote"), "it is said: conclave-ctl member promote MEMBER"),
                          (("member", "promote", "a", "b"), "it is said: conclave-ctl member promote MEMBER"),
                          (("status", "--nodes", "3"), "status takes no --nodes"),
                          (("log", "dump", "/", "--port", "1"), "log dump takes no --port"),
                          (("status", "--port", "x"), "--port takes a number from 1 to 65535"),
                          (("status", "--port"), "--port needs a value"),
                          (("status", "--colour"), "unknown option: --colour")):
        said = ctl.run(None, *words, code=2)
        expect(wanted in said, f"{words}: {said}")
    said = ctl.run(None, "--help")
    for name in ("status", "member list", "member transfer MEMBER", "playground", "log dump DIR", "--password"):
        expect(f" {name} " in said, f"help without {name}: {said}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--ctl", required=True)
    args = parser.parse_args()
    house, ctl = House(os.path.abspath(args.server)), Ctl(os.path.abspath(args.ctl))
    try:
        refuses_nonsense(ctl)
        says_what_to_do(ctl, house)
        servers = begin(house)
        tells_of_members(ctl, servers)
        tells_of_itself(ctl, servers)
        changes_members(ctl, house, servers)
        knows_no_leader(ctl, [servers[0], servers[1], house.all["n4"]])
    except Failed as e:
        sys.exit(f"ctl: {e}")
    finally:
        house.close()
    print("ctl: told of members, changed them, and said what to do where it could not")


if __name__ == "__main__":
    main()
