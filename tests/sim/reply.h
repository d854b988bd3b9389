#ifndef CONCLAVE_SIM_REPLY_H
#define CONCLAVE_SIM_REPLY_H

/*
 * Replies of the protocol, as a client of either version reads them.
 *
 * It is not the reader of src/resp/reply.h, on purpose: whoever checks what members say must not
 * read it as they, or their tools, would; and of the types that there are it takes those alone that
 * simulated clients ask for, so that any other one is found at once.
 */

#include "base/bytes.h"

struct reply {
	char type;	   /* '+', '-', ':', '$' or '*'; maps count as arrays */
	bool null;	   /* '$' or '*' */
	int64_t number;	   /* ':'; elements of '*' */
	struct slice text; /* '+', '-', '$' */
};

/*
 * Bytes that the first reply in `bytes` takes, its elements included; 0 if it is not whole yet,
 * SIZE_MAX if it is none.
 */
size_t reply_size(struct slice bytes);

/* Takes the first reply, or the beginning of an array, from `bytes`, where it stands whole. */
struct reply reply_take(struct slice *bytes);

/* Appends a whole reply as words.h says it. */
void reply_plain(struct slice bytes, struct buf *out);

#endif
