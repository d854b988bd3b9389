/*
 * A whole member in this process, spoken to through standard input: what compare.py compares with
 * redis-server.
 *
 *	in    "<connection> <length>\n" and so many bytes of requests, all of which come in one turn
 *	out   "<length>\n" and so many bytes: the replies
 *
 * Its clock is the system's, so that deadlines mean the same on both sides.
 */

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "resp/parser.h"

#include "support/solo.h"

#include <stdio.h>

#define CONNECTIONS 8

/* Where the wall clock of a member in a test begins. */
#define SOLO_EPOCH_MS 1700000000000

struct runner {
	struct solo solo;
	struct clock clock;
	struct session *sessions[CONNECTIONS];
	struct resp_limits limits;
};

static void runner_set_time(struct runner *r)
{
	uint64_t now_ms = clock_wall_ms(&r->clock) - SOLO_EPOCH_MS;

	if (now_ms > r->solo.now_ms)
		r->solo.now_ms = now_ms;
}

static struct session *runner_session(struct runner *r, unsigned connection)
{
	CHECK(connection < CONNECTIONS);
	if (!r->sessions[connection])
		r->sessions[connection] =
			session_open(r->solo.member, &solo_session_events, &r->solo);
	return r->sessions[connection];
}

/* A member is full at some number of requests: then it gets its turn before the next one comes. */
static void runner_ask(struct runner *r, struct session *session, struct buf *bytes)
{
	struct resp_parser parser;
	struct resp_found found;
	enum resp_outcome outcome;
	size_t done = 0;

	resp_parser_init(&parser, &r->limits);
	do {
		outcome = resp_parser_next(&parser, bytes->data + done, bytes->len - done, &found);
		if (outcome == RESP_REQUEST)
			session_request(session, found.argv, found.argc);
		CHECK(outcome != RESP_BROKEN && outcome != RESP_TOO_LARGE);
		done += found.consumed;
		if (session_is_full(session))
			solo_work(&r->solo);
	} while (outcome == RESP_REQUEST);
	resp_parser_close(&parser);
}

static bool runner_answer(struct runner *r)
{
	struct buf bytes = {0};
	struct session *session;
	struct buf *out;
	unsigned connection;
	size_t len;

	if (scanf("%u %zu", &connection, &len) != 2)
		return false;
	CHECK(getchar() == '\n');
	CHECK(fread(buf_reserve(&bytes, len), 1, len, stdin) == len);
	buf_commit(&bytes, len);
	session = runner_session(r, connection);
	runner_set_time(r);
	runner_ask(r, session, &bytes);
	while (!session_is_idle(session))
		solo_work(&r->solo);
	out = session_output(session);
	printf("%zu\n", out->len);
	CHECK(fwrite(out->data, 1, out->len, stdout) == out->len);
	fflush(stdout);
	buf_clear(out);
	buf_free(&bytes);
	if (session_wants_close(session)) {
		session_close(session);
		r->sessions[connection] = NULL;
	}
	return true;
}

/* With an argument the member keeps nothing in memory: every row is fetched, time and again. */
int main(int argc, char **argv)
{
	struct runner r = {.clock = clock_system(), .limits = RESP_LIMITS_DEFAULT};
	int rc;

	(void)argv;
	solo_init(&r.solo);
	if (argc > 1) {
		r.solo.options.overlay_bytes = 1;
		r.solo.options.header_cache_bytes = 0;
		r.solo.options.value_cache_bytes = 0;
	}
	runner_set_time(&r);
	rc = solo_start(&r.solo);
	CHECK(rc == OK);
	while (runner_answer(&r))
		;
	solo_close(&r.solo);
	return 0;
}
