"""Each MUTANT(name) under src/ is explained in tests/sim/mutants.txt, and no other name is."""

import re

from .c_source import code_only, line_at, without_directives
from .tree import Finding

LIST = "tests/sim/mutants.txt"
USE = re.compile(r"\bMUTANT\s*\(\s*(\w+)\s*\)")


def check(tree):
    used = uses(tree)
    listed = {}
    if tree.exists(LIST):
        for number, line in enumerate(tree.text(LIST).splitlines(), 1):
            if not line.strip() or line.startswith(("#", "[")):
                continue
            fields = [field.strip() for field in line.split("|")]
            if (len(fields) not in (3, 4) or not all(fields[:2])
                    or not all(field.isdigit() for field in fields[3:])):
                yield Finding(LIST, number, "expected `name | the rule that is broken | where` "
                              "and maybe ` | seed`")
            elif fields[0] in listed:
                yield Finding(LIST, number, f"{fields[0]} stands here twice")
            listed.setdefault(fields[0], number)
    for name, (path, line) in used.items():
        if name not in listed:
            yield Finding(path, line, f"MUTANT({name}) is not explained in {LIST}")
    for name, number in listed.items():
        if name not in used:
            yield Finding(LIST, number, f"no MUTANT({name}) under src/")


def uses(tree):
    """{name: place of its first use}"""
    found = {}
    for path in tree.under("src"):
        text = tree.text(path)
        for m in USE.finditer(without_directives(code_only(text))):
            found.setdefault(m[1], (path, line_at(text, m.start())))
    return found
