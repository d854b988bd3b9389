/*
 * What a member costs beside its sockets, alone in this process: SETs of 256 bytes and INCRs on
 * random keys, applied as committed entries, with RocksDB behind them; then the same and GETs
 * through sessions, consensus and log included; then the end and the next start.
 *
 *	apply_bench [--keys N] [--seconds S] [--rounds N] [--dir D] [apply] [session] [reopen]
 *	apply_bench count apply|session set|incr|get N BATCH    that and nothing else, without an
 *	                          engine, for counting instructions: bench/apply_instructions
 *
 * `loop` is the processor time of the thread that applies, `all` that of the whole process: the
 * engine's writer (`store`), RocksDB's merging (`engine`) and the others are in it. What the bench
 * itself does to make requests is not. The loop's figure is the median of the rounds, `spread` the
 * distance from the lowest to the highest as a part of it. The others are means: merging comes
 * seldom, and then a lot of it.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "node/member_state.h"
#include "storage/log.h"
#include "support/allocations.h"
#include "support/feed.h"
#include "support/load.h"
#include "support/samples.h"
#include "support/usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_COMMANDS 1024u /* made ahead, then measured: a busy turn */
#define BATCH_MAX      64u
#define SESSIONS_MAX   64u
#define GET_KEYS_MAX   100000u /* their values stay in the cache */
#define FEW_KEYS_MAX   1000u   /* and their rows in those of the processor */

enum part {
	PART_APPLY = 1,
	PART_SESSION = 2,
	PART_REOPEN = 4,
};

struct bench {
	uint64_t keys;
	double seconds;
	unsigned rounds;
	unsigned parts;
	const char *dir;
	struct load load;
	struct lone lone;
	struct feed feed;
	struct session *sessions[SESSIONS_MAX];
};

/* Of one measured stretch. */
struct usage {
	uint64_t loop_ns;
	uint64_t all_ns;
	uint64_t allocations;
	struct usage_threads threads;
};

struct figure {
	struct samples loop;
	struct samples all;
	struct samples store;
	struct samples engine;
	struct samples log;
	struct samples read;
	struct samples allocations;
};

/* ---- measuring ------------------------------------------------------------------------------- */

static struct usage usage_now(void)
{
	struct usage u = {usage_thread_ns(), usage_process_ns(), allocations_here(), {0}};

	usage_threads(&u.threads);
	return u;
}

/* `work` is what the loop did in the measured stretches of the round. */
static void figure_add(struct figure *f, const struct usage *begin, const struct usage *work,
		       uint64_t commands)
{
	struct usage end = usage_now();
	double us = 1e-3 / (double)commands;
	uint64_t own = (end.loop_ns - begin->loop_ns) - work->loop_ns; /* the bench's */

	samples_add(&f->loop, (double)work->loop_ns * us);
	samples_add(&f->all, (double)(end.all_ns - begin->all_ns - own) * us);
	samples_add(&f->store, (double)(end.threads.store_ns - begin->threads.store_ns) * us);
	samples_add(&f->engine, (double)(end.threads.engine_ns - begin->threads.engine_ns) * us);
	samples_add(&f->log, (double)(end.threads.log_ns - begin->threads.log_ns) * us);
	samples_add(&f->read, (double)(end.threads.read_ns - begin->threads.read_ns) * us);
	samples_add(&f->allocations, (double)work->allocations / (double)commands);
}

static void print_head(const char *what)
{
	printf("\n%-34s %6s %6s %6s %6s | %6s %6s %6s %6s | %s\n", what, "loop", "spread", "all",
	       "spread", "store", "engine", "log", "read", "allocations");
}

static void print_figure(const char *name, const struct figure *f)
{
	printf("%-34s %6.2f %5.0f%% %6.2f %5.0f%% | %6.2f %6.2f %6.2f %6.2f | %.4f\n", name,
	       samples_median(&f->loop), 100 * samples_spread(&f->loop), samples_mean(&f->all),
	       100 * samples_spread(&f->all), samples_mean(&f->store), samples_mean(&f->engine),
	       samples_mean(&f->log), samples_mean(&f->read), samples_mean(&f->allocations));
	fflush(stdout);
}

static void print_memory(const char *when)
{
	struct usage_memory m;

	usage_memory(&m);
	printf("%s: %.0f MiB resident, at most %.0f MiB so far\n", when,
	       (double)m.resident_bytes / (1 << 20), (double)m.peak_bytes / (1 << 20));
	fflush(stdout);
}

static double seconds_now(const struct bench *b)
{
	return (double)clock_monotonic_us(&b->lone.io.clock) * 1e-6;
}

static void open_lone(struct bench *b, bool in_memory)
{
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s/apply_bench.XXXXXX", b->dir);
	CHECK(mkdtemp(dir));
	lone_init(&b->lone, dir);
	b->lone.in_memory = in_memory;
	if (in_memory)
		b->lone.options.overlay_bytes = (size_t)8 << 30;
}

/* ---- committed entries ----------------------------------------------------------------------- */

struct block {
	enum load_command what;
	uint64_t keys; /* 0: all of them from `first` on, one after the other */
	uint64_t first;
	uint32_t commands;
	uint32_t batch;
};

/* What callgrind collects (bench/apply_instructions). */
__attribute__((noinline)) static void measured_feed(struct bench *b, struct blob **batches,
						    size_t count)
{
	feed_run(&b->feed, batches, count);
}

static void run_block(struct bench *b, const struct block *block, struct usage *work)
{
	struct blob *batches[BLOCK_COMMANDS];
	uint64_t loop_ns, allocations;
	size_t count = 0;

	for (uint32_t done = 0; done < block->commands; done += block->batch) {
		uint32_t n = MIN(block->batch, block->commands - done);
		struct batch_header h = feed_header(&b->feed, n);

		batches[count++] =
			load_batch(&b->load, &h, block->what, block->keys, block->first + done);
	}
	loop_ns = usage_thread_ns();
	allocations = allocations_here();
	measured_feed(b, batches, count);
	work->loop_ns += usage_thread_ns() - loop_ns;
	work->allocations += allocations_here() - allocations;
	for (size_t i = 0; i < count; i++)
		blob_release(batches[i]);
}

static void feed_all(struct bench *b, enum load_command what, uint64_t keys)
{
	struct usage work = {0};

	for (uint64_t at = 0; at < keys; at += BLOCK_COMMANDS) {
		struct block block = {what, 0, at, (uint32_t)MIN(BLOCK_COMMANDS, keys - at),
				      BATCH_MAX};

		run_block(b, &block, &work);
	}
}

static void feed_round(struct bench *b, enum load_command what, uint64_t keys, uint32_t batch,
		       struct figure *f)
{
	struct block block = {what, keys, 0, BLOCK_COMMANDS, batch};
	double end = seconds_now(b) + b->seconds;
	struct usage begin = usage_now(), work = {0};
	uint64_t commands = 0;

	for (; seconds_now(b) < end; commands += BLOCK_COMMANDS)
		run_block(b, &block, &work);
	if (f)
		figure_add(f, &begin, &work, commands);
}

static void feed_figure(struct bench *b, enum load_command what, uint64_t keys, uint32_t batch,
			const char *name)
{
	struct figure f = {0};

	feed_round(b, what, keys, batch, NULL);
	for (unsigned i = 0; i < b->rounds; i++)
		feed_round(b, what, keys, batch, &f);
	print_figure(name, &f);
}

static void part_apply(struct bench *b)
{
	uint64_t counters = MIN(b->keys, (uint64_t)GET_KEYS_MAX);
	uint64_t few = MIN(b->keys, (uint64_t)FEW_KEYS_MAX);

	open_lone(b, false);
	lone_start(&b->lone);
	feed_init(&b->feed, &b->lone);
	feed_all(b, LOAD_SET, b->keys);
	print_head("applied, us a command");
	feed_figure(b, LOAD_SET, b->keys, 1, "SET, batches of 1");
	feed_figure(b, LOAD_SET, b->keys, BATCH_MAX, "SET, batches of 64");
	feed_all(b, LOAD_INCR, counters);
	feed_figure(b, LOAD_INCR, counters, 1, "INCR of 100,000, batches of 1");
	feed_figure(b, LOAD_INCR, counters, BATCH_MAX, "INCR of 100,000, batches of 64");
	feed_figure(b, LOAD_INCR, few, 1, "INCR of 1,000, batches of 1");
	feed_figure(b, LOAD_INCR, few, BATCH_MAX, "INCR of 1,000, batches of 64");
	feed_store(&b->feed);
	print_memory("applied");
	lone_close(&b->lone);
}

/* ---- sessions -------------------------------------------------------------------------------- */

struct talk {
	enum load_command what;
	uint64_t keys;
	uint32_t sessions;
	uint32_t pipeline; /* requests of each, one behind the other, before any is answered */
};

static void said(void *ctx)
{
	(void)ctx;
}

static void open_sessions(struct bench *b)
{
	static const struct session_events events = {said, said, NULL};

	for (size_t i = 0; i < SESSIONS_MAX; i++)
		b->sessions[i] = session_open(b->lone.member, &events, b);
}

static bool all_answered(const struct bench *b, const struct talk *t)
{
	for (uint32_t i = 0; i < t->sessions; i++)
		if (!session_is_idle(b->sessions[i]))
			return false;
	return true;
}

__attribute__((noinline)) static void measured_ask(struct session *s, const struct slice *argv,
						   size_t argc)
{
	session_request(s, argv, argc);
}

__attribute__((noinline)) static void measured_turn(struct bench *b)
{
	lone_turn(&b->lone);
}

static void take_answers(struct bench *b, const struct talk *t)
{
	for (uint32_t i = 0; i < t->sessions; i++) {
		struct buf *out = session_output(b->sessions[i]);

		if (out->len == 0 || out->data[0] == '-') {
			fprintf(stderr, "an error was the answer: %.*s\n", (int)out->len,
				(const char *)out->data);
			exit(1);
		}
		buf_clear(out);
	}
}

/* Everybody asks, and is answered. Keys from `first` on, or random ones. */
static void talk_once(struct bench *b, const struct talk *t, uint64_t first)
{
	for (uint32_t i = 0; i < t->sessions; i++) {
		for (uint32_t n = 0; n < t->pipeline; n++) {
			uint64_t key = t->keys ? load_any(&b->load, t->keys) : first++;
			size_t argc = load_command(&b->load, t->what, key);

			measured_ask(b->sessions[i], b->load.argv, argc);
			b->load.key[0] = 'k';
		}
	}
	measured_turn(b);
	while (!all_answered(b, t)) {
		lone_rest(&b->lone);
		measured_turn(b);
	}
	take_answers(b, t);
}

static void talk_all(struct bench *b, enum load_command what, uint64_t keys)
{
	struct talk t = {what, 0, SESSIONS_MAX, 64};

	for (uint64_t at = 0; at < keys; at += (uint64_t)t.sessions * t.pipeline)
		talk_once(b, &t, at);
}

/* What the bench does itself is in it: a few dozen nanoseconds a request. */
static void talk_round(struct bench *b, const struct talk *t, struct figure *f)
{
	double end = seconds_now(b) + b->seconds;
	struct usage begin = usage_now(), work;
	uint64_t commands = 0;

	for (; seconds_now(b) < end; commands += (uint64_t)t->sessions * t->pipeline)
		talk_once(b, t, 0);
	work.loop_ns = usage_thread_ns() - begin.loop_ns;
	work.allocations = allocations_here() - begin.allocations;
	if (f)
		figure_add(f, &begin, &work, commands);
}

static void talk_figure(struct bench *b, struct talk t, const char *name)
{
	struct figure f = {0};

	talk_round(b, &t, NULL);
	for (unsigned i = 0; i < b->rounds; i++)
		talk_round(b, &t, &f);
	print_figure(name, &f);
}

static void part_session(struct bench *b)
{
	uint64_t few = MIN(b->keys, (uint64_t)GET_KEYS_MAX);

	open_lone(b, false);
	lone_start(&b->lone);
	open_sessions(b);
	talk_all(b, LOAD_SET, few);
	talk_all(b, LOAD_INCR, few);
	talk_all(b, LOAD_GET, few);
	print_head("asked for by sessions, us a command");
	talk_figure(b, (struct talk){LOAD_GET, few, 1, 1}, "GET, one session");
	talk_figure(b, (struct talk){LOAD_GET, few, 1, 16}, "GET, one, pipelines of 16");
	talk_figure(b, (struct talk){LOAD_GET, few, 64, 1}, "GET, 64 sessions");
	talk_figure(b, (struct talk){LOAD_GET, few, 64, 16}, "GET, 64, pipelines of 16");
	talk_figure(b, (struct talk){LOAD_SET, few, 1, 1}, "SET, one session");
	talk_figure(b, (struct talk){LOAD_SET, few, 64, 1}, "SET, 64 sessions");
	talk_figure(b, (struct talk){LOAD_SET, few, 64, 16}, "SET, 64, pipelines of 16");
	talk_figure(b, (struct talk){LOAD_INCR, few, 64, 1}, "INCR, 64 sessions");
	talk_figure(b, (struct talk){LOAD_INCR, few, 64, 16}, "INCR, 64, pipelines of 16");
	print_memory("asked");
	lone_close(&b->lone);
}

/* ---- the end and the next start -------------------------------------------------------------- */

static void part_reopen(struct bench *b)
{
	struct talk get = {LOAD_GET, b->keys, 1, 1};
	uint64_t stored, logged, begin_ns;
	double begin;

	open_lone(b, false);
	lone_start(&b->lone);
	open_sessions(b);
	begin = seconds_now(b);
	talk_all(b, LOAD_SET, b->keys);
	printf("\n%" PRIu64 " keys of 256 bytes written in %.1f s\n", b->keys,
	       seconds_now(b) - begin);
	print_memory("written");
	stored = store_durable_index(b->lone.member->store);
	logged = log_last_index(driver_log(b->lone.member->driver));
	lone_stop(&b->lone);
	print_memory("closed");

	begin = seconds_now(b);
	begin_ns = usage_process_ns();
	lone_start(&b->lone);
	CHECK(store_durable_index(b->lone.member->store) == stored);
	open_sessions(b);
	talk_once(b, &get, 0);
	printf("opened and answered a GET in %.2f s, of the processors %.2f s; "
	       "stored up to entry %" PRIu64 ", logged up to %" PRIu64 ", replayed %" PRIu64 "\n",
	       seconds_now(b) - begin, (double)(usage_process_ns() - begin_ns) * 1e-9, stored,
	       logged, logged - stored);
	print_memory("opened");
	get.sessions = SESSIONS_MAX;
	get.pipeline = 16;
	print_head("all keys, us a command");
	talk_figure(b, get, "GET, 64, pipelines of 16");
	get.what = LOAD_SET;
	talk_figure(b, get, "SET, 64, pipelines of 16");
	print_memory("asked");
	lone_close(&b->lone);
}

/* ---- for counting ---------------------------------------------------------------------------- */

static int command_of(const char *name)
{
	static const char *const names[] = {
		[LOAD_SET] = "set", [LOAD_INCR] = "incr", [LOAD_GET] = "get"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

/* Keys are few, so that all are there after a short time. */
#define COUNT_KEYS 1000

static void count(struct bench *b, bool sessions, enum load_command what, uint64_t n,
		  uint32_t batch)
{
	open_lone(b, true);
	lone_start(&b->lone);
	open_sessions(b);
	if (sessions) {
		struct talk t = {what, COUNT_KEYS, 1, batch};

		talk_all(b, LOAD_SET, COUNT_KEYS);
		for (uint64_t done = 0; done < n; done += batch)
			talk_once(b, &t, 0);
	} else {
		struct block block = {what, COUNT_KEYS, 0, BLOCK_COMMANDS, batch};
		struct usage work = {0};

		feed_init(&b->feed, &b->lone);
		for (uint64_t done = 0; done < n; done += BLOCK_COMMANDS)
			run_block(b, &block, &work);
	}
	lone_close(&b->lone);
}

/* ---- the command line ------------------------------------------------------------------------ */

static int usage(void)
{
	fprintf(stderr, "usage: apply_bench [--keys N] [--seconds S] [--rounds N] [--dir D] "
			"[apply] [session] [reopen]\n"
			"       apply_bench count apply|session set|incr|get N BATCH\n");
	return 2;
}

static bool take_option(struct bench *b, const char *name, const char *value)
{
	if (strcmp(name, "--keys") == 0)
		b->keys = strtoull(value, NULL, 10);
	else if (strcmp(name, "--seconds") == 0)
		b->seconds = strtod(value, NULL);
	else if (strcmp(name, "--rounds") == 0)
		b->rounds = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(name, "--dir") == 0)
		b->dir = value;
	else
		return false;
	return b->keys >= 1 && b->seconds > 0 && b->rounds >= 1;
}

static bool take_part(struct bench *b, const char *name)
{
	if (strcmp(name, "apply") == 0)
		b->parts |= PART_APPLY;
	else if (strcmp(name, "session") == 0)
		b->parts |= PART_SESSION;
	else if (strcmp(name, "reopen") == 0)
		b->parts |= PART_REOPEN;
	else
		return false;
	return true;
}

static int run_count(struct bench *b, char **argv)
{
	bool sessions = strcmp(argv[0], "session") == 0;
	int what = command_of(argv[1]);
	uint64_t batch = strtoull(argv[3], NULL, 10);

	if ((!sessions && strcmp(argv[0], "apply") != 0) || what < 0 || batch < 1 ||
	    batch > BATCH_MAX || (!sessions && what == LOAD_GET))
		return usage();
	count(b, sessions, (enum load_command)what, strtoull(argv[2], NULL, 10), (uint32_t)batch);
	return 0;
}

static int run(struct bench *b, int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "count") == 0)
		return run_count(b, argv + 2);
	for (int i = 1; i < argc; i++) {
		if (i + 1 < argc && take_option(b, argv[i], argv[i + 1]))
			i++;
		else if (!take_part(b, argv[i]))
			return usage();
	}
	if (!b->parts)
		b->parts = PART_APPLY | PART_SESSION | PART_REOPEN;
	if (b->parts & PART_APPLY)
		part_apply(b);
	if (b->parts & PART_SESSION)
		part_session(b);
	if (b->parts & PART_REOPEN)
		part_reopen(b);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench *b = MEM_NEW(struct bench);
	int code;

	*b = (struct bench){.keys = 1000000, .seconds = 2, .rounds = 5, .dir = "/tmp"};
	load_init(&b->load, 1);
	code = run(b, argc, argv);
	load_close(&b->load);
	mem_free(b);
	return code;
}
