#include "feed.h"

#include "base/check.h"
#include "base/error.h"
#include "node/member_state.h"

#include <stdio.h>
#include <unistd.h>

#define WAIT_MS 100

void feed_init(struct feed *f, struct lone *l)
{
	struct member *m = l->member;
	struct position *p = store_position(m->store);

	*f = (struct feed){
		.lone = l,
		.origin = driver_id(m->driver) + 1,
		.index = p->index,
		.term = m->status.term,
	};
	f->incarnation = p->index;
	position_origin_add(p, f->origin)->incarnation = f->incarnation;
}

struct batch_header feed_header(struct feed *f, uint32_t count)
{
	struct batch_header h = {.member = f->origin,
				 .incarnation = f->incarnation,
				 .seq = f->seq + 1,
				 .term = f->term,
				 .count = count};

	f->seq += count;
	return h;
}

static void feed_stored(struct job *job)
{
	struct feed *f = job->owner;
	struct member *m = f->lone->member;
	struct buf where = {0};
	int rc = m->machine.store_done(m->machine.ctx, &where);

	if (rc != OK) {
		fprintf(stderr, "the state cannot be stored: %s\n", error_text(rc));
		_exit(1);
	}
	buf_free(&where);
	snapshot_free(&f->storing);
	f->stores = false;
}

static void feed_begin_store(struct feed *f)
{
	struct member *m = f->lone->member;
	struct job *job;

	f->storing.index = f->index;
	f->storing.term = f->term;
	membership_copy(&f->storing.membership, driver_membership(m->driver));
	job = m->machine.store(m->machine.ctx, &f->storing);
	job->done = feed_stored;
	job->owner = f;
	f->stores = true;
	m->io->run(m->io->ctx, LANE_SNAPSHOT, job);
}

/* What a turn does beside applying. */
static void feed_turn(struct feed *f)
{
	struct member *m = f->lone->member;

	lone_complete(f->lone);
	if (!f->stores && !m->machine.is_within(m->machine.ctx) &&
	    m->machine.wants_store(m->machine.ctx))
		feed_begin_store(f);
	member_prefetch_turn(m);
	member_store_turn(m);
}

void feed_run(struct feed *f, struct blob *const *batches, size_t count)
{
	struct member *m = f->lone->member;
	struct entry e = {
		.kind = ENTRY_BATCH, .term = f->term, .stamp = clock_wall_ms(&m->io->clock)};

	for (size_t i = 0; i < count; i++) {
		e.blob = batches[i];
		e.data = e.blob->data;
		e.len = (uint32_t)e.blob->len;
		m->driver_events.appended(m->driver_events.ctx, f->index + 1 + i, &e, 1);
	}
	feed_turn(f);
	for (size_t i = 0; i < count; i++) {
		e.blob = batches[i];
		e.data = e.blob->data;
		e.len = (uint32_t)e.blob->len;
		while (!m->machine.apply(m->machine.ctx, f->index + 1, &e)) {
			feed_turn(f);
			lone_wait(f->lone, WAIT_MS);
		}
		f->index++;
	}
}

static void feed_finish_store(struct feed *f)
{
	while (f->stores) {
		lone_wait(f->lone, WAIT_MS);
		lone_complete(f->lone);
	}
}

void feed_store(struct feed *f)
{
	feed_finish_store(f);
	feed_begin_store(f);
	feed_finish_store(f);
}
