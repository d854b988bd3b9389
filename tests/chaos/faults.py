"""What is done to a cluster under load: one fault after the other, drawn from a seed."""

import time
from collections import Counter

import rot
from cluster import Failed
from protocol import Error

VOTE_SECONDS = 90  # who comes to a cluster under load has its vote by then


class Nemesis:
    """Does faults, each from its beginning to its end, and remembers when."""

    def __init__(self, cluster, faults, random, log, stop):
        self.cluster, self.network = cluster, cluster.network
        self.faults = [f for f in faults if self.can(f)]
        self.random, self.log, self.stop = random, log, stop
        self.counts = Counter()
        self.spans = []  # (begin, end, what)

    def can(self, fault):
        return (self.network.can_fail or not fault.of_network) and (self.small_disks() or not fault.of_disk)

    def small_disks(self):
        return [m for m in self.cluster.members if m.disk]

    def run(self, till):
        while time.monotonic() < till and not self.stop():
            self.one(self.random.choices(self.faults, [f.weight for f in self.faults])[0])
            if self.random.random() < 0.7:
                self.cluster.await_service()
            self.hold(0.2, 2)

    def one(self, fault):
        begin = time.monotonic()
        self.counts[fault.name] += 1
        self.log(f"begins: {fault.name}")
        try:
            fault.do(self)
        finally:
            self.network.heal()
        self.log(f"ends: {fault.name}")
        self.spans.append((begin, time.monotonic(), fault.name))

    def hold(self, least, most):
        """So many seconds, less if something was found."""
        till = time.monotonic() + self.random.uniform(least, most)
        while time.monotonic() < till and not self.stop():
            self.cluster.check()
            time.sleep(0.05)

    # ---- whom it meets

    def someone(self):
        return self.random.choice(self.cluster.members)

    def leader(self):
        return self.cluster.leader() or self.someone()

    def perhaps_leader(self):
        return self.leader() if self.random.random() < 0.5 else self.someone()

    def others(self, member):
        return [m for m in self.cluster.members if m is not member]

    def cut(self, sources, targets, both=True, **how):
        how = how or {"cut": True}
        for source in sources:
            for target in targets:
                if source is not target:
                    self.network.path(source.machine, target.machine, **how)
                    if both:
                        self.network.path(target.machine, source.machine, **how)
        names = [" ".join(m.name for m in side) for side in (sources, targets)]
        self.log(f"  {names[0]} {'<->' if both else '->'} {names[1]}: {how}")

    def meanwhile(self, least, most):
        """Time passes, and sometimes another thing happens to a process."""
        self.hold(least, most)
        if self.random.random() < 0.4:
            fault = self.random.choice([f for f in FAULTS if f.within])
            self.counts[fault.name] += 1
            self.log(f"  meanwhile: {fault.name}")
            fault.do(self)
            self.hold(least / 2, most / 2)

    # ---- processes

    def restart(self, member):
        self.log(f"  {member.name} starts")
        member.start()

    def kill(self, members):
        for member in members:
            self.log(f"  kill -9 {member.name}")
            member.kill()
        self.hold(0, 2.5)
        for member in members:
            self.restart(member)

    def kill_one(self):
        self.kill([self.someone()])

    def kill_leader(self):
        self.kill([self.leader()])

    def kill_many(self):
        members = self.cluster.members
        self.kill(self.random.sample(members, self.random.randint(len(members) // 2 + 1, len(members))))

    def kill_again_and_again(self):
        member = self.perhaps_leader()
        for _ in range(self.random.randint(2, 5)):
            member.kill()
            self.log(f"  kill -9 {member.name}, and again")
            member.start()
            self.hold(0, 0.5)

    def pause(self, members, least, most):
        for member in members:
            self.log(f"  SIGSTOP {member.name}")
            member.pause()
        try:
            self.hold(least, most)
        finally:
            for member in members:
                member.go_on()

    def pause_one(self):
        self.pause([self.perhaps_leader()], 0.6, 4)

    def pause_leader(self):
        self.pause([self.leader()], 0.6, 4)

    def pause_shortly(self):
        for _ in range(self.random.randint(3, 10)):
            self.pause([self.perhaps_leader()], 0.05, 0.6)
            self.hold(0, 0.3)

    def pause_all(self):
        self.pause(self.cluster.members, 0.3, 3)

    def stop_in_peace(self):
        member = self.perhaps_leader()
        self.log(f"  SIGTERM {member.name}")
        member.end()
        self.hold(0, 1)
        self.restart(member)

    def restart_one_by_one(self):
        for member in list(self.cluster.members):
            self.log(f"  SIGTERM {member.name}")
            member.end()
            self.restart(member)
            self.cluster.await_service()

    def transfer(self):
        for _ in range(self.random.randint(1, 4)):
            target = self.someone()
            try:
                target.ask("MEMBER", "TRANSFER", target.name)
                self.log(f"  {target.name} is to lead")
            except (OSError, Error) as why:
                self.log(f"  {target.name} does not get to lead: {why}")
            self.hold(0, 0.5)

    # ---- the network

    def cut_halves(self):
        members = list(self.cluster.members)
        self.random.shuffle(members)
        at = self.random.randint(1, len(members) // 2)
        self.cut(members[:at], members[at:])
        self.meanwhile(0.3, 5)

    def cut_leader(self):
        leader = self.leader()
        self.cut([leader], self.others(leader))
        self.meanwhile(0.7, 5)

    def cut_one_way(self):
        member = self.perhaps_leader()
        if self.random.random() < 0.5:
            self.cut([member], self.others(member), both=False)
        else:
            self.cut(self.others(member), [member], both=False)
        self.meanwhile(0.5, 5)

    def cut_link(self):
        one, other = self.random.sample(self.cluster.members, 2)
        self.cut([one], [other], both=self.random.random() < 0.5)
        self.meanwhile(0.5, 5)

    def cut_ring(self):
        """Each hears its two neighbours only."""
        members = list(self.cluster.members)
        self.random.shuffle(members)
        for at, member in enumerate(members):
            near = (member, members[at - 1], members[(at + 1) % len(members)])
            self.cut([member], [m for m in members if m not in near] or [members[at - 1]], both=len(members) > 3)
        self.meanwhile(0.5, 4)

    def cut_again_and_again(self):
        for _ in range(self.random.randint(3, 8)):
            member = self.perhaps_leader()
            self.cut([member], self.others(member))
            self.hold(0.05, 0.9)
            self.network.heal()
            self.hold(0.05, 0.9)

    def cut_all(self):
        self.cut(self.cluster.members, self.cluster.members, both=False)
        self.meanwhile(0.3, 4)

    def machine_lost(self):
        """Its connections do not end: nobody says that it is gone."""
        member = self.perhaps_leader()
        self.cut([member], self.others(member))
        self.log(f"  kill -9 {member.name}")
        member.kill()
        self.hold(0.5, 4)
        self.network.heal()
        self.restart(member)

    def slow(self):
        delay = self.random.choice((5, 20, 60, 150))
        self.cut(self.cluster.members, self.cluster.members, both=False, delay_ms=delay)
        self.meanwhile(1, 5)

    def slow_one(self):
        member = self.perhaps_leader()
        self.cut([member], self.others(member), both=self.random.random() < 0.5,
                 delay_ms=self.random.choice((50, 200, 400)))
        self.meanwhile(1, 5)

    def narrow(self):
        member = self.perhaps_leader()
        self.cut([member], self.others(member), both=self.random.random() < 0.5,
                 rate=self.random.choice((20_000, 100_000, 500_000)))
        self.meanwhile(1, 5)

    def lossy(self):
        self.cut(self.cluster.members, self.cluster.members, both=False, loss=self.random.choice((20, 100, 250)))
        self.meanwhile(1, 6)

    # ---- the cluster

    def newcomer(self, *options):
        member = self.cluster.newcomer(*options)
        self.log(f"  {member.name} comes to the others, at {member.peer_address()}")
        return member

    def remove(self, member):
        """It is out, and its machine and directory are gone."""
        others = self.others(member)
        self.log(f"  {member.name} is removed")
        self.cluster.members = others  # nobody asks it any more
        self.cluster.change(lambda roles: roles and member.name not in roles, "REMOVE", member.name)
        self.cluster.drop(member)

    def join(self):
        """Another one comes, and one of those that were there goes."""
        old = self.perhaps_leader()
        member = self.newcomer()
        self.hold(0, 1)
        self.cluster.wait_for(lambda: self.cluster.roles().get(member.name) == "voter",
                              f"{member.name} gets no vote", VOTE_SECONDS)
        at = self.cluster.members.index(old)
        self.cluster.members.append(member)
        self.hold(0, 1)
        self.remove(old)
        self.cluster.members.remove(member)
        self.cluster.members.insert(at, member)

    def replace(self):
        """The machine of one is lost; a new one takes its vote in one step."""
        old = self.someone()
        at = self.cluster.members.index(old)
        self.log(f"  kill -9 {old.name}, for good")
        old.kill()
        member = self.newcomer("--auto-promote", "no")
        self.cluster.members[at] = member
        self.cluster.change(lambda roles: roles.get(member.name) == "voter" and old.name not in roles,
                            "REPLACE", old.name, member.name)
        self.cluster.drop(old)

    def change_on_both_sides(self):
        """Whoever is cut off while it leads is asked for one change of the membership, the others for another."""
        leader = self.leader()
        others = self.others(leader)
        self.cut([leader], others)
        self.hold(0, 1)
        for asked, target in ((leader, self.random.choice(others)), (self.random.choice(others), leader)):
            try:
                asked.ask("MEMBER", "DEMOTE", target.name)
                self.log(f"  {asked.name} takes its vote from {target.name}")
            except (OSError, Error) as why:
                self.log(f"  {asked.name} does not take its vote from {target.name}: {why}")
        self.hold(0, 2)
        self.network.heal()
        self.cluster.wait_for(self.all_vote, "not everybody gets its vote back")

    def all_vote(self):
        """Gives everybody a vote; True if each of them knows of all."""
        for member in self.cluster.members:
            for name in (name for name, role in self.cluster.roles_at(member).items() if role != "voter"):
                member.ask("MEMBER", "PROMOTE", name)
                return False
        return True

    def no_space(self):
        """One says that its disk is full; what would grow is refused everywhere until it is not."""
        member = self.someone()
        member.ask("CONFIG", "SET", "disk-reserve", "1000gb")
        self.log(f"  {member.name} is short of space")
        self.hold(1, 4)
        self.cluster.wait_for(lambda: member.ask("CONFIG", "SET", "disk-reserve", "0") == b"OK",
                              f"{member.name} does not take its configuration")

    def full_disk(self):
        """Nothing more can be written: the member may end, and comes back when there is room again."""
        for member in self.small_disks():
            self.log(f"  the disk of {member.name} is full")
            member.may_end = True
            member.disk.fill()
            self.hold(0.5, 5)
            member.disk.free()
            self.hold(0, 1)
            self.cluster.check()
            member.may_end = False
            if not member.lives():
                self.restart(member)

    def killed_and_rotten(self, spoil):
        """One of them, killed, and then its disk spoiled."""
        member = self.perhaps_leader()
        self.log(f"  kill -9 {member.name}")
        member.kill()
        self.hold(0, 1)
        self.log(f"  bits flip: {', '.join(spoil(member.dir, self.random))}")
        member.rotten = True
        return member

    def rotten_log(self):
        """It says so, has no vote that counts, and gets from the others what it may have lost."""
        member = self.killed_and_rotten(rot.rot_log)
        self.restart(member)
        self.cluster.wait_for(lambda: "the log is damaged from entry" in member.has_said_in_this_run(),
                              f"{member.name} does not say that its log is damaged")
        self.cluster.wait_for(lambda: "the damaged log is whole again" in member.has_said_in_this_run(),
                              f"{member.name} does not get whole again", VOTE_SECONDS)

    def rotten_state(self):
        """It serves nothing that is wrong; sooner or later it ends and says why. Without its state it gets another."""
        member = self.killed_and_rotten(rot.rot_state)
        member.may_end = True
        self.restart(member)
        self.hold(1, 4)
        self.cluster.check()
        if not member.lives() and "orruption" not in member.has_said_in_this_run():
            raise Failed(f"{member.name} ended and did not say that its state is damaged")
        member.kill()
        member.may_end = False
        self.log(f"  {member.name} loses its state")
        rot.drop_state(member.dir)
        self.restart(member)
        self.cluster.wait_for(lambda: member.ask("SET", f"service:{member.name}", "1") == b"OK",
                              f"{member.name} does not come back without its state", VOTE_SECONDS)


class Fault:
    def __init__(self, name, do, weight, of_network=False, of_disk=False, within=False):
        self.name, self.do, self.weight = name, do, weight
        self.of_network, self.of_disk, self.within = of_network, of_disk, within


FAULTS = (
    Fault("kill one", Nemesis.kill_one, 3, within=True),
    Fault("kill the leader", Nemesis.kill_leader, 4, within=True),
    Fault("kill most or all", Nemesis.kill_many, 3, within=True),
    Fault("kill again and again", Nemesis.kill_again_and_again, 2),
    Fault("pause one", Nemesis.pause_one, 2, within=True),
    Fault("pause the leader", Nemesis.pause_leader, 3, within=True),
    Fault("pauses", Nemesis.pause_shortly, 2, within=True),
    Fault("pause all", Nemesis.pause_all, 1),
    Fault("stop in peace", Nemesis.stop_in_peace, 2, within=True),
    Fault("restart one by one", Nemesis.restart_one_by_one, 1),
    Fault("transfer", Nemesis.transfer, 2, within=True),
    Fault("partition: halves", Nemesis.cut_halves, 3, of_network=True),
    Fault("partition: the leader alone", Nemesis.cut_leader, 3, of_network=True),
    Fault("partition: one way", Nemesis.cut_one_way, 3, of_network=True),
    Fault("partition: one link", Nemesis.cut_link, 2, of_network=True),
    Fault("partition: ring", Nemesis.cut_ring, 1, of_network=True),
    Fault("partition: everybody alone", Nemesis.cut_all, 1, of_network=True),
    Fault("partitions", Nemesis.cut_again_and_again, 2, of_network=True),
    Fault("machine lost", Nemesis.machine_lost, 2, of_network=True),
    Fault("slow network", Nemesis.slow, 1, of_network=True),
    Fault("slow member", Nemesis.slow_one, 2, of_network=True),
    Fault("narrow line", Nemesis.narrow, 2, of_network=True),
    Fault("lossy network", Nemesis.lossy, 2, of_network=True),
    Fault("join and remove", Nemesis.join, 2),
    Fault("replace", Nemesis.replace, 2),
    Fault("changes on both sides", Nemesis.change_on_both_sides, 2, of_network=True),
    Fault("full disk", Nemesis.full_disk, 2, of_disk=True),
    Fault("no space", Nemesis.no_space, 1),
    Fault("damaged log", Nemesis.rotten_log, 2),
    Fault("damaged state", Nemesis.rotten_state, 2),
)
