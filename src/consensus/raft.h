#ifndef CONCLAVE_CONSENSUS_RAFT_H
#define CONCLAVE_CONSENSUS_RAFT_H

/*
 * Raft as a function of (state, event). An event is one call below: a message came, time passed,
 * somebody proposes, the disk is done. It changes the state and returns; nothing is sent, written
 * or waited for. Then the driver takes a `raft_ready` - what is to be sent, written, read and
 * applied now - does it, and calls raft_advance:
 *
 *	raft_step / raft_tick / raft_propose / ...          any number of events
 *	raft_ready(r, &rd)                                  what follows from them
 *	  send rd.now; hand rd.persist to the log; keep rd.after until the log is done; ...
 *	raft_advance(r)
 *	raft_persisted(r, now, seq)                         later, when the log is done
 *
 * Time comes with each event, in milliseconds of a clock that never goes back; raft_deadline says
 * when the next raft_tick is due. The random generator is a field, seeded at birth. So one history
 * of events gives one history of results.
 */

#include "consensus/membership.h"
#include "consensus/message.h"
#include "consensus/raft_log.h"
#include "consensus/snapshot.h"

struct logger;
struct raft;

struct raft_options {
	uint64_t id;	       /* this member's, never 0 */
	uint64_t seed;	       /* of all that is random; another one at each start */
	uint32_t heartbeat_ms; /* a leader says so at least this often */
	uint32_t election_ms;  /* silence that makes a follower ask for votes, times 1 to 1.5 */
	uint32_t failover_ms;  /* upper bound of the delay after a sure sign that nobody leads */
	uint32_t append_bytes; /* payload of one APPEND, one entry more if that is larger */
	uint32_t inflight_messages; /* APPENDs to one follower not yet acknowledged */
	uint64_t inflight_bytes;    /* and their payload */
	uint64_t uncommitted_bytes; /* proposals waiting for a majority; beyond it ERR_BUSY */
	uint64_t tail_bytes; /* entries kept in memory for followers that are a little behind */
	bool prevote;
	bool check_quorum;
	const struct logger *logger; /* may be NULL */
};

/* The defaults of the server, with `id` and `seed` still to be set. */
struct raft_options raft_options_default(void);

/* What must survive a restart beside entries and membership. */
struct raft_hard_state {
	uint64_t term;
	uint64_t vote;
	bool born; /* this member knows that its cluster exists: from then on it may vote */
};

/* What the disk had at start. All is borrowed during raft_new. */
struct raft_restore {
	struct raft_hard_state hard;
	uint64_t base; /* the entry before the first in the log, and its term */
	uint64_t base_term;
	const struct membership *base_membership; /* as of base; may be empty */
	uint64_t last;
	const struct term_run *runs;
	size_t run_count;
	const struct raft_restored_membership {
		uint64_t index;
		struct slice bytes;
	} * memberships; /* entries of that kind above base, ascending */
	size_t membership_count;
	uint64_t applied; /* the state machine holds entries up to here: they are committed */
	bool damaged;	  /* the log lost entries that this member may have acknowledged */
};

/* A member from what its disk had. ERR_CORRUPT when that contradicts itself. */
MUST_USE int raft_new(struct raft **out, const struct raft_options *options,
		      const struct raft_restore *restore, uint64_t now_ms);

void raft_free(struct raft *r);

/* ---- events ---------------------------------------------------------------------------------- */

/* Time has passed: runs whatever is due. Every other event does this first. */
void raft_tick(struct raft *r, uint64_t now_ms);

/*
 * A message came. ERR_MALFORMED: it breaks the protocol and was ignored; nothing else is an error.
 * Entries and descriptor are borrowed; kept entries hold their blobs.
 */
MUST_USE int raft_step(struct raft *r, uint64_t now_ms, const struct raft_message *m);

/*
 * Appends entries (kind, stamp, data, blob, waiter; the term is set here) to the leader's log, the
 * first at `*first`. Waiter: a member that is told at once when the entry is committed; others
 * learn it with the next append or heartbeat. ERR_NOT_LEADER, ERR_UNAVAILABLE (leadership is
 * being handed over), ERR_BUSY (too much is waiting for a majority).
 */
MUST_USE int raft_propose(struct raft *r, uint64_t now_ms, struct entry *entries, size_t count,
			  uint64_t *first);

/*
 * Proposes a changed membership, in force from its append on. A joint one is left by itself once it
 * is committed. ERR_NOT_LEADER, ERR_BUSY (an earlier one is not committed yet), ERR_UNAVAILABLE
 * (nothing of this term is committed yet), or as membership_change.
 */
MUST_USE int raft_change(struct raft *r, uint64_t now_ms, const struct member_change *changes,
			 size_t count);

/*
 * Asks for a read index: a bound such that a member which has applied it sees every write
 * acknowledged before this call. The answer comes in raft_ready.reads under `request`, a number not
 * used before since the start and not the largest, or never: ask again, under a new number, after
 * a change of leader or two heartbeats. ERR_UNAVAILABLE: no leader is known.
 */
MUST_USE int raft_read_index(struct raft *r, uint64_t now_ms, uint64_t request);

/*
 * Hands leadership to `to`, 0: to the member that is furthest. On another member the wish is passed
 * to the leader. ERR_UNAVAILABLE: no leader is known; ERR_NOT_FOUND, ERR_INVALID: `to` does not
 * vote; ERR_BUSY: another transfer is under way.
 */
MUST_USE int raft_transfer(struct raft *r, uint64_t now_ms, uint64_t to);

/* The persist handed out under this number, and all before it, are on disk. */
void raft_persisted(struct raft *r, uint64_t now_ms, uint64_t seq);

/* The state machine has applied entries up to `index`; the tail may forget them. */
void raft_applied(struct raft *r, uint64_t index);

/*
 * Entries that a raft_load asked for, read from disk; consecutive from `first`. After an error, the
 * next ready asks again for what is wanted by then. Blobs are held as needed.
 */
void raft_loaded(struct raft *r, uint64_t now_ms, uint64_t peer, uint64_t first,
		 const struct entry *entries, size_t count, int error);

/* The log forgets entries up to `index`, which are durable and applied. */
void raft_release(struct raft *r, uint64_t index);

/*
 * What a follower needs of the log that takes over this leader's state, or catches up behind it:
 * the entries behind this index. UINT64_MAX: none is about to.
 */
uint64_t raft_held_index(const struct raft *r);

/* The newest snapshot of this member's state: what followers that are too far behind get. */
void raft_snapshot_taken(struct raft *r, const struct snapshot *s);

/*
 * The snapshot that raft_ready.install asked for is in place as the state of this member (ok), or
 * could not be had. The log starts over behind it, unless it has got that far by itself.
 */
void raft_snapshot_installed(struct raft *r, uint64_t now_ms, uint64_t index, bool ok);

/*
 * Whether a snapshot up to `index` would still be news, neither applied nor in the log: asked right
 * before the state is swapped.
 */
bool raft_snapshot_wanted(const struct raft *r, uint64_t index);

/* The process of `peer` is gone: its connection closed and nobody listens any more. */
void raft_peer_gone(struct raft *r, uint64_t now_ms, uint64_t peer);

/* `peer` says that it knows no leader: when a majority does, nobody needs to be waited for. */
void raft_peer_resting(struct raft *r, uint64_t now_ms, uint64_t peer);

/* Every initial member has said that it holds the same first membership on disk. */
void raft_born(struct raft *r, uint64_t now_ms);

/* Up to RAFT_NOTE_MAX bytes that go with heartbeats and vote replies from now on. */
void raft_set_note(struct raft *r, struct slice note);

/* The stamp of the entries that consensus itself appends from now on. */
void raft_set_stamp(struct raft *r, uint64_t stamp);

/* ---- what follows ---------------------------------------------------------------------------- */

/* Work for the log, in this order: reset, drop what is at or above `first`, entries, hard state. */
struct raft_persist {
	uint64_t seq; /* what raft_persisted is to be called with; 0: there is nothing to write */
	bool reset;   /* the log starts over after (base, base_term) with `membership` */
	uint64_t base;
	uint64_t base_term;
	const struct membership *membership;
	uint64_t first; /* index of entries[0] */
	const struct entry *entries;
	size_t count;
	bool hard_changed;
	struct raft_hard_state hard;
	bool clear_damage; /* what the damaged log may have lost has been made good */
};

struct raft_read {
	uint64_t request;
	uint64_t index;
};

struct raft_note {
	uint64_t from;
	uint8_t type; /* of the message it came with */
	uint8_t len;
	uint8_t bytes[RAFT_NOTE_MAX];
};

/* Entries a slow follower needs that are no longer in memory. */
struct raft_load {
	uint64_t peer;
	uint64_t first;
	uint64_t last;
	uint64_t max_bytes;
};

/* A snapshot that a leader offers: get it, put it in place, call raft_snapshot_installed. */
struct raft_install {
	bool wanted;
	uint64_t from;
	const struct snapshot *snapshot;
};

struct raft_ready {
	/* May be sent before anything is written. */
	const struct raft_message *now;
	size_t now_count;
	/*
	 * Votes and acknowledgements: to be sent when the persist `after_seq` is on disk, and not
	 * before. They are copied by the driver; `after_seq` 0: may be sent with the others.
	 */
	const struct raft_message *after;
	size_t after_count;
	uint64_t after_seq;
	struct raft_persist persist;
	uint64_t commit; /* entries up to here may be applied */
	const struct raft_read *reads;
	size_t read_count;
	const struct raft_note *notes;
	size_t note_count;
	const struct raft_load *loads;
	size_t load_count;
	struct raft_install install;
};

/* Fills `rd` with what is to be done; all of it is borrowed until raft_advance. No event between.
 */
void raft_ready(struct raft *r, struct raft_ready *rd);

/* The driver has taken everything of the last raft_ready. */
void raft_advance(struct raft *r);

/* Whether this persist must be synced before it counts: a pure function. */
bool raft_must_sync(const struct raft_persist *p);

/* ---- questions ------------------------------------------------------------------------------- */

enum raft_role { RAFT_FOLLOWER, RAFT_PRE_CANDIDATE, RAFT_CANDIDATE, RAFT_LEADER };

const char *raft_role_name(enum raft_role role);

struct raft_status {
	uint64_t id;
	enum raft_role role;
	uint64_t term;
	uint64_t vote;
	uint64_t leader; /* 0: none is known */
	uint64_t commit;
	uint64_t base;
	uint64_t last;
	uint64_t durable;
	uint64_t tail_bytes;
	bool born;
	bool damaged;
	bool joint;
	bool transferring;
	bool installing;
	bool membership_pending; /* the newest membership is not committed yet */
	uint64_t memberships;	 /* another number whenever raft_membership is another one */
};

void raft_status(const struct raft *r, struct raft_status *out);

/* How a leader sends to another; consensus/peer.h tells of them. */
enum peer_state { PEER_PROBE, PEER_REPLICATE, PEER_SNAPSHOT };

/* How a leader sees one of the others. */
struct raft_peer_status {
	uint64_t id;
	uint64_t match;
	uint64_t next;
	enum peer_state state;
	uint64_t heard_ms; /* when it last answered */
	bool gone;	   /* its process is (raft_peer_gone), and it has not answered since */
};

/* The i-th peer of a leader; false when there are no more. */
bool raft_peer_status(const struct raft *r, size_t i, struct raft_peer_status *out);

/* When raft_tick has something to do at the latest. UINT64_MAX: never. */
uint64_t raft_deadline(const struct raft *r);

/* The newest membership of the log, committed or not: the one in force. */
const struct membership *raft_membership(const struct raft *r);

/* The membership in force at `index`, not below base. */
const struct membership *raft_membership_at(const struct raft *r, uint64_t index);

/* The one that counts when nothing is but what is committed. */
const struct membership *raft_settled_membership(const struct raft *r);

uint64_t raft_term_at(const struct raft *r, uint64_t index);

/* Committed entries from `first` on that are in memory; NULL: read them from the log on disk. */
const struct entry *raft_committed(const struct raft *r, uint64_t first, size_t *count);

/* NULL, or the text of the numbered rule that the state breaks (raft_valid.c lists them). */
const char *raft_broken(const struct raft *r);

#endif
