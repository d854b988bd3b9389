"""The check of layout by clang-format."""

import shutil

import specimen
from tidy_checks import layout
from tidy_checks.tree import CannotRun, Tree

GOOD = "int f(int a)\n{\n\treturn a;\n}\n"


class LayoutTest(specimen.SpecimenTest):
    def setUp(self):
        super().setUp()
        shutil.copy(specimen.ROOT / ".clang-format", self.root)

    def test_good_layout(self):
        self.write("src/base/a.c", GOOD)
        self.assert_clean("layout")

    def test_bad_layout_is_found_and_mended(self):
        self.write("src/base/a.c", GOOD)
        self.write("tests/b.h", "int   f(int a);\n\nint g( int a );\n")
        self.assert_finds("layout", "tests/b.h:1: not laid out by clang-format")
        layout.fix(Tree(self.root))
        self.assert_clean("layout")

    def test_rules_that_cannot_be_read_are_no_clean_tree(self):
        self.write("src/base/a.c", GOOD)
        self.write(".clang-format", "NoSuchOption: true\n")
        with self.assertRaises(CannotRun):
            self.findings("layout")


if __name__ == "__main__":
    specimen.main()
