#ifndef CONCLAVE_CONSENSUS_PEER_H
#define CONCLAVE_CONSENSUS_PEER_H

/*
 * What a member keeps about each of the others.
 *
 *	             rejected, or unacknowledged and behind
 *	       +----------------------------------------------+
 *	       v                                              |
 *	    PROBE ----------- acknowledged ------------> REPLICATE
 *	    |   ^
 *	    |   +-- snapshot in place, or given up
 *	    v   |
 *	   SNAPSHOT
 *
 * PROBE: one message at a time until the logs are known to meet. REPLICATE: a pipeline, bounded in
 * messages and bytes. SNAPSHOT: nothing, until the follower has state to build on.
 */

#include "consensus/raft.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum peer_vote { VOTE_NONE, VOTE_GRANTED, VOTE_REFUSED };

struct inflight {
	uint64_t last; /* index of the last entry of that message */
	uint64_t bytes;
};

/*
 * P1 match < next.
 * P2 Only in REPLICATE are messages in flight.
 * P3 inflight_sum is the sum over the ring.
 */
struct peer {
	uint64_t id;
	enum peer_state state;
	uint64_t match;	     /* entries up to here are on its disk */
	uint64_t next;	     /* the next entry to send */
	uint64_t match_seen; /* match at its last heartbeat answer */
	uint64_t heard_ms;   /* when it last answered */
	bool gone;	     /* its process is, as far as is known, and it has not answered since */
	uint64_t nonce;	     /* answers to appends under an older one do not count */
	uint64_t round;	     /* the newest heartbeat round it has acknowledged */
	uint64_t sent_commit; /* the newest commit index it was sent */
	uint64_t waits_for;   /* newest entry whose commit it wants to know at once */
	uint64_t snapshot;    /* SNAPSHOT: the index that was offered */
	bool refilled;	      /* it was offered one, and has not caught up since */
	unsigned quiet;	      /* SNAPSHOT: answers in a row that did not speak of installing */
	uint64_t leaves_at;   /* the membership entry that removed it; 0: it takes part */
	uint64_t leaves_ms;   /* when its removal is no longer told to it */
	bool paused;	      /* PROBE: a message is on its way */
	bool loading;	      /* entries for it are being read from disk */
	bool poke;	      /* send an append even if there is nothing new */
	bool damaged;	      /* its votes and acknowledgements do not count */
	bool resting;	      /* it said that it knows no leader */
	enum peer_vote vote;
	struct inflight *inflight; /* a ring of inflight_cap messages, owned */
	size_t inflight_cap;
	size_t inflight_head;
	size_t inflight_count;
	uint64_t inflight_sum;
};

void peer_init(struct peer *p, uint64_t id, uint64_t next, size_t inflight_cap, uint64_t now_ms);
void peer_close(struct peer *p);

/* Forgets what an earlier term knew: the leader starts from its own last entry. */
void peer_reset(struct peer *p, uint64_t next, uint64_t now_ms);

/* It answers. */
void peer_heard(struct peer *p, uint64_t now_ms);

/* The only ways to change state. */
void peer_become_probe(struct peer *p);
void peer_become_replicate(struct peer *p);
void peer_become_snapshot(struct peer *p, uint64_t index);

/* A message with entries up to `last` was sent. There is room: !peer_full. */
void peer_sent(struct peer *p, uint64_t last, uint64_t bytes);

/* Entries up to `index` are on its disk; true if that is news. */
bool peer_acknowledged(struct peer *p, uint64_t index);

/* Whether the pipeline is full. */
bool peer_full(const struct peer *p, uint64_t bytes_max);

/* Its log lost entries: what it acknowledged so far is forgotten, probing starts at `next`. */
void peer_become_damaged(struct peer *p, uint64_t nonce, uint64_t next);

const char *peer_state_name(enum peer_state state);

/* NULL, or which of P1 to P3 is broken. */
const char *peer_broken(const struct peer *p);

#endif
