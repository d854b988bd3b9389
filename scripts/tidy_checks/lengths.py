"""A function has at most 70 lines; the few that have more stand in a list that only shrinks."""

from .c_source import items, line_at
from .tree import CannotRun, Finding

LIMIT = 70
BASELINE = "tests/tidy/function-length.txt"
HINT = "run scripts/tidy --update-baseline"


def overlong(tree):
    """{(path, function): (line, lines)} of what is beyond the limit."""
    found = {}
    for path in tree.under("src", "tests", "bench"):
        text = tree.text(path)
        for item in items(text):
            first, last = line_at(text, item.start), line_at(text, item.end - 1)
            if item.body and last - first + 1 > LIMIT:
                found[path, item.name()] = (first, last - first + 1)
    return found


def read_baseline(tree):
    """{(path, function): (line in the list, lines)}; lines are `path:function lines`."""
    allowed = {}
    for number, line in enumerate(tree.text(BASELINE).splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        try:
            place, lines = line.split()
            path, function = place.split(":")
            allowed[path, function] = (number, int(lines))
        except ValueError:
            raise CannotRun(f"{BASELINE}:{number}: expected `path:function lines`") from None
    return allowed


def check(tree):
    found, allowed = overlong(tree), read_baseline(tree)
    for (path, function), (line, lines) in sorted(found.items()):
        limit = allowed.get((path, function), (0, LIMIT))[1]
        if lines > limit:
            yield Finding(path, line, f"{function} has {lines} lines, its limit is {limit}")
        elif lines < limit:
            yield Finding(path, line, f"{function} has become shorter, {lines} lines: {HINT}")
    for (path, function), (number, _) in allowed.items():
        if (path, function) not in found:
            yield Finding(BASELINE, number, f"{path}:{function} is not overlong any more: {HINT}")


def update_baseline(tree):
    """Takes out what is gone and lowers what got shorter; never adds, never raises."""
    found, allowed = overlong(tree), read_baseline(tree)
    head = [line for line in tree.text(BASELINE).splitlines() if line.startswith("#")]
    kept = [f"{path}:{function} {min(found[path, function][1], limit)}"
            for (path, function), (_, limit) in sorted(allowed.items()) if (path, function) in found]
    (tree.root / BASELINE).write_text("\n".join(head + kept) + "\n", encoding="utf-8")
