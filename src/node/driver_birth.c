/* The beginning: the birth of a cluster, and finding out after a start whether anybody leads. */

#include "base/check.h"
#include "base/error.h"
#include "base/mutant.h"
#include "consensus/birth.h"
#include "lease/cluster_time.h"
#include "node/driver_state.h"

#include <inttypes.h>

/* After a start, others are asked for this many election timeouts whether they know a leader. */
#define ASK_TIMEOUTS 2

int driver_birth_begin(struct driver *d, const struct membership *base)
{
	struct raft_status s;
	int rc;

	raft_status(d->raft, &s);
	d->ask_due_ms = driver_now_ms(d);
	d->ask_until_ms = d->ask_due_ms + ASK_TIMEOUTS * (uint64_t)d->options.raft.election_ms;
	if (s.born)
		return OK;
	d->unborn = true;
	rc = birth_init(&d->birth, d->options.name, d->id, d->options.names, d->options.name_count);
	if (rc == OK && base->count)
		rc = birth_resume(&d->birth, base);
	if (rc == ERR_INVALID)
		LOG(d->io->logger, LOG_ERROR,
		    "the initial members that were given are not those that this directory was "
		    "begun with, or this member's name is not among them");
	return rc;
}

/* The first membership goes to disk as the one that holds before the first entry. */
static void birth_hold(struct driver *d)
{
	struct membership m = {0};
	struct buf bytes = {0};
	struct log_reset reset = {0};
	struct log_batch batch = {.reset = &reset};

	birth_membership(&d->birth, &m);
	membership_encode(&m, &bytes);
	reset.membership = buf_slice(&bytes);
	d->birth_ticket = log_add(d->log, &batch);
	buf_free(&bytes);
	membership_free(&m);
}

static void birth_end(struct driver *d)
{
	struct membership m = {0};
	int rc;

	birth_membership(&d->birth, &m);
	rc = driver_raft_restart(d, &m);
	CHECK(rc == OK);
	membership_free(&m);
	d->unborn = false;
	LOG(d->io->logger, LOG_NOTICE, "the cluster is born with %u member%s", d->birth.count,
	    d->birth.count == 1 ? "" : "s");
	raft_born(d->raft, driver_now_ms(d));
}

static void birth_send(struct driver *d, struct birth_hello *hello, struct slice to)
{
	struct frame frame = {.kind = FRAME_BIRTH};

	hello->wall_ms = clock_wall_ms(&d->io->clock);
	buf_clear(&d->frame);
	birth_hello_encode(hello, &d->frame);
	frame.head = buf_slice(&d->frame);
	d->io->send_to_name(d->io->ctx, to, &frame);
}

static void birth_say_hello(struct driver *d)
{
	struct birth_hello hello = birth_hello(&d->birth);
	struct buf awaited = {0};

	for (size_t i = 0; i < d->options.name_count; i++)
		if (!slice_equal(d->options.names[i], d->options.name))
			birth_send(d, &hello, d->options.names[i]);
	birth_awaited(&d->birth, &awaited);
	if (!d->awaited_told && awaited.len && d->options.name_count > 1)
		LOG(d->io->logger, LOG_NOTICE, "waits for %.*s", (int)awaited.len,
		    (const char *)awaited.data);
	d->awaited_told = true;
	buf_free(&awaited);
}

static void ask_who_leads(struct driver *d)
{
	const struct membership *m = raft_membership(d->raft);

	buf_clear(&d->frame);
	buf_append_fixed64(&d->frame, d->id);
	for (uint32_t i = 0; i < m->count; i++)
		if (m->members[i].id != d->id)
			driver_send_frame(d, m->members[i].id, FRAME_WHO_LEADS);
}

static void driver_birth_step(struct driver *d)
{
	if (d->birth.state == BIRTH_HOLDING && !d->birth_ticket)
		birth_hold(d);
	if (d->birth.state == BIRTH_HOLDING && log_durable_ticket(d->log) >= d->birth_ticket) {
		birth_stored(&d->birth);
		d->awaited_told = false;
		d->ask_due_ms = driver_now_ms(d);
	}
	if (d->birth.state == BIRTH_BORN)
		birth_end(d);
}

void driver_birth_turn(struct driver *d)
{
	uint64_t now = driver_now_ms(d);
	struct raft_status s;

	if (d->unborn)
		driver_birth_step(d);
	if (now < d->ask_due_ms)
		return;
	d->ask_due_ms = now + d->options.raft.heartbeat_ms;
	if (d->unborn) {
		birth_say_hello(d);
		return;
	}
	raft_status(d->raft, &s);
	if (s.leader || now >= d->ask_until_ms)
		d->ask_due_ms = UINT64_MAX;
	else
		ask_who_leads(d);
}

/*
 * Whether this member may be born together with the one that says hello: what a cluster promises
 * about time begins with the clocks that it is born with. Of one that exists already there is
 * nothing to refuse any more.
 */
static bool clocks_agree(struct driver *d, const struct birth_hello *hello)
{
	uint64_t own_ms = clock_wall_ms(&d->io->clock);
	bool agree = hello->born || cluster_time_clocks_agree(own_ms, hello->wall_ms) ||
		     MUTANT(birth_with_any_clock);

	for (size_t i = 0; i < d->options.name_count; i++) {
		if (!slice_equal(d->options.names[i], hello->name))
			continue;
		if (!agree && !d->apart_told[i])
			LOG(d->io->logger, LOG_ERROR,
			    "the clock of member %.*s is %" PRIu64 " s %s this member's: a cluster "
			    "is not born while clocks are more than %u s apart. Set the one that "
			    "is wrong",
			    (int)hello->name.len, (const char *)hello->name.data,
			    (MAX(own_ms, hello->wall_ms) - MIN(own_ms, hello->wall_ms)) / 1000,
			    hello->wall_ms > own_ms ? "ahead of" : "behind",
			    (unsigned)CLUSTER_TIME_APART_MS / 1000);
		d->apart_told[i] = !agree;
	}
	return agree;
}

void driver_birth_hear(struct driver *d, struct slice body)
{
	struct birth_hello hello, echo;
	int rc = birth_hello_decode(body, &hello);

	if (rc != OK) {
		LOG(d->io->logger, LOG_WARNING, "a malformed hello was ignored");
		return;
	}
	if (!d->unborn) {
		/* Whoever takes part, and only he, hears that the cluster exists. */
		if (!hello.born && membership_find(raft_membership(d->raft), hello.id)) {
			echo = birth_echo(d->options.name, d->id, &hello);
			birth_send(d, &echo, hello.name);
		}
		return;
	}
	if (!clocks_agree(d, &hello))
		return;
	rc = birth_hear(&d->birth, &hello);
	if (rc != OK)
		LOG(d->io->logger, LOG_WARNING,
		    "member %.*s says it is %016" PRIx64 ", which is not who it was: its directory "
		    "is another one. Replace the member, then let it join",
		    (int)hello.name.len, (const char *)hello.name.data, hello.id);
}

void driver_hear_who_leads(struct driver *d, struct slice body)
{
	struct cursor c = cursor_of(body);
	uint64_t from = cursor_fixed64(&c);
	struct raft_status s;

	if (!cursor_done(&c))
		return;
	raft_status(d->raft, &s);
	buf_clear(&d->frame);
	buf_append_fixed64(&d->frame, d->id);
	buf_append_fixed64(&d->frame, s.leader);
	driver_send_frame(d, from, FRAME_LEADS);
}

void driver_hear_leads(struct driver *d, struct slice body)
{
	struct cursor c = cursor_of(body);
	uint64_t from = cursor_fixed64(&c);
	uint64_t leader = cursor_fixed64(&c);

	if (cursor_done(&c) && leader == 0)
		raft_peer_resting(d->raft, driver_now_ms(d), from);
}
