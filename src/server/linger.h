#ifndef CONCLAVE_SERVER_LINGER_H
#define CONCLAVE_SERVER_LINGER_H

/*
 * Whether a loop that has nothing to do sleeps, or looks again at once. To be woken takes longer
 * than most of what a loop does, above all where the processor has gone to sleep as well: a write
 * of one client alone waits for seven such wakes in turn. So for a moment after something came the
 * loop looks, and lets others have the processor between two looks. When they keep it, it is wanted
 * elsewhere: then the loop sleeps, and tries again after a rest, which is the longer the more often
 * that happens.
 */

#include <stdbool.h>
#include <stdint.h>

struct linger {
	uint64_t span_us;	/* of looking, after something came; 0: never */
	uint64_t came_us;	/* when it did */
	uint64_t rest_us;	/* of the next rest */
	uint64_t rest_until_us; /* of the last one */
};

/* Nothing came yet. */
void linger_init(struct linger *l, uint64_t span_us);

/* Whether to look again instead of sleeping. */
bool linger_wanted(const struct linger *l, uint64_t now_us);

/* Something came; the loop was `looking`, or it slept. */
void linger_came(struct linger *l, uint64_t now_us, bool looking);

/* The processor was given away at `from_us`, and was back at `to_us`. */
void linger_yielded(struct linger *l, uint64_t from_us, uint64_t to_us);

#endif
