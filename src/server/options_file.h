#ifndef CONCLAVE_SERVER_OPTIONS_FILE_H
#define CONCLAVE_SERVER_OPTIONS_FILE_H

/* The file of directives: read at the start, and rewritten while the process runs. */

#include "resp/args.h"
#include "server/directive.h"

/*
 * Sets what the file says, and notes its name. ERR_INVALID: it cannot be read, or a line of it not
 * understood, or a directive stands there twice; `problem` says where.
 */
MUST_USE int options_file_read(struct options *o, const char *path, struct buf *problem);

/*
 * Writes the values in force into the file they came from: lines that say them already, comments
 * and the order stay; a line that says something else is replaced; what was given elsewhere and is
 * not the default stands at the end. The file is replaced as a whole, or stays. ERR_INVALID: there
 * is none; or as disk_rename. `problem` says what it was.
 */
MUST_USE int options_file_rewrite(const struct options *o, struct buf *problem);

/* The words of a line. ERR_INVALID: it cannot be divided; appends why to `problem`. */
MUST_USE int options_file_split(uint8_t *line, size_t len, struct resp_args *args,
				struct buf *problem);

/*
 * A directive was given these words. ERR_INVALID: they cannot be used; appends why, behind the
 * place that stands in `problem` already.
 */
MUST_USE int options_give(struct options *o, const struct directive *d, const struct slice *words,
			  size_t count, struct buf *problem);

#endif
