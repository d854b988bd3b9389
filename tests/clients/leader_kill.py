#!/usr/bin/env python3
"""Clients of one member count on while the leader, another one, is killed again and again: they notice nothing."""

import argparse
import threading

import redis
from members import Failed, change, start_three, wait_for
from with_server import PATIENCE, house_of

CLIENTS = 4
KILLS = 3
STEPS = 50  # that each client has to make before the next thing happens


class Counter(threading.Thread):
    """INCR after INCR of its own key, each of which says one more than the one before."""

    def __init__(self, port, number):
        super().__init__(daemon=True)
        self.client = redis.Redis(port=port)
        self.key, self.count, self.ends, self.problem = f"count:{number}", 0, False, None

    def run(self):
        try:
            while not self.ends:
                self.count += 1
                said = self.client.incr(self.key)
                if said != self.count:
                    raise Failed(f"number {self.count} is {said}")
        except (Failed, redis.RedisError) as e:
            self.problem = e


def go_on(counters):
    """Each makes some steps."""
    wanted = [c.count + STEPS for c in counters]

    def all_did():
        return all(c.problem or c.count >= w for c, w in zip(counters, wanted))

    wait_for(all_did, "the counters stand still")
    for c in counters:
        if c.problem:
            raise Failed(f"{c.key} at {c.count}: {c.problem}")


def leader_but(target, servers):
    """Who leads; if that is the one with the clients, another one does from now on."""
    def find():
        names = [name for name, row in target.members().items() if row[b"leads"]]
        return next((s for s in servers if s.name in names), None)

    if wait_for(find, "nobody leads") is target:
        change(target, "TRANSFER", next(s.name for s in servers if s is not target))
    return wait_for(lambda: (s := find()) is not target and s, "the leader stays")


def kill_leaders(servers):
    target = servers[0]
    leader_but(target, servers)
    counters = [Counter(target.port, i) for i in range(CLIENTS)]
    for c in counters:
        c.start()
    for _ in range(KILLS):
        go_on(counters)
        leader = leader_but(target, servers)
        leader.end()
        go_on(counters)
        leader.start()
        wait_for(lambda s=leader: s.say("SET", "back", s.name) == b"OK", f"{leader.name} does not come back")
    for c in counters:
        c.ends = True
        c.join()
    for c in counters:
        for server in servers:
            if int(server.say("GET", c.key)) != c.count:
                raise Failed(f"{c.key} on {server.name} is not {c.count}")
    return sum(c.count for c in counters)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    house = house_of(parser.parse_args().server)
    try:
        counted = kill_leaders(start_three(house, *PATIENCE))
    finally:
        house.close()
    print(f"leader_kill: {CLIENTS} clients counted {counted} steps over {KILLS} kills")


if __name__ == "__main__":
    main()
