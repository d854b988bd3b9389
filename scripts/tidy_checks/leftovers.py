"""Nothing unfinished, switched off or untidy is left lying about."""

import re

from .c_source import code_only, comments, line_at
from .tree import Finding

# Spelled in pieces, so that this file passes its own check.
WORDS = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|PROVIS" r"IONAL|for" r" now)\b")
BANNER = re.compile(r"^\s*(?:/\*|\*|//|#|<!--).*(?:={5}|\*{5}|#{5})")
SWITCHED_OFF = re.compile(r"^[ \t]*#[ \t]*if[ \t]+(?:0|1|false|true)\b", re.M)
STATEMENT_END = re.compile(r"[;{}]$|^#\s*(?:if|else|endif|define|include)\b")

# Bytes as they came, and examples of what is wrong on purpose.
DATA = ("tests/data/", "tests/fuzz/corpus/")
SPECIMENS = ("tests/tidy/",)
NOT_OURS = {"LICENSE"}


def check(tree):
    for path in tree.files:
        if path.startswith(DATA) or path in NOT_OURS or not tree.is_text(path):
            continue
        raw = tree.bytes(path)
        yield from ends_of_lines(path, raw)
        if path.startswith(SPECIMENS):
            continue
        text = tree.text(path)
        yield from words(path, text)
        if path.endswith((".c", ".h")):
            yield from in_c(path, text)


def ends_of_lines(path, raw):
    if raw and not raw.endswith(b"\n"):
        yield Finding(path, raw.count(b"\n") + 1, "the last line has no end")
    for number, line in enumerate(raw.split(b"\n"), 1):
        if line.endswith(b"\r"):
            yield Finding(path, number, "carriage return at the end of the line")
        elif line != line.rstrip():
            yield Finding(path, number, "white space at the end of the line")


def words(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if m := WORDS.search(line):
            yield Finding(path, number, f"left over: {m[0]}")
        if BANNER.search(line):
            yield Finding(path, number, "a banner: a file that needs one wants to be two files")


def in_c(path, text):
    for m in SWITCHED_OFF.finditer(code_only(text)):
        yield Finding(path, line_at(text, m.start()), "code that is switched off; history keeps it")
    for offset, comment in comments(text):
        number = line_at(text, offset)
        if comment.startswith("//"):
            yield Finding(path, number, "comments are written /* so */; code is not commented out")
        elif is_code(comment):
            yield Finding(path, number, "commented-out code; history keeps it")


def is_code(comment):
    """A comment of which every line ends as statements do. Prose around an example does not."""
    lines = [line.strip(" \t*") for line in comment[2:-2].splitlines()]
    lines = [line for line in lines if line]
    return bool(lines) and all(STATEMENT_END.search(line) for line in lines)
