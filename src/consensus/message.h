#ifndef CONCLAVE_CONSENSUS_MESSAGE_H
#define CONCLAVE_CONSENSUS_MESSAGE_H

/*
 * What members say to each other. One struct serves all types; the table says which fields mean
 * what. Numbers are on the wire and never change meaning.
 */

#include "base/codec.h"
#include "base/entry.h"

/*
 *                    index             log_term          commit   context     hint
 * PREVOTE, VOTE      last entry        its term
 * APPEND             entry before      its term          commit   nonce
 * APPEND_RESP        agreed up to,     - / hint's term            nonce       - / last that may
 *                    or what was refused                                      agree
 * HEARTBEAT          known to agree                      commit   round
 * HEARTBEAT_RESP                                                  round
 * COMMIT                                                 commit
 * SNAPSHOT           its last entry    its term                   nonce
 * READ                                                            request   asker's run
 * READ_RESP          read index                                   request   asker's run
 * TIMEOUT_NOW, TRANSFER (context: to whom, 0: anybody)
 */
#define RAFT_MESSAGES(X)                            \
	X(RAFT_PREVOTE, 1, "prevote")               \
	X(RAFT_PREVOTE_RESP, 2, "prevote-resp")     \
	X(RAFT_VOTE, 3, "vote")                     \
	X(RAFT_VOTE_RESP, 4, "vote-resp")           \
	X(RAFT_APPEND, 5, "append")                 \
	X(RAFT_APPEND_RESP, 6, "append-resp")       \
	X(RAFT_HEARTBEAT, 7, "heartbeat")           \
	X(RAFT_HEARTBEAT_RESP, 8, "heartbeat-resp") \
	X(RAFT_COMMIT, 9, "commit")                 \
	X(RAFT_SNAPSHOT, 10, "snapshot")            \
	X(RAFT_READ, 11, "read")                    \
	X(RAFT_READ_RESP, 12, "read-resp")          \
	X(RAFT_TIMEOUT_NOW, 13, "timeout-now")      \
	X(RAFT_TRANSFER, 14, "transfer")

enum raft_message_type {
#define RAFT_MESSAGE_ENUM(id, number, name) id = (number),
	RAFT_MESSAGES(RAFT_MESSAGE_ENUM)
#undef RAFT_MESSAGE_ENUM
};

#define RAFT_MESSAGE_TYPE_MAX 14

enum raft_message_flag {
	RAFT_FLAG_REJECT = 1,  /* responses: no */
	RAFT_FLAG_FORCE = 2,   /* VOTE: the leader itself asked for this election */
	RAFT_FLAG_DAMAGED = 4, /* sender's log lost entries it once acknowledged: do not count it */
	RAFT_FLAG_BEHIND = 8,  /* HEARTBEAT_RESP: the log agrees on less than the leader believes */
	RAFT_FLAG_INSTALLING = 16, /* HEARTBEAT_RESP: a snapshot is on its way in */
	RAFT_FLAG_STALE = 32,	   /* APPEND_RESP: says only that the sender's term is newer */
};

#define RAFT_NOTE_MAX 32

struct raft_message {
	uint8_t type;
	uint8_t flags;
	uint8_t note_len;
	uint8_t note[RAFT_NOTE_MAX]; /* heartbeats and vote replies: opaque, for cluster time */
	uint64_t from;
	uint64_t to;
	uint64_t term;
	uint64_t index;
	uint64_t log_term;
	uint64_t commit;
	uint64_t context;
	uint64_t hint;
	struct slice descriptor;     /* SNAPSHOT: opaque, borrowed */
	const struct entry *entries; /* APPEND: borrowed, the first one at index + 1 */
	uint32_t count;
};

/* "append", "vote" ...; "unknown" for a number that is none. */
const char *raft_message_name(unsigned type);

/*
 * Appends the message to `out` as bytes, all but the entries' payloads: those follow on the wire in
 * order, and the sender passes them on from where they lie. Returns how many payload bytes follow.
 */
size_t raft_message_encode(const struct raft_message *m, struct buf *out);

/*
 * Reads a message, payloads included, from `frame` at `offset` to its end. Entries are written to
 * `*entries`, an array that grows (`*cap`) and is used again for the next message; their payloads
 * lie in the frame and are not held: whoever keeps an entry holds its blob. ERR_MALFORMED.
 */
MUST_USE int raft_message_decode(struct blob *frame, size_t offset, struct raft_message *m,
				 struct entry **entries, size_t *cap);

#endif
