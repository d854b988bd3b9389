#ifndef CONCLAVE_UNIT_CONSENSUS_SUPPORT_WORLD_PRINT_H
#define CONCLAVE_UNIT_CONSENSUS_SUPPORT_WORLD_PRINT_H

/* Consensus as text, for traces. */

#include "consensus/raft.h"

/* "7/2 foo": index, term, content. */
void text_entry(struct buf *out, uint64_t index, const struct entry *e);
void text_entries(struct buf *out, uint64_t first, const struct entry *entries, size_t count);

/* "1 2 3", "1 2 4 <- 1 2 3 ~5 -9": voters, old voters while joint, learners, removed. */
void text_membership(struct buf *out, const struct membership *m);

void text_message(struct buf *out, const struct raft_message *m);

/* What of a persist is worth telling. */
void text_persist(struct buf *out, const struct raft_persist *p);

/* What differs between two states of a member, " role, term 2 ..."; nothing if nothing does. */
void text_changes(struct buf *out, const struct raft_status *from, const struct raft_status *to);

void text_status(struct buf *out, const struct raft_status *s);

#endif
