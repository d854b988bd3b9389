#ifndef CONCLAVE_UNIT_CONSENSUS_SUPPORT_IMAGE_H
#define CONCLAVE_UNIT_CONSENSUS_SUPPORT_IMAGE_H

/* What a member's log holds on disk, as one value: writes are applied to it whole or not at all. */

#include "consensus/raft.h"

struct image {
	struct raft_hard_state hard;
	bool damaged;
	uint64_t base;
	uint64_t base_term;
	struct membership base_membership;
	struct entry *entries; /* base + 1 and following; blobs held */
	size_t count;
	size_t cap;
};

/* A raft_persist with everything in it owned. */
struct image_write {
	struct raft_persist persist;
	struct membership membership;
	struct entry *entries;
};

void image_free(struct image *image);

/* `to`, empty before, becomes equal to `from`; blobs are shared. */
void image_copy(struct image *to, const struct image *from);

uint64_t image_last(const struct image *image);

/* The entry at `index`, or NULL when it is not there. */
const struct entry *image_entry(const struct image *image, uint64_t index);

/* The term at `index`, base included; 0 when it is not known. */
uint64_t image_term(const struct image *image, uint64_t index);

/* The newest membership, or base's. The caller frees `out`, which is empty before. */
void image_membership(const struct image *image, struct membership *out);

/* Adds an entry behind the last one; its blob is held. */
void image_append(struct image *image, const struct entry *e);

/* Forgets what is above `index`. */
void image_cut(struct image *image, uint64_t index);

/* Forgets entries up to `index`. */
void image_release(struct image *image, uint64_t index);

/* A core from what is on disk, with the state machine at `applied`. Errors as raft_new. */
MUST_USE int image_start(const struct image *image, const struct raft_options *options,
			 uint64_t applied, uint64_t now_ms, struct raft **out);

struct image_write image_write_take(const struct raft_persist *persist);
void image_write_free(struct image_write *w);

/* What the disk holds once `w` is done. */
void image_apply(struct image *image, const struct image_write *w);

#endif
