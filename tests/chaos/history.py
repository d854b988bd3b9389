"""What clients asked and heard, in the order of events, and what that says at once."""

import itertools
import threading

DONE, OPEN, APPLIED, REFUSED = "done", "open", "applied", "refused"

# An error with one of these in front says: this was not done and never will be.
REFUSALS = ("CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN", "READONLY", "OOM", "EXECABORT", "COMPACTED")


class Op:
    """One request. `then` hears of its end: of its outcome, and of the reply if that is DONE."""

    __slots__ = ("words", "then", "changes", "number", "call", "ret", "sent_s", "ret_s", "outcome", "reply", "floor")

    def __init__(self, words, then, changes=False):
        self.words, self.then, self.changes = words, then, changes
        self.number = self.call = self.ret = self.sent_s = self.ret_s = None
        self.outcome = self.reply = self.floor = None

    def __repr__(self):
        words = b" ".join(w if isinstance(w, bytes) else str(w).encode() for w in self.words)
        return f"#{self.number} {words.decode(errors='replace'):.100}"


class History:
    """Numbers for events, the operations that the checker is to see, and what was found to be wrong."""

    def __init__(self, path):
        self.events = itertools.count(1)
        self.numbers = itertools.count(1)
        self.path = path
        self.file = open(path, "w", encoding="ascii")  # pylint: disable=consider-using-with
        self.lock = threading.Lock()
        self.found = []
        self.counts = {}
        self.write_times = []

    def wrong(self, text):
        with self.lock:
            self.found.append(text)

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def ended(self, op):
        """Counts it; the times of acknowledged writes tell how available all was."""
        self.count(op.outcome if op.changes else f"read {op.outcome}")
        if op.changes and op.outcome == DONE:
            self.write_times.append(op.ret_s)

    def record(self, client, key, kind, op, expected=None, value=None, result=None):
        """For the checker (history_check.c)."""
        words = (key, client, kind, op.call, op.outcome, op.ret or 0, expected, value, result)
        self.file.write(" ".join("-" if w is None else str(w) for w in words) + "\n")

    def close(self):
        self.file.close()
