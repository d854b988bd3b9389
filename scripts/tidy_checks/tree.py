"""The tree under check: its files, their text, and what a check reports about them."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


class CannotRun(Exception):
    """A check could not do its work: a tool or a file that it needs is not there."""


@dataclass(frozen=True)
class Finding:
    path: str
    line: int  # 0: the file as a whole
    text: str

    def place(self):
        return f"{self.path}:{self.line}" if self.line else self.path


class Tree:
    """The files git knows or would add; paths are relative to `root`, with slashes."""

    def __init__(self, root):
        self.root = Path(root).resolve()
        listed = run_tool(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                          self.root)
        if listed.returncode != 0:
            raise CannotRun(f"{self.root} is no git repository: {listed.stderr.strip()}")
        self.files = sorted(path for path in set(listed.stdout.split("\0"))
                            if path and (self.root / path).is_file())

    def under(self, *folders, suffixes=(".c", ".h")):
        """The files below the folders (none: everywhere) with one of the suffixes."""
        prefixes = tuple(folder + "/" for folder in folders)
        return [path for path in self.files
                if path.endswith(suffixes) and (not prefixes or path.startswith(prefixes))]

    @lru_cache(maxsize=None)
    def bytes(self, path):
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            raise CannotRun(f"there is no {path}") from None

    def is_text(self, path):
        return b"\0" not in self.bytes(path)

    def text(self, path):
        return self.bytes(path).decode("utf-8", errors="replace")

    def exists(self, path):
        """Whether a file or folder of this name is there, known to git or not."""
        return (self.root / path).exists()


def run_tool(command, cwd, **options):
    """Runs a program to its end; raises CannotRun when it is not installed."""
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, errors="replace",
                              check=False, **options)
    except FileNotFoundError:
        raise CannotRun(f"{command[0]} is not installed: scripts/install-deps tidy") from None


def in_parallel(work, items):
    """The results of `work` for each item, in order, on as many threads as there are processors."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))
