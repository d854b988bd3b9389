"""clang-tidy finds nothing under src/, by the rules of .clang-tidy.

A file that was clean is not looked at again until it, a header it includes, its command line or
the rules change: build/tidy-cache holds a mark for each such state.
"""

import hashlib
import json
import re

from .c_source import includes
from .tree import CannotRun, Finding, in_parallel, run_tool

COMMANDS = "build/debug/compile_commands.json"
CACHE = "build/tidy-cache"
RULES = ".clang-tidy"
# How far the paths of a function are followed. clang's own limit is three times as high and takes
# three times as long.
NODES = 75_000
DEPTH = [word for part in ("-analyzer-config", f"max-nodes={NODES}")
         for word in ("--extra-arg=-Xclang", f"--extra-arg={part}")]

COMPLAINT = re.compile(r"^(/.+?):(\d+):\d+: (?:warning|error): (.+)$", re.M)


def check(tree):
    sources = tree.under("src", suffixes=(".c",))
    commands = read_commands(tree)
    for path in sources:
        if path not in commands:
            yield Finding(path, 0, "is compiled by nobody: CMake does not know it")
    known = [path for path in sources if path in commands]
    version = run_tool(["clang-tidy", "--version"], tree.root).stdout
    rules = version + tree.text(RULES) + str(NODES)
    found = in_parallel(lambda path: analyze(tree, path, rules + commands[path]), known)
    # What is wrong in a header is found once for each file that includes it.
    yield from sorted(set().union(*found), key=lambda finding: (finding.path, finding.line))


def read_commands(tree):
    """{path: command line} of the debug build."""
    if not tree.exists(COMMANDS):
        raise CannotRun(f"there is no {COMMANDS}: run make tidy or make build")
    prefix = str(tree.root) + "/"
    return {entry["file"].removeprefix(prefix): entry["command"]
            for entry in json.loads(tree.text(COMMANDS))}


def analyze(tree, path, circumstances):
    """The findings of one file as a set."""
    mark = tree.root / CACHE / state_of(tree, path, circumstances)
    if mark.exists():
        return set()
    done = run_tool(["clang-tidy", "--quiet", f"--config-file={RULES}", "--warnings-as-errors=*",
                     *DEPTH, "-p", str((tree.root / COMMANDS).parent), path], tree.root)
    prefix = str(tree.root) + "/"
    found = {Finding(m[0].removeprefix(prefix), int(m[1]), m[2])
             for m in COMPLAINT.findall(done.stdout)}
    if done.returncode != 0 and not found:
        found = {Finding(path, 0, (done.stderr or done.stdout).strip())}
    if not found:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    return found


def state_of(tree, path, circumstances):
    """One hash over everything the analysis of a file depends on in this tree."""
    seen, todo = {path}, [path]
    while todo:
        for inc in includes(tree.text(todo.pop())):
            other = "src/" + inc.path
            if not inc.system and other not in seen and tree.exists(other):
                seen.add(other)
                todo.append(other)
    digest = hashlib.sha256(circumstances.encode())
    for name in sorted(seen):
        digest.update(name.encode() + b"\0" + hashlib.sha256(tree.bytes(name)).digest())
    return digest.hexdigest()
