"""The shim and the model of the disk: what was synced stays, what was not need not."""

import copy
import os
import random
import signal
import subprocess
import sys
import tempfile
import unittest

import power

SHIM = os.environ["POWER_SHIM"]


class PowerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.trace = os.path.join(folder.name, "trace")
        self.disk = power.Disk(os.path.join(folder.name, "disk"))
        self.inodes = self.disk.write_out()

    def run_process(self, code, dies_at=0, fails_at=0):
        """Runs the code below the shim, in the directory, and takes in what it did."""
        head = ("import os\ndef sync(path):\n f = os.open(path, os.O_RDONLY); os.fsync(f); os.close(f)\n"
                "def put(path, data, at=0):\n"
                " f = os.open(path, os.O_RDWR | os.O_CREAT); os.pwrite(f, data, at); os.close(f)\n")
        environment = dict(os.environ, LD_PRELOAD=SHIM, POWER_ROOT=self.disk.root,
                           POWER_TRACE=self.trace, POWER_DIES_AT=str(dies_at), POWER_FAILS_AT=str(fails_at))
        done = subprocess.run([sys.executable, "-I", "-S", "-c", head + code], cwd=self.disk.root, check=False,
                              env=environment, stderr=subprocess.PIPE, text=True)
        self.error = done.stderr
        if done.returncode in (0, -signal.SIGKILL):
            self.disk.replay(self.trace, self.inodes)
            self.assertIsNone(self.disk.differs())
        return done.returncode

    def after(self, style, seed=1):
        """The files that are there after the power went off, by path."""
        self.disk.lose_power(random.Random(seed), style)
        self.inodes = self.disk.write_out()
        found = {}
        for folder, _, names in os.walk(self.disk.root):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, self.disk.root)] = file.read()
        return found

    def settle(self, code):
        """Something durable to begin with."""
        self.assertEqual(self.run_process(code + "\nos.sync()"), 0)
        return self.after("kept")

    def fates(self, style, code, begin="pass"):
        """All that can be found after the power went off behind the same process."""
        self.settle(begin)
        self.assertEqual(self.run_process(code), 0)
        left, found = self.disk, []
        for seed in range(60):
            self.disk = copy.deepcopy(left)
            after = self.after(style, seed)
            if after not in found:
                found.append(after)
        return found

    def test_what_was_not_synced_is_lost_or_kept(self):
        self.run_process("put('a', b'one')")
        self.assertEqual(self.after("lost"), {})
        self.run_process("put('a', b'one')")
        self.assertEqual(self.after("kept"), {"a": b"one"})

    def test_bytes_and_name_are_synced_apart(self):
        self.run_process("put('a', b'one'); sync('a')")
        self.assertEqual(self.after("lost"), {})
        self.run_process("put('a', b'one'); sync('.')")
        self.assertEqual(self.after("lost"), {"a": b""})
        self.run_process("put('a', b'one'); sync('.'); sync('a'); put('a', b'two', 3); put('b', b'x')")
        self.assertEqual(self.after("lost"), {"a": b"one"})

    def test_an_overwrite_that_was_not_synced_shows_the_old_bytes(self):
        self.settle("put('a', b'old bytes')")
        self.run_process("put('a', b'new', 0); put('a', b'!', 20)")
        self.assertEqual(self.after("lost"), {"a": b"old bytes"})

    def test_lengths_are_synced_with_the_bytes(self):
        self.settle("put('a', b'0123456789')")
        code = "f = os.open('a', os.O_RDWR); os.ftruncate(f, 4); os.posix_fallocate(f, 0, 6)"
        self.run_process(code)
        self.assertEqual(self.after("lost"), {"a": b"0123456789"})
        self.run_process(code + "; os.fdatasync(f)")
        self.assertEqual(self.after("lost"), {"a": b"0123\0\0"})
        self.run_process("os.open('a', os.O_RDWR | os.O_TRUNC)")
        self.assertEqual(self.after("lost"), {"a": b"0123\0\0"})

    def test_names_that_were_not_synced_come_back(self):
        held = self.settle("put('a', b'a'); put('b', b'b')")
        for code in ("os.rename('a', 'b')", "os.unlink('a')", "os.link('a', 'c')", "os.mkdir('d')"):
            with self.subTest(code):
                self.run_process(code)
                self.assertEqual(self.after("lost"), held)
        self.run_process("os.rename('a', 'b'); sync('.')")
        self.assertEqual(self.after("lost"), {"b": b"a"})

    def test_a_rename_is_whole_or_nothing(self):
        held = self.fates("torn", "os.rename('a', 'b')", "put('a', b'a'); put('b', b'b')")
        self.assertCountEqual(held, [{"a": b"a", "b": b"b"}, {"b": b"a"}])

    def test_a_second_name_is_the_same_file(self):
        self.settle("put('a', b'a'); os.link('a', 'b')")
        self.run_process("put('b', b'x'); sync('a')")
        self.assertEqual(self.after("lost"), {"a": b"x", "b": b"x"})

    def test_what_is_in_a_lost_directory_is_lost(self):
        self.run_process("os.mkdir('d'); put('d/a', b'1'); sync('d/a'); sync('d')")
        self.assertEqual(self.after("lost"), {})
        self.run_process("os.mkdir('d'); put('d/a', b'1'); sync('d/a'); sync('d'); sync('.')")
        self.assertEqual(self.after("lost"), {"d/a": b"1"})
        self.run_process("os.unlink('d/a'); os.rmdir('d'); sync('.')")
        self.assertEqual(self.after("lost"), {})

    def test_a_write_is_torn_at_sectors(self):
        found = self.fates("torn", "put('a', b'n' * 1500, 100)", "put('a', b'o' * 2000)")
        self.assertGreater(len(found), 8)
        for after in found:
            a = after["a"]
            self.assertEqual(len(a), 2000)
            self.assertEqual(a[:100] + a[1600:], b"o" * 500)
            for begin, end in ((100, 512), (512, 1024), (1024, 1536), (1536, 1600)):
                self.assertEqual(len(set(a[begin:end])), 1)

    def test_things_are_lost_each_on_its_own(self):
        found = self.fates("torn", "put('a', b'1'); put('b', b'2')")
        self.assertEqual(len(found), 9)
        self.assertIn({"a": b"", "b": b"2"}, found)

    def test_things_are_lost_in_order(self):
        found = self.fates("cut", "put('a', b'1'); put('b', b'2')")
        self.assertCountEqual(found, [{}, {"a": b""}, {"a": b"1"}, {"a": b"1", "b": b""},
                                      {"a": b"1", "b": b"2"}])

    def test_an_inode_that_is_used_again_is_another_file(self):
        self.settle("put('a', b'old')")
        self.run_process("os.unlink('a'); put('b', b'new'); sync('b')")
        self.assertEqual(self.after("lost"), {"a": b"old"})

    def test_the_process_dies_before_the_call_of_this_number(self):
        code = "put('a', b'1'); put('a', b'2', 1)"
        self.assertEqual(self.run_process(code, 1), -signal.SIGKILL)
        self.assertEqual(self.after("kept"), {})
        self.assertEqual(self.run_process(code, 4), -signal.SIGKILL)
        self.assertEqual(self.after("kept"), {"a": b"1"})
        self.assertEqual(self.run_process(code, 5), 0)
        self.assertEqual(self.after("kept"), {"a": b"12"})

    def test_the_call_of_this_number_fails(self):
        begin = "def tries(what):\n try: what()\n except OSError as e: assert e.errno == 5\n else: assert 0\n"
        self.assertEqual(self.run_process(begin + "tries(lambda: os.mkdir('d'))", fails_at=1), 0)
        self.assertEqual(self.after("kept"), {})
        self.assertEqual(self.run_process(begin + "tries(lambda: put('a', b'1'))", fails_at=2), 0)
        self.assertEqual(self.after("kept"), {"a": b"1"})
        self.assertEqual(self.run_process(begin + "put('a', b'2'); put('a', b'3', 1)", fails_at=99), 0)

    def test_what_a_failed_sync_left_no_later_one_makes_durable(self):
        self.settle("put('a', b'..')")
        code = "put('a', b'1')\ntry: sync('a')\nexcept OSError: put('a', b'2', 1); sync('a')"
        self.assertEqual(self.run_process(code, fails_at=3), 0)
        self.assertEqual(self.after("lost"), {"a": b".2"})

    def test_what_cannot_be_followed_ends_the_process(self):
        self.settle("put('a', b'1' * 4096)")
        code = "import mmap; f = os.open('a', os.O_RDWR); mmap.mmap(f, 4096)"
        self.assertEqual(self.run_process(code), -signal.SIGABRT)
        self.assertIn("mapping is not followed", self.error)


if __name__ == "__main__":
    unittest.main()
