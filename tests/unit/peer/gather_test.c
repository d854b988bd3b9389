#include "peer/gather.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A wire that takes what there is room for, and is emptied at the other end. */
struct pipe {
	struct wires wires;
	struct wire wire;
	struct buf bytes;
	bool closed;
};

#define PIPE_ROOM 4096u

static ssize_t pipe_write(struct wire *w, const struct iovec *from, int count)
{
	struct pipe *p = CONTAINER_OF(w, struct pipe, wire);
	size_t before = p->bytes.len;

	if (p->closed) {
		w->problem = "nobody is there";
		return -1;
	}
	for (int i = 0; i < count; i++)
		buf_append(&p->bytes, from[i].iov_base,
			   MIN(from[i].iov_len, PIPE_ROOM - p->bytes.len));
	return (ssize_t)(p->bytes.len - before);
}

static const struct wires_ops pipe_ops = {.write = pipe_write};

static void pipe_open(struct pipe *p)
{
	*p = (struct pipe){.wires = {.ops = &pipe_ops}};
	p->wire.wires = &p->wires;
}

/* The stream that all pieces together are. */
static uint8_t byte_at(uint64_t at)
{
	return (uint8_t)(at * 13 + (at >> 8));
}

static void fill(uint8_t *to, uint64_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = byte_at(at + i);
}

static uint64_t drain(struct pipe *p, uint64_t at, size_t limit)
{
	size_t n = MIN(p->bytes.len, limit);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(p->bytes.data[i], byte_at(at++));
	buf_consume(&p->bytes, n);
	return at;
}

static void add_some(struct gather *g, uint64_t at, size_t len, bool held)
{
	struct blob *blob = blob_new(len + 7);

	fill(blob->data + 7, at, len);
	if (held)
		gather_add_held(g, slice_of(blob->data + 7, len), blob);
	else
		gather_add(g, slice_of(blob->data + 7, len));
	blob_release(blob);
}

static void pieces_arrive_in_order_however_much_is_taken(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 30; seed++) {
		uint64_t added = 0, drained = 0;
		struct gather g = {0};
		struct random random;
		struct pipe p;

		pipe_open(&p);
		random_seed(&random, seed);
		for (unsigned i = 0; i < 2000; i++) {
			size_t len =
				random_below(&random, random_chance(&random, 100000) ? 20000 : 90);

			add_some(&g, added, len, random_chance(&random, 500000));
			added += len;
			if (random_chance(&random, 300000))
				assert_true(gather_write(&g, &p.wire));
			if (random_chance(&random, 300000))
				drained = drain(&p, drained, random_between(&random, 1, 5000));
			assert_true(g.queued <= added - drained);
		}
		while (drained < added) {
			assert_true(gather_write(&g, &p.wire));
			drained = drain(&p, drained, 5000);
		}
		assert_int_equal(g.queued, 0);
		gather_free(&g);
		buf_free(&p.bytes);
	}
}

static void what_is_written_does_not_pile_up_while_the_queue_never_empties(void **state)
{
	uint64_t added = 0, drained = 0;
	struct gather g = {0};
	struct pipe p;

	(void)state;
	pipe_open(&p);
	for (unsigned i = 0; i < 20000; i++) {
		/* Small and large ones take turns, so that pieces do not grow together. */
		size_t len = i % 8 == 0 ? 5000 : 100;

		add_some(&g, added, len, true);
		added += len;
		while (g.queued > 100000) {
			assert_true(gather_write(&g, &p.wire));
			drained = drain(&p, drained, 5000);
		}
	}
	assert_true(g.bytes.cap < (1 << 20));
	assert_true(g.cap < 10000);
	gather_free(&g);
	buf_free(&p.bytes);
}

/* Many small ones come together behind a large one of which only a part is written yet. */
static void what_is_copied_between_what_is_held_stays_until_it_is_written(void **state)
{
	uint64_t added = 0, drained = 0;
	struct gather g = {0};
	struct pipe p;

	(void)state;
	pipe_open(&p);
	for (unsigned i = 0; i < 4; i++) {
		static const size_t lens[] = {5000, 100000, 5000, 50000};
		size_t len = lens[i];

		for (size_t done = 0; done < len; done += 5000) {
			add_some(&g, added, 5000, i % 2 == 0);
			added += 5000;
		}
	}
	while (drained < added) {
		assert_true(gather_write(&g, &p.wire));
		drained = drain(&p, drained, 1000);
	}
	gather_free(&g);
	buf_free(&p.bytes);
}

static void a_wire_that_ended_is_a_failure_and_what_is_held_is_let_go(void **state)
{
	struct blob *blob = blob_new(10000);
	struct gather g = {0};
	struct pipe p;

	(void)state;
	fill(blob->data, 0, 10000);
	pipe_open(&p);
	p.closed = true;
	gather_add_held(&g, slice_of(blob->data, 10000), blob);
	assert_int_equal(blob->refs, 2);
	assert_false(gather_write(&g, &p.wire));
	gather_free(&g);
	assert_int_equal(blob->refs, 1);
	blob_release(blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_arrive_in_order_however_much_is_taken),
		cmocka_unit_test(what_is_written_does_not_pile_up_while_the_queue_never_empties),
		cmocka_unit_test(what_is_copied_between_what_is_held_stays_until_it_is_written),
		cmocka_unit_test(a_wire_that_ended_is_a_failure_and_what_is_held_is_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
