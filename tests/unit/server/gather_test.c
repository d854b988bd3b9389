#include "server/gather.h"

#include "base/random.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct pipe_pair {
	int in;
	int out;
};

static void pair_open(struct pipe_pair *p)
{
	int fds[2], small = 4096;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	*p = (struct pipe_pair){.in = fds[0], .out = fds[1]};
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

static uint64_t drain(const struct pipe_pair *p, uint64_t at, size_t limit)
{
	uint8_t got[5000];
	ssize_t n = read(p->out, got, MIN(limit, sizeof(got)));

	for (ssize_t i = 0; i < n; i++)
		assert_int_equal(got[i], byte_at(at++));
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
		struct pipe_pair p;

		pair_open(&p);
		random_seed(&random, seed);
		for (unsigned i = 0; i < 2000; i++) {
			size_t len =
				random_below(&random, random_chance(&random, 100000) ? 20000 : 90);

			add_some(&g, added, len, random_chance(&random, 500000));
			added += len;
			if (random_chance(&random, 300000))
				assert_int_not_equal(gather_write(&g, p.in), GATHER_FAILED);
			if (random_chance(&random, 300000))
				drained = drain(&p, drained, random_between(&random, 1, 5000));
			assert_true(g.queued <= added - drained);
		}
		while (drained < added) {
			enum gather_outcome outcome = gather_write(&g, p.in);

			assert_int_equal(outcome, g.queued ? GATHER_FULL : GATHER_DONE);
			drained = drain(&p, drained, 5000);
		}
		assert_int_equal(g.queued, 0);
		gather_free(&g);
		close(p.in);
		close(p.out);
	}
}

static void what_is_written_does_not_pile_up_while_the_queue_never_empties(void **state)
{
	uint64_t added = 0, drained = 0;
	struct gather g = {0};
	struct pipe_pair p;

	(void)state;
	pair_open(&p);
	for (unsigned i = 0; i < 20000; i++) {
		/* Small and large ones take turns, so that pieces do not grow together. */
		size_t len = i % 8 == 0 ? 5000 : 100;

		add_some(&g, added, len, true);
		added += len;
		while (g.queued > 100000) {
			(void)gather_write(&g, p.in);
			drained = drain(&p, drained, 5000);
		}
	}
	assert_true(g.bytes.cap < (1 << 20));
	assert_true(g.cap < 10000);
	gather_free(&g);
	close(p.in);
	close(p.out);
}

static void a_closed_socket_is_a_failure_and_what_is_held_is_let_go(void **state)
{
	struct blob *blob = blob_new(10000);
	struct gather g = {0};
	struct pipe_pair p;

	(void)state;
	fill(blob->data, 0, 10000);
	pair_open(&p);
	close(p.out);
	gather_add_held(&g, slice_of(blob->data, 10000), blob);
	assert_int_equal(blob->refs, 2);
	assert_int_equal(gather_write(&g, p.in), GATHER_FAILED);
	assert_int_equal(errno, EPIPE);
	gather_free(&g);
	assert_int_equal(blob->refs, 1);
	blob_release(blob);
	close(p.in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_arrive_in_order_however_much_is_taken),
		cmocka_unit_test(what_is_written_does_not_pile_up_while_the_queue_never_empties),
		cmocka_unit_test(a_closed_socket_is_a_failure_and_what_is_held_is_let_go),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
