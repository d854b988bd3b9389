#!/usr/bin/env python3
"""What the clients and the checker of chaos would find to be wrong, if a server did it."""

import os
import random
import subprocess
import sys
import tempfile
import unittest
from types import SimpleNamespace

import rot
from history import APPLIED, DONE, OPEN, REFUSED, History, Op
from judge import Judge
from protocol import Error, Parser, encode
from works import TOKEN_BYTES, Counter, Revisions, Sequence, Shared, Tokens


class Bench:
    """A client that sends nothing: the test says what came back."""

    def __init__(self, path=os.devnull):
        self.history = History(path)
        self.wrongs = []
        self.client = SimpleNamespace(number=1, connections=1)

    def expect(self, op, holds):
        if op.outcome == DONE and not holds(op.reply):
            self.wrongs.append(op)

    def send(self, op):
        op.number, op.call, op.sent_s = next(self.history.numbers), next(self.history.events), 0.0
        return op

    def hear(self, op, outcome, reply=None):
        op.outcome, op.reply, op.ret, op.ret_s = outcome, reply, next(self.history.events), 0.0
        op.then(op)


class Answers(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.addCleanup(self.bench.history.close)

    def count(self, *outcomes):
        counter = Counter(b"c")
        for outcome, reply in outcomes:
            self.bench.hear(self.bench.send(counter.incr(self.bench)), outcome, reply)
        return counter

    def test_an_increment_is_done_once(self):
        counter = self.count((DONE, 1), (OPEN, None), (REFUSED, None), (APPLIED, None))
        self.assertEqual([counter.broken(n) is None for n in (1, 2, 3, 4)], [False, True, True, False])
        self.assertFalse(self.bench.wrongs)

    def test_two_increments_have_two_answers_in_the_order_of_time(self):
        self.count((DONE, 1), (DONE, 1))
        self.assertEqual(len(self.bench.wrongs), 1)

    def test_a_counter_that_goes_back_is_seen(self):
        counter = self.count((DONE, 1), (DONE, 2))
        self.bench.hear(self.bench.send(counter.get(self.bench)), DONE, b"1")
        self.assertEqual(len(self.bench.wrongs), 1)

    def test_a_revision_never_goes_back(self):
        load = SimpleNamespace(history=self.bench.history, shared=Shared())
        work = Revisions(SimpleNamespace(random=random.Random(1), load=load, expect=self.bench.expect))
        early = self.bench.send(work.newest())
        self.bench.hear(self.bench.send(work.newest()), DONE, 7)
        self.bench.hear(early, DONE, 6)
        self.assertFalse(self.bench.wrongs)
        self.bench.hear(self.bench.send(work.newest()), DONE, 6)
        self.assertEqual(len(self.bench.wrongs), 1)

    def tokens(self, *outcomes):
        """The string, and its tokens as bytes."""
        tokens = Tokens(b"t")
        length = 0
        for outcome in outcomes:
            op = self.bench.send(tokens.append(self.bench))
            length += TOKEN_BYTES
            self.bench.hear(op, outcome, length if outcome == DONE else None)
        return tokens, [token for token, *_ in tokens.ops]

    def test_a_token_stands_once_where_its_answer_said(self):
        tokens, (a, b, c) = self.tokens(DONE, DONE, OPEN)
        self.assertIsNone(tokens.broken(a + b))
        self.assertIsNone(tokens.broken(a + b + c))
        for final in (a, b + a, a + b + b, a + b + b"00000999999;", a + c + b):
            self.assertIsNotNone(tokens.broken(final), final)

    def test_tokens_stand_behind_what_was_there_before(self):
        tokens = Tokens(b"t", b"x" * 24)
        op = self.bench.send(tokens.append(self.bench))
        self.bench.hear(op, DONE, 36)
        (a, *_), = tokens.ops
        self.assertIsNone(tokens.broken(b"x" * 24 + a))
        self.assertIsNotNone(tokens.broken(a))

    def test_a_refused_token_is_nowhere(self):
        tokens, (a,) = self.tokens(REFUSED)
        self.assertIsNone(tokens.broken(b""))
        self.assertIsNotNone(tokens.broken(a))

    def test_an_applied_token_is_there(self):
        tokens, (a,) = self.tokens(APPLIED)
        self.assertIsNone(tokens.broken(a))
        self.assertIsNotNone(tokens.broken(b""))

    def test_what_one_connection_sent_stays_in_order(self):
        tokens, (a, b) = self.tokens(OPEN, OPEN)
        self.assertIsNone(tokens.broken(b))
        self.assertIsNotNone(tokens.broken(b + a))

    def test_a_range_has_what_was_acknowledged_and_nothing_refused(self):
        sequence = Sequence(1, 1)
        for name, outcome in ((b"a", DONE), (b"b", REFUSED), (b"c", OPEN), (b"d", OPEN)):
            op = self.bench.send(Op((b"SET", name), lambda op: None))
            self.bench.hear(op, outcome)
            sequence.ops.append((name, 1, op))
        call, ret = next(self.bench.history.events), next(self.bench.history.events)
        self.assertIsNone(sequence.broken([b"a", b"c"], call, ret))
        self.assertIsNotNone(sequence.broken([b"c"], call, ret))
        self.assertIsNotNone(sequence.broken([b"a", b"b"], call, ret))
        self.assertIsNotNone(sequence.broken([b"a", b"x"], call, ret))
        self.assertIsNotNone(sequence.broken([b"a", b"d"], call, 1))
        self.assertIsNone(sequence.out_of_order([b"a", b"c"]))
        self.assertIsNotNone(sequence.out_of_order([b"a", b"d"]))


class Protocol(unittest.TestCase):
    def test_replies_come_in_pieces(self):
        parser = Parser()
        whole = b"+OK\r\n:-2\r\n$3\r\na\r\n\r\n$-1\r\n*2\r\n*0\r\n$1\r\nx\r\n-ERR no\r\n*-1\r\n"
        found = []
        for byte in whole:
            parser.feed(bytes([byte]))
            found += parser.replies()
        self.assertEqual(found, [b"OK", -2, b"a\r\n", None, [[], b"x"], Error("ERR no"), None])
        self.assertEqual(encode((b"SET", 1)), b"*2\r\n$3\r\nSET\r\n$1\r\n1\r\n")


class Logs(unittest.TestCase):
    """What members say is held against what was done to them."""

    def found(self, line, rotten=False):
        members = [SimpleNamespace(name="n1", rotten=rotten, has_said=lambda: "all is well"),
                   SimpleNamespace(name="n2", rotten=False, has_said=lambda: line)]
        return Judge(SimpleNamespace(members=members, gone=[]), None, None, {}).logs()

    def test_damage_is_said_of_spoiled_disks_only(self):
        for line in ("the log is damaged from entry 5 to 9", "member 12 has a damaged log: it does not count",
                     "log /d: damage in segment 7 at offset 0", "stops: stored data is damaged",
                     "entry 7 is damaged on disk; it is applied and stored: the log begins behind 9 now"):
            self.assertIsNone(self.found(line, rotten=True), line)
            self.assertIsNotNone(self.found(line), line)

    def test_nothing_else_is_excused_by_them(self):
        for line in ("crashed: SIGSEGV", "a digest differs from that of the others", "stops: input/output error"):
            self.assertIsNotNone(self.found(line, rotten=True), line)
        self.assertIsNone(self.found("stops: the log failed: no space left", rotten=True))


class Rot(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="conclave-chaos-test-")
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        for name in ("log/1.log", "log/2.log", "log/3.log", "engine-1/MANIFEST-1", "engine-1/7.sst", "engine-1/8.sst"):
            os.makedirs(os.path.dirname(os.path.join(self.dir, name)), exist_ok=True)
            with open(os.path.join(self.dir, name), "wb") as f:
                f.write(bytes(8192))

    def changed(self):
        """{name: bits that are set}"""
        found = {}
        for folder, _, names in os.walk(self.dir):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    if bits := sum(byte.bit_count() for byte in f.read()):
                        found[name] = bits
        return found

    def test_the_newest_segment_is_spoiled_in_its_header(self):
        for seed in range(20):
            flipped = rot.rot_log(self.dir, random.Random(seed))
            self.assertEqual(len(self.changed()), len(flipped))
            with open(os.path.join(self.dir, "log", "3.log"), "r+b") as f:
                self.assertEqual(sum(byte.bit_count() for byte in f.read(rot.HEADER_BYTES)), 1)
            self.setUp()

    def test_tables_are_spoiled_or_their_list(self):
        found = set()
        for seed in range(20):
            rot.rot_state(self.dir, random.Random(seed))
            changed = self.changed()
            self.assertEqual(set(changed.values()), {1})
            found |= set(changed)
            self.setUp()
        self.assertEqual(found, {"MANIFEST-1", "7.sst", "8.sst"})


class Checker(unittest.TestCase):
    def check(self, *ops):
        """(exit code, text) of the checker for (kind, outcome, expected, value, result) one after the other."""
        with tempfile.TemporaryDirectory(prefix="conclave-chaos-test-") as folder:
            bench = Bench(os.path.join(folder, "history"))
            for kind, outcome, expected, value, result in ops:
                op = bench.send(Op((), lambda op: None))
                bench.hear(op, outcome)
                bench.history.record(1, 7, kind, op, expected, value, result)
            bench.history.close()
            done = subprocess.run([CHECKER, bench.history.path], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout

    def test_one_history_passes(self):
        self.assertEqual(self.check(("read", DONE, None, None, None), ("write", DONE, None, 1, None),
                                    ("cas", DONE, 1, 2, 1), ("cas", DONE, 2, None, 1), ("read", DONE, None, None, None),
                                    ("write", OPEN, None, 3, None), ("delete", DONE, None, None, 1))[0], 0)

    def test_a_stale_read_fails(self):
        code, text = self.check(("write", DONE, None, 1, None), ("write", DONE, None, 2, None),
                                ("read", DONE, None, None, 1))
        self.assertEqual(code, 1)
        self.assertIn("key 7 (register, 3 operations) is not linearizable", text)

    def test_a_refused_write_that_is_seen_fails(self):
        code, text = self.check(("write", REFUSED, None, 1, None), ("read", DONE, None, None, 1))
        self.assertEqual(code, 1)
        self.assertIn("aborted read", text)


if __name__ == "__main__":
    CHECKER = sys.argv.pop(1)
    unittest.main()
