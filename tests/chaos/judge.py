"""What has to hold in the end, when the faults are over and the clients have heard everything."""

import json
import re
import subprocess

from cluster import Failed
from protocol import Asker, Error

PAGE = 2000
FINAL_SECONDS = 30
BAD = re.compile("crashed: |differs from that of|the data of the members differs|damage|stops: (?!.*no space left)")

# Of these nothing is said but of a member whose disk was spoiled.
ROT = re.compile("log is damaged|damaged log|damage in segment|entry [0-9]+ is damaged on disk|state is damaged|"
                 "orruption|stored data is damaged")


class Judge:
    """Each check is a name and what is wrong, or None."""

    def __init__(self, cluster, history, shared, programs):
        self.cluster, self.history, self.shared, self.programs = cluster, history, shared, programs
        self.verdicts = []

    def note(self, what, wrong):
        self.verdicts.append((what, wrong))

    def attempt(self, what, check):
        try:
            self.note(what, check())
        except (Failed, Error, OSError, subprocess.SubprocessError) as why:
            self.note(what, str(why) or repr(why))

    def failed(self):
        return [(what, wrong) for what, wrong in self.verdicts if wrong]

    # ---- of the living members

    def look(self):
        with Asker(self.cluster.members[0].socket, FINAL_SECONDS) as asker:
            self.attempt("counters: each INCR once", lambda: self.counters(asker))
            self.attempt("tokens: each APPEND once, in its place", lambda: self.tokens(asker))
            self.attempt("accounts: their sum", lambda: self.accounts(asker))
            self.attempt("ranges: what was written, in order", lambda: self.ranges(asker))
        self.attempt("keys with a time to live go", self.all_expire)
        self.attempt("every member reads the same", self.same_everywhere)
        self.attempt("all name one leader", self.one_leader)
        for member in self.cluster.members:
            self.attempt(f"{member.name} stores what it has", lambda m=member: self.save(m))

    def counters(self, asker):
        for counter in self.shared.counters + self.shared.own_counters:
            if why := counter.broken(int(asker.ask("GET", counter.name) or 0)):
                return why
        return None

    def tokens(self, asker):
        for tokens in self.shared.tokens:
            if why := tokens.broken(asker.ask("GET", tokens.name) or b""):
                return why
        return None

    def accounts(self, asker):
        values = asker.ask("MGET", *self.shared.accounts)
        return None if sum(int(v) for v in values) == self.shared.money else f"{values}"

    def ranges(self, asker):
        for sequence in self.shared.sequences:
            call = next(self.history.events)
            found = asker.ask("RANGE", *sequence.bounds(), "KEYSONLY")
            if why := sequence.broken(found, call, next(self.history.events)) or sequence.out_of_order(found):
                return why
        return None

    def same_everywhere(self):
        """All strings at one revision, page by page."""
        revision = self.cluster.members[0].ask("REVISION")
        start = "-"
        while True:
            pages = []
            for member in self.cluster.members:
                with Asker(member.socket, FINAL_SECONDS) as asker:
                    pages.append(asker.ask("AT", revision, "RANGE", start, "+", "LIMIT", 0, PAGE, "KEYSONLY"))
                    names = pages[-1]
                    pages[-1] = names, asker.ask("AT", revision, "RANGE", start, "+", "LIMIT", 0, PAGE)
            for member, page in zip(self.cluster.members, pages):
                if page != pages[0]:
                    return f"{member.name} and {self.cluster.members[0].name} differ at {revision} behind {start}"
            if len(pages[0][0]) < PAGE:
                return None
            start = b"(" + pages[0][0][-1]

    def all_expire(self):
        self.cluster.wait_for(lambda: self.cluster.members[-1].ask("RANGE", "[e:", "(e;", "COUNTONLY") == 0,
                              "keys do not expire", FINAL_SECONDS)

    def one_leader(self):
        """INFO and MEMBER LIST of all say who."""
        def named():
            return {(member.info()["raft_leader"], *self.cluster.leaders_at(member)) for member in self.cluster.members}

        def is_one(names):
            (told, *listed), *others = names
            return not others and listed == [told]
        self.cluster.wait_for(lambda: is_one(named()), "members do not name one leader")

    def save(self, member):
        with Asker(member.socket, FINAL_SECONDS) as asker:
            asker.ask("SAVE")

    # ---- of what they leave

    def look_at_directories(self):
        """The members have ended in peace."""
        self.attempt("data on disk is whole, and equal", self.same_on_disk)
        self.attempt("nobody crashed, nobody differed", self.logs)

    def same_on_disk(self):
        digests = {member.name: self.dump(member) for member in self.cluster.members}
        differ = any(d != digests[self.cluster.members[0].name] for d in digests.values())
        return "\n".join(f"{name}: {d}" for name, d in digests.items()) if differ else None

    def dump(self, member):
        """What has to be equal; the tool holds digests and counts against rows."""
        with subprocess.Popen([self.programs["ctl"], "state", "dump", member.dir, "--json"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as dump:
            digests, last = [], ""
            for last in dump.stdout:
                if not last.startswith("{"):
                    continue
                line = json.loads(last)
                if not line.get("whole", True):
                    raise Failed(f"{member.name}: not whole: {last}")
                if line["type"] == "keyspace":
                    digests.append(line)
                elif line["type"] == "position":
                    digests.append(line["revision"])
        if dump.returncode != 0 or not digests:
            raise Failed(f"{member.name} cannot be dumped: {last}")
        return digests

    def logs(self):
        members = self.cluster.members + self.cluster.gone
        spoiled = any(member.rotten for member in members)
        for member in members:
            for line in member.has_said().splitlines():
                if BAD.search(line) and not (spoiled and ROT.search(line)):
                    return f"{member.name}: {line}"
        return None

    # ---- of the history

    def look_at_history(self):
        self.history.close()
        done = subprocess.run([self.programs["checker"], self.history.path], check=False, capture_output=True,
                              text=True, timeout=1200)
        self.note("registers and hashes are linearizable: " + done.stdout.strip().split("\n")[-1],
                  done.stdout + done.stderr if done.returncode != 0 else None)
        self.note("no answer was wrong", "\n".join(self.history.found[:20]) or None)
