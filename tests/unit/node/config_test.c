/* CONFIG, with a process that is played, and without one. */

#include "base/error.h"
#include "command/host.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct process {
	struct solo solo;
	struct command_host host;
	struct buf told; /* what CONFIG SET handed over */
	unsigned resets;
	bool has_file;
	int rewritten;
};

static void played_info(void *owner, struct info_process *out)
{
	(void)owner;
	*out = (struct info_process){.version = "0"};
}

static const char *played_name(void *owner, size_t i)
{
	static const char *const names[] = {"port", "maxclients", "maxmemory"};

	(void)owner;
	return i < ARRAY_LEN(names) ? names[i] : NULL;
}

static void played_value(void *owner, size_t i, struct buf *out)
{
	(void)owner;
	buf_printf(out, "%zu", i);
}

static int played_set(void *owner, const struct slice *pairs, size_t count, struct buf *problem)
{
	struct process *p = owner;

	if (slice_equal(pairs[0], SLICE_LITERAL("bad"))) {
		buf_printf(problem, "ERR no such thing");
		return ERR_INVALID;
	}
	for (size_t i = 0; i < 2 * count; i++)
		buf_printf(&p->told, "%.*s ", (int)pairs[i].len, (const char *)pairs[i].data);
	return OK;
}

static uint64_t played_rewrite(void *owner, struct buf *problem)
{
	struct process *p = owner;

	if (p->has_file)
		return 7;
	buf_printf(problem, "ERR The server is running without a config file");
	return 0;
}

static int played_rewritten(void *owner, uint64_t number, struct buf *problem)
{
	struct process *p = owner;

	assert_int_equal(number, 7);
	if (p->rewritten == ERR_NO_SPACE)
		buf_printf(problem, "ERR no space");
	return p->rewritten;
}

static void played_reset(void *owner)
{
	struct process *p = owner;

	p->resets++;
}

static void begin(struct process *p, bool has_host)
{
	*p = (struct process){0};
	solo_init(&p->solo);
	p->host = (struct command_host){.owner = p,
					.info_process = played_info,
					.config_name = played_name,
					.config_value = played_value,
					.config_set = played_set,
					.config_rewrite = played_rewrite,
					.config_rewritten = played_rewritten,
					.config_reset_stats = played_reset};
	p->solo.options.host = has_host ? &p->host : NULL;
	assert_int_equal(solo_start(&p->solo), OK);
}

static void end(struct process *p)
{
	solo_close(&p->solo);
	buf_free(&p->told);
}

static void names_and_patterns_are_looked_up(void **state)
{
	struct process p;

	(void)state;
	begin(&p, true);
	assert_string_equal(solo_say(&p.solo, "CONFIG GET nothing"), "*0|");
	assert_string_equal(solo_say(&p.solo, "CONFIG GET PORT"), "*2|$4|PORT|$1|0|");
	assert_string_equal(solo_say(&p.solo, "CONFIG GET MAX*"),
			    "*4|$10|maxclients|$1|1|$9|maxmemory|$1|2|");
	assert_string_equal(solo_say(&p.solo, "CONFIG GET port p?rt max[m]*"),
			    "*4|$4|port|$1|0|$9|maxmemory|$1|2|");
	assert_non_null(strstr(solo_say(&p.solo, "HELLO 3"), "proto"));
	assert_string_equal(solo_say(&p.solo, "CONFIG GET port"), "%1|$4|port|$1|0|");
	assert_string_equal(solo_say(&p.solo, "CONFIG GET nothing"), "%0|");
	end(&p);
}

static void pairs_are_handed_over_together(void **state)
{
	struct process p;

	(void)state;
	begin(&p, true);
	assert_string_equal(solo_say(&p.solo, "CONFIG SET port 1 maxclients 2"), "+OK|");
	assert_true(slice_equal(buf_slice(&p.told), SLICE_LITERAL("port 1 maxclients 2 ")));
	assert_string_equal(solo_say(&p.solo, "CONFIG SET port 1 maxclients"),
			    "-ERR syntax error|");
	assert_string_equal(solo_say(&p.solo, "CONFIG SET bad 1"), "-ERR no such thing|");
	assert_string_equal(solo_say(&p.solo, "CONFIG REWRITE"),
			    "-ERR The server is running without a config file|");
	assert_string_equal(solo_say(&p.solo, "CONFIG NONE"),
			    "-ERR unknown subcommand 'NONE'. Try CONFIG HELP.|");
	assert_string_equal(solo_say(&p.solo, "CONFIG"),
			    "-ERR wrong number of arguments for 'config' command|");
	end(&p);
}

/* The disk takes its time; replies keep their order, and others are not held up. */
static void a_rewritten_file_is_waited_for(void **state)
{
	struct session *other;
	struct process p;

	(void)state;
	begin(&p, true);
	p.has_file = true;
	p.rewritten = ERR_BUSY;
	other = session_open(p.solo.member, &solo_session_events, &p.solo);
	solo_send(&p.solo, p.solo.session, "CONFIG REWRITE");
	solo_send(&p.solo, p.solo.session, "PING");
	solo_send(&p.solo, other, "PING");
	solo_work(&p.solo);
	assert_string_equal(solo_take(&p.solo, p.solo.session), "");
	assert_string_equal(solo_take(&p.solo, other), "+PONG|");
	p.rewritten = OK;
	solo_work(&p.solo);
	assert_string_equal(solo_take(&p.solo, p.solo.session), "+OK|+PONG|");
	p.rewritten = ERR_NO_SPACE;
	assert_string_equal(solo_say(&p.solo, "CONFIG REWRITE"), "-ERR no space|");
	end(&p);
}

static void what_is_counted_begins_anew(void **state)
{
	struct process p;
	const char *stats;

	(void)state;
	begin(&p, true);
	p.solo.now_ms += 1000;
	for (int i = 0; i < 5; i++)
		assert_string_equal(solo_say(&p.solo, "PING"), "+PONG|");
	/* Another second: from here on what runs in it is counted. */
	p.solo.now_ms += 1000;
	assert_string_equal(solo_say(&p.solo, "PING"), "+PONG|");
	assert_string_equal(solo_say(&p.solo, "CONFIG RESETSTAT"), "+OK|");
	assert_int_equal(p.resets, 1);
	p.solo.now_ms += 1000;
	solo_work(&p.solo);
	stats = solo_say(&p.solo, "INFO stats commandstats");
	assert_null(strstr(stats, "cmdstat_ping"));
	assert_non_null(strstr(stats, "|total_commands_processed:1|"));
	assert_non_null(strstr(stats, "|instantaneous_ops_per_sec:0|"));
	end(&p);
}

/* A transaction that does not run must not have changed anything. */
static void a_transaction_asks_and_does_not_set(void **state)
{
	struct process p;

	(void)state;
	begin(&p, true);
	solo_say(&p.solo, "MULTI");
	solo_say(&p.solo, "CONFIG GET port");
	solo_say(&p.solo, "CONFIG SET port 1");
	assert_string_equal(solo_say(&p.solo, "EXEC"),
			    "*2|*2|$4|port|$1|0|-ERR 'config|set' is not allowed in transactions|");
	assert_int_equal(p.told.len, 0);
	end(&p);
}

static void without_a_process_it_says_so(void **state)
{
	static const char error[] =
		"-ERR this member runs without a process that has a configuration|";
	struct process p;

	(void)state;
	begin(&p, false);
	assert_string_equal(solo_say(&p.solo, "CONFIG GET *"), error);
	assert_string_equal(solo_say(&p.solo, "CONFIG SET port 1"), error);
	assert_string_equal(solo_say(&p.solo, "CONFIG REWRITE"), error);
	assert_non_null(strstr(solo_say(&p.solo, "CONFIG HELP"), "CONFIG <subcommand>"));
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_patterns_are_looked_up),
		cmocka_unit_test(pairs_are_handed_over_together),
		cmocka_unit_test(a_rewritten_file_is_waited_for),
		cmocka_unit_test(what_is_counted_begins_anew),
		cmocka_unit_test(a_transaction_asks_and_does_not_set),
		cmocka_unit_test(without_a_process_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
