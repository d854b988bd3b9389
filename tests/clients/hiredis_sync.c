/*
 * hiredis, one reply after the other and in pipelines, beside the server at CONCLAVE_PORT. Debian's
 * hiredis speaks version 2 of the protocol only.
 */

#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB ((size_t)1 << 20)

/* Far above max-request-bytes, below proto-max-bulk-len. */
#define HUGE_LEN (200 * MIB)

#define PIPELINED	    10000
#define PIPELINED_VALUE_LEN ((size_t)10 << 10)
#define PIPELINED_KEYS	    64

static redisContext *connect_to_server(void)
{
	const char *port = getenv("CONCLAVE_PORT");
	redisContext *c =
		redisConnectWithTimeout("127.0.0.1", port ? (int)strtol(port, NULL, 10) : 0,
					(struct timeval){.tv_sec = 60});

	assert_int_equal(c->err, 0);
	assert_int_equal(redisSetTimeout(c, (struct timeval){.tv_sec = 60}), REDIS_OK);
	return c;
}

static int begin(void **state)
{
	redisContext *c = connect_to_server();

	freeReplyObject(redisCommand(c, "FLUSHALL"));
	*state = c;
	return 0;
}

static int end(void **state)
{
	redisFree(*state);
	return 0;
}

static _Noreturn void fail_with(const char *what, const char *text)
{
	fail_msg("%s: %s", what, text);
	abort();
}

static void expect_type(const redisContext *c, const redisReply *reply, int type)
{
	if (!reply)
		fail_with("no reply", c->errstr);
	if (reply->type != type)
		fail_with("a reply of another type", reply->str ? reply->str : "");
}

/* The next reply of a pipeline, or the reply to a command that was just called. */
static void expect_text(const redisContext *c, redisReply *reply, int type, const char *text)
{
	expect_type(c, reply, type);
	assert_string_equal(reply->str, text);
	freeReplyObject(reply);
}

static void expect_number(const redisContext *c, redisReply *reply, long long number)
{
	expect_type(c, reply, REDIS_REPLY_INTEGER);
	assert_int_equal(reply->integer, number);
	freeReplyObject(reply);
}

static void expect_nil(const redisContext *c, redisReply *reply)
{
	expect_type(c, reply, REDIS_REPLY_NIL);
	freeReplyObject(reply);
}

static void expect_error(const redisContext *c, redisReply *reply, const char *start)
{
	expect_type(c, reply, REDIS_REPLY_ERROR);
	if (strncmp(reply->str, start, strlen(start)) != 0)
		fail_with("another error", reply->str);
	freeReplyObject(reply);
}

static redisReply *next_reply(redisContext *c)
{
	void *reply = NULL;

	if (redisGetReply(c, &reply) != REDIS_OK)
		fail_with("no reply", c->errstr);
	return reply;
}

static void write_all(redisContext *c)
{
	for (int done = 0; !done;)
		assert_int_equal(redisBufferWrite(c, &done), REDIS_OK);
}

static void strings_numbers_hashes_and_their_errors(void **state)
{
	redisContext *c = *state;
	const char bytes[] = {'a', 0, '\r', '\n', (char)0xff};
	redisReply *reply;

	expect_text(c, redisCommand(c, "SET %s %b", "key", bytes, sizeof(bytes)),
		    REDIS_REPLY_STATUS, "OK");
	reply = redisCommand(c, "GET %s", "key");
	expect_type(c, reply, REDIS_REPLY_STRING);
	assert_int_equal(reply->len, sizeof(bytes));
	assert_memory_equal(reply->str, bytes, sizeof(bytes));
	freeReplyObject(reply);
	expect_text(c, redisCommand(c, "SET empty %s", ""), REDIS_REPLY_STATUS, "OK");
	expect_text(c, redisCommand(c, "GET empty"), REDIS_REPLY_STRING, "");
	expect_nil(c, redisCommand(c, "GET nothing"));
	expect_number(c, redisCommand(c, "INCRBY number %d", -7), -7);
	expect_number(c, redisCommand(c, "HSET hash a 1 b 2"), 2);
	reply = redisCommand(c, "HMGET hash a none b");
	expect_type(c, reply, REDIS_REPLY_ARRAY);
	assert_int_equal(reply->elements, 3);
	assert_string_equal(reply->element[0]->str, "1");
	assert_int_equal(reply->element[1]->type, REDIS_REPLY_NIL);
	assert_string_equal(reply->element[2]->str, "2");
	freeReplyObject(reply);
	expect_error(c, redisCommand(c, "INCR key"), "ERR value is not an integer");
	expect_error(c, redisCommand(c, "GET hash"), "WRONGTYPE Operation against a key");
	expect_error(c, redisCommand(c, "NOSUCH thing"), "ERR unknown command 'NOSUCH'");
	expect_number(c, redisCommand(c, "DEL key empty number hash nothing"), 4);
}

static void transactions(void **state)
{
	redisContext *c = *state, *other = connect_to_server();
	redisReply *reply;

	expect_text(c, redisCommand(c, "WATCH watched"), REDIS_REPLY_STATUS, "OK");
	expect_text(c, redisCommand(c, "MULTI"), REDIS_REPLY_STATUS, "OK");
	expect_text(c, redisCommand(c, "SET watched 1"), REDIS_REPLY_STATUS, "QUEUED");
	expect_text(c, redisCommand(c, "HGET watched a"), REDIS_REPLY_STATUS, "QUEUED");
	expect_text(c, redisCommand(c, "INCR watched"), REDIS_REPLY_STATUS, "QUEUED");
	reply = redisCommand(c, "EXEC");
	expect_type(c, reply, REDIS_REPLY_ARRAY);
	assert_int_equal(reply->elements, 3);
	assert_string_equal(reply->element[0]->str, "OK");
	assert_int_equal(reply->element[1]->type, REDIS_REPLY_ERROR);
	assert_int_equal(reply->element[2]->integer, 2);
	freeReplyObject(reply);
	expect_text(c, redisCommand(c, "WATCH watched"), REDIS_REPLY_STATUS, "OK");
	expect_text(other, redisCommand(other, "SET watched 3"), REDIS_REPLY_STATUS, "OK");
	expect_text(c, redisCommand(c, "MULTI"), REDIS_REPLY_STATUS, "OK");
	expect_text(c, redisCommand(c, "SET watched 4"), REDIS_REPLY_STATUS, "QUEUED");
	expect_nil(c, redisCommand(c, "EXEC"));
	expect_text(c, redisCommand(c, "GET watched"), REDIS_REPLY_STRING, "3");
	redisFree(other);
}

static void a_scan_comes_to_every_key_once(void **state)
{
	redisContext *c = *state;
	enum { COUNT = 1000 };
	bool seen[COUNT] = {false};
	char cursor[32] = "0";
	int found = 0;

	for (int i = 0; i < COUNT; i++)
		redisAppendCommand(c, "SET scanned:%d %d", i, i);
	for (int i = 0; i < COUNT; i++)
		expect_text(c, next_reply(c), REDIS_REPLY_STATUS, "OK");
	do {
		redisReply *reply = redisCommand(c, "SCAN %s MATCH scanned:* COUNT 70", cursor);

		expect_type(c, reply, REDIS_REPLY_ARRAY);
		(void)snprintf(cursor, sizeof(cursor), "%s", reply->element[0]->str);
		for (size_t i = 0; i < reply->element[1]->elements; i++) {
			const char *key = reply->element[1]->element[i]->str;
			long number = strtol(key + strlen("scanned:"), NULL, 10);

			assert_in_range(number, 0, COUNT - 1);
			assert_false(seen[number]);
			seen[number] = true;
			found++;
		}
		freeReplyObject(reply);
	} while (strcmp(cursor, "0") != 0);
	assert_int_equal(found, COUNT);
}

static void expect_filled(const redisContext *c, redisReply *reply, size_t len, char with)
{
	expect_type(c, reply, REDIS_REPLY_STRING);
	assert_int_equal(reply->len, len);
	for (size_t i = 0; i < len; i++) {
		if (reply->str[i] != with)
			fail_msg("byte %zu of %zu is not as it was", i, len);
	}
	freeReplyObject(reply);
}

static char *filled(size_t len, char with)
{
	char *value = malloc(len);

	assert_non_null(value);
	memset(value, with, len);
	return value;
}

/* 100 MiB of replies wait for a client that reads only when it has written everything. */
static void a_whole_pipeline_is_written_before_the_first_read(void **state)
{
	redisContext *c = *state;

	for (int i = 0; i < PIPELINED_KEYS; i++) {
		char *value = filled(PIPELINED_VALUE_LEN, (char)(' ' + i));

		redisAppendCommand(c, "SET piped:%d %b", i, value, PIPELINED_VALUE_LEN);
		free(value);
	}
	for (int i = 0; i < PIPELINED_KEYS; i++)
		expect_text(c, next_reply(c), REDIS_REPLY_STATUS, "OK");
	for (int i = 0; i < PIPELINED; i++)
		redisAppendCommand(c, "GET piped:%d", i % PIPELINED_KEYS);
	write_all(c);
	for (int i = 0; i < PIPELINED; i++)
		expect_filled(c, next_reply(c), PIPELINED_VALUE_LEN,
			      (char)(' ' + i % PIPELINED_KEYS));
}

static void values_of_15_mib(void **state)
{
	redisContext *c = *state;
	char *value = filled(15 * MIB, 'v');

	expect_text(c, redisCommand(c, "SET large %b", value, 15 * MIB), REDIS_REPLY_STATUS, "OK");
	redisAppendCommand(c, "SET other %b", value, 15 * MIB - 1);
	redisAppendCommand(c, "STRLEN large");
	redisAppendCommand(c, "GETSET large %b", value, 15 * MIB);
	redisAppendCommand(c, "GET other");
	free(value);
	expect_text(c, next_reply(c), REDIS_REPLY_STATUS, "OK");
	expect_number(c, next_reply(c), 15 * (long long)MIB);
	expect_filled(c, next_reply(c), 15 * MIB, 'v');
	expect_filled(c, next_reply(c), 15 * MIB - 1, 'v');
	expect_number(c, redisCommand(c, "DEL large other"), 2);
}

/* Tells the server that many bytes of a value are to come, and sends them. */
static void write_huge_value(const redisContext *c)
{
	char *part = filled(MIB, 'h');
	char head[100];
	int len =
		snprintf(head, sizeof(head), "*3\r\n$3\r\nSET\r\n$4\r\nhuge\r\n$%zu\r\n", HUGE_LEN);

	assert_int_equal(write(c->fd, head, (size_t)len), len);
	for (size_t sent = 0; sent < HUGE_LEN; sent += MIB) {
		for (size_t at = 0; at < MIB;) {
			ssize_t n = write(c->fd, part + at, MIB - at);

			assert_true(n > 0);
			at += (size_t)n;
		}
	}
	assert_int_equal(write(c->fd, "\r\n", 2), 2);
	free(part);
}

/* A number that the server tells of itself. */
static long info_number(redisContext *c, const char *section, const char *field)
{
	redisReply *reply = redisCommand(c, "INFO %s", section);
	const char *at;
	long number;

	expect_type(c, reply, REDIS_REPLY_STRING);
	at = strstr(reply->str, field);
	assert_non_null(at);
	number = strtol(at + strlen(field), NULL, 10);
	freeReplyObject(reply);
	return number;
}

/* From here on the most memory that the process ever had is what it has now. */
static void forget_peak(long pid)
{
	char path[64];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%ld/clear_refs", pid);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs("5", file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static size_t peak_kib(long pid)
{
	char path[64], line[128];
	size_t kib = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtoul(line + 6, NULL, 10);
	}
	assert_int_equal(fclose(file), 0);
	assert_true(kib > 0);
	return kib;
}

static void too_large_a_request_is_read_past_without_being_kept(void **state)
{
	redisContext *c = *state;
	long pid = info_number(c, "server", "process_id:");
	size_t before;

	forget_peak(pid);
	before = peak_kib(pid);
	redisAppendCommand(c, "SET before 1");
	write_all(c);
	write_huge_value(c);
	redisAppendCommand(c, "SET behind 1");
	expect_text(c, next_reply(c), REDIS_REPLY_STATUS, "OK");
	expect_error(c, next_reply(c), "ERR request 'SET' is too large: at most 16777216 bytes");
	expect_text(c, next_reply(c), REDIS_REPLY_STATUS, "OK");
	expect_number(c, redisCommand(c, "EXISTS before huge behind"), 2);
	/* The server may be busy with other things, but not with so much. */
	assert_in_range(peak_kib(pid) - before, 0, (HUGE_LEN / 2) >> 10);
}

static void too_large_a_request_spoils_its_transaction(void **state)
{
	redisContext *c = *state;
	char *value = filled(17 * MIB, 'v');

	expect_text(c, redisCommand(c, "MULTI"), REDIS_REPLY_STATUS, "OK");
	expect_error(c, redisCommand(c, "SET huge %b", value, 17 * MIB), "ERR request 'SET'");
	expect_text(c, redisCommand(c, "SET a 1"), REDIS_REPLY_STATUS, "QUEUED");
	expect_error(c, redisCommand(c, "EXEC"), "EXECABORT Transaction discarded");
	expect_nil(c, redisCommand(c, "GET a"));
	free(value);
}

static bool is_answered(redisContext *c)
{
	redisReply *reply = redisCommand(c, "PING");
	bool answered = reply != NULL;

	if (reply)
		freeReplyObject(reply);
	return answered;
}

static void connections_are_made_anew_when_the_server_is_back(void **state)
{
	redisContext *c = *state;
	long pid = info_number(c, "server", "process_id:");

	expect_text(c, redisCommand(c, "SET kept 1"), REDIS_REPLY_STATUS, "OK");
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	while (is_answered(c)) {
	}
	assert_true(c->err == REDIS_ERR_EOF || c->err == REDIS_ERR_IO);
	/* The backlog of the one that is dying may take a connection yet. */
	while (redisReconnect(c) != REDIS_OK || !is_answered(c)) {
	}
	expect_text(c, redisCommand(c, "GET kept"), REDIS_REPLY_STRING, "1");
	assert_int_not_equal(info_number(c, "server", "process_id:"), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_numbers_hashes_and_their_errors),
		cmocka_unit_test(transactions),
		cmocka_unit_test(a_scan_comes_to_every_key_once),
		cmocka_unit_test(a_whole_pipeline_is_written_before_the_first_read),
		cmocka_unit_test(values_of_15_mib),
		cmocka_unit_test(too_large_a_request_is_read_past_without_being_kept),
		cmocka_unit_test(too_large_a_request_spoils_its_transaction),
		cmocka_unit_test(connections_are_made_anew_when_the_server_is_back),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
