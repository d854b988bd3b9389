"""No mutable state outside of objects: what is static under src/ is const."""

import re

from .c_source import Item, items, line_at
from .tree import Finding

ALLOWED = {"src/base/mutant.c"}
NO_VARIABLE = re.compile(r"\s*(?:typedef|extern|_Static_assert|static_assert)\b")
LOCAL_STATIC = re.compile(r"(?<!\w)(?:static|_Thread_local)\s[^;={]*")


def check(tree):
    for path in tree.under("src"):
        if path in ALLOWED:
            continue
        text = tree.text(path)
        for item in items(text):
            for offset, declaration in declarations(item):
                if not is_const(declaration):
                    shown = " ".join(declaration.split())
                    yield Finding(path, line_at(text, offset),
                                  f"mutable state that no object owns: {shown}")


def declarations(item: Item):
    """Pairs of (offset, declaration) of the variables with static life in an item."""
    if item.body:
        base = item.end - len(item.body)
        return [(base + m.start(), m[0]) for m in LOCAL_STATIC.finditer(item.body)]
    return [(item.start, item.head.split("=")[0])] if is_variable(item.head) else []


def is_variable(head):
    if NO_VARIABLE.match(head):
        return False
    declared = head.split("=")[0].strip()
    if is_function_pointer(declared):
        return True
    if "(" in declared:
        return False  # a prototype
    # struct x; and struct x {}; declare a type, struct x y; and struct {} y; a variable.
    is_type = re.fullmatch(r"(struct|union|enum)\b(\s+\w+)?\s*(\{\})?", declared)
    return not is_type and len(declared.split()) > 1


def is_function_pointer(declared):
    first = declared.find("(")
    return first >= 0 and re.match(r"\(\s*\*", declared[first:]) is not None


def is_const(declaration):
    """Whether the variable itself is const, not only what it points to."""
    if is_function_pointer(declaration):
        return re.search(r"\(\s*\*\s*const\b", declaration) is not None
    return re.search(r"\bconst\b", declaration[declaration.rfind("*") + 1:]) is not None
