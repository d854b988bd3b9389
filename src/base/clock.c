#include "base/clock.h"

#include "base/check.h"

#include <time.h>

static struct timespec clock_read(clockid_t id)
{
	struct timespec ts;

	CHECK(clock_gettime(id, &ts) == 0);
	return ts;
}

static uint64_t system_monotonic_us(void *ctx)
{
	struct timespec ts = clock_read(CLOCK_MONOTONIC);

	(void)ctx;
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static uint64_t system_wall_ms(void *ctx)
{
	struct timespec ts = clock_read(CLOCK_REALTIME);

	(void)ctx;
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

struct clock clock_system(void)
{
	return (struct clock){.monotonic_us = system_monotonic_us, .wall_ms = system_wall_ms};
}
