#ifndef CONCLAVE_RESP_INLINE_H
#define CONCLAVE_RESP_INLINE_H

/*
 * A request typed by a person: words on a line, with quotes.
 *
 *	plain           ends at a blank; a quote inside it opens a quoted rest of the word
 *	"double"        \xHH is a byte; \n \r \t \b \a as in C; \ before anything else is dropped
 *	'single'        \' is a quote; everything else stands for itself
 *
 * A closing quote ends its word, so a blank or the end of the line must follow it. The \r that
 * ends most lines is a blank like others, and a NUL a byte like others (Redis 7.0 would wait for
 * ever behind it).
 */

#include "resp/args.h"

/*
 * Adds the words of the line to `args`, each by its distance from `line`. Escapes are replaced in
 * place, which never makes a word longer; bytes between the words are left undefined.
 * ERR_MALFORMED: a quote is not closed, or something stands right behind a closing one.
 */
MUST_USE int resp_inline_split(uint8_t *line, size_t len, struct resp_args *args);

#endif
