"""The check of mutable state with static life."""

import specimen

FINE = """
#include <stdint.h>
typedef int (*handler)(int);
struct point {
	int x;
};
enum kind { A = 0, B };
struct point;
extern int elsewhere;
_Static_assert(sizeof(int) == 4, "size");
static int prototype(struct point *p, int (*callback)(int));
static const int limit = 3;
static const char *const names[] = {"a", "b"};
static int (*const handlers[])(struct point *) = {prototype};
static const struct {
	int a;
} table[] = {{1}, {2}};
void f(int count) __attribute__((format(printf, 1, 2)));

static int prototype(struct point *p, int (*callback)(int))
{
	static const char *const local[] = {"a"};
	int ordinary = 3;

	for (int i = 0; i < 3; i++)
		ordinary += i;
	return ordinary;
}
"""


class StaticsTest(specimen.SpecimenTest):
    def test_constants_types_and_prototypes_are_fine(self):
        self.write("src/base/a.c", FINE)
        self.assert_clean("statics")

    def test_each_kind_of_variable(self):
        for declaration in ("static int counter;", "int counter = 3;", "static const char *name;",
                            "static struct point origin = {0};", "static int (*hook)(int);",
                            "static struct {\n\tint a;\n} state;", "static char buffer[100];",
                            "_Thread_local int errors;", "struct {\n\tint a;\n} open;"):
            with self.subTest(declaration):
                self.write("src/base/a.c", "#include <stdint.h>\n\n" + declaration + "\n")
                self.assert_finds("statics", "src/base/a.c:3: mutable state that no object owns: ")

    def test_inside_a_function(self):
        self.write("src/base/a.c", "int f(void)\n{\n\tstatic int calls = 0;\n\n\treturn calls++;\n}\n")
        self.assert_finds("statics", "src/base/a.c:3: mutable state that no object owns: static int calls")

    def test_the_one_that_is_allowed(self):
        self.write("src/base/mutant.c", "static const char *mutant_chosen;\n")
        self.assert_clean("statics")


if __name__ == "__main__":
    specimen.main()
