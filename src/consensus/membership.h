#ifndef CONCLAVE_CONSENSUS_MEMBERSHIP_H
#define CONCLAVE_CONSENSUS_MEMBERSHIP_H

/*
 * Who takes part, and what counts as a majority.
 *
 * A membership is plain or joint (Raft dissertation, section 4.3). While it is joint, members
 * carry two roles: what they were (VOTER_OLD) and what they become (VOTER or LEARNER); whatever is
 * decided then needs a majority of the old voters and one of the new. A change of a single
 * voter needs no joint step: the two majorities overlap anyway.
 *
 * Ids are minted by directories and are never 0. The id of a removed member stays known for ever
 * and is never taken in again: what it says from the past cannot be mistaken for somebody's word.
 */

#include "base/codec.h"

#include <stdbool.h>

#define MEMBERSHIP_MAX	 32
#define MEMBER_LABEL_MAX 255

enum member_role {
	MEMBER_VOTER = 1, /* votes in the plain membership, or in the one a joint one leads to */
	MEMBER_VOTER_OLD = 2, /* votes in the membership that a joint one comes from */
	MEMBER_LEARNER = 4,   /* gets the log, votes in neither; excludes VOTER */
	MEMBER_RISES = 8,     /* a learner that is to get a vote when it has caught up */
};

struct participant {
	uint64_t id;
	uint8_t roles; /* bits of enum member_role, never 0 */
	uint8_t label_len;
	uint8_t label[MEMBER_LABEL_MAX]; /* for people and for finding the way (label.h) */
};

/*
 * M1 Ids are strictly ascending and not 0.
 * M2 At least one member has VOTER.
 * M3 VOTER and LEARNER exclude each other; VOTER_OLD appears only if `joint`, RISES only with
 *    LEARNER.
 * M4 `removed` is strictly ascending and holds nobody who takes part.
 * M5 If `joint`, at least one member has VOTER_OLD.
 */
struct membership {
	uint32_t count;
	bool joint;
	struct participant members[MEMBERSHIP_MAX];
	uint64_t *removed; /* owned */
	size_t removed_count;
	size_t removed_cap;
};

enum member_change_kind {
	MEMBER_ADD_LEARNER, /* a new id, without a vote */
	MEMBER_ADD_VOTER,   /* a new id, with a vote at once */
	MEMBER_PROMOTE,	    /* a learner gets a vote */
	MEMBER_DEMOTE,	    /* a voter becomes a learner */
	MEMBER_REMOVE,	    /* out, for ever */
	MEMBER_RELABEL,	    /* a new label, same role */
};

struct member_change {
	enum member_change_kind kind;
	uint64_t id;
	struct slice label; /* for ADD and RELABEL; at most MEMBER_LABEL_MAX bytes */
	bool rises;	    /* for ADD_LEARNER: see MEMBER_RISES */
};

/* All zero is an empty membership: nobody, which no member acts on. */
void membership_free(struct membership *m);

/* `to` becomes a copy of `from`; what it held before is freed. */
void membership_copy(struct membership *to, const struct membership *from);

/* The member with this id, or NULL. */
const struct participant *membership_find(const struct membership *m, uint64_t id);

/* Whether this id votes now, in either half. */
bool membership_votes(const struct membership *m, uint64_t id);

/* Whether this id once took part and was removed. */
bool membership_was_removed(const struct membership *m, uint64_t id);

/* Puts in a voter, for the first membership of a cluster. ERR_EXISTS, ERR_TOO_LARGE, ERR_INVALID.
 */
MUST_USE int membership_add_first(struct membership *m, uint64_t id, struct slice label);

/*
 * What `m` becomes by these changes, taken as one: a plain membership if at most one vote comes or
 * goes, else a joint one that membership_leave ends. `out` is empty before and owned by the
 * caller afterwards, also on error. ERR_BUSY: m is joint. ERR_EXISTS, ERR_NOT_FOUND, ERR_INVALID
 * (an id named twice, no voter left, a removed id), ERR_TOO_LARGE.
 */
MUST_USE int membership_change(const struct membership *m, const struct member_change *changes,
			       size_t count, struct membership *out);

/*
 * Of `m`, joint or not, this one alone: it votes, and all others are out for ever. No majority of
 * `m` need have agreed to that. `out` is empty before. ERR_INVALID: this one takes no part.
 */
MUST_USE int membership_alone(const struct membership *m, uint64_t id, struct membership *out);

/* The plain membership that the joint `m` leads to. `out` is empty before. */
void membership_leave(const struct membership *m, struct membership *out);

/*
 * Majorities. `holds` has bit i set if member i has what is asked for: a vote given, a round
 * acknowledged. True if that decides: a majority of the voters, in both halves while joint.
 */
bool membership_majority(const struct membership *m, uint32_t holds);

/* The largest value that a majority has reached, `values[i]` being how far member i got. */
uint64_t membership_agreed(const struct membership *m, const uint64_t *values);

/* The bytes of a membership, as they stand in log entries and segment headers. */
void membership_encode(const struct membership *m, struct buf *out);

/* Reads them back. `out` is empty before; on ERR_MALFORMED it stays so. */
MUST_USE int membership_decode(struct slice bytes, struct membership *out);

/* NULL, or which of M1 to M5 is broken. */
const char *membership_broken(const struct membership *m);

#endif
