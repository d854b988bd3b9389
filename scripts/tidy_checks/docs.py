"""The documents name only make targets, variables, files and links that exist."""

import posixpath
import re

from .tree import Finding

FENCE = re.compile(r"^\s*(?:```|~~~)")
SPAN = re.compile(r"`([^`]+)`")
MAKE = re.compile(r'(?<![\w-])make((?: +(?:-\S+|[A-Z_]+=(?:"[^"]*"|\S*)|[a-z][a-z-]*(?![\w./])))+)')
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s[^)]*)?\)")
PATH = re.compile(r"(?<![\w/.-])((?:src|tests|scripts|docs|bench|conf|\.ci)/[\w./*-]*)(.?)")


def check(tree):
    makefile = tree.text("Makefile") if tree.exists("Makefile") else ""
    for path in tree.under(suffixes=(".md",)):
        fenced = False
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if FENCE.match(line):
                fenced = not fenced
                continue
            code = [line.split(" #")[0]] if fenced else SPAN.findall(line)
            problems = [*make_problems(makefile, code), *path_problems(tree, line),
                        *([] if fenced else link_problems(tree, path, line))]
            for problem in problems:
                yield Finding(path, number, problem)


def make_problems(makefile, code):
    for piece in code:
        for words in MAKE.findall(piece):
            for word in re.findall(r'[A-Z_]+=(?:"[^"]*"|\S*)|\S+', words):
                name = word.split("=")[0]
                if "=" in word and not re.search(rf"\b{name}\b", makefile):
                    yield f"make knows no variable {name}"
                elif "=" not in word and not name.startswith("-") and not is_target(makefile, name):
                    yield f"there is no `make {name}`"


def is_target(makefile, name):
    return re.search(rf"^{name}\s*:(?!=)", makefile, re.M) is not None


def link_problems(tree, document, line):
    for target in LINK.findall(line):
        target = target.split("#")[0]
        if not target or re.match(r"[a-z]+:", target):
            continue
        place = posixpath.normpath(posixpath.join(posixpath.dirname(document), target))
        if not tree.exists(place):
            yield f"the link {target} leads nowhere"


def path_problems(tree, line):
    for name, after in PATH.findall(line):
        if after in ("<", "{", "[", "$"):
            continue  # a pattern such as tests/unit/<room>/
        name = name.rstrip(".")
        there = any(tree.root.glob(name.rstrip("/"))) if "*" in name else tree.exists(name)
        if not there:
            yield f"there is no {name}"
