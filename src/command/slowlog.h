#ifndef CONCLAVE_COMMAND_SLOWLOG_H
#define CONCLAVE_COMMAND_SLOWLOG_H

/* The newest commands of a member that took long to run; secrets do not stand in it. */

#include "base/list.h"
#include "command/command.h"

struct slowlog {
	struct list entries; /* newest first */
	size_t len;
	uint64_t next_id;
	int64_t slower_than_us; /* a command that takes so long is noted; negative: none is */
	uint64_t max_len;
};

/* As Redis has it by default: 128 of those that took 10 ms. */
void slowlog_init(struct slowlog *l);
void slowlog_close(struct slowlog *l);

/* No more than so many stay. */
void slowlog_limit(struct slowlog *l, int64_t slower_than_us, uint64_t max_len);

/* Who ran it, and when. */
struct slowlog_origin {
	uint64_t at_s; /* since 1970 */
	struct slice address;
	struct slice name;
};

/* A call that took so long, if that is worth noting. Its arguments are shortened. */
void slowlog_note(struct slowlog *l, const struct call *c, uint64_t usec,
		  const struct slowlog_origin *origin);

static inline bool slowlog_wants(const struct slowlog *l, uint64_t usec)
{
	return l->slower_than_us >= 0 && usec >= (uint64_t)l->slower_than_us;
}

void slowlog_reset(struct slowlog *l);

#endif
