"""A file under src/ includes only from its own room or a lower floor; nothing goes in circles."""

from .c_source import includes
from .tree import Finding

# From the ground. Rooms of one floor do not know each other.
FLOORS = [
    {"base"},
    {"resp", "consensus", "storage"},
    {"lease", "pubsub"},
    {"command"},
    {"node"},
    {"peer"},
    {"server", "ctl"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# The only system headers of a room that computes and does nothing else.
PURE_HEADERS = {"inttypes.h", "limits.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
                "stdlib.h", "string.h"}
PURE_ROOMS = {"consensus"}


def check(tree):
    graph = {}
    for path in tree.under("src"):
        parts = path.split("/")
        if len(parts) != 3 or parts[1] not in FLOOR_OF:
            yield Finding(path, 0, "stands in no room of the house: src/<room>/<file>, rooms are "
                          + ", ".join(FLOOR_OF))
            continue
        found = includes(tree.text(path))
        graph[path] = ["src/" + inc.path for inc in found if not inc.system]
        yield from own_header_first(tree, path, found)
        for inc in found:
            problem = (system_problem if inc.system else project_problem)(tree, parts[1], inc.path)
            if problem:
                yield Finding(path, inc.line, problem)
    for circle in circles(graph):
        yield Finding(circle[0], 0, "includes go in a circle: " + " -> ".join(circle))


def own_header_first(tree, path, found):
    """So that each header is compiled at least once with nothing before it."""
    header = path[len("src/"):-2] + ".h"
    if path.endswith(".c") and tree.exists("src/" + header) and found and found[0].path != header:
        yield Finding(path, found[0].line, f'the first include is "{header}", its own header')


def system_problem(_tree, room, header):
    if room in PURE_ROOMS and header not in PURE_HEADERS:
        return f"{room} is a pure function of its inputs and has no use for <{header}>"
    return None


def project_problem(tree, room, header):
    if not header.endswith(".h"):
        return f'"{header}" is no header'
    if not tree.exists("src/" + header):
        return f'there is no src/{header}; includes are written "<room>/<file>.h"'
    other = header.split("/")[0]
    if other not in FLOOR_OF:
        return f'"{header}" is in no room of the house'
    if room in PURE_ROOMS and header == "base/clock.h":
        return f"{room} is told the time and never asks for it"
    if other != room and FLOOR_OF[other] >= FLOOR_OF[room]:
        return f"{room} stands on floor {FLOOR_OF[room]} and may not know {other} on floor {FLOOR_OF[other]}"
    return None


def circles(graph):
    """Each circle of includes once, as the list of its files with the first repeated at the end."""
    done, found = set(), []

    def visit(path, trail):
        if path in trail:
            found.append(trail[trail.index(path):] + [path])
            return
        if path in done:
            return
        for other in graph.get(path, []):
            visit(other, trail + [path])
        done.add(path)

    for path in sorted(graph):
        visit(path, [])
    return found
