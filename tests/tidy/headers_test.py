"""The check that headers stand on their own."""

import specimen


def guarded(guard, text):
    return f"#ifndef {guard}\n#define {guard}\n\n/* What it is. */\n\n{text}\n\n#endif\n"


class HeadersTest(specimen.SpecimenTest):
    def test_a_good_one(self):
        self.write("src/base/a.h", guarded("CONCLAVE_BASE_A_H", "#include <stddef.h>\n\nstruct a {\n\tsize_t x;\n};"))
        self.write("src/base/b.h", guarded("CONCLAVE_BASE_B_H", '#include "base/a.h"\n\nsize_t f(struct a *a);'))
        self.write("tests/sim/w.h", guarded("CONCLAVE_SIM_W_H", '#include "base/b.h"\n'))
        self.assert_clean("headers")

    def test_one_that_needs_another(self):
        self.write("src/base/a.h", guarded("CONCLAVE_BASE_A_H", "size_t f(void);"))
        self.assert_finds("headers", "src/base/a.h: does not compile alone: ")

    def test_one_with_a_warning(self):
        self.write("src/base/a.h", guarded("CONCLAVE_BASE_A_H", "int f(struct unknown *x);"))
        self.assert_finds("headers", "src/base/a.h: does not compile alone: ")

    def test_a_guard_of_another_name(self):
        self.write("src/base/a.h", guarded("CONCLAVE_A_H", "int f(void);"))
        self.assert_finds("headers", "src/base/a.h:1: is not guarded by #ifndef CONCLAVE_BASE_A_H")

    def test_no_guard_at_all(self):
        self.write("src/base/a.h", "struct a {\n\tint x;\n};\n")
        self.assert_finds("headers", "src/base/a.h:1: is not guarded", "src/base/a.h: does not compile alone")


if __name__ == "__main__":
    specimen.main()
