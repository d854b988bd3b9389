/* The table of works. A new one is a row, and a function in a file of its kind. */

#include "base/check.h"
#include "sim/callers.h"

static const struct work works[] = {
	{"SET of a register", 16, COUNT_WORK_SET, work_set},
	{"GET of a register", 16, COUNT_WORK_GET, work_get},
	{"INCR of a register", 3, COUNT_WORK_INCR, work_incr},
	{"DEL of a register", 3, COUNT_WORK_DEL, work_delete},
	{"counter", 12, COUNT_WORK_COUNT, work_count},
	{"pipeline of its own", 14, COUNT_WORK_OWN, work_own},
	{"big value", 4, COUNT_WORK_BIG, work_big},
	{"large string", 9, COUNT_WORK_LARGE, work_large},
	{"MEMBER", 3, COUNT_WORK_MEMBERS, work_members},
	{"PING or ECHO", 3, COUNT_WORK_LOCAL, work_local},
	{"nonsense", 1, COUNT_WORK_NONSENSE, work_nonsense},
	{"transfer", 10, COUNT_WORK_TRANSFER, work_transfer},
	{"all accounts", 6, COUNT_WORK_SUM, work_sum},
	{"claim", 5, COUNT_WORK_CLAIM, work_claim},
	{"transaction", 5, COUNT_WORK_QUEUE, work_queue},
	{"deadline", 12, COUNT_WORK_EXPIRE, work_expire},
	{"time left", 8, COUNT_WORK_REMAINING, work_remaining},
	{"flush", 1, COUNT_WORK_EMPTY, work_empty},
	{"SWAPDB", 1, COUNT_WORK_SWAP, work_swap},
	{"key to be moved", 5, COUNT_WORK_PLACE, work_place},
	{"RENAME, MOVE, COPY", 6, COUNT_WORK_MOVE, work_move},
	{"size of a database", 4, COUNT_WORK_SIZE, work_size},
	{"hash", 9, COUNT_WORK_HASH, work_hash},
	{"fields", 7, COUNT_WORK_FIELDS, work_fields},
	{"read of the past", 10, COUNT_WORK_PAST, work_past},
	{"history", 5, COUNT_WORK_HISTORY, work_history},
	{"walk over a database", 8, COUNT_WORK_SCAN, work_scan},
	{"too much at once", 3, COUNT_WORK_HEAVY, work_heavy},
	{"HISTORY COMPACT", 1, COUNT_WORK_COMPACT, work_compact},
};

/* What this world has none of is asked of nobody. */
static uint64_t weight_of(const struct world *w, const struct work *work)
{
	return work->ask == work_large && !w->profile.large_bytes ? 0 : work->weight;
}

const struct work *work_draw(struct world *w)
{
	uint64_t total = 0, at;

	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		total += weight_of(w, &works[i]);
	at = random_below(&w->random, total);
	for (size_t i = 0;; i++) {
		uint64_t weight = weight_of(w, &works[i]);

		if (at < weight)
			return &works[i];
		at -= weight;
	}
}

void work_use(struct caller *c, unsigned database)
{
	if (c->database != database)
		ask(c, "SELECT %u", database);
}

void works_look(struct world *w)
{
	values_look(w);
	transfers_watch(w);
	expiry_watch(w);
}
