"""The check of what documents name."""

import specimen


class DocsTest(specimen.SpecimenTest):
    def setUp(self):
        super().setUp()
        self.write("Makefile", "SEEDS ?= 1\nlist := x\ntest: build\nbuild sim:\nsim:\n")
        self.write("src/base/bytes.h", "")
        self.write("tests/sim/CMakeLists.txt", "")

    def test_what_exists(self):
        self.write("docs/a.md", "Run `make test`, `make -j2 sim SEEDS=20`; make sure of [it](../README.md#x).\n"
                   "See src/base/bytes.h, `src/base/`, (tests/sim) and `src/base/*.h`.\n"
                   "A new room is src/<room>/, a test `tests/unit/<room>/x_test.c`.\n"
                   "[far](https://example.org/src/x)\n\n```\n$ make test   # make nothing else\n```\n")
        self.write("README.md", "[a](docs/a.md) `cmake --build build/debug`\n")
        self.assert_clean("docs")

    def test_a_target(self):
        self.write("README.md", "\n`make everything`\n")
        self.assert_finds("docs", "README.md:2: there is no `make everything`")

    def test_a_target_in_a_block(self):
        self.write("README.md", "```sh\nmake test && make list\n```\n")
        self.assert_finds("docs", "README.md:2: there is no `make list`")

    def test_a_variable(self):
        self.write("README.md", "`make sim SEED=3`\n")
        self.assert_finds("docs", "README.md:1: make knows no variable SEED")

    def test_a_link(self):
        self.write("docs/a.md", "[b](b.md)\n")
        self.assert_finds("docs", "docs/a.md:1: the link b.md leads nowhere")

    def test_a_path(self):
        self.write("docs/a.md", "As in `src/base/bits.h`.\n\n    tests/*/none.txt\n")
        self.assert_finds("docs", "docs/a.md:1: there is no src/base/bits.h",
                          "docs/a.md:3: there is no tests/*/none.txt")


if __name__ == "__main__":
    specimen.main()
