#!/usr/bin/env python3
"""What COMMAND says of a command that redis-server has, too, is what redis-server says of it.

    table.py RUNNER

COMMAND INFO is compared as a whole but for the notes in key specifications; of COMMAND DOCS what a
client shows: since when there is a command, its group, and its arguments. table_differences.txt
says what may differ, and why."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from sides import Member, Redis, value

FIELDS = ["name", "arity", "flags", "first_key", "last_key", "step", "categories", "tips", "keys"]
WORDS = [b"HELLO", b"3"]


def by_name(rows):
    found = {}
    for row in rows:
        found[row[0]] = row
        found.update({sub[0]: sub for sub in row[9]})
    return found


def docs_by_name(docs):
    found = dict(docs)
    for doc in docs.values():
        found.update(doc.get("subcommands", {}))
    return found


def shown(argument):
    """An argument as redis-cli shows it."""
    parts = [shown(part) for part in argument.get("arguments", [])]
    token, flags = argument.get("token", ""), argument.get("flags", [])
    text = {"pure-token": token, "oneof": "|".join(parts), "block": " ".join(parts)}.get(argument["type"],
                                                                                         argument["name"])
    again = f"{token} {text}" if "multiple_token" in flags else text
    if argument["type"] != "pure-token" and token:
        text = f"{token} {text}"
    if "multiple" in flags:
        text += " ..." if "optional" in flags and not token else f" [{again} ...]"
    return f"[{text}]" if "optional" in flags else text


def leaves(arguments):
    """Values with their types, in their order; words need none."""
    for argument in arguments:
        if "arguments" in argument:
            yield from leaves(argument["arguments"])
        elif argument["type"] != "pure-token":
            yield (argument["name"], argument["type"], argument.get("key_spec_index"))


def facts(row, doc):
    """What is compared, by name."""
    said = dict(zip(FIELDS, row))
    said["keys"] = [{k: v for k, v in spec.items() if k != "notes"} for spec in said["keys"]]
    for field in ("since", "group"):
        said[field] = doc[field]
    arguments = doc.get("arguments", [])
    said["arguments"] = " ".join(shown(argument) for argument in arguments)
    said["types"] = list(leaves(arguments))
    return said


def ask(side):
    side.ask(1, [WORDS])
    rows, docs = (value(side.ask(1, [words])[0]) for words in ([b"COMMAND"], [b"COMMAND", b"DOCS"]))
    return {name: facts(row, docs_by_name(docs)[name]) for name, row in by_name(rows).items()}


def allowed():
    path = Path(__file__).with_name("table_differences.txt")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    rows = [[part.strip() for part in line.split("|", 2)] for line in lines]
    return {(name.replace("/", "|"), field) for names, fields, _ in rows
            for name in names.split() for field in fields.split()}


def main():
    redis, member = Redis(), Member(sys.argv[1])
    try:
        theirs, ours = ask(redis), ask(member)
    finally:
        redis.close()
        member.close()
    may, wrong, common = allowed(), 0, sorted(set(ours) & set(theirs))
    for name in common:
        for field, want in theirs[name].items():
            have = ours[name][field]
            if (have == want) == ((name, field) in may):
                wrong += 1
                print(f"{name}: {field}" + (" is listed as different, and is not" if have == want else
                                            f"\n  redis {want!r}\n  ours  {have!r}"))
    print(f"{len(common)} commands compared, {wrong} facts wrong")
    return 1 if wrong or not common else 0


if __name__ == "__main__":
    sys.exit(main())
