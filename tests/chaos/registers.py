"""Registers, as strings and as hashes: what the checker is asked about afterwards.

A key is used for some hundred operations, then comes the next: so the checker's search stays short.
Values are numbers that are written once, behind the name of their key.
"""

from history import DONE, REFUSED, Op
from work import Work

USES = 250
SLOTS = 4


class Slot:
    """A key that many use, until it has been used enough."""

    def __init__(self, number, kind):
        self.number, self.name, self.left = number, b"%s:%d" % (kind, number), USES
        self.last = None  # what somebody saw there


class OnSlots(Work):
    """What both kinds have in common."""

    kind = b""

    def slot(self):
        slots = self.shared.slots.setdefault(self.kind, [])
        while len(slots) < SLOTS:
            slots.append(Slot(next(self.history.numbers), self.kind))
        at = self.random.randrange(SLOTS)
        slots[at].left -= 1
        if slots[at].left == 0:
            slots[at] = Slot(next(self.history.numbers), self.kind)
        return slots[at]

    def value(self, slot):
        number = next(self.history.numbers)
        return number, b"%s=%d" % (slot.name, number)

    def number_in(self, op, slot, value):
        """The number in a value that was read, or None."""
        if value is None:
            return None
        name, _, number = value.rpartition(b"=")
        self.expect(op, lambda _: name == slot.name)
        return int(number)

    def record(self, op, slot, kind, **more):
        self.history.record(self.client.number, slot.number, kind, op, **more)


class Registers(OnSlots):
    """SET, GET, and four ways to compare and set."""

    kind = b"r"

    def __init__(self, client):
        super().__init__(client)
        self.watched = None

    def ask(self):
        if self.watched:
            slot, number, connection = self.watched
            self.watched = None
            if connection == self.client.connections:
                return self.transaction(slot, number)
        if self.random.random() < 0.15:
            slot = self.slot()
            return [Op((b"WATCH", slot.name), self.is_ok), self.get(slot, watched=True)]
        return [self.one(self.slot()) for _ in range(self.random.randint(1, 3))]

    def one(self, slot):
        draw = self.random.random()
        if draw < 0.35:
            return self.get(slot)
        if draw < 0.6 or (slot.last is None and draw < 0.8):
            return self.set(slot)
        if draw < 0.7:
            return self.set_if_absent(slot)
        if slot.last is None:
            return self.get(slot)
        return self.set_if(slot, slot.last) if draw < 0.9 else self.delete_if(slot, slot.last)

    def is_ok(self, op):
        self.expect(op, lambda r: r == b"OK")

    def get(self, slot, watched=False):
        def then(op):
            result = self.number_in(op, slot, op.reply) if op.outcome == DONE else None
            self.record(op, slot, "read", result=result)
            if op.outcome == DONE:
                slot.last = result
                if watched:
                    self.watched = slot, result, self.client.connections
        return Op((b"GET", slot.name), then)

    def set(self, slot):
        number, value = self.value(slot)

        def then(op):
            self.is_ok(op)
            self.record(op, slot, "write", value=number)
            slot.last = number
        return Op((b"SET", slot.name, value), then, changes=True)

    def swap(self, slot, expected, number, words, swapped):
        """A compare-and-set; `swapped` says by the reply whether it did."""
        def then(op):
            result = int(swapped(op.reply)) if op.outcome == DONE else None
            self.record(op, slot, "cas", expected=expected, value=number, result=result)
        return Op(words, then, changes=True)

    def set_if(self, slot, expected):
        number, value = self.value(slot)
        return self.swap(slot, expected, number, (b"SET", slot.name, value, b"IFEQ", b"%s=%d" % (slot.name, expected)),
                         lambda reply: reply == b"OK")

    def set_if_absent(self, slot):
        number, value = self.value(slot)
        return self.swap(slot, None, number, (b"SET", slot.name, value, b"NX"), lambda reply: reply == b"OK")

    def delete_if(self, slot, expected):
        return self.swap(slot, expected, None, (b"DELEX", slot.name, b"IFEQ", b"%s=%d" % (slot.name, expected)),
                         lambda reply: reply == 1)

    def transaction(self, slot, expected):
        number, value = self.value(slot)

        def then(op):
            # Nil says that the key was touched since the WATCH, which came before it was read.
            if op.outcome == DONE and op.reply is None:
                op.outcome = REFUSED
            self.record(op, slot, "cas", expected=expected, value=number, result=1)
        return [Op((b"MULTI",), self.is_ok),
                Op((b"SET", slot.name, value), lambda op: self.expect(op, lambda r: r == b"QUEUED")),
                Op((b"EXEC",), then, changes=True)]


class Hashes(OnSlots):
    """A hash of two fields that are always written together: one register."""

    kind = b"h"

    def ask(self):
        return [self.one(self.slot()) for _ in range(self.random.randint(1, 3))]

    def one(self, slot):
        draw = self.random.random()
        if draw < 0.5:
            return Op((b"HGETALL", slot.name), lambda op: self.has_read(op, slot))
        if draw < 0.9:
            number, value = self.value(slot)
            return Op((b"HSET", slot.name, b"a", value, b"b", value),
                      lambda op: self.record(op, slot, "write", value=number), changes=True)
        return Op((b"HDEL", slot.name, b"a", b"b"), lambda op: self.has_deleted(op, slot), changes=True)

    def has_read(self, op, slot):
        result = None
        if op.outcome == DONE:
            fields = dict(zip(op.reply[::2], op.reply[1::2]))
            self.expect(op, lambda _: len(fields) in (0, 2) and fields.get(b"a") == fields.get(b"b"))
            result = self.number_in(op, slot, fields.get(b"a"))
        self.record(op, slot, "read", result=result)

    def has_deleted(self, op, slot):
        self.expect(op, lambda r: r in (0, 2))
        self.record(op, slot, "delete", result=int(op.reply == 2) if op.outcome == DONE else None)
