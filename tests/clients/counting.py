"""What those who count while leaders die may hear, and what has to be there in the end.

count_hiredis.c, count_redis_py.py, count_node.js and count_redigo.go do all the same, each with its library:
`program library connections port ...` opens so many connections to each port. A connection is called
library.member.number, member 0 being the first port. It asks in rounds, each one pipeline:

    8 INCR name:n, ECHO <name>.<round>, GET name:v, 8 INCR name:n,
    4 APPEND name:w:<round / 16> "<name>.<n>;", SET name:v <name>.<round>, GET name:v

where n numbers the words from 0: reads, and what needs no other member, stand behind and before writes. A round is
written as one line, name, round and replies: `:1` a number, `$text` a text or a status, `_` nothing,
`-CLUSTERDOWN_There` an error's first two words, `!` none, `?` anything else. Behind a `!` the line may end. Who has
lost its connection asks PING until somebody answers, and goes on.
When the standard input ends, rounds are ended, and the program is.
"""

import re
from collections import Counter

HALF_OF_INCRS, APPENDS, ROUNDS_OF_STRING = 8, 4, 16
INCRS = 2 * HALF_OF_INCRS
ROUND = INCRS + APPENDS + 4

DONE, OPEN, REFUSED = "done", "open", "refused"
# docs/consistency.md: these were not done and never will be.
REFUSALS = ("CLUSTERDOWN", "TRYAGAIN")


class Slot:
    """All that was heard on the connections of one name."""

    def __init__(self, name):
        self.name = name
        self.rounds, self.losses = 0, 0
        self.incrs = Counter()
        self.last = 0  # that an INCR was answered with
        self.words = {}  # by string: (word, outcome, length that was told, losses before it)
        self.set_rounds = []  # that v may be of
        self.errors, self.problems = Counter(), []

    def wrong(self, text):
        self.problems.append(f"{self.name}, round {self.rounds}: {text}")

    # ---- as it is told

    def hear(self, number, replies):
        """A round."""
        if number != self.rounds:
            self.wrong(f"it is told of as {number}")
        if replies[-1:] == ["!"]:
            replies = replies + ["!"] * (ROUND - len(replies))
        if len(replies) != ROUND:
            self.wrong(f"{len(replies)} replies")
            return
        for reply in replies[:HALF_OF_INCRS]:
            self.heard_incr(reply)
        self.heard_echo(replies[HALF_OF_INCRS])
        self.heard_get(replies[HALF_OF_INCRS + 1])
        for reply in replies[HALF_OF_INCRS + 2:INCRS + 2]:
            self.heard_incr(reply)
        for i, reply in enumerate(replies[INCRS + 2:-2]):
            self.heard_append(self.rounds * APPENDS + i, reply)
        self.heard_set(replies[-2])
        self.heard_get(replies[-1])
        self.losses += "!" in replies
        self.rounds += 1

    def outcome(self, reply, kind):
        """And what stands behind the sign, if that is of its kind."""
        if reply[0] == kind:
            return DONE, reply[1:]
        if reply == "!":
            return OPEN, None
        if reply[0] != "-":
            self.wrong(f"a reply of another kind: {reply}")
            return OPEN, None
        self.errors[reply] += 1
        if reply == "-UNCERTAIN_applied,":
            return DONE, None
        if reply.startswith("-UNCERTAIN_"):
            return OPEN, None
        if reply[1:].split("_", maxsplit=1)[0] not in REFUSALS:
            self.wrong(f"an error that nothing explains: {reply}")
        return REFUSED, None

    def heard_incr(self, reply):
        outcome, value = self.outcome(reply, ":")
        self.incrs[outcome] += 1
        if value is None:
            return
        if not (self.last < int(value) and self.incrs[DONE] <= int(value) <= self.incrs[DONE] + self.incrs[OPEN]):
            self.wrong(f"INCR is {value} after {self.last}, {dict(self.incrs)}")
        self.last = int(value)

    def heard_append(self, number, reply):
        outcome, length = self.outcome(reply, ":")
        words = self.words.setdefault(self.rounds // ROUNDS_OF_STRING, [])
        words.append((f"{self.name}.{number};", outcome, length and int(length), self.losses))

    def heard_echo(self, reply):
        outcome, text = self.outcome(reply, "$")
        if text is not None and text != f"{self.name}.{self.rounds}":
            self.wrong(f"ECHO is {text} ({outcome})")

    def heard_set(self, reply):
        outcome, text = self.outcome(reply, "$")
        if outcome == DONE:
            if text not in ("OK", None):
                self.wrong(f"SET is {text}")
            # What is open of earlier rounds may come in between.
            self.set_rounds = [(r, o) for r, o in self.set_rounds if o == OPEN]
        if outcome != REFUSED:
            self.set_rounds.append((self.rounds, outcome))

    def heard_get(self, reply):
        if reply != "_" or any(o == DONE for _, o in self.set_rounds):
            outcome, text = self.outcome(reply, "$")
            if text is not None and not self.may_be(text):
                self.wrong(f"GET is {text}, and not of {self.set_rounds} ({outcome})")

    def may_be(self, text):
        return text in [f"{self.name}.{r}" for r, _ in self.set_rounds]

    # ---- in the end

    def strings(self):
        return [f"{self.name}:w:{i}" for i in self.words]

    def look(self, count, value, strings):
        """Holds what is there against what was heard; `strings` in the order of strings()."""
        if not self.incrs[DONE] <= count <= self.incrs[DONE] + self.incrs[OPEN]:
            self.wrong(f"the counter is {count}, {dict(self.incrs)}")
        if not (self.may_be(value) if value else all(o == OPEN for _, o in self.set_rounds)):
            self.wrong(f"the value is {value}, and not of {self.set_rounds}")
        for words, string in zip(self.words.values(), strings):
            self.look_at_words(words, string)

    def look_at_words(self, words, string):
        ends, at = {}, 0
        for word in re.findall("[^;]*;|[^;]+$", string):
            at += len(word)
            if word in ends:
                self.wrong(f"{word} stands there twice")
            ends[word] = at
        last_acknowledged, last_of_life = 0, {}
        for word, outcome, length, life in words:
            end = ends.pop(word, None)
            if (end is None) != (outcome == REFUSED) and outcome != OPEN:
                self.wrong(f"{word} is {outcome}, and ends at {end}")
            if end is None:
                continue
            if length not in (None, end):
                self.wrong(f"{word} ends at {end}, and its answer was {length}")
            if end < last_of_life.get(life, 0) or (outcome == DONE and end < last_acknowledged):
                self.wrong(f"{word} stands before what was sent earlier")
            last_of_life[life] = end
            if outcome == DONE:
                last_acknowledged = end
        for word in ends:
            self.wrong(f"{word!r} is nobody's")
