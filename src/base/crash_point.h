#ifndef CONCLAVE_BASE_CRASH_POINT_H
#define CONCLAVE_BASE_CRASH_POINT_H

/*
 * Named places where a test can let a member die: between every two steps whose order matters.
 * The process passes no handler, or one that ends it at a chosen name; the simulator's handler
 * cuts the member off from its disk and network, so that whatever still runs has no effect.
 */

#include <stddef.h>

#define CRASH_POINTS(X)                                     \
	X(CRASH_TURN_BEGIN, "turn-begin")                   \
	X(CRASH_BEFORE_SEND, "before-send")                 \
	X(CRASH_BETWEEN_SENDS, "between-sends")             \
	X(CRASH_BEFORE_PERSIST, "before-persist")           \
	X(CRASH_AFTER_PERSIST_START, "after-persist-start") \
	X(CRASH_PERSISTED, "persisted")                     \
	X(CRASH_BEFORE_HELD_SEND, "before-held-send")       \
	X(CRASH_AFTER_HELD_SEND, "after-held-send")         \
	X(CRASH_BEFORE_APPLY, "before-apply")               \
	X(CRASH_BETWEEN_APPLIES, "between-applies")         \
	X(CRASH_AFTER_APPLY, "after-apply")                 \
	X(CRASH_BEFORE_SNAPSHOT, "before-snapshot")         \
	X(CRASH_SNAPSHOT_STORED, "snapshot-stored")         \
	X(CRASH_BEFORE_RELEASE, "before-release")           \
	X(CRASH_INSTALL_FETCHED, "install-fetched")         \
	X(CRASH_INSTALL_SWAPPED, "install-swapped")         \
	X(CRASH_INSTALL_LOG_RESET, "install-log-reset")     \
	X(CRASH_TURN_END, "turn-end")

enum crash_point {
#define CRASH_POINT_ENUM(id, name) id,
	CRASH_POINTS(CRASH_POINT_ENUM)
#undef CRASH_POINT_ENUM
		CRASH_POINT_COUNT,
};

struct crash_points {
	void (*hit)(void *ctx, enum crash_point point);
	void *ctx;
};

/* Says that this point was reached; `c` may be NULL. May not return. */
static inline void crash_point(const struct crash_points *c, enum crash_point point)
{
	if (c && c->hit)
		c->hit(c->ctx, point);
}

const char *crash_point_name(enum crash_point point);

#endif
