"""What the checks understand of C."""

import unittest

import specimen  # noqa: F401  (it makes scripts/ known)
from tidy_checks import c_source


class CSourceTest(unittest.TestCase):
    def test_comments_and_literals_go_and_places_stay(self):
        text = 'a /* "x */ b "c /* \\" d" e // f\n\'"\' g\n'
        code = c_source.code_only(text)
        self.assertEqual(code, 'a          b "         " e     \n\' \' g\n')
        self.assertEqual(len(code), len(text))

    def test_includes_outside_of_comments(self):
        text = '#include "base/a.h"\n/*\n#include "base/b.h"\n*/\n # include <stdio.h>\n'
        self.assertEqual([(inc.line, inc.system, inc.path) for inc in c_source.includes(text)],
                         [(1, False, "base/a.h"), (5, True, "stdio.h")])

    def test_functions_by_name(self):
        text = """
#define BODY(x) { x }
struct pair { int a; } __attribute__((packed));
static const int table[] = {1, 2};
static const struct pair one = (struct pair){1};
__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...) { if (1) { } }
struct pair *make(int (*ask)(int), struct pair p)
{
	return p.a == '}' ? 0 : &(struct pair){"}"};
}
static void (*choose(int which))(int)
{
	return 0;
}
"""
        functions = [item.name() for item in c_source.items(text) if item.body]
        self.assertEqual(functions, ["say", "make", "choose"])


if __name__ == "__main__":
    unittest.main()
