/* Whom a newcomer takes for members, by what those whom it asks say. */

#include "peer/company.h"

#include "base/error.h"
#include "base/mem.h"
#include "node/member.h"
#include "peer/peer_frame.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LEAVE_MS 1000

/* Where the kind of a frame stands (peer/peer_frame.h). */
#define KIND_AT 4

/* ---- wires that lead to the test ------------------------------------------------------------- */

struct test_wire {
	struct wire wire;
	struct list link; /* in the world, the newest last */
	char at[32];	  /* where it leads to */
	bool dialled;
	struct buf said; /* to the other end */
	struct buf heard;
};

/* A newcomer that was told to ask x1, and whoever it asks is the test. */
struct world {
	struct solo solo;
	struct wires wires;
	struct list all; /* wires */
	struct company *company;
};

static struct test_wire *of(struct wire *wire)
{
	return CONTAINER_OF(wire, struct test_wire, wire);
}

static struct wire *wire_make(struct wires *wires, struct slice host, uint16_t port)
{
	struct world *w = CONTAINER_OF(wires, struct world, wires);
	struct test_wire *t = MEM_NEW(struct test_wire);

	t->wire.wires = wires;
	snprintf(t->at, sizeof(t->at), "%.*s:%u", (int)host.len, (const char *)host.data, port);
	list_push_back(&w->all, &t->link);
	return &t->wire;
}

static void wire_is_dialled(struct wire *wire)
{
	of(wire)->dialled = true;
}

static void wire_moves_on(struct wire *wire)
{
	(void)wire;
}

static ssize_t wire_is_read(struct wire *wire, const struct iovec *to, int count)
{
	struct buf *heard = &of(wire)->heard;
	size_t n = MIN(heard->len, to[0].iov_len);

	(void)count;
	memcpy(to[0].iov_base, heard->data, n);
	buf_clear(heard);
	return (ssize_t)n;
}

static ssize_t wire_is_written(struct wire *wire, const struct iovec *from, int count)
{
	ssize_t n = 0;

	for (int i = 0; i < count; i++) {
		buf_append(&of(wire)->said, from[i].iov_base, from[i].iov_len);
		n += (ssize_t)from[i].iov_len;
	}
	return n;
}

static void wire_is_closed(struct wire *wire)
{
	of(wire)->dialled = false;
	buf_clear(&of(wire)->said);
}

static void wire_is_freed(struct wire *wire)
{
	struct test_wire *t = of(wire);

	list_remove(&t->link);
	buf_free(&t->said);
	buf_free(&t->heard);
	mem_free(t);
}

static void wire_is_described(struct wire *wire, struct buf *out)
{
	buf_printf(out, "%s", of(wire)->at);
}

static const struct wires_ops wires_ops = {
	.make = wire_make,
	.dial = wire_is_dialled,
	.move_on = wire_moves_on,
	.read = wire_is_read,
	.write = wire_is_written,
	.close = wire_is_closed,
	.free = wire_is_freed,
	.describe = wire_is_described,
};

/* ---- the world ------------------------------------------------------------------------------- */

static int world_begin(void **state)
{
	static struct world w;
	struct company_options options = {
		.wires = &w.wires,
		.clock = &w.solo.io.clock,
		.random = &w.solo.random,
		.name = "n9",
		.token = "token",
		.address = "n9:1",
		.join = "x1:1",
		.queued_bytes = 1000,
		.leave_ms = LEAVE_MS,
	};

	w = (struct world){.wires = {.ops = &wires_ops}};
	list_init(&w.all);
	solo_init(&w.solo);
	w.solo.options.driver.name_count = 0;
	if (solo_start(&w.solo) != OK)
		return -1;
	w.company = company_new(&options, w.solo.member);
	*state = &w;
	return 0;
}

static int world_end(void **state)
{
	struct world *w = *state;

	company_free(w->company);
	assert_true(list_empty(&w->all));
	solo_close(&w->solo);
	return 0;
}

static void turn(struct world *w)
{
	company_turn(w->company);
	solo_work(&w->solo);
	peers_flush(company_peers(w->company));
}

static void wait_ms(struct world *w, uint64_t ms)
{
	for (uint64_t till = w->solo.now_ms + ms; w->solo.now_ms < till;) {
		w->solo.now_ms += 10;
		turn(w);
	}
}

/* The wire on which it asks there to let it join, or NULL; on others it greets, in vain. */
static struct test_wire *asking(struct world *w, const char *at)
{
	list_for_each (it, &w->all) {
		struct test_wire *t = LIST_ITEM(it, struct test_wire, link);

		if (!t->dialled || strcmp(t->at, at) != 0)
			continue;
		if (t->said.len == 0)
			t->wire.events->opened(t->wire.ctx);
		if (t->said.len > KIND_AT && t->said.data[KIND_AT] == PEER_JOIN)
			return t;
	}
	return NULL;
}

/* Whoever is there is asked to let it join, and answers with this. */
static void answers_with(struct world *w, const char *at, uint64_t leader,
			 const struct membership *m)
{
	struct peer_joined joined = {.leader = leader};
	struct buf bytes = {0};
	struct test_wire *t;

	membership_encode(m, &bytes);
	joined.membership = buf_slice(&bytes);
	for (int i = 0; i < 1000 && !asking(w, at); i++)
		wait_ms(w, 10);
	t = asking(w, at);
	assert_non_null(t);
	peer_joined_encode(&joined, &t->heard);
	t->wire.events->readable(t->wire.ctx);
	buf_free(&bytes);
	turn(w);
}

static struct membership membership_of(const char *const *members)
{
	struct membership m = {0};

	for (uint64_t i = 0; members[i]; i++) {
		uint64_t id = (uint64_t)(members[i][1] - '0');

		assert_int_equal(membership_add_first(&m, id, slice_of_text(members[i])), OK);
	}
	return m;
}

static void answers(struct world *w, const char *at, uint64_t leader, const char *const *members)
{
	struct membership m = membership_of(members);

	answers_with(w, at, leader, &m);
	membership_free(&m);
}

static bool knows(struct world *w, uint64_t id)
{
	return peers_name_of(company_peers(w->company), id);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void who_leads_says_who_takes_part(void **state)
{
	struct world *w = *state;

	answers(w, "x1:1", 2, (const char *[]){"n1=a1:1", "n2=a2:1", "n3=a3:1", NULL});
	assert_true(knows(w, 1) && knows(w, 2) && knows(w, 3));
	answers(w, "a2:1", 2, (const char *[]){"n2=a2:1", "n3=a3:1", "n4=a4:1", NULL});
	wait_ms(w, LEAVE_MS + 100);
	assert_false(knows(w, 1));
	assert_true(knows(w, 2) && knows(w, 3) && knows(w, 4));
}

/*
 * It asks where it was told to: a member that others cannot reach, and that was away while the one
 * who leads came. Were its word to count, the newcomer would refuse the leader again and again, and
 * never get through with a state that takes longer than that.
 */
static void the_word_of_one_that_knows_no_leader_takes_nobody_away(void **state)
{
	struct world *w = *state;

	answers(w, "x1:1", 2, (const char *[]){"n2=a2:1", "n3=a3:1", NULL});
	for (int i = 0; i < 5; i++) {
		answers(w, "x1:1", 0, (const char *[]){"n1=x1:1", "n3=a3:1", NULL});
		wait_ms(w, LEAVE_MS + 100);
		assert_true(knows(w, 1) && knows(w, 2) && knows(w, 3));
	}
}

static void who_was_removed_hears_of_it_and_asks_no_more(void **state)
{
	struct world *w = *state;
	struct member_change removal = {.kind = MEMBER_REMOVE,
					.id = driver_id(member_driver(w->solo.member))};
	struct membership with = membership_of((const char *[]){"n2=a2:1", "n3=a3:1", NULL});
	struct membership m = {0};

	assert_int_equal(membership_add_first(&with, removal.id, SLICE_LITERAL("n9=n9:1")), OK);
	assert_int_equal(membership_change(&with, &removal, 1, &m), OK);
	answers_with(w, "x1:1", 0, &m);
	wait_ms(w, 10000);
	assert_null(asking(w, "x1:1"));
	assert_string_equal(
		solo_say(&w->solo, "GET a"),
		"-CLUSTERDOWN This member was removed from the cluster: connect to another one|");
	assert_int_equal(w->solo.failures, 0);
	membership_free(&with);
	membership_free(&m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)
	static const struct CMUnitTest tests[] = {
		TEST(who_leads_says_who_takes_part),
		TEST(the_word_of_one_that_knows_no_leader_takes_nobody_away),
		TEST(who_was_removed_hears_of_it_and_asks_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
