#include "text_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void text_file_new(const char *text, char path[TEXT_FILE_PATH])
{
	int fd;

	snprintf(path, TEXT_FILE_PATH, "/tmp/conclave-options-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	text_file_write(path, slice_of_text(text));
}

void text_file_read(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "r");
	struct stat st;

	if (!f)
		fail_msg("%s cannot be read", path);
	assert_int_equal(fstat(fileno(f), &st), 0);
	buf_clear(out);
	assert_int_equal(fread(buf_reserve(out, (size_t)st.st_size + 1), 1, (size_t)st.st_size, f),
			 st.st_size);
	buf_commit(out, (size_t)st.st_size);
	*buf_reserve(out, 1) = '\0';
	assert_int_equal(fclose(f), 0);
}

void text_file_write(const char *path, struct slice text)
{
	FILE *f = fopen(path, "w");

	if (!f)
		fail_msg("%s cannot be written", path);
	assert_int_equal(fwrite(text.data, 1, text.len, f), text.len);
	assert_int_equal(fclose(f), 0);
}

void text_file_expect(const char *path, struct slice text)
{
	struct buf found = {0};

	if (getenv("REWRITE"))
		text_file_write(path, text);
	text_file_read(path, &found);
	if (!slice_equal(buf_slice(&found), text))
		fail_msg("%s is not what the table of directives says; make test-rewrite", path);
	buf_free(&found);
}
