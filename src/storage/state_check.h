#ifndef CONCLAVE_STORAGE_STATE_CHECK_H
#define CONCLAVE_STORAGE_STATE_CHECK_H

/*
 * Whether the rows of a state are those that its position speaks of: of a state that came from
 * elsewhere, before anybody serves from it.
 *
 *  - of each keyspace: keys, deadlines and the digest, summed anew over the records
 *  - what a living record refers to is there and is that: the value of a string, the elements of a
 *    collection, the row of a deadline
 *  - every change up to the position's revision can be read; and as long as nothing was dropped of
 *    history, its digest
 *
 * What is dead, and what was dropped, is not looked at. All rows are read once, in order, and the
 * value of each longer string; the memory that takes does not grow with the state. A view is read,
 * so this is no work for the loop.
 */

#include "storage/engine.h"

struct state_check;

/*
 * Of the state in this view, which stays open meanwhile; `position` as encoded, not borrowed.
 * ERR_MALFORMED, ERR_VERSION.
 */
MUST_USE int state_check_open(struct state_check **out, struct engine_view *view,
			      struct slice position);

/* Looks at some more rows; false: at the end, or what was found is enough. */
bool state_check_step(struct state_check *c);

/*
 * After the last step. OK; ERR_CORRUPT: the state is not what its position says, and `why` gets a
 * text that says in what; another error: it could not be read. Frees it, before the last step too.
 */
int state_check_close(struct state_check *c, const char **why);

#endif
