"""The check of what was left lying about."""

import specimen

FINE = """/*
 * Prose that explains; with an example:
 *
 *	for (n = first(t); n; n = next(n))
 *		use(n);
 */
/* One line of prose, about list_remove(node). */
#if defined(X)
#endif
const char *path = "/tmp/x-XXXXXX";

/*
 *   idle ------> busy
 */
"""


class LeftoversTest(specimen.SpecimenTest):
    def test_prose_examples_and_drawings_are_fine(self):
        self.write("src/base/a.c", FINE)
        self.write("docs/hacking.md", "# Title\n\n| a | b |\n| --- | ----- |\n")
        self.assert_clean("leftovers")

    def test_words(self):
        for word in ("TODO", "FIXME", "XXX", "HACK", "PROVISIONAL", "for now"):
            with self.subTest(word):
                self.write("Makefile", f"all:\n# {word}: later\n")
                self.assert_finds("leftovers", f"Makefile:2: left over: {word}")

    def test_code_in_comments(self):
        for comment in ("/* free(x); */", "/*\n * if (a) {\n *\tb = 3;\n * }\n */", "// f(x);",
                        "/* x = y; */"):
            with self.subTest(comment):
                self.write("src/base/a.c", f"int a;\n{comment}\n")
                self.assert_finds("leftovers", "src/base/a.c:2: com")

    def test_code_that_is_switched_off(self):
        self.write("src/base/a.c", "\n#if 0\nint a;\n#endif\n")
        self.assert_finds("leftovers", "src/base/a.c:2: code that is switched off")

    def test_banners(self):
        for banner in ("/*****************/", "/* ===== Section ===== */", " * ========", "# #######"):
            with self.subTest(banner):
                self.write("src/base/a.h", f"{banner}\n")
                self.assert_finds("leftovers", "src/base/a.h:1: a banner")

    def test_ends_of_lines(self):
        self.write("a.txt", b"one \ntwo\t\nthree\r\nfour")
        self.assert_finds("leftovers", "a.txt:4: the last line has no end", "a.txt:1: white space",
                          "a.txt:2: white space", "a.txt:3: carriage return")

    def test_data_and_binary_files_are_left_alone(self):
        self.write("tests/data/resp/a.txt", "TODO \r\n")
        self.write("tests/fuzz/corpus/x/1", "XXX ")
        self.write("picture.png", b"\0 \r\n")
        self.assert_clean("leftovers")


if __name__ == "__main__":
    specimen.main()
