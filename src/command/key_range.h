#ifndef CONCLAVE_COMMAND_KEY_RANGE_H
#define CONCLAVE_COMMAND_KEY_RANGE_H

/* Inside command only: a part of the keys of a database, in their order. */

#include "command/command.h"

/* Keys from `from` up to, not including, `to`. All zero but for `endless`: all keys. */
struct key_range {
	struct buf from;
	struct buf to;
	bool endless; /* `to` counts for nothing */
};

void key_range_free(struct key_range *r);

/* All that begin so. */
void key_range_of_prefix(struct slice prefix, struct key_range *r);

/* This one key. */
void key_range_of_key(struct slice key, struct key_range *r);

/* From the key behind this one on, unless it begins later anyway. */
void key_range_begin_behind(struct key_range *r, struct slice key);

/* As record_scan_open, in the call's database. ERR_NOT_FOUND: no key can be in it. */
MUST_USE int key_range_scan(struct call *c, const struct key_range *r, bool backward,
			    struct record_scan *s);

#endif
