"""The check of function lengths and its list of exceptions."""

import specimen
from tidy_checks import lengths
from tidy_checks.tree import CannotRun, Tree

LIST = lengths.BASELINE


def function(name, lines):
    """A function of exactly so many lines."""
    return f"static int {name}(int (*ask)(int), char brace)\n{{\n" + "\tbrace = '}';\n" * (lines - 3) + "}\n"


class LengthsTest(specimen.SpecimenTest):
    def setUp(self):
        super().setUp()
        self.write(LIST, "# head\n")

    def test_seventy_lines_are_fine(self):
        self.write("src/base/a.c", "struct x {\n\tint a;\n};\n\n" + function("f", 70) + function("g", 70))
        self.assert_clean("lengths")

    def test_seventy_one_are_not(self):
        self.write("tests/unit/a_test.c", function("short_one", 3) + "\n" + function("f", 71))
        self.assert_finds("lengths", "tests/unit/a_test.c:5: f has 71 lines, its limit is 70")

    def test_a_listed_one_may_stay(self):
        self.write("src/base/a.c", function("f", 80))
        self.write(LIST, "src/base/a.c:f 80\n")
        self.assert_clean("lengths")

    def test_a_listed_one_may_not_grow(self):
        self.write("src/base/a.c", function("f", 81))
        self.write(LIST, "src/base/a.c:f 80\n")
        self.assert_finds("lengths", "src/base/a.c:1: f has 81 lines, its limit is 80")

    def test_the_list_follows_what_shrinks_and_only_that(self):
        self.write("src/base/a.c", function("grown", 90) + function("shrunk", 75) + function("new", 99))
        self.write(LIST, "# head\nsrc/base/a.c:gone 80\nsrc/base/a.c:grown 80\nsrc/base/a.c:shrunk 80\n")
        self.assert_finds("lengths", "src/base/a.c:1: grown has 90",
                          "src/base/a.c:166: new has 99", "src/base/a.c:91: shrunk has become shorter",
                          f"{LIST}:2: src/base/a.c:gone is not overlong any more")
        lengths.update_baseline(Tree(self.root))
        self.assertEqual((self.root / LIST).read_text(),
                         "# head\nsrc/base/a.c:grown 80\nsrc/base/a.c:shrunk 75\n")

    def test_a_list_that_cannot_be_read_is_no_clean_tree(self):
        self.write(LIST, "nonsense\n")
        with self.assertRaises(CannotRun):
            self.findings("lengths")


if __name__ == "__main__":
    specimen.main()
