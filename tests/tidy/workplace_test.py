"""The check of words that belong to somebody's workplace."""

import specimen


class WorkplaceTest(specimen.SpecimenTest):
    def test_other_projects_and_own_folders_are_fine(self):
        self.write("docs/a.md", "etcd #20418; src/work/x; the library; an issue of order; session; shared\n")
        self.assert_clean("workplace")

    def test_each_word(self):
        for words in ("/work/main", "see ../shared/x", "in .library/", "issue #12", "Issue 12",
                      "a session note", "KNOWN-BUGS RR1"):
            with self.subTest(words):
                self.write("docs/a.md", f"fine\n{words}\n")
                self.assert_finds("workplace", "docs/a.md:2: a word of some workplace: ")


if __name__ == "__main__":
    specimen.main()
