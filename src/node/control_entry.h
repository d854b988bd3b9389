#ifndef CONCLAVE_NODE_CONTROL_ENTRY_H
#define CONCLAVE_NODE_CONTROL_ENTRY_H

/*
 * Entries about the cluster itself, proposed by the leader, and the frame that brings it what a
 * CHECK found. All begin with fixed8 version, 1.
 *
 *	LEVEL	 fixed32 level: every member supports it
 *	CHECK	 nothing more: each member notes the digests of its state as of this entry
 *	DIGESTS	 (a frame) fixed64 index of the CHECK, fixed64 revision, fixed64 digest of the
 *		 living, fixed64 digest of history
 *	VERDICT	 fixed64 index of the CHECK, fixed8 count, then `count` times fixed64 member,
 *		 fixed8 what becomes of it (enum verdict_outcome); members ascend
 *	ALARM	 fixed64 member, fixed8 kind (enum alarm_kind), fixed8 1: raised, 0: over.
 *		 As a frame, the same: what a member wants to be proposed
 *
 * Decoders give ERR_MALFORMED, or ERR_VERSION for what a newer version wrote.
 */

#include "base/codec.h"
#include "consensus/membership.h"
#include "storage/position.h"

void level_entry_encode(uint32_t level, struct buf *out);
MUST_USE int level_entry_decode(struct slice bytes, uint32_t *level);

void check_entry_encode(struct buf *out);
MUST_USE int check_entry_decode(struct slice bytes);

/* What a state is as of an entry, in short. */
struct digests {
	uint64_t index;
	uint64_t revision;
	uint64_t living;
	uint64_t history;
};

void digests_encode(const struct digests *d, struct buf *out);
MUST_USE int digests_decode(struct slice bytes, struct digests *d);

/* Numbers never change meaning. */
enum verdict_outcome {
	VERDICT_QUARANTINE = 1, /* its state is not that of a majority */
	VERDICT_RELEASE = 2,	/* it was in quarantine, and its state is */
};

struct verdict_item {
	uint64_t member;
	enum verdict_outcome outcome;
};

struct verdict {
	uint64_t index;
	uint32_t count;
	struct verdict_item items[MEMBERSHIP_MAX];
};

void verdict_encode(const struct verdict *v, struct buf *out);
MUST_USE int verdict_decode(struct slice bytes, struct verdict *v);

struct alarm_change {
	uint64_t member;
	enum alarm_kind kind;
	bool raised;
};

void alarm_encode(const struct alarm_change *a, struct buf *out);
MUST_USE int alarm_decode(struct slice bytes, struct alarm_change *a);

#endif
