#include "support/wire.h"

#include "base/error.h"
#include "server/client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int begin(void **state)
{
	static struct wire w;

	fake_settings = (struct fake_settings){.session_requests = 1000, .deadline_ms = 1};
	wire_begin(&w, "--maxclients 3000");
	*state = &w;
	return 0;
}

static int begin_with_four_requests(void **state)
{
	static struct wire w;

	fake_settings = (struct fake_settings){.session_requests = 4, .deadline_ms = 1};
	wire_begin(&w, "--maxclients 2");
	*state = &w;
	return 0;
}

static int end(void **state)
{
	wire_end(*state);
	return 0;
}

static void append_times(struct buf *b, const char *text, size_t times)
{
	while (times-- > 0)
		buf_append_slice(b, slice_of_text(text));
}

static void a_pipeline_gives_the_same_wherever_it_is_cut(void **state)
{
	static const char requests[] = "*1\r\n$4\r\nPING\r\nECHO \"a b\"\r\n\r\n*0\r\n"
				       "*3\r\n$5\r\nCOUNT\r\n$0\r\n\r\n$3\r\n\r\n!\r\nping\n";
	static const char replies[] = "+PONG\r\n$3\r\na b\r\n:3\r\n+PONG\r\n";
	struct wire *w = *state;
	int fd = wire_connect(w);

	for (size_t cut = 0; cut < sizeof(requests); cut++) {
		wire_send(w, fd, slice_of(requests, cut));
		wire_step(w);
		wire_step(w);
		wire_send(w, fd, slice_of(requests + cut, sizeof(requests) - 1 - cut));
		wire_expect_text(w, fd, replies);
	}
	close(fd);
}

static void a_request_byte_by_byte_is_a_request(void **state)
{
	static const char request[] = "*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n";
	struct wire *w = *state;
	int fd = wire_connect(w);

	for (size_t i = 0; i < sizeof(request) - 1; i++) {
		wire_send(w, fd, slice_of(request + i, 1));
		wire_step(w);
	}
	wire_expect_text(w, fd, "$5\r\nhello\r\n");
	close(fd);
}

static void what_came_before_the_end_is_answered(void **state)
{
	struct wire *w = *state;
	struct buf requests = {0}, replies = {0};
	int fd = wire_connect(w);

	/* Far more than the session takes at a time, and half a request behind it. */
	append_times(&requests, "PING\r\n", 500);
	append_times(&replies, "+PONG\r\n", 500);
	buf_append_slice(&requests, SLICE_LITERAL("*1\r\n$4\r\nPI"));
	wire_send(w, fd, buf_slice(&requests));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	wire_expect(w, fd, buf_slice(&replies));
	wire_expect_end(w, fd);
	assert_int_equal(w->member->session_count, 0);
	close(fd);
	buf_free(&requests);
	buf_free(&replies);
}

static void an_end_while_the_answer_is_awaited_waits_for_it(void **state)
{
	struct wire *w = *state;
	int fd = wire_connect(w);

	w->member->held = true;
	wire_send_text(w, fd, "PING\r\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	wire_await_requests(w, 1);
	for (int i = 0; i < 5; i++)
		wire_step(w);
	assert_int_equal(w->member->session_count, 1);
	fake_release(w->member);
	wire_expect_text(w, fd, "+PONG\r\n");
	wire_expect_end(w, fd);
	close(fd);
}

static void a_reset_ends_at_once(void **state)
{
	struct linger at_once = {.l_onoff = 1};
	struct wire *w = *state;
	int fd = wire_connect(w);

	w->member->held = true;
	wire_send_text(w, fd, "PING\r\n");
	wire_await_requests(w, 1);
	assert_int_equal(w->member->session_count, 1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	close(fd);
	for (int i = 0; i < 1000 && w->member->session_count; i++)
		wire_step(w);
	assert_int_equal(w->member->session_count, 0);
}

static void no_protocol_is_answered_and_then_the_end_even_if_more_comes(void **state)
{
	struct wire *w = *state;
	struct buf rubbish = {0};
	int fd = wire_connect(w);

	append_times(&rubbish, "PING\r\n*1\r\n!\r\n", 1);
	append_times(&rubbish, "rubbish ", 100000);
	wire_send(w, fd, buf_slice(&rubbish));
	wire_expect_text(w, fd, "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n");
	wire_expect_end(w, fd);
	assert_int_equal(w->member->requests, 1);
	assert_int_equal(w->member->session_count, 0);
	close(fd);
	buf_free(&rubbish);
}

static void quit_is_answered_and_then_the_end(void **state)
{
	struct wire *w = *state;
	int fd = wire_connect(w);

	wire_send_text(w, fd, "PING\r\nQUIT\r\n");
	wire_expect_text(w, fd, "+PONG\r\n+OK\r\n");
	wire_expect_end(w, fd);
	close(fd);
}

/* Who is told that it is over, and stays, is not waited for. */
static void whoever_does_not_go_is_sent_away(void **state)
{
	struct wire *w = *state;
	int fd = wire_connect(w);
	char byte = 'x';

	wire_send_text(w, fd, "QUIT\r\n");
	wire_expect_text(w, fd, "+OK\r\n");
	wire_expect_end(w, fd);
	for (uint64_t till = wire_now_ms() + 20000; wire_now_ms() < till;) {
		if (send(fd, &byte, 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
			break;
		wire_step(w);
	}
	assert_int_equal(send(fd, &byte, 1, MSG_NOSIGNAL), -1);
	assert_int_not_equal(errno, EAGAIN);
	close(fd);
}

static void large_arguments_pass_and_too_large_ones_get_an_error(void **state)
{
	struct wire *w = *state;
	struct buf request = {0}, reply = {0};
	size_t sizes[] = {40000, 65536, 70000, 8 << 20, 17 << 20};
	int fd = wire_connect(w);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t len = sizes[i];

		buf_clear(&request);
		buf_clear(&reply);
		buf_printf(&request, "PING\r\n*2\r\n$4\r\nECHO\r\n$%zu\r\n", len);
		buf_printf(&reply, "+PONG\r\n$%zu\r\n", len);
		memset(buf_reserve(&request, len), (int)('a' + i), len);
		buf_commit(&request, len);
		buf_append(&reply, request.data + request.len - len, len);
		buf_append_slice(&request, SLICE_LITERAL("\r\nPING\r\n"));
		buf_append_slice(&reply, SLICE_LITERAL("\r\n+PONG\r\n"));
		if (len > (16 << 20)) {
			buf_clear(&reply);
			buf_printf(&reply, "+PONG\r\n-ERR request 'ECHO' is too large: at most "
					   "16777216 bytes (max-request-bytes) and 1048576 "
					   "arguments\r\n+PONG\r\n");
		}
		wire_send(w, fd, buf_slice(&request));
		wire_expect(w, fd, buf_slice(&reply));
	}
	close(fd);
	buf_free(&request);
	buf_free(&reply);
}

static void a_full_session_is_not_read_and_goes_on_when_it_has_room(void **state)
{
	struct wire *w = *state;
	struct buf requests = {0}, replies = {0};
	int fd = wire_connect(w);

	append_times(&requests, "*1\r\n$4\r\nPING\r\n", 1000);
	append_times(&replies, "+PONG\r\n", 1000);
	w->member->held = true;
	wire_send(w, fd, buf_slice(&requests));
	for (int i = 0; i < 10; i++)
		wire_step(w);
	assert_int_equal(w->member->requests, 4);
	fake_release(w->member);
	wire_expect(w, fd, buf_slice(&replies));
	assert_int_equal(w->member->requests, 1000);
	/* And it is read again. */
	wire_send_text(w, fd, "PING\r\n");
	wire_expect_text(w, fd, "+PONG\r\n");
	close(fd);
	buf_free(&requests);
	buf_free(&replies);
}

static void beyond_maxclients_there_is_an_error(void **state)
{
	struct wire *w = *state;
	int fds[3];

	for (int i = 0; i < 2; i++) {
		fds[i] = wire_connect(w);
		wire_send_text(w, fds[i], "PING\r\n");
		wire_expect_text(w, fds[i], "+PONG\r\n");
	}
	fds[2] = wire_connect(w);
	wire_expect_text(w, fds[2], "-ERR max number of clients reached\r\n");
	wire_expect_end(w, fds[2]);
	close(fds[2]);
	/* Somebody goes, somebody comes. */
	close(fds[0]);
	while (w->member->session_count > 1)
		wire_step(w);
	fds[0] = wire_connect(w);
	wire_send_text(w, fds[0], "PING\r\n");
	wire_expect_text(w, fds[0], "+PONG\r\n");
	close(fds[0]);
	close(fds[1]);
}

static void a_thousand_connections_are_served_in_a_few_turns(void **state)
{
	enum { COUNT = 1000 };
	struct wire *w = *state;
	size_t turns;
	int *fds = calloc(COUNT, sizeof(*fds));

	for (int i = 0; i < COUNT; i++) {
		fds[i] = wire_connect(w);
		wire_send_text(w, fds[i], "PING\r\n");
		wire_expect_text(w, fds[i], "+PONG\r\n");
	}
	assert_int_equal(w->member->session_count, COUNT);
	turns = w->member->turns;
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(send(fds[i], "ECHO x\r\n", 8, 0), 8);
	wire_await_requests(w, 2 * COUNT);
	assert_in_range(w->member->turns - turns, 1, 40);
	for (int i = 0; i < COUNT; i++)
		wire_expect_text(w, fds[i], "$1\r\nx\r\n");
	for (int i = 0; i < COUNT; i++)
		close(fds[i]);
	while (w->member->session_count > 0)
		wire_step(w);
	free(fds);
}

static void one_client_that_sends_much_does_not_take_the_whole_turn(void **state)
{
	struct wire *w = *state;
	struct buf much = {0};
	int fd = wire_connect(w), other = wire_connect(w);
	size_t before, sent = 0;
	ssize_t n;

	w->member->settings.session_requests = SIZE_MAX;
	wire_send_text(w, other, "PING\r\n");
	wire_expect_text(w, other, "+PONG\r\n");
	append_times(&much, "PING\r\n", 200000);
	while ((n = send(fd, much.data + sent, much.len - sent, 0)) > 0)
		sent += (size_t)n;
	assert_true(sent > 2 * CLIENT_READ_MAX);
	before = w->member->requests;
	wire_step(w);
	assert_in_range(w->member->requests - before, 1, CLIENT_READ_MAX / 6);
	wire_send_text(w, other, "ECHO x\r\n");
	wire_expect_text(w, other, "$1\r\nx\r\n");
	close(fd);
	close(other);
	buf_free(&much);
}

static void unread_replies_do_not_stop_the_reading(void **state)
{
	enum { COUNT = 400, LEN = 50000 };
	struct wire *w = *state;
	struct buf one = {0}, reply = {0};
	int fd = wire_connect(w);

	buf_printf(&one, "*2\r\n$4\r\nECHO\r\n$%d\r\n", LEN);
	append_times(&one, "x", LEN);
	append_times(&one, "\r\n", 1);
	buf_append(&reply, one.data + 14, one.len - 14);
	for (int i = 0; i < COUNT; i++)
		wire_send(w, fd, buf_slice(&one));
	wire_await_requests(w, COUNT);
	for (int i = 0; i < COUNT; i++)
		wire_expect(w, fd, buf_slice(&reply));
	wire_send_text(w, fd, "PING\r\n");
	wire_expect_text(w, fd, "+PONG\r\n");
	close(fd);
	buf_free(&one);
	buf_free(&reply);
}

/* Who is killed is not waited for, as one is who says QUIT. */
static void who_is_killed_need_not_read(void **state)
{
	enum { COUNT = 400, LEN = 50000 };
	struct wire *w = *state;
	struct buf one = {0};
	int fd = wire_connect(w);

	buf_printf(&one, "*2\r\n$4\r\nECHO\r\n$%d\r\n", LEN);
	append_times(&one, "x", LEN);
	append_times(&one, "\r\n", 1);
	for (int i = 0; i < COUNT; i++)
		wire_send(w, fd, buf_slice(&one));
	wire_await_requests(w, COUNT);
	for (int i = 0; i < 3; i++)
		wire_step(w);
	assert_int_equal(w->member->session_count, 1);
	fake_kill(w->member);
	for (int i = 0; i < 3; i++)
		wire_step(w);
	assert_int_equal(w->member->session_count, 0);
	close(fd);
	buf_free(&one);
}

/* A stranger gets no memory for what is large; the same request is fine once it is known. */
static void who_has_not_said_the_password_may_not_say_much(void **state)
{
	struct wire *w = *state;
	struct buf one = {0};
	int fd, stranger;

	wire_end(w);
	wire_begin(w, "--requirepass secret");
	assert_true(w->member->password_needed);
	buf_printf(&one, "*2\r\n$4\r\nECHO\r\n$20000\r\n");
	append_times(&one, "x", 20000);
	append_times(&one, "\r\n", 1);
	stranger = wire_connect(w);
	wire_send(w, stranger, buf_slice(&one));
	wire_expect_text(w, stranger, "-ERR Protocol error: unauthenticated bulk length\r\n");
	wire_expect_end(w, stranger);
	fd = wire_connect(w);
	wire_send_text(w, fd, "AUTH secret\r\n");
	wire_send(w, fd, buf_slice(&one));
	wire_expect_text(w, fd, "+OK\r\n$20000\r\nx");
	close(fd);
	close(stranger);
	buf_free(&one);
}

static void a_job_of_another_thread_answers(void **state)
{
	struct wire *w = *state;
	int fd = wire_connect(w);

	for (int i = 0; i < 200; i++) {
		wire_send_text(w, fd, "PING\r\nJOB\r\nPING\r\n");
		wire_expect_text(w, fd, "+PONG\r\n+DONE\r\n+PONG\r\n");
	}
	close(fd);
}

static void the_graceful_end_answers_what_was_asked(void **state)
{
	struct wire *w = *state;
	int fd = wire_connect(w), late;

	w->member->held = true;
	wire_send_text(w, fd, "PING\r\n");
	wire_await_requests(w, 1);
	late = wire_connect(w);
	wire_send_text(w, late, "PING\r\n");
	server_end(w->server);
	assert_true(w->member->handed_over);
	wire_send_text(w, fd, "ECHO late\r\n");
	for (int i = 0; i < 3; i++)
		wire_step(w);
	assert_int_equal(w->member->requests, 1);
	fake_release(w->member);
	assert_int_equal(server_run(w->server), OK);
	/* A reset would have taken away what was not received yet. */
	wire_expect_text(w, fd, "+PONG\r\n");
	wire_expect_end(w, fd);
	close(fd);
	close(late);
}

static void the_graceful_end_comes_to_an_end(void **state)
{
	struct wire *w = *state;
	int fd = wire_connect(w);
	uint64_t before = wire_now_ms();

	w->options.request_timeout_ms = 100;
	w->member->held = true;
	wire_send_text(w, fd, "PING\r\n");
	wire_await_requests(w, 1);
	server_end(w->server);
	assert_int_equal(server_run(w->server), OK);
	assert_in_range(wire_now_ms() - before, 100, 20000);
	close(fd);
}

static void who_leads_and_where_is_said_once(void **state)
{
	struct wire *w = *state;

	assert_true(wire_said(w, "n1 (0000000000000001) listens on 127.0.0.1:"));
	assert_false(wire_said(w, "ready: "));
	w->member->leads = true;
	wire_step(w);
	assert_true(wire_said(w, "ready: 127.0.0.1:"));
	assert_true(wire_said(w, "data in /tmp/conclave-wire-") && wire_said(w, ", leader n1"));
}

int main(void)
{
#define TEST(name)  cmocka_unit_test_setup_teardown(name, begin, end)
#define TEST4(name) cmocka_unit_test_setup_teardown(name, begin_with_four_requests, end)
	const struct CMUnitTest tests[] = {
		TEST(a_pipeline_gives_the_same_wherever_it_is_cut),
		TEST4(a_pipeline_gives_the_same_wherever_it_is_cut),
		TEST(a_request_byte_by_byte_is_a_request),
		TEST(what_came_before_the_end_is_answered),
		TEST4(what_came_before_the_end_is_answered),
		TEST(an_end_while_the_answer_is_awaited_waits_for_it),
		TEST(a_reset_ends_at_once),
		TEST(no_protocol_is_answered_and_then_the_end_even_if_more_comes),
		TEST(quit_is_answered_and_then_the_end),
		TEST(whoever_does_not_go_is_sent_away),
		TEST(large_arguments_pass_and_too_large_ones_get_an_error),
		TEST4(a_full_session_is_not_read_and_goes_on_when_it_has_room),
		TEST4(beyond_maxclients_there_is_an_error),
		TEST(a_thousand_connections_are_served_in_a_few_turns),
		TEST(one_client_that_sends_much_does_not_take_the_whole_turn),
		TEST(unread_replies_do_not_stop_the_reading),
		TEST(who_is_killed_need_not_read),
		TEST(who_has_not_said_the_password_may_not_say_much),
		TEST(a_job_of_another_thread_answers),
		TEST(the_graceful_end_answers_what_was_asked),
		TEST(the_graceful_end_comes_to_an_end),
		TEST(who_leads_and_where_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
