#ifndef CONCLAVE_UNIT_NODE_SUPPORT_SOLO_H
#define CONCLAVE_UNIT_NODE_SUPPORT_SOLO_H

/*
 * A cluster of one whole member, with nothing around it but what a test controls: a simulated disk,
 * an engine in memory, a clock that stands still, jobs that run when they are told to. Disk and
 * engine outlive the member, as in life.
 */

#include "node/member.h"
#include "storage/engine_memory.h"
#include "support/sim_disk.h"

struct solo {
	struct sim_disk *disk;
	struct engine_memory *rows;
	const char *rocks_dir; /* set by the test: the engine is RocksDB's, in there */
	struct engine *engine;
	struct random random;
	uint64_t now_ms;
	struct member_options options; /* changed by the test before a start */
	struct node_io io;
	struct member_events events;
	struct logger logger;
	struct buf log_text;
	struct buf said;
	struct list jobs;
	struct list pool;   /* jobs of LANE_READ */
	bool hold_pool;	    /* jobs stay where they are: nothing is read, and the disk hangs */
	bool hold_reads;    /* those of LANE_READ do */
	unsigned pool_jobs; /* handed to the pool so far */
	struct member *member;
	struct session *session;
	unsigned failures;
};

/* Everything in its place, nothing running. */
void solo_init(struct solo *s);
void solo_close(struct solo *s);

/* Starts the member; OK or why not. It leads and takes writes when it returns OK. */
MUST_USE int solo_start(struct solo *s);

/* The process dies; with `power` the disk loses what was not synced. */
void solo_stop(struct solo *s, bool power);

/*
 * It leads no more, as one that was not always alone may have to, and its disk hangs: nobody leads
 * before `hold_pool` is over.
 */
void solo_lose_office(struct solo *s);

/* Turns and jobs until nothing happens any more. */
void solo_work(struct solo *s);

/* Sends a line of words in the session and returns all output, with \r\n as |. Borrowed. */
const char *solo_say(struct solo *s, const char *line);

/* The same in another session. */
const char *solo_say_in(struct solo *s, struct session *session, const char *line);

/* Fails the test unless what is answered to `line` has this text in it. */
void solo_says_with(struct solo *s, const char *line, const char *text);

/* The same without waiting for anything; solo_take fetches what came. */
void solo_send(struct solo *s, struct session *session, const char *line);
const char *solo_take(struct solo *s, struct session *session);

extern const struct session_events solo_session_events;

#endif
