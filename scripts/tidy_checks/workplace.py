"""The project speaks of itself: no words from the place where somebody happened to work on it."""

import re

from .tree import Finding

# Spelled in pieces, so that this file passes its own check.
WORDS = re.compile("|".join([
    r"(?<![\w.])/wo" r"rk/",
    r"(?<![\w.])/tm" r"p/h/",
    r"\.\./sha" r"red",
    r"\.lib" r"rary\b",
    r"\bKNOWN-" r"BUGS\b",
    r"\b[Ii]ssue #?\d",
    r"\b[Ss]ession no" r"tes?\b",
    r"\b[Cc]oding (?:agent|assistant)s?\b",
]))


def check(tree):
    for path in tree.files:
        if not tree.is_text(path) or path.startswith("tests/tidy/"):
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if m := WORDS.search(line):
                yield Finding(path, number, f"a word of some workplace: {m[0]}")
