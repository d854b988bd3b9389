"""A small tree in a temporary folder, for tests that break one rule in it."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from tidy_checks import CHECKS  # noqa: E402
from tidy_checks.tree import Tree  # noqa: E402


class SpecimenTest(unittest.TestCase):
    """Each test has an empty git repository at self.root."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="conclave-tidy-")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        self.git("init", "--quiet")

    def git(self, *args):
        identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
        return subprocess.run(["git", *identity, *args], cwd=self.root, check=True,
                              capture_output=True, text=True).stdout

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
        return target

    def findings(self, name):
        """What the check of this name finds, as `place: text`."""
        return [f"{found.place()}: {found.text}" for found in CHECKS[name].check(Tree(self.root))]

    def assert_clean(self, name):
        self.assertEqual(self.findings(name), [])

    def assert_finds(self, name, *expected):
        """One finding for each expected one, in this order, beginning with that text."""
        found = self.findings(name)
        self.assertEqual([line[:len(begin)] for line, begin in zip(found, expected)], list(expected))
        self.assertEqual(len(found), len(expected), found)


def main():
    unittest.main()
