#ifndef CONCLAVE_UNIT_SERVER_SUPPORT_TEXT_FILE_H
#define CONCLAVE_UNIT_SERVER_SUPPORT_TEXT_FILE_H

/* Whole files of text; what cannot be read or written fails the test. */

#include "base/bytes.h"

#define TEXT_FILE_PATH 64

/* A new one with this text; the caller removes it. */
void text_file_new(const char *text, char path[TEXT_FILE_PATH]);

/* In place of what `out` held, with a NUL behind that does not count. */
void text_file_read(const char *path, struct buf *out);

void text_file_write(const char *path, struct slice text);

/* The file holds this text; with REWRITE in the environment it is made so. */
void text_file_expect(const char *path, struct slice text);

#endif
