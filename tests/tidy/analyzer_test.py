"""The check by clang-tidy."""

import json
import shutil

import specimen
from tidy_checks import analyzer
from tidy_checks.tree import CannotRun

GOOD = "int f(const int *p);\n\nint f(const int *p)\n{\n\treturn *p;\n}\n"
BAD = "int f(int a);\n\nint f(int a)\n{\n\tint *p = 0;\n\n\treturn a ? *p : 0;\n}\n"


class AnalyzerTest(specimen.SpecimenTest):
    def setUp(self):
        super().setUp()
        shutil.copy(specimen.ROOT / ".clang-tidy", self.root)
        self.write(".gitignore", "/build/\n")

    def know(self, *paths, flags=""):
        """Writes the list of what CMake compiles."""
        self.write(analyzer.COMMANDS, json.dumps([
            {"directory": str(self.root), "file": str(self.root / path),
             "command": f"gcc -std=c17 {flags} -Isrc -c {path}"} for path in paths]))

    def marks(self):
        return len(list((self.root / analyzer.CACHE).glob("*")))

    def test_good_code_is_clean_and_looked_at_once(self):
        self.write("src/base/a.c", GOOD)
        self.know("src/base/a.c")
        self.assert_clean("analyzer")
        self.assert_clean("analyzer")
        self.assertEqual(self.marks(), 1)

    def test_bad_code_is_found_again_each_time(self):
        self.write("src/base/a.c", BAD)
        self.know("src/base/a.c")
        for _ in range(2):
            self.assert_finds("analyzer", "src/base/a.c:7: Dereference of null pointer")
        self.assertEqual(self.marks(), 0)

    def test_a_header_or_flag_that_changes_is_looked_at(self):
        self.write("src/base/a.h", "#define VALUE 1\n")
        self.write("src/base/a.c", '#include "base/a.h"\n\n' + GOOD)
        self.know("src/base/a.c")
        self.assert_clean("analyzer")
        self.write("src/base/a.h", "#define VALUE 2\n")
        self.assert_clean("analyzer")
        self.know("src/base/a.c", flags="-DX")
        self.assert_clean("analyzer")
        self.assertEqual(self.marks(), 3)

    def test_a_file_that_nobody_compiles(self):
        self.write("src/base/a.c", GOOD)
        self.know()
        self.assert_finds("analyzer", "src/base/a.c: is compiled by nobody")

    def test_without_a_build_it_cannot_run(self):
        self.write("src/base/a.c", GOOD)
        with self.assertRaises(CannotRun):
            self.findings("analyzer")


if __name__ == "__main__":
    specimen.main()
