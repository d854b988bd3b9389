"""What clients do: each kind has keys of its own, and knows of each answer whether it can be.

The checker looks at registers and hashes afterwards (history.record); counters, lists of tokens,
accounts, keys that expire and ranges are looked at as answers come, and once more in the end.
"""

from history import APPLIED, DONE, OPEN, REFUSED, Op
from registers import Hashes, Registers
from work import Work

TOKEN_BYTES = 12
ACCOUNTS, MONEY = 8, 100
BEHIND_S = 1  # no failover leaves cluster time as far behind the wall clock


class Counter:
    """A number that only grows: INCRs are done once each, in an order that agrees with time."""

    def __init__(self, name):
        self.name = name
        self.high = 0  # some answer said so
        self.outcomes = {DONE: 0, OPEN: 0, APPLIED: 0, REFUSED: 0}
        self.sent = 0
        self.seen = set()

    def incr(self, work):
        op = Op((b"INCR", self.name), lambda op: self.heard(work, op), changes=True)
        op.floor = self.high
        self.sent += 1
        return op

    def get(self, work):
        op = Op((b"GET", self.name), lambda op: work.expect(op, lambda r: op.floor <= int(r or 0) <= self.most()))
        op.floor = self.high
        return op

    def most(self):
        return self.sent - self.outcomes[REFUSED]

    def heard(self, work, op):
        self.outcomes[op.outcome] += 1
        if op.outcome == DONE:
            work.expect(op, lambda r: op.floor < r <= self.most() and r not in self.seen)
            self.seen.add(op.reply)
            self.high = max(self.high, op.reply)

    def broken(self, final):
        least = self.outcomes[DONE] + self.outcomes[APPLIED]
        if not least <= final <= least + self.outcomes[OPEN]:
            return f"{self.name}: {final} in the end, of {self.outcomes}"
        return None


class Counters(Work):
    """Many INCRs at once on a few keys of all."""

    def ask(self):
        ops = []
        for _ in range(self.random.randint(1, 16)):
            counter = self.random.choice(self.shared.counters)
            ops.append(counter.incr(self) if self.random.random() < 0.8 else counter.get(self))
        return ops


class Tokens:
    """A string that tokens are appended to: each stands there once, where its answer said."""

    LIMIT = 250  # the past keeps each state of a short string as a whole

    def __init__(self, name, begins=b""):
        """`begins` is what the string has before any token; it stands there already."""
        self.name, self.begins = name, begins
        self.ops, self.high = [], len(begins)

    def append(self, work):
        token = b"%0*d;" % (TOKEN_BYTES - 1, next(work.history.numbers))
        op = Op((b"APPEND", self.name, token), lambda op: self.heard(work, op), changes=True)
        op.floor = self.high
        self.ops.append((token, work.client.number, work.client.connections, op))
        return op

    def length(self, work):
        op = Op((b"STRLEN", self.name), lambda op: work.expect(op, lambda r: r >= op.floor))
        op.floor = self.high
        return op

    def heard(self, work, op):
        if op.outcome == DONE:
            work.expect(op, lambda r: r > op.floor and r % TOKEN_BYTES == 0)
            self.high = max(self.high, op.reply)

    def broken(self, final):
        """What is wrong with the string as it is in the end."""
        places = {}
        if not final.startswith(self.begins):
            return f"{self.name}: it does not begin as it did"
        for at in range(len(self.begins), len(final), TOKEN_BYTES):
            token = final[at:at + TOKEN_BYTES]
            if token in places:
                return f"{self.name}: {token} stands there twice"
            places[token] = at
        last = {}
        for token, client, connection, op in self.ops:
            at = places.pop(token, None)
            if (at is None) != (op.outcome == REFUSED) and op.outcome != OPEN:
                return f"{self.name}: {token} was {op.outcome}, and stands at {at}"
            if op.outcome == DONE and op.reply != at + TOKEN_BYTES:
                return f"{self.name}: {token} stands at {at}, and its answer was {op.reply}"
            if at is not None:
                if at < last.get((client, connection), -1):
                    return f"{self.name}: {token} stands before what its connection had sent earlier"
                last[client, connection] = at
        return f"{self.name}: nobody sent {next(iter(places))}" if places else None


class Appends(Work):
    """Many tokens at once."""

    def ask(self):
        tokens = self.shared.tokens[-1]
        if len(tokens.ops) > tokens.LIMIT:
            tokens = self.shared.new_tokens()
        ops = [tokens.append(self) for _ in range(self.random.randint(1, 16))]
        if self.random.random() < 0.3:
            ops.append(tokens.length(self))
        return ops


class Bank(Work):
    """Money goes from one account to another; there is always as much of it."""

    def __init__(self, client):
        super().__init__(client)
        self.read = None

    def ask(self):
        if self.read:
            return self.pay()
        names = self.random.sample(self.shared.accounts, 2)
        draw = self.random.random()
        if draw < 0.35:
            return [Op((b"WATCH", *names), self.nothing), Op((b"MGET", *names), lambda op: self.has_read(op, names))]
        amount = self.random.randint(1, 9)
        if draw < 0.7:
            return self.transaction((b"DECRBY", names[0], amount), (b"INCRBY", names[1], amount))
        if draw < 0.85:
            return [Op((b"MGET", *self.shared.accounts), lambda op: self.sums_up(op, op.reply))]
        return self.transaction(*((b"GET", name) for name in self.shared.accounts), then=lambda op: self.sums_up(
            op, op.reply), changes=False)

    def nothing(self, op):
        self.expect(op, lambda r: r == b"OK")

    def has_read(self, op, names):
        if op.outcome == DONE and None not in op.reply:
            self.read = names, [int(v) for v in op.reply], self.client.connections

    def pay(self):
        names, values, connection = self.read
        self.read = None
        amount = self.random.randint(1, 9)
        if connection != self.client.connections:
            return self.ask()
        return self.transaction((b"SET", names[0], values[0] - amount), (b"SET", names[1], values[1] + amount))

    def transaction(self, *commands, then=None, changes=True):
        queued = [Op(words, lambda op: self.expect(op, lambda r: r == b"QUEUED")) for words in commands]
        return [Op((b"MULTI",), self.nothing), *queued,
                Op((b"EXEC",), then or (lambda op: self.expect(op, lambda r: r is None or len(r) == 2)), changes)]

    def sums_up(self, op, values):
        if op.outcome == DONE:
            self.expect(op, lambda _: sum(int(v) for v in values) == ACCOUNTS * MONEY)


class Expiring(Work):
    """Keys with a time to live: none is gone before it, or comes back."""

    def __init__(self, client):
        super().__init__(client)
        self.keys = {}  # name: (the SET, its milliseconds, value); an answered one is watched

    def ask(self):
        ops = [self.look(name) for name in self.random.sample(sorted(self.keys), min(4, len(self.keys)))]
        return ops + [self.set()] if len(self.keys) < 20 else ops

    def set(self):
        name = b"e:%d:%d" % (self.client.number, next(self.history.numbers))
        ms = self.random.choice((50, 300, 1000, 4000))
        return Op((b"SET", name, name, b"PX", ms), lambda op: self.has_set(op, name, ms), changes=True)

    def has_set(self, op, name, ms):
        if op.outcome == DONE:
            self.keys[name] = [op, ms, False]

    def look(self, name):
        if self.random.random() < 0.5:
            return Op((b"GET", name), lambda op: self.has_got(op, name))
        return Op((b"PTTL", name), lambda op: self.has_left(op, name))

    def is_gone(self, op, name, gone):
        if name not in self.keys:
            self.expect(op, lambda _: gone)
            return
        was_set, ms, seen_gone = self.keys[name]
        if not gone:
            self.expect(op, lambda _: not seen_gone)
            return
        # From the request on it has so much time, on clocks that drift by 0.2 % at most. Where a majority starts
        # at once nobody knows cluster time: it goes on with the wall clock, from which it may have stayed behind.
        early_s = was_set.sent_s + ms * 0.000998 - op.ret_s
        rested = self.client.load.cluster.majority_started_since(was_set.sent_s - 1)
        if early_s > (BEHIND_S if rested else 0.002):
            self.client.wrong(op, f"{early_s * 1000:.0f} of {ms} ms too early")
        if seen_gone:
            del self.keys[name]
        else:
            self.keys[name][2] = True

    def has_got(self, op, name):
        if op.outcome == DONE:
            self.expect(op, lambda r: r in (None, name))
            self.is_gone(op, name, op.reply is None)

    def has_left(self, op, name):
        if op.outcome == DONE:
            self.expect(op, lambda r: r == -2 or 0 <= r <= 4000)
            self.is_gone(op, name, op.reply == -2)


class Sequence:
    """Keys that one client writes in their order."""

    LIMIT = 200

    def __init__(self, client, generation):
        self.prefix = b"s:%d:%d:" % (client, generation)
        self.ops = []  # (name, connection, op)
        self.ending = False

    def bounds(self):
        return b"[" + self.prefix, b"(" + self.prefix[:-1] + b";"

    def broken(self, found, call, ret):
        """What is wrong with the names that a read between these two events found."""
        names = set(found)
        for name, _, op in self.ops:
            there = name in names
            if op.outcome in (DONE, APPLIED) and op.ret < call and not there:
                return f"{name} is not there"
            if there and (op.outcome == REFUSED or op.call > ret):
                return f"{name} is there, {op.outcome}"
            names.discard(name)
        return f"{next(iter(names))} is there" if names else None

    def out_of_order(self, found):
        """What a connection sent is done in that order, up to where it ended, but for what got an error."""
        names, missing = set(found), {}
        for name, connection, op in self.ops:
            if name in names and connection in missing:
                return f"{name} is there, and not {missing[connection]} before it"
            if name not in names and op.outcome == OPEN and op.reply is None:
                missing.setdefault(connection, name)
        return None


class Ranges(Work):
    """Keys in order, and scans of them by everybody."""

    def __init__(self, client):
        super().__init__(client)
        self.generation, self.own, self.old = 0, None, []

    def ask(self):
        if not self.own or len(self.own.ops) >= Sequence.LIMIT:
            self.generation += 1
            self.own = Sequence(self.client.number, self.generation)
            self.shared.sequences.append(self.own)
        ops = [self.write() for _ in range(self.random.randint(1, 8))]
        if self.random.random() < 0.7:
            ops.append(self.scan(self.random.choice(self.shared.sequences[-12:])))
        return ops

    def write(self):
        name = self.own.prefix + b"%04d" % len(self.own.ops)
        op = Op((b"SET", name, b"x" * self.random.choice((1, 100, 1000))), lambda op: self.expect(
            op, lambda r: r == b"OK"), changes=True)
        self.own.ops.append((name, self.client.connections, op))
        return op

    def scan(self, sequence):
        return Op((b"RANGE", *sequence.bounds(), b"KEYSONLY"), lambda op: self.has_scanned(op, sequence))

    def has_scanned(self, op, sequence):
        if op.outcome == DONE and (why := sequence.broken(op.reply, op.call, op.ret)):
            self.client.wrong(op, why)


class ReadsHere(Work):
    """READONLY: what one connection sees never goes back, and its own writes are there."""

    def __init__(self, client):
        super().__init__(client)
        self.own, self.seen = None, {}

    def connected(self):
        super().connected()
        self.seen = {}
        return [Op((b"READONLY",), lambda op: self.expect(op, lambda r: r == b"OK"))]

    def ask(self):
        if not self.own:
            self.own = self.shared.new_counter(b"o:%d" % self.client.number)
        ops = []
        for _ in range(self.random.randint(1, 8)):
            if self.random.random() < 0.3:
                ops.append(self.incr())
            else:
                counter = self.random.choice([self.own, *self.shared.counters[:4]])
                ops.append(Op((b"GET", counter.name), lambda op, c=counter: self.has_got(op, c)))
        return ops

    def incr(self):
        op = self.own.incr(self)
        heard, seen = op.then, self.seen

        def then(op):
            heard(op)
            if op.outcome == DONE:
                seen[self.own.name] = op.reply
        op.then = then
        return op

    def has_got(self, op, counter):
        if op.outcome == DONE:
            value = int(op.reply or 0)
            self.expect(op, lambda _: self.seen.get(counter.name, 0) <= value <= counter.most())
            self.seen[counter.name] = value


class Revisions(Work):
    """The number of the newest change: it never goes back for anybody, also while the past is given up."""

    def ask(self):
        ops = [self.newest() for _ in range(self.random.randint(1, 4))]
        if self.random.random() < 0.03:
            revision = max(0, self.shared.revision - self.random.randint(0, 100))
            ops.append(Op((b"HISTORY", b"COMPACT", revision), lambda op: self.expect(op, lambda r: r == b"OK"),
                          changes=True))
        return ops

    def newest(self):
        op = Op((b"REVISION",), self.has_heard)
        op.floor = self.shared.revision
        return op

    def has_heard(self, op):
        if op.outcome == DONE:
            self.expect(op, lambda r: r >= op.floor)
            self.shared.revision = max(self.shared.revision, op.reply)


class Shared:
    """The keys of all."""

    def __init__(self):
        self.counters = [Counter(b"c:%d" % i) for i in range(6)]
        self.own_counters = []
        # The first one is stored in chunks, since it is changed beyond 64 KiB.
        self.tokens = [Tokens(b"t:0", b"x" * (6000 * TOKEN_BYTES))]
        self.accounts = [b"b:%d" % i for i in range(ACCOUNTS)]
        self.sequences = []
        self.slots = {}
        self.revision = 0  # that somebody has seen

    def new_counter(self, name):
        self.own_counters.append(Counter(name))
        return self.own_counters[-1]

    def new_tokens(self):
        self.tokens.append(Tokens(b"t:%d" % len(self.tokens)))
        return self.tokens[-1]


KINDS = (Registers, Registers, Hashes, Counters, Appends, Bank, Expiring, Ranges, ReadsHere, Revisions)
