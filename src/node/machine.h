#ifndef CONCLAVE_NODE_MACHINE_H
#define CONCLAVE_NODE_MACHINE_H

/*
 * The state machine as the driver sees it: committed entries go in, in order, once each; its state
 * can be stored, and replaced by another member's. What is stored is one consistent state
 * together with the index it belongs to.
 *
 * Storing and replacing are jobs. The driver has at most one of each under way, and applies nothing
 * between install_swap and install_done.
 */

#include "base/entry.h"
#include "base/job.h"
#include "consensus/snapshot.h"

struct machine {
	void *ctx;

	/*
	 * The entry at `index` is committed. Called for every kind, in order, without gaps. False:
	 * not yet; it comes again with a later turn, and the machine remembers how far it got.
	 */
	bool (*apply)(void *ctx, uint64_t index, const struct entry *e);

	/* Whether it stands within an entry: then there is no state to be stored. */
	bool (*is_within)(void *ctx);

	/* Whether the state should be stored now, beside what the driver's own count says. */
	bool (*wants_store)(void *ctx);

	/*
	 * Stores the state as it is now, which is that of `s` (index, term, membership are set,
	 * `where` is not). The job's end makes it durable.
	 */
	struct job *(*store)(void *ctx, const struct snapshot *s);

	/*
	 * After the job: OK, and `where` says how others find it. Or why not: then `store` is
	 * called again with the same `s`, however far applying has got.
	 */
	int (*store_done)(void *ctx, struct buf *where);

	/*
	 * Gets the state of `s` from another member and keeps it beside the living one. NULL: the
	 * machine does that by itself, and calls driver_install_fetched when it is done.
	 */
	struct job *(*install_fetch)(void *ctx, uint64_t from, const struct snapshot *s);

	/* After the job: OK, or why it could not be had. */
	int (*install_fetched)(void *ctx);

	/* Makes what was fetched the durable state of this member. */
	struct job *(*install_swap)(void *ctx);

	/* After the job: the living state is the new one (OK), or still the old. */
	int (*install_done)(void *ctx);

	/* What was fetched is no longer wanted. */
	void (*install_drop)(void *ctx);
};

#endif
