"""scripts/tidy as a command: what it prints and how it ends."""

import subprocess

import specimen


class TidyTest(specimen.SpecimenTest):
    def tidy(self, *args):
        return subprocess.run([specimen.ROOT / "scripts/tidy", "--root", self.root, *args],
                              capture_output=True, text=True, check=False)

    def test_a_clean_tree_ends_with_0(self):
        self.write("a.txt", "fine\n")
        done = self.tidy("leftovers", "workplace")
        self.assertEqual((done.returncode, done.stdout), (0, "tidy: clean (leftovers, workplace)\n"))

    def test_a_finding_ends_with_1_and_says_where(self):
        self.write("a.txt", "white \n")
        done = self.tidy("leftovers")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "a.txt:1: [leftovers] white space at the end of the line\n"
                                      "tidy: 1 finding\n")

    def test_a_check_that_cannot_run_ends_with_2(self):
        done = self.tidy("lengths")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no tests/tidy/function-length.txt", done.stderr)

    def test_no_such_check(self):
        self.assertEqual(self.tidy("nonsense").returncode, 2)

    def test_files_that_git_ignores_are_not_looked_at(self):
        self.write(".gitignore", "/build/\n")
        self.write("build/a.txt", "white \n")
        self.assertEqual(self.tidy("leftovers").returncode, 0)

    def test_every_check_says_what_it_is_about(self):
        lines = self.tidy("--list").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines], list(specimen.CHECKS))
        for line in lines:
            self.assertGreater(len(line.split()), 4, line)


if __name__ == "__main__":
    specimen.main()
