#ifndef CONCLAVE_CHECKER_LINEARIZE_H
#define CONCLAVE_CHECKER_LINEARIZE_H

/*
 * Whether a history is linearizable: whether each operation can be given one moment between its
 * call and its return at which it took effect, so that all results are what one copy of the data
 * would have answered. Keys are independent objects, so each is checked on its own.
 */

#include "checker/history.h"

enum linearize_verdict {
	LINEARIZE_PASS,
	LINEARIZE_FAIL,		/* no order explains what was seen on some key */
	LINEARIZE_ABORTED_READ, /* the same, and the effect of a refused operation was seen */
	LINEARIZE_GAVE_UP,	/* the search took too long on some key; neither pass nor fail */
};

struct linearize_result {
	enum linearize_verdict verdict;
	uint64_t key;	/* the key that failed, or the last that was given up */
	uint64_t steps; /* configurations searched, over all keys */
};

/*
 * Enough, many times over, for histories of some 2,000 operations by ten clients over a few keys,
 * which take one or two steps each; some tens of MB and tenths of a second before it is given up.
 * What is written should be unique on its key: equal values, above all in lists, leave the search
 * much more to try.
 */
#define LINEARIZE_STEPS 200000

/*
 * Checks the history, each key with at most `max_steps` steps, and stops at the first key that
 * fails. Appends to `report`, unless the verdict is a pass, a text for people: the key, the
 * return that no order gets past, what was concurrent with it, and the longest order found.
 */
struct linearize_result linearize_check(const struct history *h, uint64_t max_steps,
					struct buf *report);

/* "pass", "fail", "aborted read", "gave up". */
const char *linearize_verdict_name(enum linearize_verdict verdict);

#endif
