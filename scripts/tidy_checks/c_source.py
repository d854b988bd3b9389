"""C as far as the checks need it: text without comments, include lines, top-level items."""

import re
from dataclasses import dataclass

TOKEN = re.compile(r"""
      (?P<comment> //[^\n]* | /\*.*?\*/ )
    | (?P<literal> "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
""", re.S | re.X)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")


def blank(text):
    """Spaces of the same shape, so that places stay true."""
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    return TOKEN.sub(lambda m: blank(m[0]) if m["comment"] else m[0], text)


def code_only(text):
    """Without comments and without what stands in string and character literals."""
    return TOKEN.sub(lambda m: blank(m[0]) if m["comment"] else m[0][0] + blank(m[0][1:-1]) + m[0][-1],
                     text)


def without_directives(code):
    return DIRECTIVE.sub(lambda m: blank(m[0]), code)


def comments(text):
    """Pairs of (offset, comment)."""
    return [(m.start(), m[0]) for m in TOKEN.finditer(text) if m["comment"]]


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


@dataclass(frozen=True)
class Include:
    line: int
    system: bool  # in angle brackets
    path: str


def includes(text):
    text = without_comments(text)
    return [Include(line_at(text, m.start(1)), m[1] == "<", m[2]) for m in INCLUDE.finditer(text)]


@dataclass(frozen=True)
class Item:
    """Something at file scope: a function with its body, or a declaration up to its semicolon."""

    start: int  # offset of its first character
    end: int  # offset behind its last one
    head: str  # what stands before a function's body; a declaration, {} for what was in braces
    body: str  # a function's, with its braces; else empty

    def name(self):
        """The function's name."""
        head = ATTRIBUTE.sub("", self.head)
        returns_function = re.search(r"\(\s*\*\s*(\w+)\s*\(", head)
        if returns_function:
            return returns_function[1]
        return (re.findall(r"(\w+)\s*\(", outside_parentheses(head)) or ["?"])[-1]


def outside_parentheses(text):
    """The text with what stands inside parentheses taken out, the parentheses kept."""
    kept, depth = [], 0
    for c in text:
        depth -= c == ")"
        if depth == 0:
            kept.append(c)
        depth += c == "("
    return "".join(kept)


def closing_brace(code, offset):
    """The offset of the brace that closes the one at `offset`; the end if none does."""
    depth = 0
    for m in re.compile(r"[{}]").finditer(code, offset):
        depth += 1 if m[0] == "{" else -1
        if depth == 0:
            return m.start()
    return len(code) - 1


def items(text):
    """The items at file scope of a C file, in order."""
    code = without_directives(code_only(text))
    found, head, at, begin = [], "", 0, 0
    edge = re.compile(r"[{};]")
    while (m := edge.search(code, at)) is not None:
        head += code[at:m.start()]
        at = m.end()
        if m[0] == "{":
            at = closing_brace(code, m.start()) + 1
            if not head.rstrip().endswith(")") or "=" in outside_parentheses(head):
                head += "{}"
                continue
            body = code[m.start():at]
        else:
            body = ""
        start = begin + len(code[begin:at]) - len(code[begin:at].lstrip())
        found.append(Item(start, at, head.strip(), body))
        head, begin = "", at
    return found
