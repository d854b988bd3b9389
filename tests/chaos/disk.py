"""A disk that can be filled, for one member: in memory, and only as long as this process lives."""

import ctypes
import os
import shutil
import subprocess

SMALL_BYTES = 512 << 20
CLONE_NEWNS = 0x00020000


def own_mounts():
    """From now on what this process mounts is seen by it and its children alone; False: it may not mount.

    To be called before there are threads.
    """
    if ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:
        return False
    return subprocess.run(["mount", "--make-rprivate", "/"], check=False, stderr=subprocess.DEVNULL).returncode == 0


class SmallDisk:
    """Mounted at a directory that does not exist yet."""

    def __init__(self, path):
        self.path, self.filler = path, os.path.join(path, "filler")
        os.makedirs(path)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_BYTES}", "conclave-chaos", path], check=True)

    def fill(self):
        block = b"x" * (1 << 20)
        with open(self.filler, "wb", buffering=0) as filler:
            try:
                while True:
                    if filler.write(block) < len(block):
                        block = b"x" * 4096
            except OSError:
                pass

    def free(self):
        os.unlink(self.filler)

    def close(self):
        """What is on it stays in the directory."""
        copy = self.path + ".copy"
        shutil.copytree(self.path, copy)
        subprocess.run(["umount", "--lazy", self.path], check=True)
        os.rmdir(self.path)
        os.rename(copy, self.path)
