#ifndef CONCLAVE_COMMAND_DESK_H
#define CONCLAVE_COMMAND_DESK_H

/*
 * The member behind a LOCAL command, as far as it may be asked: figures, the records that it keeps
 * of what it runs, its other clients. Nothing here needs a quorum.
 */

#include "command/stats.h"
#include "storage/store.h"

struct membership;

/* What INFO tells of the member; everything is borrowed. */
struct info_member {
	const char *raft_role;
	uint64_t term;
	uint64_t leader; /* 0: none is known */
	uint64_t commit;
	const struct membership *membership;
	const struct position *position;
	struct store_stats store;
	uint64_t sessions;
	uint64_t ops_per_second;
	uint64_t unsaved; /* entries that are applied, and not in the engine yet */
	uint64_t saved_s; /* since 1970: when the state was stored last, or the member started */
	bool saving;
	bool save_failed;
	bool quarantined;
	bool no_space;
	uint64_t checks; /* comparisons of all members' data */
	uint64_t verdicts;
};

struct desk {
	void *self; /* the session that asks */
	struct command_stats *stats;
	void (*info)(void *self, struct info_member *out);
};

#endif
