#ifndef CONCLAVE_STORAGE_VAULT_H
#define CONCLAVE_STORAGE_VAULT_H

/*
 * Where a member's engine lives, and how another one takes its place: a state that comes from
 * another member is built in a fresh engine beside the living one, and adopted when it is whole.
 * Which of the two a start opens changes in one atomic step.
 *
 * Calls may wait for a disk: they are made by the engine's writer, or before the loop runs.
 */

#include "base/compiler.h"

struct engine;
struct vault;

struct vault_ops {
	int (*begin)(struct vault *v, struct engine **fresh);
	int (*adopt)(struct vault *v, struct engine *fresh);
	void (*discard)(struct vault *v, struct engine *e);
};

struct vault {
	const struct vault_ops *ops;
};

/*
 * A fresh engine without rows; what an earlier attempt left is gone. At most one at a time.
 * ERR_NO_SPACE, ERR_IO.
 */
static inline MUST_USE int vault_begin(struct vault *v, struct engine **fresh)
{
	return v->ops->begin(v, fresh);
}

/*
 * From now on a start opens the fresh engine, durably. The one that lived so far goes on answering
 * until it is discarded. After an error it lives on, and the fresh one is to be discarded.
 */
static inline MUST_USE int vault_adopt(struct vault *v, struct engine *fresh)
{
	return v->ops->adopt(v, fresh);
}

/* Closes an engine that does not live (any more), and removes what it has on disk. NULL is nothing.
 */
static inline void vault_discard(struct vault *v, struct engine *e)
{
	if (e)
		v->ops->discard(v, e);
}

#endif
