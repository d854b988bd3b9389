/*
 * hiredis on libev, beside the server at CONCLAVE_PORT: replies come to the callbacks of their own
 * commands, in order; connections end when they are asked to, or when the server dies.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <hiredis/adapters/libev.h>
#include <signal.h>

#define COMMANDS 5000
#define SECONDS	 60.0

/* One connection, and what came of it. */
struct connection {
	redisAsyncContext *context;
	struct ev_loop *ev;
	bool connected, disconnected;
	int status; /* of the end */
	int replies;
	int without_reply;
	int wanted; /* when so many have come, the loop is left */
	long pid;
};

static void on_connect(const redisAsyncContext *context, int status)
{
	struct connection *c = context->data;

	assert_int_equal(status, REDIS_OK);
	c->connected = true;
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	struct connection *c = context->data;

	c->disconnected = true;
	c->status = status;
	ev_break(c->ev, EVBREAK_ALL);
}

static void begin_connection(struct connection *c, struct ev_loop *ev)
{
	const char *port = getenv("CONCLAVE_PORT");

	*c = (struct connection){.ev = ev};
	c->context = redisAsyncConnect("127.0.0.1", port ? (int)strtol(port, NULL, 10) : 0);
	assert_int_equal(c->context->err, 0);
	c->context->data = c;
	assert_int_equal(redisLibevAttach(ev, c->context), REDIS_OK);
	assert_int_equal(redisAsyncSetConnectCallback(c->context, on_connect), REDIS_OK);
	assert_int_equal(redisAsyncSetDisconnectCallback(c->context, on_disconnect), REDIS_OK);
}

static void on_time_out(struct ev_loop *ev, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(ev, EVBREAK_ALL);
	fail_msg("nothing happens any more");
}

static void run(struct ev_loop *ev)
{
	ev_timer timer;

	ev_timer_init(&timer, on_time_out, SECONDS, 0);
	ev_timer_start(ev, &timer);
	ev_run(ev, 0);
	ev_timer_stop(ev, &timer);
}

static void count(struct connection *c)
{
	c->replies++;
	if (c->replies == c->wanted)
		ev_break(c->ev, EVBREAK_ALL);
}

/* The reply to the INCR whose number is in `data`. */
static void on_number(redisAsyncContext *context, void *reply, void *data)
{
	const redisReply *r = reply;

	assert_non_null(r);
	assert_int_equal(r->type, REDIS_REPLY_INTEGER);
	assert_int_equal(r->integer, (intptr_t)data);
	count(context->data);
}

static void on_status(redisAsyncContext *context, void *reply, void *data)
{
	const redisReply *r = reply;

	(void)data;
	assert_non_null(r);
	assert_int_equal(r->type, REDIS_REPLY_STATUS);
	assert_string_equal(r->str, "OK");
	count(context->data);
}

static void forget_everything(struct connection *c)
{
	c->wanted = c->replies + 1;
	redisAsyncCommand(c->context, on_status, NULL, "FLUSHALL");
	run(c->ev);
}

static void end_connection(struct connection *c)
{
	redisAsyncDisconnect(c->context);
	while (!c->disconnected)
		run(c->ev);
	assert_int_equal(c->status, REDIS_OK);
}

static void each_callback_gets_the_reply_of_its_command(void **state)
{
	struct ev_loop *ev = ev_loop_new(0);
	struct connection a, b;

	(void)state;
	begin_connection(&a, ev);
	begin_connection(&b, ev);
	forget_everything(&a);
	a.wanted = b.wanted = -1;
	for (intptr_t i = 1; i <= COMMANDS; i++) {
		redisAsyncCommand(a.context, on_number, (void *)i, "INCR of:a");
		redisAsyncCommand(b.context, on_number, (void *)i, "HINCRBY of:b field 1");
	}
	/* What was asked before the end is answered before the end. */
	redisAsyncDisconnect(a.context);
	redisAsyncDisconnect(b.context);
	while (!a.disconnected || !b.disconnected)
		run(ev);
	assert_true(a.connected && b.connected);
	assert_int_equal(a.status, REDIS_OK);
	assert_int_equal(b.status, REDIS_OK);
	assert_int_equal(a.replies, COMMANDS + 1);
	assert_int_equal(b.replies, COMMANDS);
	ev_loop_destroy(ev);
}

/* What MONITOR shows: its own OK first, then the others' requests in their order. */
static void on_shown(redisAsyncContext *context, void *reply, void *data)
{
	struct connection *c = context->data;
	const redisReply *r = reply;
	char wanted[64];

	(void)data;
	if (!r) /* the connection ends */
		return;
	assert_int_equal(r->type, REDIS_REPLY_STATUS);
	if (c->replies == 0)
		(void)snprintf(wanted, sizeof(wanted), "OK");
	else
		(void)snprintf(wanted, sizeof(wanted), "\"SET\" \"shown\" \"%d\"", c->replies);
	if (!strstr(r->str, wanted))
		fail_msg("shown as number %d: %s", c->replies, r->str);
	count(c);
}

static void a_monitor_is_shown_what_another_writes(void **state)
{
	struct ev_loop *ev = ev_loop_new(0);
	struct connection monitor, writer;

	(void)state;
	begin_connection(&writer, ev);
	forget_everything(&writer);
	begin_connection(&monitor, ev);
	monitor.wanted = 1;
	redisAsyncCommand(monitor.context, on_shown, NULL, "MONITOR");
	run(ev);
	assert_int_equal(monitor.replies, 1);
	monitor.wanted = 101;
	for (int i = 1; i <= 100; i++)
		redisAsyncCommand(writer.context, on_status, NULL, "SET shown %d", i);
	run(ev);
	assert_int_equal(monitor.replies, 101);
	redisAsyncFree(monitor.context);
	end_connection(&writer);
	ev_loop_destroy(ev);
}

static void on_pid(redisAsyncContext *context, void *reply, void *data)
{
	struct connection *c = context->data;
	const redisReply *r = reply;
	const char *at;

	(void)data;
	assert_non_null(r);
	at = strstr(r->str, "process_id:");
	assert_non_null(at);
	c->pid = strtol(at + strlen("process_id:"), NULL, 10);
	count(c);
}

static void on_anything(redisAsyncContext *context, void *reply, void *data)
{
	struct connection *c = context->data;

	(void)data;
	if (!reply)
		c->without_reply++;
}

static void the_death_of_the_server_ends_the_connection(void **state)
{
	struct ev_loop *ev = ev_loop_new(0);
	struct connection c;

	(void)state;
	begin_connection(&c, ev);
	c.wanted = 1;
	redisAsyncCommand(c.context, on_pid, NULL, "INFO server");
	run(ev);
	assert_int_equal(kill((pid_t)c.pid, SIGKILL), 0);
	redisAsyncCommand(c.context, on_anything, NULL, "SET a 1");
	while (!c.disconnected)
		run(ev);
	assert_int_equal(c.status, REDIS_ERR);
	assert_int_equal(c.without_reply, 1);
	ev_loop_destroy(ev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_callback_gets_the_reply_of_its_command),
		cmocka_unit_test(a_monitor_is_shown_what_another_writes),
		cmocka_unit_test(the_death_of_the_server_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
