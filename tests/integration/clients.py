#!/usr/bin/env python3
"""What clients and operators ask of a member as a server: three real servers, then one with a password."""

import argparse
import os
import signal
import socket
import sys

from members import SECONDS, Failed, House, Reply, begin, wait_for


class Client:
    """A connection that stays, and says one line after the other."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
        self.stream = self.socket.makefile("rb")
        self.address = "%s:%d" % self.socket.getsockname()

    def send(self, line):
        self.socket.sendall(line.encode() + b"\r\n")

    def read(self):
        return Reply(self.stream).read()

    def say(self, line):
        self.send(line)
        return self.read()

    def refused(self, line, text):
        try:
            answer = self.say(line)
        except Failed as e:
            expect(str(e).startswith(text), f"{line}: {e}")
            return
        raise Failed(f"{line}: {answer}")

    def is_at_its_end(self):
        return self.stream.read() == b""


def expect(holds, why):
    if not holds:
        raise Failed(why)


def info(client, section=""):
    lines = client.say(f"INFO {section}").decode().split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


def leader_of(servers):
    def find():
        for s in servers:
            if info(Client(s), "raft")["raft_role"] == "leader":
                return s
        return None
    return wait_for(find, "nobody leads")


def tells_of_itself(servers):
    lead = leader_of(servers)
    for s in servers:
        c = Client(s)
        told = info(c, "everything")
        expect(told["raft_leader"] == lead.name, f"{s.name} believes in {told['raft_leader']}")
        expect(told["raft_members"] == "3" and told["role"] == "master", f"{s.name}: {told}")
        expect(int(told["tcp_port"]) == s.port and int(told["process_id"]) == s.process.pid,
               f"{s.name}: {told}")
        expect(len(told["run_id"]) == 40 and int(told["used_memory"]) > 0, f"{s.name}: {told}")
        before = info(c, "stats")
        expect(c.say("SET counted 1") == b"OK", "SET")
        after = info(c, "stats")
        for field in ("total_commands_processed", "total_net_input_bytes", "total_net_output_bytes"):
            expect(int(after[field]) > int(before[field]), f"{field} stands still")
        expect(c.say("ROLE")[0] == b"master", "ROLE")


def lists_and_kills(server):
    c, victim = Client(server), Client(server)
    victim.say("CLIENT SETNAME victim")
    line = [line for line in c.say("CLIENT LIST").decode().split("\n") if "name=victim" in line]
    expect(len(line) == 1 and f"addr={victim.address} laddr=127.0.0.1:{server.port} fd=" in line[0],
           f"CLIENT LIST: {line}")
    expect(c.say(f"CLIENT KILL ADDR {victim.address}") == 1, "CLIENT KILL finds nobody")
    expect(victim.is_at_its_end(), "the victim lives")
    # A pause holds the others' writes until it ends.
    late = Client(server)
    expect(c.say("CLIENT PAUSE 100000 WRITE") == b"OK", "CLIENT PAUSE")
    late.send("SET paused 1")
    late.send("PING")
    expect(c.say("GET paused") is None, "a write went through a pause")
    expect(c.say("CLIENT UNPAUSE") == b"OK", "CLIENT UNPAUSE")
    expect(late.read() == b"OK" and late.read() == b"PONG", "what was paused does not go on")


def shows_what_comes(server):
    monitor, c = Client(server), Client(server)
    expect(monitor.say("MONITOR") == b"OK", "MONITOR")
    c.say('SET shown "a b"')
    line = monitor.stream.readline().decode()
    expect(line.endswith(f'[0 {c.address}] "SET" "shown" "a b"\r\n'), f"MONITOR: {line}")


def waits_for_copies(servers):
    lead = leader_of(servers)
    c = Client(lead)
    c.send("SET copied 1")
    c.send("WAIT 2 0")
    expect(c.read() == b"OK" and c.read() == 2, "WAIT does not see both others")
    c.send("SET copied 2")
    c.send("WAITAOF 1 2 0")
    expect(c.read() == b"OK" and c.read() == [1, 2], "WAITAOF does not see all")
    other = Client(next(s for s in servers if s is not lead))
    other.send("SET copied 3")
    other.send("WAIT 1 0")
    expect(other.read() == b"OK" and other.read() >= 1, "WAIT on a follower")
    # One of them is away: it is known that it has it not.
    away = next(s for s in servers if s is not lead)
    away.end()
    c.send("SET copied 4")
    c.send("WAIT 2 200")
    expect(c.read() == b"OK" and c.read() == 1, "WAIT counts one that is dead")
    stays, leaves, killed = (Client(lead) for _ in range(3))
    for each in (stays, leaves, killed):
        expect(each.say("SET copied 4") == b"OK", "SET without one of three")
        each.send("WAIT 2 0")
    leaves.socket.shutdown(socket.SHUT_RDWR)
    expect(c.say(f"CLIENT KILL ADDR {killed.address}") == 1, "CLIENT KILL of one that waits")
    killed.stream.read()  # to its end, whether the answer was still written or not
    away.start()
    expect(stays.read() == 2, "WAIT does not see one that is back")
    wait_for(lambda: away.say("GET", "copied") == b"4", "the one that was away does not come back")


def saves(server):
    c = Client(server)
    before = c.say("LASTSAVE")
    c.say("SET saved 1")
    expect(c.say("SAVE") == b"OK", "SAVE")
    told = info(c, "persistence")
    expect(int(told["rdb_saves"]) > 0 and told["rdb_last_bgsave_status"] == "ok", f"SAVE: {told}")
    expect(c.say("LASTSAVE") >= before, "LASTSAVE goes back")


def hands_over(servers):
    lead = leader_of(servers)
    follower = next(s for s in servers if s is not lead)
    Client(follower).refused("FAILOVER", "ERR FAILOVER is not valid")
    expect(Client(lead).say("FAILOVER") == b"OK", "FAILOVER")
    wait_for(lambda: leader_of(servers) is not lead, "the leader stays")


def line_of(c, client):
    return next((line for line in c.say("CLIENT LIST").decode().split("\n")
                 if f"addr={client.address} " in line), "")


def kills_after_the_answer(c, victim):
    """What it had written has an outcome before its connection ends."""
    victim.send("SET unresolved 1")
    wait_for(lambda: " cmd=set " in line_of(c, victim), "the write does not come")
    expect(c.say(f"CLIENT KILL ADDR {victim.address}") == 1, "CLIENT KILL finds nobody")
    expect(" flags=c " in line_of(c, victim), "it is gone before its write is resolved")
    try:
        victim.read()
    except Failed as e:
        expect(str(e).startswith(("UNCERTAIN", "CLUSTERDOWN")), f"a killed client is told: {e}")
    expect(victim.is_at_its_end(), "the victim lives")


def answers_without_quorum(servers):
    left = servers[0]
    c, victim = Client(left), Client(left)
    for s in servers[1:]:
        s.end()
    kills_after_the_answer(c, victim)
    told = info(c)
    expect(told["loading"] == "0" and told["raft_members"] == "3", f"without a quorum: {told}")
    expect(c.say("ROLE")[0] == b"master" and b"id=" in c.say("CLIENT INFO"), "without a quorum")
    for s in servers[1:]:
        s.start()
    wait_for(lambda: left.say("SET", "again", "1") == b"OK", "no write with all three")


def ends(server):
    c, other = Client(server), Client(server)
    expect(other.say("PING") == b"PONG", "PING")
    c.send("SHUTDOWN SAVE")
    expect(c.is_at_its_end() and other.is_at_its_end(), "SHUTDOWN leaves connections")
    expect(server.process.wait(SECONDS) == 0, "SHUTDOWN ends with an error")
    server.process = None
    server.start()
    wait_for(lambda: server.say("GET", "saved") == b"1", "what was written is gone")


def wants_a_password(house):
    s = house.add("secret", "--requirepass", "hush", "--enable-debug-command", "local",
                  "--slowlog-log-slower-than", "0").start()
    c = wait_for(lambda: Client(s), "no connection")
    c.refused("GET a", "NOAUTH")
    c.refused("HELLO 2", "NOAUTH HELLO")
    c.refused("AUTH wrong", "WRONGPASS")
    expect(c.say("AUTH hush") == b"OK", "AUTH")
    wait_for(lambda: c.say("SET a 1") == b"OK", "no write behind the password")
    noted = str(c.say("SLOWLOG GET -1"))
    expect("'SET'" in noted and "(redacted)" in noted and "hush" not in noted, f"SLOWLOG: {noted}")
    expect(c.say("DEBUG SLEEP 0.05") == b"OK", "DEBUG SLEEP")
    c.refused("FAILOVER", "ERR FAILOVER requires connected replicas.")
    large = Client(s)
    large.refused("*100000", "ERR Protocol error: unauthenticated multibulk length")
    s.end(signal.SIGTERM)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    house = House(os.path.abspath(parser.parse_args().server))
    try:
        servers = begin(house)
        tells_of_itself(servers)
        lists_and_kills(servers[0])
        shows_what_comes(servers[1])
        waits_for_copies(servers)
        saves(servers[2])
        hands_over(servers)
        answers_without_quorum(servers)
        ends(servers[1])
        wants_a_password(house)
    except Failed as e:
        for server in house.all.values():
            print(f"==== {server.name}")
            with open(server.said, encoding="utf-8") as said:
                print(said.read())
        sys.exit(f"clients: {e}")
    finally:
        house.close()
    print("clients: were told, listed, killed, paused, shown, waited for and asked for a password")


if __name__ == "__main__":
    main()
