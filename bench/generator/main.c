#include "options.h"
#include "report.h"

#include "base/error.h"
#include "base/mem.h"
#include "resp/args.h"
#include "resp/inline.h"
#include "resp/writer.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Exit codes: 0 done, 1 nothing could be measured, 2 the command line makes no sense. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

#define FILL_PIPELINE 64
#define TRY_SECONDS   5
#define SPARE_FILES   64 /* besides the connections */

struct bench {
	struct bench_options options;
	struct target *targets;
	size_t target_count;
	struct buf greeting;
	size_t greetings;
	struct mix mix;
	atomic_bool stop;
	int stop_fd;
};

/* ---- before the load ------------------------------------------------------------------------- */

/* Adds one request to what each connection says first. */
static void greet_with(struct bench *b, const struct slice *words, size_t count)
{
	struct resp_writer w = {.out = &b->greeting, .protocol = 2};

	resp_write_array(&w, count);
	for (size_t i = 0; i < count; i++)
		resp_write_bulk(&w, words[i]);
	b->greetings++;
}

static void bench_greet(struct bench *b)
{
	const struct bench_options *o = &b->options;
	struct slice user = slice_of_text(o->user ? o->user : "default");
	struct slice password = slice_of_text(o->password ? o->password : "");
	struct slice hello[] = {SLICE_LITERAL("HELLO"), SLICE_LITERAL("3"), SLICE_LITERAL("AUTH"),
				user, password};
	struct slice auth[] = {SLICE_LITERAL("AUTH"), o->user ? user : password, password};

	if (o->protocol == 3)
		greet_with(b, hello, o->password ? 5 : 2);
	else if (o->password)
		greet_with(b, auth, o->user ? 3 : 2);
}

static int bench_greet_lines(struct bench *b, struct buf *problem)
{
	const struct words *lines = &b->options.first;
	int rc = OK;

	for (size_t i = 0; i < lines->count && rc == OK; i++) {
		size_t len = strlen(lines->list[i]);
		uint8_t *copy = mem_alloc(len + 1);
		struct resp_args args = {0};

		memcpy(copy, lines->list[i], len + 1);
		rc = resp_inline_split(copy, len, &args);
		if (rc == OK && args.len)
			greet_with(b, resp_args_resolve(&args, copy), args.len);
		else if (rc != OK)
			buf_printf(problem, "--first '%s': a quote is not closed", lines->list[i]);
		resp_args_free(&args);
		mem_free(copy);
	}
	return rc;
}

static int bench_mix(struct bench *b, struct buf *problem)
{
	const struct bench_options *o = &b->options;
	int rc = OK;

	mix_init(&b->mix, o->value_bytes);
	if (o->mix)
		rc = mix_add_named(&b->mix, o->mix, problem);
	for (size_t i = 0; i < o->lines.count && rc == OK; i++)
		rc = mix_add_line(&b->mix, o->lines.list[i], problem);
	return rc;
}

static int bench_targets(struct bench *b, struct buf *problem)
{
	const struct words *hosts = &b->options.hosts;

	b->targets = mem_zalloc(hosts->count, sizeof(*b->targets));
	for (; b->target_count < hosts->count; b->target_count++) {
		int rc = target_find(&b->targets[b->target_count], hosts->list[b->target_count],
				     problem);

		if (rc != OK)
			return rc;
	}
	return OK;
}

/* Somebody has to be there; who is not is said, and tried again during the load. */
static int bench_try(const struct bench *b)
{
	struct buf words = {0};
	size_t there = 0;

	buf_append_slice(&words, buf_slice(&b->greeting));
	buf_append_slice(&words, SLICE_LITERAL("PING\r\n"));
	for (size_t i = 0; i < b->target_count; i++) {
		struct buf problem = {0};
		int rc = target_try(&b->targets[i], buf_slice(&words), b->greetings + 1,
				    TRY_SECONDS, &problem);

		there += rc == OK;
		if (rc != OK)
			fprintf(stderr, "conclave-bench: %.*s\n", (int)problem.len,
				(const char *)problem.data);
		buf_free(&problem);
	}
	buf_free(&words);
	return there ? OK : ERR_UNAVAILABLE;
}

static int bench_raise_files(uint64_t connections)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return ERR_IO;
	if (connections + SPARE_FILES > limit.rlim_max) {
		fprintf(stderr,
			"conclave-bench: %" PRIu64
			" connections are more than the limit of %" PRIu64
			" open files allows: ulimit -n\n",
			connections, (uint64_t)limit.rlim_max);
		return ERR_TOO_LARGE;
	}
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? OK : ERR_IO;
}

/* ---- the load -------------------------------------------------------------------------------- */

static uint64_t ns_of(double seconds)
{
	return (uint64_t)(seconds * 1e9);
}

/* What the filling and the measured run have in common. */
static struct load bench_load(const struct bench *b, const struct mix *mix)
{
	const struct bench_options *o = &b->options;

	return (struct load){.targets = b->targets,
			     .target_count = b->target_count,
			     .greeting = buf_slice(&b->greeting),
			     .greetings = b->greetings,
			     .mix = mix,
			     .keys = o->keys,
			     .seed = o->seed,
			     .connections = (unsigned)o->connections,
			     .threads = (unsigned)MIN(o->threads, o->connections),
			     .timeout_ns = ns_of(o->timeout_s)};
}

static struct load_watch bench_watch(struct bench *b)
{
	return (struct load_watch){
		.every_s = (unsigned)b->options.every_s, .stop = &b->stop, .stop_fd = b->stop_fd};
}

/* One command, asked once for every key. */
static int bench_fill_with(struct bench *b, const char *line)
{
	struct mix mix;
	struct tally tally;
	struct buf problem = {0};
	struct load load = bench_load(b, &mix);
	struct load_watch watch = bench_watch(b);
	double seconds;
	int rc;

	mix_init(&mix, b->options.value_bytes);
	rc = mix_add_line(&mix, line, &problem);
	if (rc == OK) {
		load.choice = (struct picker_choice){.kind = PICKER_SEQUENTIAL};
		load.pipeline = FILL_PIPELINE;
		load.requests = load.keys;
		tally_init(&tally, mix.count);
		load_run(&load, &watch, &tally, &seconds);
		if (tally_errors(&tally) || tally_requests(&tally) < load.keys) {
			fprintf(stderr,
				"conclave-bench: the filling failed: %" PRIu64 " of %" PRIu64
				" keys written, %" PRIu64 " errors %s\n",
				tally_requests(&tally) - tally_errors(&tally), load.keys,
				tally_errors(&tally), tally.kind_count ? tally.kinds[0].name : "");
			rc = ERR_UNAVAILABLE;
		}
		tally_free(&tally);
	}
	mix_free(&mix);
	buf_free(&problem);
	return rc;
}

static int bench_fill(struct bench *b)
{
	const char *line;
	int rc = OK;

	for (size_t i = 0; rc == OK && (line = mix_filling(&b->mix, i)) != NULL; i++)
		rc = bench_fill_with(b, line);
	return rc;
}

static int bench_measure(struct bench *b)
{
	const struct bench_options *o = &b->options;
	struct load load = bench_load(b, &b->mix);
	struct load_watch watch = bench_watch(b);
	struct tally tally;
	struct buf text = {0};
	struct report report = {.load = &load, .tally = &tally};
	int rc;

	load.choice = o->choice;
	load.pipeline = (unsigned)o->pipeline;
	load.warmup_ns = ns_of(o->warmup_s);
	load.duration_ns = o->requests ? 0 : ns_of(o->seconds);
	load.requests = o->requests;
	load.rate = o->rate;
	tally_init(&tally, b->mix.count);
	load_run(&load, &watch, &tally, &report.seconds);
	(o->json ? report_put_json : report_put_text)(&report, &text);
	rc = fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0 ? OK
										       : ERR_IO;
	if (tally_requests(&tally) == tally_errors(&tally))
		rc = ERR_UNAVAILABLE;
	tally_free(&tally);
	buf_free(&text);
	return rc;
}

/* ---- the program ----------------------------------------------------------------------------- */

/* The first Ctrl-C ends the load and leads to the report. */
static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int bench_run(struct bench *b)
{
	int rc = bench_raise_files(b->options.connections);

	if (rc == OK)
		rc = bench_try(b);
	b->stop_fd = watch_signals();
	if (rc == OK && b->options.fill)
		rc = bench_fill(b);
	if (rc == OK)
		rc = bench_measure(b);
	return rc == OK ? EXIT_DONE : EXIT_FAILED;
}

static int print_help(void)
{
	struct buf text = {0};

	bench_options_put_help(&text);
	fwrite(text.data, 1, text.len, stdout);
	buf_free(&text);
	return EXIT_DONE;
}

static int bench_prepare(struct bench *b, int argc, char **argv, struct buf *problem)
{
	int rc = bench_options_read(&b->options, argc - 1, (const char *const *)argv + 1,
				    getenv("CONCLAVE_PASSWORD"), problem);

	if (rc != OK || b->options.help)
		return rc;
	bench_greet(b);
	rc = bench_greet_lines(b, problem);
	if (rc == OK)
		rc = bench_mix(b, problem);
	if (rc == OK)
		rc = bench_targets(b, problem);
	return rc;
}

int main(int argc, char **argv)
{
	struct bench b = {.stop_fd = -1};
	struct buf problem = {0};
	int code = EXIT_USAGE;

	if (bench_prepare(&b, argc, argv, &problem) != OK)
		fprintf(stderr, "conclave-bench: %.*s\n", (int)problem.len,
			(const char *)problem.data);
	else
		code = b.options.help ? print_help() : bench_run(&b);
	for (size_t i = 0; i < b.target_count; i++)
		target_free(&b.targets[i]);
	mem_free(b.targets);
	mix_free(&b.mix);
	buf_free(&b.greeting);
	bench_options_free(&b.options);
	buf_free(&problem);
	return code;
}
