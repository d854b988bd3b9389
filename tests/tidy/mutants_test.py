"""The check of the deliberate mistakes and their list."""

import specimen

CODE = """/* MUTANT(in_a_comment) */
#define MUTANT(name) false

int f(void)
{
	return MUTANT(vote_twice) ? 1 : 0;
}
"""


class MutantsTest(specimen.SpecimenTest):
    def test_each_has_its_line(self):
        self.write("src/consensus/a.c", CODE)
        for seed in ("", "| 17"):
            self.write("tests/sim/mutants.txt",
                       f"# head\n\n[core]\nvote_twice | one vote a term | {seed}\n")
            self.assert_clean("mutants")

    def test_no_mutants_need_no_list(self):
        self.write("src/consensus/a.c", "int a;\n")
        self.assert_clean("mutants")

    def test_one_without_a_list(self):
        self.write("src/consensus/a.c", CODE)
        self.assert_finds("mutants", "src/consensus/a.c:6: MUTANT(vote_twice) is not explained")

    def test_one_that_the_code_does_not_have(self):
        self.write("tests/sim/mutants.txt", "forget_vote | a vote is durable | note\n")
        self.assert_finds("mutants", "tests/sim/mutants.txt:1: no MUTANT(forget_vote) under src/")

    def test_lines_that_say_nothing_or_twice(self):
        self.write("src/consensus/a.c", CODE)
        self.write("tests/sim/mutants.txt",
                   "vote_twice\nvote_twice | rule | note\nvote_twice | rule | note | soon\n")
        self.assert_finds("mutants", "tests/sim/mutants.txt:1: expected",
                          "tests/sim/mutants.txt:2: vote_twice stands here twice",
                          "tests/sim/mutants.txt:3: expected")


if __name__ == "__main__":
    specimen.main()
