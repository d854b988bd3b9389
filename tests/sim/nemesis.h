#ifndef CONCLAVE_SIM_NEMESIS_H
#define CONCLAVE_SIM_NEMESIS_H

/* Inside the nemesis: what can be done to a cluster, and by whom it is mended. */

#include "sim/world.h"

enum fault_group {
	GROUP_CRASH = 1,
	GROUP_PARTITION = 2,
	GROUP_DISK = 4,
	GROUP_CLOCK = 8,
	GROUP_MEMBERS = 16,
	GROUP_DAMAGE = 32,
	GROUP_PAUSE = 64,
	GROUP_ENGINE = 128, /* members alone have one; and what follows (control.c) */
	GROUP_UPGRADE = 256,
	GROUP_DRIFT = 512,
	GROUP_SPACE = 1024,
	GROUP_STREAMS = 2048, /* connections of bytes */
};

struct nemesis {
	struct event next;
	struct event janitor;
	struct event heal;
};

/* nemesis.c */
uint64_t draw(struct world *w, uint64_t low, uint64_t high);
/* A running host, the leader half of the time; NULL if the one drawn is not to be hurt. */
struct host *victim(struct world *w);
unsigned voters(const struct membership *m);
/* Whether some disk lost something that was not made good: until then no vote is taken away. */
bool anybody_suspect(struct world *w);
/* Whether one disk may lose what it promised: of all others a majority is whole. */
bool may_lose(struct world *w, struct host *h);

/* Each does one thing; false if it could not be done now. */
#define NEMESIS_ACTS(X)   \
	X(power)          \
	X(kill)           \
	X(kill_all)       \
	X(crash_point)    \
	X(crash_call)     \
	X(pause)          \
	X(halves)         \
	X(ring)           \
	X(one_way)        \
	X(isolate_leader) \
	X(link)           \
	X(slow_link)      \
	X(false_gone)     \
	X(stranger)       \
	X(refuse)         \
	X(slow_disk)      \
	X(hung_disk)      \
	X(full_disk)      \
	X(failed_write)   \
	X(failed_sync)    \
	X(restart)        \
	X(slow_engine)    \
	X(full_engine)    \
	X(failed_engine)  \
	X(rot)            \
	X(flip_log)       \
	X(flip_state)     \
	X(flip_fetched)   \
	X(wipe)           \
	X(clock_jump)     \
	X(clock_drift)    \
	X(add)            \
	X(add_voter)      \
	X(promote)        \
	X(demote)         \
	X(remove)         \
	X(remove_leader)  \
	X(replace)        \
	X(transfer)       \
	X(upgrade)        \
	X(drift)          \
	X(space)
#define NEMESIS_ACT(name) bool act_##name(struct world *w);
NEMESIS_ACTS(NEMESIS_ACT)
#undef NEMESIS_ACT

/* nemesis_faults.c */
void heal_links(struct world *w, struct event *e);
void clock_settle(struct host *h);
/* One clock is wrong before the cluster is born, until the operator sets it. */
void clock_begin(struct world *w);
void clock_mend(struct world *w, struct host *h);
void engine_settle(struct host *h);

/* nemesis_rows.c */
void rot_mend(struct world *w, struct host *h);

/* nemesis_members.c: the operator, who starts, retires and replaces members */
/* A machine that takes no part, started, with a directory of its own; NULL: there is none. */
struct host *spare(struct world *w);
void janitor(struct world *w, struct event *e);

#endif
