"""Functions that are not called here, each with the reason and what takes its place."""

import re
from dataclasses import dataclass

from .c_source import code_only, includes, line_at
from .tree import Finding


@dataclass(frozen=True)
class Rule:
    names: str  # a regular expression for the whole name
    reason: str
    instead: str
    where: tuple = ("src", "tests", "bench")  # folders it holds in
    but: tuple = ()  # files and folders in there where it does not


RULES = [
    Rule("strcpy|strcat|stpcpy|strncpy|strncat", "writes as far as its source is long",
         "a struct buf or memcpy with a checked length"),
    Rule("sprintf|vsprintf|gets", "writes without a limit", "buf_printf or snprintf"),
    Rule("atoi|atol|atoll|atof", "cannot say that the input is no number", "strtoull and its end"),
    Rule("strtok|strtok_r", "changes its input and keeps a hidden place in it", "a struct cursor"),
    Rule("alloca", "a size from outside ends the stack", "a fixed array or mem_alloc"),
    Rule("s?rand|s?random|[dlm]rand48|rand_r", "a run could not be repeated from its seed",
         "a struct random"),
    Rule("malloc|calloc|realloc|reallocarray|free|strn?dup|posix_memalign|aligned_alloc|v?asprintf",
         "only mem.c decides what happens when memory ends", "base/mem.h",
         where=("src",), but=("src/base/mem.c",)),
    Rule("abort|assert", "says nothing of the broken rule, or is gone in release", "CHECK of base/check.h",
         where=("src",), but=("src/base/check.c", "src/base/mem.c")),
    Rule("v?printf|puts|putchar|v?fprintf|fputs|perror", "a room does not talk to the terminal",
         "LOG of base/logging.h, or buf_printf", where=("src",),
         but=("src/ctl", "src/base/logging.c", "src/base/check.c", "src/base/mem.c")),
    Rule("time|gettimeofday|clock_gettime|clock", "nothing above base asks the system for the time",
         "the struct clock that was handed in", where=("src", "tests"), but=("src/base/clock.c",)),
    Rule("sleep|usleep|nanosleep|clock_nanosleep", "waiting for a time is slow where it is long enough "
         "and fails where it is not", "waiting for the event", where=("src", "tests")),
    Rule("(secure_)?getenv|setenv|putenv", "only the process reads its environment",
         "an argument", where=("src",), but=("src/server",)),
    Rule("rocksdb_(put|write|flush|merge|delete|delete_range|singledelete)(_cf|_cf_with_ts|_with_ts|_cfs)?"
         "|rocksdb_write_writebatch_wi|rocksdb_flush_wal",
         "rows reach the engine as sorted files that are ingested; without a write-ahead log this way "
         "would lose rows, or tear them from their position", "engine_file_begin of storage/engine.h",
         where=("src",), but=("src/storage/engine_rocks_start.c",)),
]
HEADERS = {"assert.h": "CHECK of base/check.h"}


def inside(path, places):
    return any(path == place or path.startswith(place + "/") for place in places)


def check(tree):
    for path in tree.under("src", "tests", "bench"):
        text = tree.text(path)
        code = code_only(text)
        for rule in RULES:
            if inside(path, rule.where) and not inside(path, rule.but):
                yield from calls(path, code, rule)
        for inc in includes(text):
            if inc.path in HEADERS and inside(path, ("src",)):
                yield Finding(path, inc.line, f"<{inc.path}> is not used here; use {HEADERS[inc.path]}")


def calls(path, code, rule):
    # A field of that name may be called: x->free(x).
    for m in re.finditer(rf"(?<![\w.])(?<!->)({rule.names})\s*\(", code):
        yield Finding(path, line_at(code, m.start()), f"{m[1]}: {rule.reason}; use {rule.instead}")
