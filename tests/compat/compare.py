#!/usr/bin/env python3
"""Asks redis-server and a member the same, and wants the same bytes.

    compare.py RUNNER files FILE ...        hand-written requests
    compare.py RUNNER generated COUNT SEED [FAMILY]
                                            generated ones, COUNT for each version of the protocol,
                                            of all commands or of one group
    compare.py RUNNER cold COUNT SEED       the same to a member that keeps nothing in memory
    compare.py RUNNER patterns COUNT SEED   generated patterns against generated keys
    compare.py RUNNER forms                 every command and subcommand with too few words, enough,
                                            and too many, alone and in a transaction
"""

import re
import shlex
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import generate
from sides import Member, Redis, elements, value

SHOWN = 20
BATCH = 100
LIFE = 10000
ASKER = 4  # a connection that only asks about commands
NUMBER = re.compile(rb"(?<=:)-?\d+(?=\r\n)")
LINE = re.compile(r"(?:(\d)>\s*)?(.*)")


class Difference:
    def __init__(self, number, text):
        rule, pattern, reason = (part.strip() for part in text.split("|", 1)[0:1] + rest(text))
        self.number, self.rule, self.reason, self.used = number, rule, reason, False
        self.pattern = re.compile(pattern, re.S)

    def allows(self, ours, theirs, apart):
        """`apart`: so many seconds at most lie between the moments at which the two sides did the same."""
        if self.rule == "any":
            return True
        if self.rule == "drawn":
            return shape(ours) == shape(theirs)
        if self.rule == "more":
            ours = iter(elements(ours, in_order=True))
            return all(line in ours for line in elements(theirs, in_order=True))
        if self.rule in ("page", "page-pairs"):
            together = 2 if self.rule == "page-pairs" else 1
            ours, theirs = elements(ours), elements(theirs)
            return (len(ours) == len(theirs) == 2 and ours[0] == theirs[0]
                    and elements(ours[1], together) == elements(theirs[1], together))
        if self.rule in ("order", "pairs"):
            together = 2 if self.rule == "pairs" else 1
            return (ours[:1] in b"*%" and ours.split(b"\r\n")[0] == theirs.split(b"\r\n")[0]
                    and elements(ours, together) == elements(theirs, together))
        a, b = NUMBER.findall(ours), NUMBER.findall(theirs)
        most = apart * {"seconds": 1, "milliseconds": 1000}[self.rule] + 1  # one of them by rounding
        return (NUMBER.sub(b"", ours) == NUMBER.sub(b"", theirs)
                and all(near(int(x), int(y), most) for x, y in zip(a, b)))


def shape(reply):
    """Of what kind it is, and what it holds."""
    kind = reply[:1] + (b"-" if reply[1:2] == b"-" else b"")
    return [kind, *map(shape, elements(reply, in_order=True))] if kind in b"*%~" else kind


def arrays(ours, theirs, count):
    """Both are one array of so many."""
    return all(len(side) == 1 and side[0].startswith(b"*%d\r\n" % count) for side in (ours, theirs))


def near(a, b, most):
    """What is not positive is no time, but says that there is none."""
    return a == b or (min(a, b) > 0 and abs(a - b) <= most)


def rest(text):
    """The pattern may have bars of its own; the reason is behind the last one."""
    pattern, reason = text.split("|", 1)[1].rsplit("|", 1)
    return [pattern, reason]


class Comparison:
    def __init__(self, *runner):
        self.redis, self.member = Redis(), Member(*runner)
        path = Path(__file__).with_name("differences.txt")
        lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        self.differences = [Difference(n, line) for n, line in lines
                            if line and not line.startswith("#")]
        self.compared, self.failures = 0, 0
        self.apart = 0.0
        self.queued = {}  # by connection: what the next EXEC replies to

    def ask(self, connection, requests, place):
        begin = time.monotonic()
        theirs = self.redis.ask(connection, requests)
        ours = self.member.ask(connection, requests)
        self.apart = max(self.apart, time.monotonic() - begin)
        for i, words in enumerate(requests):
            self.follow(connection, words, ours[i:i + 1], theirs[i:i + 1], place)
        return ours

    def follow(self, connection, words, ours, theirs, place):
        """Each element of an EXEC is compared as what it is the reply to."""
        queued = self.queued.setdefault(connection, [])
        name = words[0].upper()
        if name == b"EXEC" and queued and arrays(ours, theirs, len(queued)):
            for asked, a, b in zip(queued, *(elements(side[0], in_order=True) for side in (ours, theirs))):
                self.compare(asked, [a], [b], place)
        else:
            self.compare(words, ours, theirs, place)
        if theirs == [b"+QUEUED\r\n"]:
            queued.append(words)
        elif name in (b"EXEC", b"DISCARD", b"RESET"):
            queued.clear()

    def compare(self, words, ours, theirs, place):
        self.compared += 1
        text = b" ".join(words).decode("latin-1").upper()
        named = [d for d in self.differences if d.pattern.fullmatch(text)]
        for difference in named:
            difference.used = True
        if ours == theirs:
            return
        if ours and theirs and any(d.allows(ours[0], theirs[0], self.apart) for d in named):
            return
        self.failures += 1
        if self.failures <= SHOWN:
            shown = b" ".join(words)[:200]
            print(f"{place}: {shown!r}\n  redis {b''.join(theirs)[:300]!r}\n"
                  f"  ours  {b''.join(ours)[:300]!r}")

    def close(self):
        self.redis.close()
        self.member.close()


def words_of(line):
    """Words as a shell splits them, with the escapes of Python in double quotes."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="")
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
    return [word.encode("latin-1").decode("unicode_escape").encode("latin-1") for word in lexer]


def start(comparison, protocol, place):
    """Every file and every run of the generator begins with empty databases."""
    for connection in range(1, 4):
        comparison.ask(connection, [[b"RESET"], [b"HELLO", protocol]], place)
    comparison.ask(1, [[b"FLUSHALL"]], place)


def run_file(comparison, path, protocol):
    """Lines with a + before them go out together with the next one."""
    start(comparison, protocol, path.name)
    waiting = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        together = line.startswith("+")
        connection, text = LINE.fullmatch(line.lstrip("+ ")).groups()
        waiting.append(words_of(text))
        if not together:
            comparison.ask(int(connection or 1), waiting,
                           f"{path.name}:{number} (protocol {protocol.decode()})")
            waiting = []


def commands(comparison):
    """Name, arity and group of what both sides have."""
    asked = [[b"HELLO", b"3"], [b"COMMAND"], [b"COMMAND", b"DOCS"]]
    _, rows, docs = map(value, comparison.member.ask(ASKER, asked))
    _, theirs, _ = map(value, comparison.redis.ask(ASKER, asked))
    known = {row[0] for row in theirs}
    return [(row[0].encode(), row[1], docs[row[0]]["group"]) for row in rows if row[0] in known]


def run_generated(comparison, count, seed, protocol, family=""):
    """Connections take turns; what they do in transactions is to get in each other's way."""
    place = f"seed {seed} {family} protocol {protocol.decode()}"
    start(comparison, protocol, place)
    requests = generate.requests(seed, commands(comparison), count, family)
    batch = 5 if family == "transactions" else BATCH
    for at in range(0, len(requests), batch):
        comparison.ask(1 + at // batch % 3, requests[at:at + batch], f"{place} from {at}")


def run_forms(comparison, protocol):
    """Nothing of one request is left when the next one comes."""
    place = f"forms protocol {protocol.decode()}"
    start(comparison, protocol, place)
    asked = [[b"HELLO", b"3"], [b"COMMAND"]]
    ours, theirs = (value(side.ask(ASKER, asked)[1]) for side in (comparison.member, comparison.redis))
    for words in generate.forms(ours, theirs):
        for requests in ([words], [[b"MULTI"], words, [b"EXEC"]]):
            comparison.ask(1, requests, place)
            comparison.ask(1, [[b"RESET"], [b"HELLO", protocol], [b"FLUSHALL"]], place)


def run_patterns(comparison, count, seed, protocol):
    """Every pattern is tried on all keys, by KEYS and by SCAN."""
    place = f"patterns of seed {seed} protocol {protocol.decode()}"
    start(comparison, protocol, place)
    requests = generate.patterns(seed, count)
    for at in range(0, len(requests), BATCH):
        comparison.ask(1, requests[at:at + BATCH], f"{place} from {at}")


def lives(mode, arguments):
    """What one life of both sides is asked: a long run is many of them, since nothing is forgotten in one."""
    if mode != "generated":
        return [arguments]
    count, seed, *rest = arguments
    pieces = [min(LIFE, int(count) - at) for at in range(0, int(count), LIFE)]
    return [[piece, int(seed) + i, *rest] for i, piece in enumerate(pieces)]


def run_life(comparison, mode, arguments):
    for protocol in (b"2", b"3"):
        if mode == "files":
            for path in sorted(map(Path, arguments)):
                run_file(comparison, path, protocol)
        elif mode == "forms":
            run_forms(comparison, protocol)
        elif mode == "patterns":
            run_patterns(comparison, int(arguments[0]), int(arguments[1]), protocol)
        else:
            run_generated(comparison, *map(int, arguments[:2]), protocol, *arguments[2:])


def main():
    runner, mode, *arguments = sys.argv[1:]
    compared = failures = 0
    for life in lives(mode, arguments):
        comparison = Comparison(runner, *(["cold"] if mode == "cold" else []))
        try:
            run_life(comparison, mode, life)
        finally:
            comparison.close()
        for difference in comparison.differences:
            if mode == "files" and not difference.used:
                print(f"differences.txt:{difference.number}: no request is meant by it")
                comparison.failures += 1
        compared, failures = compared + comparison.compared, failures + comparison.failures
    print(f"{compared} replies compared, {failures} wrong")
    return 1 if failures or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
