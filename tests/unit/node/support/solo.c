#include "solo.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "consensus/raft_state.h"
#include "node/driver_state.h"
#include "resp/inline.h"
#include "storage/engine_rocks.h"

#include <stdio.h>
#include <string.h>

static uint64_t solo_monotonic_us(void *ctx)
{
	struct solo *s = ctx;

	return s->now_ms * 1000;
}

static uint64_t solo_wall_ms(void *ctx)
{
	struct solo *s = ctx;

	return 1700000000000 + s->now_ms;
}

static uint64_t solo_random(void *ctx)
{
	struct solo *s = ctx;

	return random_next(&s->random);
}

static void solo_frame(void *ctx, uint64_t to, const struct frame *frame)
{
	(void)ctx;
	(void)to;
	(void)frame;
}

static void solo_frame_to_name(void *ctx, struct slice name, const struct frame *frame)
{
	(void)ctx;
	(void)name;
	(void)frame;
}

static void solo_run(void *ctx, enum job_lane lane, struct job *job)
{
	struct solo *s = ctx;

	s->pool_jobs += lane == LANE_READ;
	list_init(&job->link);
	list_push_back(lane == LANE_READ ? &s->pool : &s->jobs, &job->link);
}

static void solo_log(void *ctx, enum log_level level, const char *text, size_t len)
{
	struct solo *s = ctx;

	(void)level;
	buf_append(&s->log_text, text, len);
	buf_append_byte(&s->log_text, '\n');
}

static void solo_changed(void *ctx, const struct raft_status *status)
{
	(void)ctx;
	(void)status;
}

static void solo_failed(void *ctx, int error)
{
	struct solo *s = ctx;

	(void)error;
	s->failures++;
}

static void session_event(void *ctx)
{
	(void)ctx;
}

const struct session_events solo_session_events = {session_event, session_event, NULL};

void solo_init(struct solo *s)
{
	static const struct slice names[] = {{(const uint8_t *)"n1", 2}};

	*s = (struct solo){.now_ms = 1000};
	random_seed(&s->random, 1);
	s->disk = sim_disk_new(1);
	s->rows = engine_memory_new();
	list_init(&s->jobs);
	list_init(&s->pool);
	s->logger = (struct logger){.level = LOG_DEBUG, .write = solo_log, .ctx = s};
	s->io = (struct node_io){
		.ctx = s,
		.clock = {.monotonic_us = solo_monotonic_us, .wall_ms = solo_wall_ms, .ctx = s},
		.disk = sim_disk_interface(s->disk),
		.logger = &s->logger,
		.random = solo_random,
		.send = solo_frame,
		.send_to_name = solo_frame_to_name,
		.run = solo_run,
	};
	s->events =
		(struct member_events){.ctx = s, .changed = solo_changed, .failed = solo_failed};
	s->options = member_options_default();
	s->options.driver.dir = "log";
	s->options.driver.segment_bytes = (size_t)1 << 20;
	s->options.driver.name = names[0];
	s->options.driver.names = names;
	s->options.driver.name_count = 1;
}

/* Whether there were any. */
static bool solo_run_jobs(struct list *jobs)
{
	struct list *it;
	bool any = false;

	while ((it = list_pop_front(jobs)) != NULL) {
		struct job *job = LIST_ITEM(it, struct job, link);

		while (job->step(job) == JOB_MORE)
			;
		job->done(job);
		any = true;
	}
	return any;
}

void solo_lose_office(struct solo *s)
{
	struct raft *r = member_driver(s->member)->raft;

	s->hold_pool = true;
	raft_become_follower(r, r->hard.term, 0);
}

void solo_work(struct solo *s)
{
	for (int idle = 0; idle < 3;) {
		uint64_t due;

		member_turn(s->member);
		idle++;
		if (!s->hold_pool &&
		    (solo_run_jobs(&s->jobs) || (!s->hold_reads && solo_run_jobs(&s->pool))))
			idle = 0;
		due = member_deadline_ms(s->member);
		if (due > s->now_ms && due <= s->now_ms + 2 && idle < 3)
			s->now_ms = due;
	}
}

static int solo_open_engine(struct solo *s)
{
	struct engine_rocks_options o;

	if (!s->rocks_dir) {
		s->engine = engine_memory_open(s->rows);
		return OK;
	}
	o = engine_rocks_defaults(s->rocks_dir);
	return engine_rocks_open(&s->engine, &o);
}

int solo_start(struct solo *s)
{
	int rc = solo_open_engine(s);

	if (rc != OK)
		return rc;
	s->io.disk = sim_disk_interface(s->disk);
	rc = member_new(&s->member, &s->options, &s->io, s->engine, &s->events);
	if (rc != OK) {
		engine_close(s->engine);
		s->engine = NULL;
		return rc;
	}
	for (int i = 0; i < 100; i++) {
		struct raft_status status;

		solo_work(s);
		s->now_ms += 20;
		driver_status(member_driver(s->member), &status);
		if (status.role == RAFT_LEADER)
			break;
	}
	solo_work(s);
	s->session = session_open(s->member, &solo_session_events, s);
	return OK;
}

void solo_stop(struct solo *s, bool power)
{
	if (!s->member)
		return;
	while (list_pop_front(&s->jobs) || list_pop_front(&s->pool))
		; /* the threads are dead; the jobs are their owners' */
	member_free(s->member);
	engine_close(s->engine);
	s->member = NULL;
	s->session = NULL;
	s->engine = NULL;
	if (power)
		sim_disk_crash(s->disk);
	else
		sim_disk_kill(s->disk);
}

void solo_close(struct solo *s)
{
	solo_stop(s, false);
	sim_disk_free(s->disk);
	engine_memory_free(s->rows);
	buf_free(&s->log_text);
	buf_free(&s->said);
}

void solo_send(struct solo *s, struct session *session, const char *line)
{
	struct resp_args args = {0};
	struct buf bytes = {0};
	int rc;

	(void)s;
	buf_append_slice(&bytes, slice_of_text(line));
	rc = resp_inline_split(bytes.data, bytes.len, &args);
	CHECK(rc == OK);
	session_request(session, resp_args_resolve(&args, bytes.data), args.len);
	resp_args_free(&args);
	buf_free(&bytes);
}

const char *solo_take(struct solo *s, struct session *session)
{
	struct buf *out = session_output(session);

	buf_clear(&s->said);
	for (size_t i = 0; i < out->len; i++) {
		if (out->data[i] == '\r')
			continue;
		buf_append_byte(&s->said, out->data[i] == '\n' ? '|' : out->data[i]);
	}
	buf_append_byte(&s->said, '\0');
	buf_clear(out);
	return (const char *)s->said.data;
}

const char *solo_say_in(struct solo *s, struct session *session, const char *line)
{
	solo_send(s, session, line);
	solo_work(s);
	return solo_take(s, session);
}

const char *solo_say(struct solo *s, const char *line)
{
	return solo_say_in(s, s->session, line);
}

void solo_says_with(struct solo *s, const char *line, const char *text)
{
	const char *said = solo_say(s, line);
	bool found = strstr(said, text);

	if (!found)
		fprintf(stderr, "%s: no %s in %s\n", line, text, said);
	CHECK(found);
}
