/* Hashes, and reads of what was. */

#include "base/check.h"
#include "sim/callers.h"

#include <inttypes.h>

static unsigned below(struct caller *c, unsigned n)
{
	return (unsigned)random_below(&c->world->random, n);
}

static void draw_database(struct caller *c)
{
	work_use(c, below(c, 2) ? 0 : 2 + below(c, 2));
}

void work_hash(struct caller *c)
{
	unsigned key = below(c, 3);

	draw_database(c);
	switch (below(c, 6)) {
	case 0:
	case 1:
		ask(c, "HSET h%u f%u %u f%u v%u", key, below(c, 6), below(c, 100), below(c, 6),
		    below(c, 100));
		break;
	case 2:
		ask(c, "HDEL h%u f%u f%u", key, below(c, 6), below(c, 6));
		break;
	case 3:
	case 4:
		ask(c, "HINCRBY h%u n%u %u", key, below(c, 2), below(c, 10));
		break;
	case 5:
		ask(c, below(c, 3) ? "HDEL h%u f0 f1 f2 f3 f4 f5 n0 n1" : "DEL h%u", key);
		break;
	}
}

static void ask_fields(struct caller *c)
{
	switch (below(c, 3)) {
	case 0:
		ask(c, "HGETALL h%u", below(c, 3));
		break;
	case 1:
		ask(c, "HGET h%u f%u", below(c, 3), below(c, 6));
		break;
	case 2:
		ask(c, "HLEN h%u", below(c, 3));
		break;
	}
}

void work_fields(struct caller *c)
{
	draw_database(c);
	ask_fields(c);
}

/* A revision that this client may expect to be there, on this member. */
static uint64_t draw_revision(struct caller *c)
{
	uint64_t newest = c->readonly ? c->floor : MAX(c->floor, c->world->callers->floor);

	if (random_chance(&c->world->random, 300000) && newest > 20)
		return newest - below(c, 20);
	return random_below(&c->world->random, newest + 1);
}

void work_past(struct caller *c)
{
	uint64_t revision = draw_revision(c);
	struct asked *a = NULL;

	draw_database(c);
	switch (below(c, 6)) {
	case 0:
		a = ask(c, "AT %" PRIu64 " GET r%u", revision, below(c, c->world->profile.keys));
		break;
	case 1:
		a = ask(c, "AT %" PRIu64 " HGETALL h%u", revision, below(c, 3));
		break;
	case 2:
		a = ask(c, "AT %" PRIu64 " DBSIZE", revision);
		break;
	case 3:
		a = ask(c, "AT %" PRIu64 " MGET m0 m1 m2 t0 t1 p0 q0 x0 a0 a2", revision);
		break;
	case 4:
		a = ask(c, "AT %" PRIu64 " PEXPIRETIME t%u", revision, below(c, 4));
		break;
	case 5:
		a = ask(c, "AT %" PRIu64 " HGET h%u f%u", revision, below(c, 3), below(c, 6));
		break;
	}
	CHECK(a);
	a->past = true;
	a->revision = revision;
}

void work_history(struct caller *c)
{
	work_use(c, 0);
	ask(c, "HISTORY GET r%u", below(c, c->world->profile.keys));
}

/* Some revision, which may be there, may be below the horizon, and may be still to come. */
void work_compact(struct caller *c)
{
	uint64_t newest = c->world->callers->floor;

	if (c->multi)
		return;
	ask(c, "HISTORY COMPACT %" PRIu64, random_below(&c->world->random, newest + 3));
}
