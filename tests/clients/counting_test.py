#!/usr/bin/env python3
"""What the judge of those who count finds to be wrong, if a server did it."""

import unittest

from counting import APPENDS, HALF_OF_INCRS, INCRS, ROUND, Slot

NAME = "lib.0.0"
ECHO, FIRST_GET, LAST_INCR, FIRST_APPEND = HALF_OF_INCRS, HALF_OF_INCRS + 1, INCRS + 1, INCRS + 2


def words(number):
    return [f"{NAME}.{APPENDS * number + i};" for i in range(APPENDS)]


def lengths(before, number):
    found = []
    for word in words(number):
        before += len(word)
        found.append(f":{before}")
    return found


def replies(number, incrs_before=0, length_before=0):
    """Of a round of which all was done."""
    incrs = [f":{incrs_before + i + 1}" for i in range(INCRS)]
    return [*incrs[:HALF_OF_INCRS], f"${NAME}.{number}", f"${NAME}.{number - 1}" if number else "_",
            *incrs[HALF_OF_INCRS:], *lengths(length_before, number), "$OK", f"${NAME}.{number}"]


class Judge(unittest.TestCase):
    def setUp(self):
        self.slot = Slot(NAME)

    def assert_right(self):
        self.assertEqual(self.slot.problems, [])

    def assert_wrong(self, text):
        self.assertEqual(len(self.slot.problems), 1, self.slot.problems)
        self.assertIn(text, self.slot.problems[0])

    def two_rounds(self):
        self.slot.hear(0, replies(0))
        self.slot.hear(1, replies(1, INCRS, len("".join(words(0)))))

    def changed(self, at, reply):
        """A round with another reply at one place."""
        told = replies(0)
        told[at] = reply
        self.slot.hear(0, told)

    def test_all_was_done(self):
        self.two_rounds()
        self.slot.look(2 * INCRS, f"{NAME}.1", ["".join(words(0) + words(1))])
        self.assert_right()
        self.assertEqual(self.slot.strings(), [f"{NAME}:w:0"])

    def test_a_counter_that_is_not_exact(self):
        for count in (2 * INCRS - 1, 2 * INCRS + 1):
            self.setUp()
            self.two_rounds()
            self.slot.look(count, f"{NAME}.1", ["".join(words(0) + words(1))])
            self.assert_wrong("the counter is")

    def test_what_was_not_answered_may_be_done(self):
        for count, value, string in ((0, None, ""), (INCRS, f"{NAME}.0", "".join(words(0))),
                                     (3, None, words(0)[1])):
            self.setUp()
            self.slot.hear(0, ["!"])
            self.slot.look(count, value, [string])
            self.assert_right()
            self.assertEqual(self.slot.losses, 1)

    def test_what_was_not_answered_is_done_once(self):
        self.slot.hear(0, ["!"])
        self.slot.look(INCRS + 1, None, [""])
        self.assert_wrong("the counter is")

    def test_an_answered_beginning_of_a_lost_round(self):
        self.slot.hear(0, [":1", ":2", "!"])
        self.slot.look(1, None, [""])
        self.assert_wrong("the counter is")

    def test_what_was_refused_is_not_done(self):
        self.slot.hear(0, ["-CLUSTERDOWN_There"] * ROUND)
        self.assert_right()
        self.assertEqual(self.slot.errors["-CLUSTERDOWN_There"], ROUND)
        self.slot.look(0, None, [words(0)[2]])
        self.assert_wrong("is refused, and ends at")
        self.setUp()
        self.slot.hear(0, ["-CLUSTERDOWN_There"] * ROUND)
        self.slot.look(1, None, [""])
        self.assert_wrong("the counter is")
        self.setUp()
        self.slot.hear(0, ["-CLUSTERDOWN_There"] * ROUND)
        self.slot.look(0, f"{NAME}.0", [""])
        self.assert_wrong("the value is")

    def test_what_is_uncertain_may_be_done_and_what_was_applied_is(self):
        self.slot.hear(0, ["-UNCERTAIN_No"] * ROUND)
        self.slot.look(3, None, [words(0)[0]])
        self.assert_right()
        self.setUp()
        self.slot.hear(0, ["-UNCERTAIN_applied,"] * ROUND)
        self.slot.look(INCRS - 1, f"{NAME}.0", ["".join(words(0))])
        self.assert_wrong("the counter is")

    def test_an_error_that_nothing_explains(self):
        self.changed(LAST_INCR, "-ERR_value")
        self.assert_wrong("an error that nothing explains")

    def test_replies_of_another_kind(self):
        for at, reply in ((0, "$1"), (FIRST_APPEND, "$OK"), (ROUND - 2, ":1"), (ROUND - 1, "_"), (ROUND - 1, ":7"),
                          (ECHO, ":1"), (LAST_INCR, "?")):
            self.setUp()
            self.changed(at, reply)
            self.assert_wrong("a reply of another kind")

    def test_the_reply_of_somebody_else(self):
        self.changed(ROUND - 1, "$other.0.0.0")
        self.assert_wrong("GET is other.0.0.0")
        self.setUp()
        self.changed(ECHO, f"${NAME}.7")
        self.assert_wrong(f"ECHO is {NAME}.7")
        self.setUp()
        self.changed(1, ":1")
        self.assert_wrong("INCR is 1 after 1")
        self.setUp()
        self.changed(LAST_INCR, f":{INCRS + 1}")
        self.assert_wrong(f"INCR is {INCRS + 1}")

    def test_an_older_value_is_read(self):
        told = replies(1, INCRS, len("".join(words(0))))
        self.slot.hear(0, replies(0))
        self.slot.hear(1, [*told[:-1], f"${NAME}.0"])
        self.assert_wrong("GET is")

    def test_a_read_sees_a_write_behind_it(self):
        self.changed(FIRST_GET, f"${NAME}.0")
        self.assert_wrong(f"GET is {NAME}.0, and not of []")

    def test_words_that_do_not_stand_where_they_should(self):
        one, two, three, four = words(0)
        for string, text in (
                (one + three + two + four, "its answer was"), (one + two + three, "is done, and ends at None"),
                (one + two + three + four + four, "stands there twice"),
                (one + two + three + four + "other.0.0.0;", "is nobody's"),
                (one + two + three + four + "lib", "is nobody's")):
            self.setUp()
            self.slot.hear(0, replies(0))
            self.slot.look(INCRS, f"{NAME}.0", [string])
            self.assertIn(text, " ".join(self.slot.problems))

    def test_words_of_one_connection_stand_in_order(self):
        self.slot.hear(0, ["!"])
        one, two, *_ = words(0)
        self.slot.look(0, None, [two + one])
        self.assert_wrong("before what was sent earlier")
        # Of a connection that was lost, something may come later than what the next one asks.
        self.setUp()
        self.slot.hear(0, ["!"])
        self.slot.hear(1, ["!"])
        self.slot.look(0, None, [words(1)[0] + one])
        self.assert_right()

    def test_rounds_that_are_missing(self):
        self.slot.hear(1, replies(0))
        self.assert_wrong("it is told of as 1")
        self.setUp()
        self.slot.hear(0, replies(0)[:-1])
        self.assert_wrong(f"{ROUND - 1} replies")


if __name__ == "__main__":
    unittest.main()
