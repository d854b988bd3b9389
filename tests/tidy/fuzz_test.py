"""scripts/fuzz with targets that are shell scripts."""

import shutil
import subprocess

import specimen

GOOD = """
echo "$@" > args
echo "stat::number_of_executed_units: 42"
echo "stat::new_units_added:          3"
"""
BAD = """
for arg; do case $arg in -artifact_prefix=*) echo boom > "${arg#*=}crash-1" ;; esac; done
exit 77
"""


class FuzzTest(specimen.SpecimenTest):
    def setUp(self):
        super().setUp()
        self.write("scripts/x", "")
        shutil.copy(specimen.ROOT / "scripts/fuzz", self.root / "scripts")

    def target(self, name, script):
        self.write(f"build/fuzz/tests/fuzz/{name}", f"#!/bin/sh\n{script}\n").chmod(0o755)

    def fuzz(self, *args):
        return subprocess.run([self.root / "scripts/fuzz", *args], cwd="/", capture_output=True,
                              text=True, check=False)

    def test_no_findings(self):
        self.target("resp_parser_fuzz", GOOD)
        self.write("tests/fuzz/corpus/resp_parser_fuzz/1", "*1\r\n")
        done = self.fuzz("build/fuzz", "0.5")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "ok       resp_parser_fuzz: 42 runs, 3 new inputs\n"
                                      "fuzz: 1 targets, 0.5 minutes each, no findings\n")
        args = (self.root / "args").read_text().split()
        self.assertIn("-max_total_time=30", args)
        # The first folder is the one libFuzzer writes to.
        self.assertEqual(args[-2:], ["build/fuzz-corpus/resp_parser_fuzz",
                                     "tests/fuzz/corpus/resp_parser_fuzz"])

    def test_a_finding_does_not_stop_the_others_but_fails_the_run(self):
        self.target("a_fuzz", BAD)
        self.target("b_fuzz", GOOD)
        self.target("c_fuzz", GOOD)
        done = self.fuzz("build/fuzz", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("FINDING  a_fuzz: exit 77, input in build/fuzz-artifacts/a_fuzz", done.stdout)
        self.assertIn("ok       b_fuzz", done.stdout)
        self.assertIn("ok       c_fuzz", done.stdout)
        self.assertEqual(done.stdout.splitlines()[-1], "fuzz: 3 targets, 1 minutes each, with findings")
        self.assertTrue((self.root / "build/fuzz-artifacts/a_fuzz/crash-1").exists())

    def test_named_targets_run_alone(self):
        self.target("a_fuzz", BAD)
        self.target("b_fuzz", GOOD)
        self.target("c_fuzz", GOOD)
        done = self.fuzz("build/fuzz", "1", "c", "b")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("a_fuzz", done.stdout)
        self.assertEqual(done.stdout.splitlines()[-1], "fuzz: 2 targets, 1 minutes each, no findings")

    def test_a_name_that_is_none_is_an_error(self):
        self.target("a_fuzz", GOOD)
        done = self.fuzz("build/fuzz", "1", "a", "nobody")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no target nobody", done.stderr)

    def test_nothing_to_run_is_an_error(self):
        self.assertEqual(self.fuzz("build/fuzz", "1").returncode, 2)

    def test_a_time_that_is_none_is_an_error(self):
        self.target("a_fuzz", GOOD)
        for minutes in ("long", "0", "-1", ""):
            self.assertEqual(self.fuzz("build/fuzz", minutes).returncode, 2, minutes)


if __name__ == "__main__":
    specimen.main()
