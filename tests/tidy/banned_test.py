"""The check of banned functions."""

import specimen


class BannedTest(specimen.SpecimenTest):
    def test_names_in_comments_strings_fields_and_longer_names_are_fine(self):
        self.write("src/base/bytes.c", '/* strcpy(a, b) */\nconst char *s = "malloc(1)";\n'
                   "void f(void)\n{\n\tx->free(x);\n\ty.time(0);\n\tmem_free(x);\n\trandom_next(r);\n"
                   "\tstruct random r;\n\tstruct clock clock;\n\tsnprintf(b, n, s);\n}\n")
        self.assert_clean("banned")

    def test_each_banned_name_is_found_in_src(self):
        names = ("strcpy strcat sprintf vsprintf gets atoi atol atof strtok alloca rand srand random "
                 "malloc calloc realloc free strdup abort assert printf puts fprintf time gettimeofday "
                 "clock_gettime usleep sleep nanosleep getenv rocksdb_put rocksdb_put_cf rocksdb_write "
                 "rocksdb_write_writebatch_wi rocksdb_flush rocksdb_flush_cf rocksdb_flush_cfs "
                 "rocksdb_flush_wal rocksdb_merge rocksdb_merge_cf rocksdb_delete rocksdb_delete_cf "
                 "rocksdb_delete_range_cf rocksdb_singledelete").split()
        for name in names:
            with self.subTest(name):
                self.write("src/storage/engine.c", f"void f(void)\n{{\n\t{name} (1);\n}}\n")
                self.assert_finds("banned", f"src/storage/engine.c:3: {name}: ")

    def test_the_places_that_may(self):
        self.write("src/base/mem.c", "a = malloc(1); free(a); abort();\n")
        self.write("src/base/check.c", "fprintf(stderr, s); abort();\n")
        self.write("src/base/clock.c", "clock_gettime(a, b);\n")
        self.write("src/base/logging.c", "fprintf(f, s);\n")
        self.write("src/ctl/dump.c", "printf(s);\n")
        self.write("src/server/config.c", "getenv(s);\n")
        self.write("src/storage/engine_rocks_start.c", "rocksdb_put_cf(a); rocksdb_flush_cf(b);\n")
        self.write("tests/unit/a_test.c", "free(malloc(1)); printf(s); getenv(s);\n")
        self.assert_clean("banned")

    def test_tests_neither_sleep_nor_draw_from_the_system(self):
        self.write("tests/unit/a_test.c", "sleep(1);\nrand();\ntime(NULL);\n")
        self.assert_finds("banned", "tests/unit/a_test.c:2: rand: ", "tests/unit/a_test.c:3: time: ",
                          "tests/unit/a_test.c:1: sleep: ")

    def test_batches_and_options_of_the_engine_are_no_writes(self):
        self.write("src/storage/engine.c", "rocksdb_writeoptions_create();\nrocksdb_writebatch_clear(b);\n"
                   "rocksdb_flushoptions_create();\nrocksdb_sstfilewriter_put(a);\n"
                   "rocksdb_sstfilewriter_delete_range(a);\n")
        self.assert_clean("banned")

    def test_the_tests_of_the_engine_may_write_as_they_like(self):
        self.write("tests/unit/storage/engine_rocks_test.c", "rocksdb_put(a); rocksdb_flush(b);\n")
        self.assert_clean("banned")

    def test_the_header_of_assert(self):
        self.write("src/base/a.c", "#include <assert.h>\n")
        self.assert_finds("banned", "src/base/a.c:1: <assert.h> is not used here")


if __name__ == "__main__":
    specimen.main()
