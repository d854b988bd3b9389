#ifndef CONCLAVE_NODE_DEEDS_H
#define CONCLAVE_NODE_DEEDS_H

/*
 * Inside node only: what elements of a transaction do to all clients of the member. Elements of the
 * session's own run when EXEC comes; a transaction whose watches do not hold has to leave no trace,
 * so deeds are noted then, and done when it has run.
 */

#include "command/desk.h"

struct deed;
struct session;

struct deeds {
	struct deed *list; /* owned, in order */
	size_t count;
	size_t cap;
};

/* The desk for elements of a transaction: what would be done is noted in `*deeds`, all zero before.
 */
struct desk deeds_desk(struct session *s);

/* All of them, of this session. Nothing is noted any more. */
void deeds_do(struct session *s);

void deeds_forget(struct deeds *d);

#endif
