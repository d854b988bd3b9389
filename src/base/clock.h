#ifndef CONCLAVE_BASE_CLOCK_H
#define CONCLAVE_BASE_CLOCK_H

/*
 * Time as something that is handed in: the process gives the system's clocks, a test or the
 * simulator its own. Nothing above this file asks the system for the time.
 */

#include <stdint.h>

struct clock {
	/* Microseconds since some start; never goes back, stands still while the machine sleeps. */
	uint64_t (*monotonic_us)(void *ctx);
	/* Milliseconds since 1970 as this machine believes; may jump either way. */
	uint64_t (*wall_ms)(void *ctx);
	void *ctx;
};

static inline uint64_t clock_monotonic_us(const struct clock *c)
{
	return c->monotonic_us(c->ctx);
}

static inline uint64_t clock_wall_ms(const struct clock *c)
{
	return c->wall_ms(c->ctx);
}

/* The system's clocks. */
struct clock clock_system(void);

#endif
