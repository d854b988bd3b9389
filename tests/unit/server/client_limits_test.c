/*
 * How long a connection may be idle, and how much may wait for it: the clients alone, with a member
 * that is played, and a clock that the test moves.
 */

#include "support/fake_member.h"

#include "base/error.h"
#include "server/clients.h"

#include <errno.h>
#include <ev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define REPLY_LEN ((size_t)16 << 10)

struct house {
	struct ev_loop *ev;
	struct node_io io;
	struct member_events events;
	struct member *member;
	struct fake_member *played;
	struct options options;
	struct resp_limits limits;
	struct clients *clients;
	uint64_t now_ms;
	int fd; /* the client's end */
};

static int begin(void **state)
{
	static struct house h;
	struct member_options member = member_options_default();
	struct clients_options options;
	struct buf problem = {0};
	char *nothing[] = {NULL};

	h = (struct house){.ev = ev_loop_new(0), .now_ms = 1000000, .limits = RESP_LIMITS_DEFAULT};
	h.io.clock = clock_system();
	assert_int_equal(member_new(&h.member, &member, &h.io, NULL, &h.events), OK);
	h.played = fake_member();
	assert_int_equal(options_load(&h.options, 0, nothing, nothing, &problem), OK);
	options = (struct clients_options){.ev = h.ev,
					   .member = h.member,
					   .limits = &h.limits,
					   .settings = &h.options,
					   .max = 10};
	h.clients = clients_new(&options);
	buf_free(&problem);
	*state = &h;
	return 0;
}

static int end(void **state)
{
	struct house *h = *state;

	close(h->fd);
	clients_free(h->clients);
	member_free(h->member);
	options_free(&h->options);
	ev_loop_destroy(h->ev);
	return 0;
}

static void connect_one(struct house *h)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	clients_accept(h->clients, fds[0]);
	h->fd = fds[1];
}

/* So much time passes, and then all that can happen does. */
static void pass(struct house *h, uint64_t ms)
{
	h->now_ms += ms;
	for (int i = 0; i < 3; i++) {
		ev_run(h->ev, EVRUN_NOWAIT);
		member_turn(h->member);
		(void)clients_turn(h->clients, h->now_ms);
	}
}

/* Sends all of it, though nobody reads the replies. */
static void say(struct house *h, struct slice bytes)
{
	for (int tries = 0; bytes.len > 0; tries++) {
		ssize_t n = write(h->fd, bytes.data, bytes.len);

		assert_true(n > 0 || errno == EAGAIN);
		assert_true(tries < 10000);
		if (n > 0)
			bytes = slice_of(bytes.data + n, bytes.len - (size_t)n);
		pass(h, 0);
	}
}

static void say_text(struct house *h, const char *text)
{
	say(h, slice_of_text(text));
}

/* A request whose reply has REPLY_LEN bytes and then some, so many times. */
static void ask_much(struct house *h, size_t times)
{
	struct buf text = {0};

	buf_printf(&text, "*2\r\n$4\r\nECHO\r\n$%zu\r\n", REPLY_LEN);
	memset(buf_reserve(&text, REPLY_LEN), 'x', REPLY_LEN);
	buf_commit(&text, REPLY_LEN);
	buf_append_slice(&text, SLICE_LITERAL("\r\n"));
	while (times-- > 0)
		say(h, buf_slice(&text));
	buf_free(&text);
}

/* What came, up to the end (true) or up to now. */
static bool hear(struct house *h, struct buf *out)
{
	ssize_t n;

	for (;;) {
		n = read(h->fd, buf_reserve(out, 65536), 65536);
		if (n <= 0)
			break;
		buf_commit(out, (size_t)n);
		pass(h, 0);
	}
	assert_true(n == 0 || errno == EAGAIN);
	return n == 0;
}

static void expect(struct house *h, const char *text, bool ends)
{
	struct buf heard = {0};

	assert_int_equal(hear(h, &heard), ends);
	assert_true(slice_equal(buf_slice(&heard), slice_of_text(text)));
	buf_free(&heard);
}

static void who_asks_nothing_for_too_long_is_let_go(void **state)
{
	struct house *h = *state;

	h->options.timeout_s = 10;
	connect_one(h);
	pass(h, 0);
	for (int i = 0; i < 5; i++) {
		pass(h, 6000);
		say_text(h, "PING\r\n");
		expect(h, "+PONG\r\n", false);
	}
	/* From the look on that finds that it spoke, it counts. */
	pass(h, 1000);
	pass(h, 9999);
	expect(h, "", false);
	pass(h, 1001);
	expect(h, "", true);
	assert_int_equal(clients_count(h->clients), 1);
	assert_int_equal(close(h->fd), 0);
	pass(h, 0);
	assert_int_equal(clients_count(h->clients), 0);
}

static void without_a_timeout_nobody_is(void **state)
{
	struct house *h = *state;

	connect_one(h);
	pass(h, 0);
	for (int i = 0; i < 5; i++)
		pass(h, 100000000);
	say_text(h, "PING\r\n");
	expect(h, "+PONG\r\n", false);
}

static void who_listens_need_not_ask(void **state)
{
	struct house *h = *state;

	h->options.timeout_s = 10;
	connect_one(h);
	say_text(h, "MONITOR\r\n");
	for (int i = 0; i < 5; i++)
		pass(h, 60000);
	expect(h, "+OK\r\n", false);
}

static void who_waits_for_an_answer_is_not_idle(void **state)
{
	struct house *h = *state;

	h->options.timeout_s = 10;
	h->played->held = true;
	connect_one(h);
	say_text(h, "PING\r\n");
	for (int i = 0; i < 5; i++)
		pass(h, 60000);
	expect(h, "", false);
	fake_release(h->played);
	pass(h, 0);
	expect(h, "+PONG\r\n", false);
}

static void who_takes_no_answers_is_closed_when_idle(void **state)
{
	struct house *h = *state;

	h->options.timeout_s = 10;
	connect_one(h);
	ask_much(h, 100);
	for (int i = 0; i < 5; i++)
		pass(h, 10000);
	assert_int_equal(clients_count(h->clients), 0);
}

/* ---- what waits to be written ---------------------------------------------------------------- */

/* Reads what there is to the end: whole replies, fewer than were asked for. Returns how many. */
static size_t hear_whole_replies(struct house *h)
{
	const size_t one = REPLY_LEN + sizeof("$16384\r\n\r\n") - 1;
	struct buf heard = {0};
	size_t replies;

	assert_true(hear(h, &heard));
	assert_int_equal(heard.len % one, 0);
	replies = heard.len / one;
	buf_free(&heard);
	return replies;
}

static void beyond_the_hard_limit_nothing_more_is_run(void **state)
{
	struct house *h = *state;
	size_t ran;

	h->options.output_limits.classes[OUTPUT_NORMAL] = (struct output_limit){.hard = 64 << 10};
	connect_one(h);
	ask_much(h, 200);
	ran = h->played->requests;
	assert_true(ran < 100);
	/* Who writes all before it reads gets rid of it all the same. */
	ask_much(h, 200);
	assert_int_equal(h->played->requests, ran);
	assert_int_equal(hear_whole_replies(h), ran);
	/* It may take its time with that. */
	pass(h, 3600000);
	assert_int_equal(clients_count(h->clients), 1);
	assert_int_equal(close(h->fd), 0);
	pass(h, 0);
	assert_int_equal(clients_count(h->clients), 0);
}

static void what_the_client_takes_does_not_count(void **state)
{
	struct house *h = *state;
	struct buf heard = {0};

	h->options.output_limits.classes[OUTPUT_NORMAL] = (struct output_limit){.hard = 64 << 10};
	connect_one(h);
	for (int i = 0; i < 100; i++) {
		ask_much(h, 3);
		assert_false(hear(h, &heard));
	}
	assert_int_equal(h->played->requests, 300);
	buf_free(&heard);
}

static void an_overfull_one_that_has_said_all_gets_its_replies(void **state)
{
	struct house *h = *state;

	h->options.output_limits.classes[OUTPUT_NORMAL] = (struct output_limit){.hard = 64 << 10};
	connect_one(h);
	ask_much(h, 200);
	assert_int_equal(shutdown(h->fd, SHUT_WR), 0);
	pass(h, 0);
	assert_int_equal(hear_whole_replies(h), h->played->requests);
	pass(h, 0);
	assert_int_equal(clients_count(h->clients), 0);
}

static void the_soft_limit_has_patience(void **state)
{
	struct house *h = *state;
	size_t ran;

	h->options.output_limits.classes[OUTPUT_NORMAL] =
		(struct output_limit){.soft = 64 << 10, .soft_s = 5};
	connect_one(h);
	ask_much(h, 50);
	pass(h, 1000);
	pass(h, 4000);
	ask_much(h, 1);
	assert_int_equal(h->played->requests, 51);
	pass(h, 2000);
	ask_much(h, 1);
	ran = h->played->requests;
	assert_int_equal(ran, 51);
	assert_int_equal(hear_whole_replies(h), ran);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_asks_nothing_for_too_long_is_let_go, begin,
						end),
		cmocka_unit_test_setup_teardown(without_a_timeout_nobody_is, begin, end),
		cmocka_unit_test_setup_teardown(who_listens_need_not_ask, begin, end),
		cmocka_unit_test_setup_teardown(who_waits_for_an_answer_is_not_idle, begin, end),
		cmocka_unit_test_setup_teardown(who_takes_no_answers_is_closed_when_idle, begin,
						end),
		cmocka_unit_test_setup_teardown(beyond_the_hard_limit_nothing_more_is_run, begin,
						end),
		cmocka_unit_test_setup_teardown(what_the_client_takes_does_not_count, begin, end),
		cmocka_unit_test_setup_teardown(an_overfull_one_that_has_said_all_gets_its_replies,
						begin, end),
		cmocka_unit_test_setup_teardown(the_soft_limit_has_patience, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
