"""Each header compiles alone, may be included twice, and has the guard its path says."""

import posixpath
import re

from .c_source import code_only
from .tree import Finding, in_parallel, run_tool

COMMAND = ["gcc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-fsyntax-only", "-x", "c"]


def check(tree):
    paths = tree.under("src", "tests", "bench", suffixes=(".h",))
    for path in paths:
        if not has_guard(tree.text(path), guard_of(path)):
            yield Finding(path, 1, f"is not guarded by #ifndef {guard_of(path)}, #define, #endif")
    for path, complaint in zip(paths, in_parallel(lambda path: compile_alone(tree, path), paths)):
        if complaint:
            yield Finding(path, 0, f"does not compile alone: {complaint}")


def guard_of(path):
    """src/base/bytes.h: CONCLAVE_BASE_BYTES_H; tests/sim/world.h: CONCLAVE_SIM_WORLD_H."""
    inner = path.removeprefix("src/").removeprefix("tests/")
    return "CONCLAVE_" + re.sub(r"\W", "_", inner).upper()


def has_guard(text, guard):
    lines = [line.split() for line in code_only(text).splitlines() if line.strip()]
    return (len(lines) >= 3 and lines[0] == ["#ifndef", guard] and lines[1][:2] == ["#define", guard]
            and lines[-1] == ["#endif"])


def compile_alone(tree, path):
    """The compiler's first complaint, or nothing."""
    folders = ["src", "tests", posixpath.dirname(path)]
    source = f'#include "{tree.root / path}"\n' * 2
    done = run_tool([*COMMAND, *(f"-I{folder}" for folder in folders), "-"], tree.root, input=source)
    complaints = [line for line in done.stderr.splitlines() if re.search("(error|warning): ", line)]
    return "" if done.returncode == 0 and not complaints else (complaints or [done.stderr])[0]
