"""C files are laid out as clang-format does it by .clang-format."""

import re

from .tree import CannotRun, Finding, run_tool

COMPLAINT = re.compile(r"^(.+?):(\d+):\d+: error: code should be clang-formatted", re.M)


def clang_format(tree, *options):
    paths = tree.under()
    if not paths:
        return ""
    done = run_tool(["clang-format", "--style=file", *options, *paths], tree.root)
    if done.returncode != 0 and not COMPLAINT.search(done.stderr):
        raise CannotRun(f"clang-format: {done.stderr.strip()}")
    return done.stderr


def check(tree):
    first = {}
    for path, line in COMPLAINT.findall(clang_format(tree, "--dry-run", "-Werror")):
        first.setdefault(path, int(line))
    for path, line in first.items():
        yield Finding(path, line, "not laid out by clang-format: run make fmt")


def fix(tree):
    clang_format(tree, "-i")
