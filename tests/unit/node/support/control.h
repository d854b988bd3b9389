#ifndef CONCLAVE_UNIT_NODE_SUPPORT_CONTROL_H
#define CONCLAVE_UNIT_NODE_SUPPORT_CONTROL_H

/* Entries put into the log of a lone member as they are, whoever would propose them. */

#include "node/batch.h"
#include "node/control_entry.h"
#include "solo.h"

/* As its payload; empties `bytes`. It is applied when this returns. */
void control_propose(struct solo *s, uint8_t kind, struct buf *bytes);

void control_level(struct solo *s, uint32_t level);
void control_verdict(struct solo *s, uint64_t member, enum verdict_outcome outcome);
void control_alarm(struct solo *s, uint64_t member, bool raised);
void control_register(struct solo *s, uint64_t member, uint64_t replaces, uint32_t level);

/* `SET <key> v` in the name of that member, as its command `seq`. */
void control_set(struct solo *s, uint64_t member, uint64_t seq, const char *key, uint64_t flags,
		 uint32_t level);

/* The state as applied. */
const struct position *control_position(const struct solo *s);

#endif
