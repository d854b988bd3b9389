#include "fake_node.h"

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* More turns than this at one moment mean a loop that never rests. */
#define TURNS_MAX 1000

static uint64_t fake_monotonic_us(void *ctx)
{
	const struct fake_node *n = ctx;

	return n->now_ms * 1000;
}

static uint64_t fake_wall_ms(void *ctx)
{
	const struct fake_node *n = ctx;

	return n->now_ms;
}

static uint64_t fake_random(void *ctx)
{
	struct fake_node *n = ctx;

	return random_next(&n->random);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static struct fake_frame *frame_add(struct fake_node *n, const struct frame *frame)
{
	struct buf bytes = {0};
	struct fake_frame *f;

	buf_append_slice(&bytes, frame->head);
	for (size_t i = 0; i < frame->count; i++)
		buf_append_slice(&bytes, entry_payload(&frame->entries[i]));
	MEM_GROW(n->frames, n->frame_cap, n->frame_count + 1);
	f = &n->frames[n->frame_count++];
	*f = (struct fake_frame){.kind = frame->kind, .body = blob_copy(buf_slice(&bytes))};
	buf_free(&bytes);
	return f;
}

static void fake_send(void *ctx, uint64_t to, const struct frame *frame)
{
	frame_add(ctx, frame)->to = to;
}

static void fake_send_to_name(void *ctx, struct slice name, const struct frame *frame)
{
	struct fake_frame *f = frame_add(ctx, frame);

	snprintf(f->name, sizeof(f->name), "%.*s", (int)name.len, (const char *)name.data);
}

void fake_node_drop_frames(struct fake_node *n)
{
	for (size_t i = 0; i < n->frame_count; i++)
		blob_release(n->frames[i].body);
	n->frame_count = 0;
}

const struct fake_frame *fake_node_sent(const struct fake_node *n, enum frame_kind kind)
{
	for (size_t i = n->frame_count; i-- > 0;)
		if (n->frames[i].kind == kind)
			return &n->frames[i];
	return NULL;
}

void fake_node_receive(struct fake_node *n, unsigned kind, struct slice body)
{
	struct blob *b = blob_copy(body);

	driver_receive(n->driver, (enum frame_kind)kind, b);
	blob_release(b);
}

void fake_node_receive_message(struct fake_node *n, const struct raft_message *m)
{
	struct buf bytes = {0};

	raft_message_encode(m, &bytes);
	for (uint32_t i = 0; i < m->count; i++)
		buf_append_slice(&bytes, entry_payload(&m->entries[i]));
	fake_node_receive(n, FRAME_RAFT, buf_slice(&bytes));
	buf_free(&bytes);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void fake_run(void *ctx, enum job_lane lane, struct job *job)
{
	struct fake_node *n = ctx;

	(void)lane;
	list_push_back(&n->jobs, &job->link);
}

/* True if there was one. */
static bool run_jobs(struct fake_node *n)
{
	struct list held, *it;
	bool any = false;

	list_init(&held);
	while ((it = list_pop_front(&n->jobs)) != NULL) {
		struct job *job = LIST_ITEM(it, struct job, link);

		if (n->hold_swap && n->swapping && job == &n->install_job) {
			list_push_back(&held, it);
			continue;
		}
		while (job->step(job) == JOB_MORE)
			;
		job->done(job);
		any = true;
	}
	while ((it = list_pop_front(&held)) != NULL)
		list_push_back(&n->jobs, it);
	return any;
}

/* ---- the state machine ----------------------------------------------------------------------- */

static bool fake_apply(void *ctx, uint64_t index, const struct entry *e)
{
	struct fake_node *n = ctx;

	MEM_GROW(n->applied, n->applied_cap, n->applied_count + 1);
	n->applied[n->applied_count++] = (struct fake_applied){
		.index = index, .term = e->term, .kind = e->kind, .payload = NULL};
	if (e->len)
		n->applied[n->applied_count - 1].payload = blob_copy(entry_payload(e));
	return true;
}

static bool fake_is_within(void *ctx)
{
	(void)ctx;
	return false;
}

static bool fake_wants_store(void *ctx)
{
	(void)ctx;
	return false;
}

static enum job_progress machine_step(struct job *job)
{
	(void)job;
	return JOB_DONE;
}

static struct job *fake_store(void *ctx, const struct snapshot *s)
{
	struct fake_node *n = ctx;

	buf_clear(&n->storing);
	snapshot_encode(s, &n->storing);
	n->store_job.step = machine_step;
	n->stores++;
	return &n->store_job;
}

static int fake_store_done(void *ctx, struct buf *where)
{
	struct fake_node *n = ctx;

	if (n->refuse_store)
		return ERR_IO;
	buf_clear(&n->stored);
	buf_append_slice(&n->stored, buf_slice(&n->storing));
	buf_append_byte(where, 'x');
	return OK;
}

static struct job *fake_install_fetch(void *ctx, uint64_t from, const struct snapshot *s)
{
	struct fake_node *n = ctx;

	(void)from;
	buf_clear(&n->fetched);
	snapshot_encode(s, &n->fetched);
	n->install_job.step = machine_step;
	return &n->install_job;
}

static int fake_install_fetched(void *ctx)
{
	struct fake_node *n = ctx;

	return n->refuse_install ? ERR_UNAVAILABLE : OK;
}

static struct job *fake_install_swap(void *ctx)
{
	struct fake_node *n = ctx;

	n->install_job.step = machine_step;
	n->swapping = true;
	return &n->install_job;
}

static int fake_install_done(void *ctx)
{
	struct fake_node *n = ctx;

	n->swapping = false;
	buf_clear(&n->stored);
	buf_append_slice(&n->stored, buf_slice(&n->fetched));
	n->installed++;
	return OK;
}

static void fake_install_drop(void *ctx)
{
	struct fake_node *n = ctx;

	buf_clear(&n->fetched);
}

static void applied_clear(struct fake_node *n)
{
	for (size_t i = 0; i < n->applied_count; i++)
		blob_release(n->applied[i].payload);
	n->applied_count = 0;
}

static struct slice applied_text(const struct fake_applied *a)
{
	if (a->kind < ENTRY_COMMAND || !a->payload)
		return SLICE_LITERAL("");
	return slice_of(a->payload->data, a->payload->len);
}

struct slice fake_node_newest(const struct fake_node *n)
{
	for (size_t i = n->applied_count; i-- > 0;)
		if (n->applied[i].kind >= ENTRY_COMMAND)
			return applied_text(&n->applied[i]);
	return SLICE_LITERAL("");
}

unsigned fake_node_applied(const struct fake_node *n, const char *text)
{
	unsigned count = 0;

	for (size_t i = 0; i < n->applied_count; i++)
		count += slice_equal(applied_text(&n->applied[i]), slice_of_text(text));
	return count;
}

/* ---- what it tells --------------------------------------------------------------------------- */

static void fake_read_ready(void *ctx, uint64_t request)
{
	struct fake_node *n = ctx;

	n->read_ready = request;
}

static void fake_note(void *ctx, const struct raft_note *note)
{
	(void)ctx;
	(void)note;
}

static void fake_changed(void *ctx, const struct raft_status *status)
{
	(void)ctx;
	(void)status;
}

static void fake_failed(void *ctx, int error)
{
	struct fake_node *n = ctx;

	n->failures++;
	n->failure = error;
}

static void fake_log(void *ctx, enum log_level level, const char *text, size_t len)
{
	struct fake_node *n = ctx;

	(void)level;
	buf_append(&n->log_text, text, len);
	buf_append_byte(&n->log_text, '\n');
}

/* ---- its life -------------------------------------------------------------------------------- */

void fake_node_init(struct fake_node *n, const char *name, const char *const *names,
		    size_t name_count)
{
	CHECK(name_count <= FAKE_NAMES_MAX);
	*n = (struct fake_node){.name = name,
				.name_count = name_count,
				.now_ms = 1000,
				.snapshot_entries = 1000000,
				.log_max_bytes = 0};
	for (size_t i = 0; i < name_count; i++)
		n->names[i] = slice_of_text(names[i]);
	random_seed(&n->random, hash64(slice_of_text(name)));
	n->disk = sim_disk_new(1);
	list_init(&n->jobs);
	n->logger = (struct logger){.level = LOG_DEBUG, .write = fake_log, .ctx = n};
	n->io = (struct node_io){
		.ctx = n,
		.clock = {.monotonic_us = fake_monotonic_us, .wall_ms = fake_wall_ms, .ctx = n},
		.disk = sim_disk_interface(n->disk),
		.logger = &n->logger,
		.random = fake_random,
		.send = fake_send,
		.send_to_name = fake_send_to_name,
		.run = fake_run,
	};
	n->machine = (struct machine){
		.ctx = n,
		.apply = fake_apply,
		.is_within = fake_is_within,
		.wants_store = fake_wants_store,
		.store = fake_store,
		.store_done = fake_store_done,
		.install_fetch = fake_install_fetch,
		.install_fetched = fake_install_fetched,
		.install_swap = fake_install_swap,
		.install_done = fake_install_done,
		.install_drop = fake_install_drop,
	};
	n->events = (struct driver_events){
		.ctx = n,
		.read_ready = fake_read_ready,
		.note = fake_note,
		.changed = fake_changed,
		.failed = fake_failed,
	};
}

void fake_node_close(struct fake_node *n)
{
	if (n->driver)
		fake_node_stop(n, false);
	fake_node_drop_frames(n);
	applied_clear(n);
	mem_free(n->frames);
	mem_free(n->applied);
	buf_free(&n->log_text);
	buf_free(&n->stored);
	buf_free(&n->storing);
	buf_free(&n->fetched);
	sim_disk_free(n->disk);
}

int fake_node_start(struct fake_node *n)
{
	struct driver_options o = {
		.raft = raft_options_default(),
		.dir = "log",
		.segment_bytes = 64 << 10,
		.log_max_bytes = n->log_max_bytes,
		.id = n->id,
		.alone = n->alone,
		.direct = true,
		.snapshot_entries = n->snapshot_entries,
		.apply_slice = 64,
		.name = slice_of_text(n->name),
		.names = n->name_count ? n->names : NULL,
		.name_count = n->name_count,
	};
	struct driver_stored stored = {.snapshot = buf_slice(&n->stored)};

	CHECK(!n->driver);
	applied_clear(n);
	return driver_new(&n->driver, &o, &n->io, &n->machine, &n->events, &stored);
}

void fake_node_stop(struct fake_node *n, bool power)
{
	driver_free(n->driver);
	n->driver = NULL;
	list_init(&n->jobs);
	if (power)
		sim_disk_crash(n->disk);
	else
		sim_disk_kill(n->disk);
}

void fake_node_work(struct fake_node *n)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		driver_turn(n->driver);
		if (!run_jobs(n) && driver_deadline_ms(n->driver) > n->now_ms)
			return;
	}
	check_failed(__FILE__, __LINE__, __func__, "the loop rests at last", NULL);
}

void fake_node_pass(struct fake_node *n, uint64_t ms)
{
	for (uint64_t end_ms = n->now_ms + ms; n->now_ms < end_ms;) {
		n->now_ms += 10;
		fake_node_work(n);
	}
}

int fake_node_propose(struct fake_node *n, const char *text, uint64_t *index)
{
	struct entry e = {.kind = ENTRY_COMMAND, .blob = blob_copy(slice_of_text(text))};
	int rc;

	e.data = e.blob->data;
	e.len = (uint32_t)e.blob->len;
	rc = driver_propose(n->driver, &e, 1, index);
	blob_release(e.blob);
	return rc;
}

struct raft_status fake_node_status(const struct fake_node *n)
{
	struct raft_status s;

	driver_status(n->driver, &s);
	return s;
}
