"""scripts/evidence, with harmless commands in a repository of its own."""

import subprocess

import specimen


class EvidenceTest(specimen.SpecimenTest):
    def setUp(self):
        super().setUp()
        self.write("src/a.c", "int a;\n")
        self.write("tests/a_test.c", "int b;\n")
        self.commit()

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "state")

    def evidence(self, *words):
        return subprocess.run([specimen.ROOT / "scripts/evidence", *words], cwd=self.root,
                              capture_output=True, text=True, check=False)

    def hash_for(self, command):
        return self.evidence("--tree", command).stdout.strip()

    def lines(self):
        record = self.root / "docs/evidence.tsv"
        return [line.split("\t") for line in record.read_text().splitlines()] if record.exists() else []

    def test_a_run_is_noted(self):
        done = self.evidence("echo starting; echo 'all  200 passed'; : SEEDS=200")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("starting\n", done.stdout)
        head, line = self.lines()
        self.assertEqual(head, ["date", "commit", "sources", "command", "amount", "seconds", "result"])
        self.assertRegex(line[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(line[1], self.git("rev-parse", "--short=12", "HEAD").strip())
        self.assertEqual(line[2], self.hash_for("echo"))
        self.assertEqual(line[4], "200 seeds")
        self.assertEqual(line[6], "exit 0: all 200 passed")

    def test_a_failure_is_noted_and_passed_on(self):
        done = self.evidence("echo 'seed 7 failed'; echo 'make: *** [Makefile:9: sim] Error 1'; exit 3")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(self.lines()[1][6], "exit 3: seed 7 failed")

    def test_the_amount_is_read_from_the_command(self):
        for command, amount in (("echo --seeds 30", "30 seeds"), ("echo SEED=7", "seed 7"),
                                ("echo MINUTES='2.5'", "2.5 minutes"), ("echo nothing", "-")):
            self.evidence(command)
            self.assertEqual(self.lines()[-1][3:5], [command, amount])

    def test_each_run_adds_one_line(self):
        self.evidence("echo one")
        self.evidence("echo 'two\ttabs'")
        self.assertEqual([line[6] for line in self.lines()],
                         ["result", "exit 0: one", "exit 0: two tabs"])
        self.assertTrue(all(len(line) == 7 for line in self.lines()))

    def test_uncommitted_sources_are_refused(self):
        for path in ("src/a.c", "tests/new_test.c"):
            with self.subTest(path):
                self.write(path, "int changed;\n")
                done = self.evidence("touch ran")
                self.assertEqual(done.returncode, 1)
                self.assertIn(path, done.stderr)
                self.assertFalse((self.root / "ran").exists())
                self.commit()

    def test_sources_that_change_during_the_run_are_not_noted(self):
        done = self.evidence("echo 'int changed;' > src/a.c")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.lines(), [])

    def test_other_files_may_be_dirty(self):
        self.write("README.md", "draft\n")
        self.assertEqual(self.evidence("echo fine").returncode, 0)

    def test_the_hash_follows_the_code_alone(self):
        before = self.hash_for("echo")
        self.assertRegex(before, "^[0-9a-f]{12}$")
        self.write("README.md", "draft\n")
        self.write("src/a.c", "/* What is said of it. */\nint  a;\n")
        self.commit()
        self.assertEqual(self.hash_for("echo"), before)
        self.write("tests/a_test.c", "int c;\n")
        self.commit()
        self.assertNotEqual(self.hash_for("echo"), before)

    def test_the_hash_follows_the_harness_of_the_command(self):
        self.write("tests/sim/a.c", "int c;\n")
        self.commit()
        members, fuzz = self.hash_for("make sim-members SEEDS=7"), self.hash_for("make fuzz")
        self.assertNotEqual(members, fuzz)
        self.write("tests/sim/a.c", "int d;\n")
        self.commit()
        self.assertEqual(self.hash_for("make fuzz"), fuzz)
        self.assertNotEqual(self.hash_for("make sim-members SEEDS=7"), members)
        self.write("src/a.c", "int e;\n")
        self.commit()
        self.assertNotEqual(self.hash_for("make fuzz"), fuzz)

    def test_a_commit_beside_does_not_disturb(self):
        done = self.evidence("echo draft > README.md; git add README.md; git commit -qm draft; echo fine")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.lines()), 2)

    def test_no_command_is_an_error(self):
        for words in (("",), (), ("--tree",), ("make", "sim")):
            self.assertNotEqual(self.evidence(*words).returncode, 0)


if __name__ == "__main__":
    specimen.main()
