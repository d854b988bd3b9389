/*
 * A small cluster to look at: three members are born, elect, replicate, lose their leader, are cut
 * apart, and mend a damaged log. Every step waits for what it claims; what is not seen in time
 * ends the demo with an error.
 */

#include "base/error.h"
#include "base/mem.h"
#include "sim/commands.h"
#include "sim/demo.h"

#include <inttypes.h>
#include <stdio.h>

#define DEMO_SEED    7
#define DEMO_MEMBERS 3

/* Virtual milliseconds within which anything that should happen has to. */
#define PATIENCE_MS 8000

/* A log that is idle so long is covered to its end: what is damaged is not taken for torn. */
#define QUIET_MS 500

/* The value that is damaged on a disk later on. */
#define DAMAGED_VALUE 4

struct story {
	struct demo demo;
	struct host *members; /* DEMO_MEMBERS of them */
	struct host *leader;
	uint64_t value; /* of x, as acknowledged last */
};

/* ---- what is awaited ------------------------------------------------------------------------- */

static struct raft_status status_of(const struct host *h)
{
	struct raft_status s;

	driver_status(h->driver, &s);
	return s;
}

static bool seen_all_born(struct demo *d, const void *arg)
{
	for (unsigned i = 0; i < DEMO_MEMBERS; i++)
		if (d->world.hosts[i].state != HOST_UP || !status_of(&d->world.hosts[i]).born)
			return false;
	(void)arg;
	return true;
}

static bool seen_leader(struct demo *d, const void *arg)
{
	(void)arg;
	return world_leader(&d->world);
}

/* Somebody leads who is not `arg`. */
static bool seen_other_leader(struct demo *d, const void *arg)
{
	const struct host *h = world_leader(&d->world);

	return h && h != arg;
}

static bool seen_no_office(struct demo *d, const void *arg)
{
	(void)d;
	return status_of(arg).role != RAFT_LEADER && status_of(arg).leader == 0;
}

static bool seen_read(struct demo *d, const void *arg)
{
	(void)arg;
	return d->read_answered;
}

/* All members have applied the same, up to the end of the leader's log. */
static bool seen_equal(struct demo *d, const void *arg)
{
	struct host *leader = world_leader(&d->world);
	uint64_t last;

	(void)arg;
	if (!leader)
		return false;
	last = status_of(leader).last;
	for (unsigned i = 0; i < DEMO_MEMBERS; i++) {
		struct host *h = &d->world.hosts[i];

		if (h->state != HOST_UP || h->kv.index != last || h->kv.digest != leader->kv.digest)
			return false;
	}
	return true;
}

static bool seen_whole(struct demo *d, const void *arg)
{
	const struct host *h = arg;

	return !d->damaged[h->index] && seen_equal(d, NULL);
}

/* ---- what the client does -------------------------------------------------------------------- */

/* The names of the members that have the entry on disk. */
static void disks_with(struct story *s, const struct demo_write *p, struct buf *out)
{
	for (unsigned i = 0; i < DEMO_MEMBERS; i++) {
		struct host *h = &s->members[i];

		if (h->state == HOST_UP && status_of(h).durable >= p->index &&
		    raft_term_at(driver_raft(h->driver), p->index) == p->term)
			buf_printf(out, "%s%s", out->len ? ", " : "", h->name);
	}
}

/* Writes the next value of x at the leader and waits until that is acknowledged. */
static bool write_next(struct story *s)
{
	struct demo *d = &s->demo;
	struct demo_write p;
	struct buf disks = {0};
	uint64_t asked_us = d->world.now_us;

	s->leader = world_leader(&d->world);
	if (!demo_write(d, s->leader, s->value + 1, &p)) {
		demo_say(d, s->leader, "NOT SEEN: takes a write");
		return false;
	}
	if (!demo_await(d, PATIENCE_MS, "the write is acknowledged", demo_acknowledged, &p))
		return false;
	disks_with(s, &p, &disks);
	demo_say(d, s->leader,
		 "x = %" PRIu64 " is acknowledged after %.1f ms: entry %" PRIu64
		 ", on the disks of %.*s",
		 p.value, demo_ms(d, asked_us), p.index, (int)disks.len, (const char *)disks.data);
	buf_free(&disks);
	s->value = p.value;
	return true;
}

/* Reads x at any member, and expects what was acknowledged last. */
static bool read_at(struct story *s, struct host *h)
{
	struct demo *d = &s->demo;

	if (demo_read(d, h) != OK) {
		demo_say(d, h, "NOT SEEN: takes a read");
		return false;
	}
	if (!demo_await(d, PATIENCE_MS, "the read is answered", seen_read, NULL))
		return false;
	demo_say(d, h, "is asked for x and answers %" PRIu64, d->read_value);
	if (d->read_value == s->value)
		return true;
	demo_say(d, h, "WRONG: %" PRIu64 " was acknowledged", s->value);
	return false;
}

/* ---- the steps ------------------------------------------------------------------------------- */

static void chapter(const char *title)
{
	printf("\n%s\n", title);
}

static void start_new(struct story *s, struct host *h)
{
	host_start(h);
	demo_say(&s->demo, h, "starts in an empty directory and takes the id %016" PRIx64, h->id);
}

static bool step_birth(struct story *s)
{
	struct demo *d = &s->demo;

	chapter("Birth: nobody votes before all three know each other");
	start_new(s, &s->members[0]);
	start_new(s, &s->members[1]);
	if (!demo_never(d, 2000, "nobody is born without the third", seen_leader, NULL))
		return false;
	demo_say(d, NULL, "two of three are there: still no election");
	start_new(s, &s->members[2]);
	return demo_await(d, PATIENCE_MS, "all are born", seen_all_born, NULL) &&
	       demo_await(d, PATIENCE_MS, "a leader", seen_leader, NULL) &&
	       demo_await(d, PATIENCE_MS, "all hear of it", seen_equal, NULL);
}

static bool step_writes(struct story *s)
{
	chapter("Writes: acknowledged when a majority has them on disk");
	for (int i = 0; i < 3; i++)
		if (!write_next(s))
			return false;
	return read_at(s, &s->members[(s->leader->index + 1) % DEMO_MEMBERS]);
}

/* Somebody else leads and takes a write. */
static bool next_leader(struct story *s, const struct host *old)
{
	struct demo *d = &s->demo;
	uint64_t since_us = d->world.now_us;
	bool ok;

	d->since_us = since_us;
	ok = demo_await(d, PATIENCE_MS, "the next leader", seen_other_leader, old) && write_next(s);
	d->since_us = 0;
	if (ok)
		demo_say(d, NULL, "%.1f ms from the loss of the leader to that acknowledgement",
			 demo_ms(d, since_us));
	return ok;
}

static bool step_leader_dies(struct story *s)
{
	struct demo *d = &s->demo;
	struct host *dead = s->leader;
	uint64_t told;

	chapter("The leader is killed");
	told = d->world.counts.n[COUNT_HINT_GONE];
	demo_pass(d, 20); /* what it has sent arrives; a late word from it would be believed */
	demo_kill(d, dead);
	told = d->world.counts.n[COUNT_HINT_GONE] - told;
	demo_say(d, dead, "is killed (kill -9); %" PRIu64 " of the others see that nobody listens",
		 told);
	if (!next_leader(s, dead) || !write_next(s))
		return false;
	host_start(dead);
	demo_say(d, dead,
		 "comes back with %" PRIu64 " entries on its disk; the leader has %" PRIu64,
		 status_of(dead).last, status_of(s->leader).last);
	if (!demo_await(d, PATIENCE_MS, "the member catches up", seen_equal, NULL))
		return false;
	demo_say(d, dead, "has caught up: entry %" PRIu64 ", the same digest as the others",
		 dead->kv.index);
	return true;
}

static void set_cut(struct story *s, const struct host *h, bool cut)
{
	struct world *w = &s->demo.world;

	for (unsigned i = 0; i < w->host_count; i++)
		if (i != h->index)
			w->links[i][h->index].cut = w->links[h->index][i].cut = cut;
}

/* What a cut-off leader was asked comes to nothing: no answer may be wrong. */
static bool step_cut_off(struct story *s)
{
	struct demo *d = &s->demo;
	struct host *alone = s->leader;
	struct demo_write lost;

	chapter("The leader is cut off");
	set_cut(s, alone, true);
	demo_say(d, alone, "is cut off from both others and does not know it yet");
	if (demo_read(d, alone) != OK || !demo_write(d, alone, 1000, &lost)) {
		demo_say(d, alone, "NOT SEEN: takes a read and a write");
		return false;
	}
	demo_say(d, alone, "is asked for x, and to set x = 1000: both wait for a majority");
	if (!next_leader(s, alone) ||
	    !demo_await(d, PATIENCE_MS, "the one that is alone steps down", seen_no_office, alone))
		return false;
	if (d->read_answered || demo_acknowledged(d, &lost)) {
		demo_say(d, alone, "WRONG: it answered although it was alone");
		return false;
	}
	if (demo_read(d, alone) != ERR_UNAVAILABLE) {
		demo_say(d, alone, "NOT SEEN: refuses a read");
		return false;
	}
	demo_say(d, alone, "has answered neither; asked for x again, it refuses");
	set_cut(s, alone, false);
	demo_say(d, alone, "can reach the others again");
	if (!demo_await(d, PATIENCE_MS, "it follows the new leader", seen_equal, NULL))
		return false;
	demo_say(d, alone, "has dropped x = 1000, which nobody acknowledged, and caught up");
	return read_at(s, alone);
}

/* The damaged member and one other are two of three, and yet they elect nobody. */
static bool step_damage(struct story *s)
{
	struct demo *d = &s->demo;
	struct host *leader = s->leader;
	struct host *hurt = &s->members[(leader->index + 1) % DEMO_MEMBERS];

	chapter("A log is damaged");
	demo_pass(d, QUIET_MS);
	demo_kill(d, hurt);
	demo_kill(d, leader);
	demo_say(d, NULL, "%s and %s are killed", hurt->name, leader->name);
	if (!demo_flip(d, hurt, DAMAGED_VALUE)) {
		demo_say(d, hurt, "NOT SEEN: x = %d on its disk", DAMAGED_VALUE);
		return false;
	}
	demo_say(d, hurt, "while it is down, a bit of x = %d flips on its disk", DAMAGED_VALUE);
	host_start(hurt);
	if (hurt->state != HOST_UP || !status_of(hurt).damaged) {
		demo_say(d, hurt, "NOT SEEN: notices the damage");
		return false;
	}
	demo_say(d, hurt, "runs with %" PRIu64 " entries, but its vote does not count",
		 status_of(hurt).last);
	if (!demo_never(d, 5000, "no election with a damaged log", seen_leader, NULL))
		return false;
	demo_say(d, NULL, "5 s later two of three run and nobody leads: nothing may be lost");
	host_start(leader);
	demo_say(d, leader, "comes back");
	return demo_await(d, PATIENCE_MS, "the damaged member is whole", seen_whole, hurt);
}

static bool step_end(struct story *s)
{
	struct demo *d = &s->demo;

	chapter("The end");
	if (!write_next(s) || !demo_await(d, PATIENCE_MS, "all are equal", seen_equal, NULL))
		return false;
	for (unsigned i = 0; i < DEMO_MEMBERS; i++) {
		const struct host *h = &s->members[i];

		demo_say(d, h, "entry %" PRIu64 ", digest %016" PRIx64 ", x = %" PRIu64,
			 h->kv.index, h->kv.digest, h->kv.cells[0].value);
		if (h->kv.cells[0].value != s->value) {
			demo_say(d, h, "WRONG: %" PRIu64 " was acknowledged", s->value);
			return false;
		}
	}
	printf("\nAll three are equal, and no acknowledged write was lost.\n");
	return true;
}

int command_demo(void)
{
	static bool (*const steps[])(struct story *) = {step_birth,   step_writes, step_leader_dies,
							step_cut_off, step_damage, step_end};
	struct story *s = MEM_NEW(struct story);
	bool ok = true;

	printf("Three members in one process, on simulated disks, network and clocks: each line "
	       "is\n"
	       "something that the real code did at that virtual time. x is a key.\n");
	demo_open(&s->demo, DEMO_SEED);
	s->members = s->demo.world.hosts;
	for (size_t i = 0; ok && i < ARRAY_LEN(steps); i++)
		ok = steps[i](s);
	demo_close(&s->demo);
	mem_free(s);
	return ok ? 0 : 1;
}
