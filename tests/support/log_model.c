#include "support/log_model.h"

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERSHIP_LEN 40

static void payload_fill(uint8_t *at, uint64_t stamp, size_t len)
{
	uint64_t word = hash64_pair(stamp, 7);

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(word >> (8 * (i % 8)) ^ i / 8);
}

static bool payload_equal(struct slice s, uint64_t stamp, size_t len)
{
	uint8_t *expected = mem_alloc(len);
	bool equal;

	payload_fill(expected, stamp, len);
	equal = slice_equal(s, slice_of(expected, len));
	mem_free(expected);
	return equal;
}

struct entry model_entry_make(const struct model_entry *e)
{
	struct entry entry = {.term = e->term, .stamp = e->stamp, .kind = e->kind, .len = e->len};

	if (e->len > 0) {
		entry.blob = blob_new(e->len);
		entry.data = entry.blob->data;
		payload_fill(entry.blob->data, e->stamp, e->len);
	}
	return entry;
}

static void model_free(struct model *m)
{
	mem_free(m->entries);
	*m = (struct model){0};
}

static void model_copy(struct model *to, const struct model *from)
{
	struct model_entry *entries = to->entries;
	size_t cap = to->cap;

	*to = *from;
	to->entries = entries;
	to->cap = cap;
	MEM_GROW(to->entries, to->cap, from->count);
	if (from->count > 0)
		memcpy(to->entries, from->entries, from->count * sizeof(*from->entries));
}

static uint64_t model_last(const struct model *m)
{
	return m->base + m->count;
}

static const struct model_entry *model_at(const struct model *m, uint64_t index)
{
	CHECK(index > m->base && index <= model_last(m));
	return &m->entries[index - m->base - 1];
}

static uint64_t model_term(const struct model *m, uint64_t index)
{
	return index == m->base ? m->base_term : model_at(m, index)->term;
}

/* Index and stamp of the membership valid at `index`. */
static uint64_t model_membership(const struct model *m, uint64_t index, uint64_t *at)
{
	for (uint64_t i = index; i > m->base; i--) {
		if (model_at(m, i)->kind == ENTRY_MEMBERSHIP) {
			*at = i;
			return model_at(m, i)->stamp;
		}
	}
	*at = m->base;
	return m->base_stamp;
}

void log_tester_init(struct log_tester *t, uint64_t seed)
{
	memset(t, 0, sizeof(*t));
	t->disk = sim_disk_new(seed);
	random_seed(&t->random, seed ^ 0x5eed);
	t->options.dir = "log";
	t->options.segment_bytes = 16384;
	t->options.max_bytes = 32768;
	t->options.direct = true;
	t->options.identity = (struct log_identity){seed + 1, 77};
	t->options.logger = getenv("LOG_TEST_VERBOSE") ? &t->logger : NULL;
	t->logger = logger_to_stream(stderr, LOG_DEBUG);
	t->quiet_disk = true;
	t->next_stamp = 1;
	t->payload_max = 2500;
	t->added.base_stamp = t->next_stamp++;
	t->acked.base_stamp = t->added.base_stamp;
	t->changed_from = UINT64_MAX;
}

void log_tester_drop(struct log_tester *t)
{
	if (t->log) {
		log_close(t->log);
		log_recovery_free(&t->found);
	}
	t->log = NULL;
	t->append = NULL;
	t->chore = NULL;
	t->append_done = t->chore_done = t->failed = false;
}

void log_tester_close(struct log_tester *t)
{
	log_tester_drop(t);
	sim_disk_free(t->disk);
	model_free(&t->added);
	model_free(&t->acked);
	model_free(&t->started);
}

int log_tester_open(struct log_tester *t)
{
	uint8_t membership[MEMBERSHIP_LEN];
	int rc;

	payload_fill(membership, t->acked.base_stamp, sizeof(membership));
	t->options.membership = slice_of(membership, sizeof(membership));
	t->options.state = (struct log_state){0};
	if (t->lazy)
		t->options.settled = random_below(&t->random, t->acked_last + 1);
	rc = log_open(&t->log, sim_disk_interface(t->disk), &t->options, &t->found);
	t->options.membership = slice_of(NULL, 0);
	if (rc != OK)
		t->log = NULL;
	return rc;
}

static bool state_equal(const struct log_state *a, const struct log_state *b)
{
	return a->term == b->term && a->vote == b->vote && a->flags == b->flags;
}

static const char *check_membership(const struct log_membership *got, const struct model *m,
				    uint64_t index)
{
	uint64_t at;
	uint64_t stamp = model_membership(m, index, &at);

	if (!payload_equal(slice_of(got->data, got->len), stamp, MEMBERSHIP_LEN))
		return "wrong membership";
	return got->index == at ? NULL : "membership has a wrong index";
}

/*
 * Whether the memberships that were found are those of the model: each that is found is right, and
 * the one that holds at an index is found for all from `settled` on.
 */
static const char *check_memberships(const struct log_recovery *rec, const struct model *m,
				     uint64_t settled)
{
	const char *wrong = check_membership(&rec->base_membership, m, rec->base_index);
	uint64_t known = rec->base_membership.index;
	uint64_t holds = known;
	size_t next = 0;

	for (uint64_t i = rec->base_index + 1; i <= rec->last_index && !wrong; i++) {
		if (model_at(m, i)->kind == ENTRY_MEMBERSHIP)
			holds = i;
		if (next < rec->membership_count && rec->memberships[next].index == i) {
			wrong = check_membership(&rec->memberships[next++], m, i);
			known = i;
		}
		if (i >= MIN(settled, rec->last_index) && known != holds)
			return "a membership is missing";
	}
	if (wrong)
		return wrong;
	return next == rec->membership_count ? NULL : "a membership too many";
}

/* Whether what was found, up to its last index, is what the model says. */
static const char *check_against(const struct log_recovery *rec, const struct model *m,
				 uint64_t released, uint64_t settled)
{
	size_t run = 0;

	if (rec->base_index < m->base || rec->base_index > model_last(m))
		return "base outside of the model";
	if (rec->base_index > MAX(m->base, released))
		return "entries are gone that were not released";
	if (rec->last_index > model_last(m))
		return "entries that were never added";
	if (rec->base_term != model_term(m, rec->base_index))
		return "wrong base term";
	for (uint64_t i = rec->base_index + 1; i <= rec->last_index; i++) {
		const struct model_entry *e = model_at(m, i);

		while (run + 1 < rec->run_count && rec->runs[run + 1].first_index <= i)
			run++;
		if (run >= rec->run_count || rec->runs[run].term != e->term)
			return "wrong term";
	}
	return check_memberships(rec, m, settled);
}

/* Reads everything back and compares it with the model. */
static const char *check_entries(struct log_tester *t, const struct model *m)
{
	uint64_t next = log_base_index(t->log) + 1;

	while (next <= log_durable_index(t->log)) {
		struct log_read read;
		int rc = log_read_start(t->log, &read, next, random_below(&t->random, 9000));

		if (rc != OK)
			return "cannot read";
		while (read.job.step(&read.job) == JOB_MORE)
			;
		rc = log_read_complete(t->log, &read);
		for (size_t i = 0; i < read.count && rc == OK; i++) {
			const struct model_entry *e = model_at(m, next + i);
			const struct entry *got = &read.entries[i];

			if (got->term != e->term || got->stamp != e->stamp || got->kind != e->kind)
				rc = ERR_CORRUPT;
			else if (!payload_equal(entry_payload(got), e->stamp, e->len))
				rc = ERR_CORRUPT;
		}
		next += read.count;
		log_read_free(&read);
		if (rc != OK)
			return "an entry reads back wrong";
	}
	return NULL;
}

/* Could `m`, of which entries up to `least` must be there, be what was found? */
static const char *check_found(const struct log_tester *t, const struct model *m, uint64_t least)
{
	const char *wrong = check_against(&t->found, m, t->released, t->options.settled);

	if (wrong)
		return wrong;
	if (t->found.last_index < least)
		return "an acknowledged entry is lost";
	return state_equal(&t->found.state, &m->state) ? NULL : "wrong hard state";
}

const char *log_tester_check_recovery(struct log_tester *t)
{
	/* What the last completed job left, or the one under way, whole or in part. */
	const char *wrong = check_found(t, &t->acked, t->acked_last);
	struct model *m = &t->acked;

	if (wrong && t->append) {
		m = &t->started;
		wrong = check_found(t, m, MIN(t->acked_last, t->started_from - 1));
	}
	if (wrong)
		return wrong;
	if (t->quiet_disk && t->found.marked)
		return "damage where there was none";
	m->count = t->found.last_index - m->base;
	wrong = check_entries(t, m);
	if (m != &t->acked)
		model_copy(&t->acked, m);
	model_copy(&t->added, &t->acked);
	t->acked_last = t->found.last_index;
	t->changed_from = UINT64_MAX;
	t->append = NULL;
	return wrong;
}

static const char *log_tester_open_checked(struct log_tester *t)
{
	int rc = log_tester_open(t);

	return rc == OK ? log_tester_check_recovery(t) : error_text(rc);
}

const char *log_tester_start(struct log_tester *t, uint64_t seed)
{
	log_tester_init(t, seed);
	return log_tester_open_checked(t);
}

const char *log_tester_reopen(struct log_tester *t)
{
	log_tester_drop(t);
	sim_disk_crash(t->disk);
	return log_tester_open_checked(t);
}

int log_tester_run(struct log *log, struct job *job)
{
	while (job->step(job) == JOB_MORE)
		;
	return log_complete(log);
}

static void model_append(struct log_tester *t, struct model *m)
{
	struct model_entry e = {.term = t->term,
				.stamp = t->next_stamp++,
				.kind = ENTRY_COMMAND + (uint8_t)random_below(&t->random, 3),
				.len = (uint32_t)random_below(&t->random, t->payload_max)};

	if (random_chance(&t->random, 100000)) {
		e.kind = ENTRY_MEMBERSHIP;
		e.len = MEMBERSHIP_LEN;
	} else if (random_chance(&t->random, 100000)) {
		e.kind = ENTRY_NOOP;
		e.len = 0;
	}
	MEM_GROW(m->entries, m->cap, m->count + 1);
	m->entries[m->count++] = e;
}

/* Adds `count` new entries from `first` on, with a new hard state if `state`. */
static void add_entries(struct log_tester *t, uint64_t first, size_t count, bool state)
{
	struct model *m = &t->added;
	struct entry *entries = mem_zalloc(count, sizeof(*entries));
	struct log_batch batch = {.first_index = first, .entries = entries, .count = count};

	m->count = first - m->base - 1;
	t->term = MAX(t->term, model_term(m, first - 1));
	for (size_t i = 0; i < count; i++) {
		model_append(t, m);
		entries[i] = model_entry_make(&m->entries[m->count - 1]);
	}
	if (state) {
		m->state = (struct log_state){++t->term, t->next_stamp, (uint32_t)t->next_stamp};
		batch.state = &m->state;
	}
	t->changed_from = MIN(t->changed_from, first);
	log_add(t->log, &batch);
	for (size_t i = 0; i < count; i++)
		blob_release(entries[i].blob);
	mem_free(entries);
}

static void add_state(struct log_tester *t)
{
	struct log_batch batch = {.state = &t->added.state};

	t->added.state = (struct log_state){++t->term, t->next_stamp++, 1};
	log_add(t->log, &batch);
}

static void add_reset(struct log_tester *t)
{
	struct model *m = &t->added;
	uint8_t membership[MEMBERSHIP_LEN];
	struct log_reset reset = {.membership = slice_of(membership, sizeof(membership))};
	struct log_batch batch = {.reset = &reset};

	m->base = model_last(m) + random_below(&t->random, 30);
	m->base_term = t->term;
	m->base_stamp = t->next_stamp++;
	m->count = 0;
	payload_fill(membership, m->base_stamp, sizeof(membership));
	reset.base_index = m->base;
	reset.base_term = m->base_term;
	t->changed_from = 1;
	log_add(t->log, &batch);
	if (random_chance(&t->random, 500000))
		add_entries(t, m->base + 1, 3, true);
}

/*
 * Truncation, of what is durable, queued or both, mostly with entries that come instead. Nothing
 * settled is ever cut.
 */
static void add_truncation(struct log_tester *t)
{
	uint64_t last = model_last(&t->added);
	uint64_t low = MAX(log_base_index(t->log), t->options.settled) + 1;
	uint64_t back = random_below(&t->random, 12);
	uint64_t first;

	if (last < low)
		return;
	first = last - MIN(last - low, back);
	t->term++;
	add_entries(t, first, random_below(&t->random, 4), random_chance(&t->random, 300000));
}

static void act_release(struct log_tester *t)
{
	uint64_t base = log_base_index(t->log);
	uint64_t durable = log_durable_index(t->log);

	if (durable <= base)
		return;
	t->released = MAX(t->released, base);
	t->released += random_below(&t->random, (durable - base) / 2 + 1);
	t->released = MIN(t->released, durable);
	log_release(t->log, t->released);
}

static void act_add(struct log_tester *t)
{
	uint64_t last = model_last(&t->added);
	uint64_t what = random_below(&t->random, 100);

	if (what < 60)
		add_entries(t, last + 1, 1 + random_below(&t->random, 4), what < 10);
	else if (what < 72)
		add_state(t);
	else if (what < 82)
		add_truncation(t);
	else if (what < 84)
		add_reset(t);
	else if (what < 92)
		(void)log_idle_cover(t->log);
	else
		act_release(t);
}

static void act_start(struct log_tester *t)
{
	t->append = log_start(t->log);
	if (!t->append)
		return;
	t->append_done = false;
	model_copy(&t->started, &t->added);
	t->started_from = t->changed_from;
	t->changed_from = UINT64_MAX;
}

static void act_complete(struct log_tester *t)
{
	uint64_t durable;

	if (log_complete(t->log) != OK) {
		t->failed = true;
		return;
	}
	t->append = NULL;
	durable = log_durable_index(t->log);
	model_copy(&t->acked, &t->started);
	t->acked_last = durable;
	/* What the job left for the next one is not on disk. */
	if (durable < model_last(&t->started))
		t->changed_from = MIN(t->changed_from, durable + 1);
}

static void act_append(struct log_tester *t)
{
	if (!t->append)
		act_start(t);
	else if (!t->append_done)
		t->append_done = t->append->step(t->append) == JOB_DONE;
	else
		act_complete(t);
}

static void act_chore(struct log_tester *t)
{
	if (!t->chore) {
		t->chore = log_maintain(t->log);
		t->chore_done = false;
	} else if (!t->chore_done) {
		t->chore_done = t->chore->step(t->chore) == JOB_DONE;
	} else {
		int rc = log_maintain_complete(t->log);

		t->failed = t->failed || (rc != OK && rc != ERR_NO_SPACE);
		t->chore = NULL;
	}
}

void log_tester_act(struct log_tester *t)
{
	uint64_t what = random_below(&t->random, 10);

	if (t->failed)
		return;
	if (what < 3)
		act_add(t);
	else if (what < 7)
		act_append(t);
	else
		act_chore(t);
}

void log_tester_settle(struct log_tester *t)
{
	while (t->chore && !t->failed)
		act_chore(t);
	do {
		act_append(t);
	} while (t->append && !t->failed);
	/* A job may have left something for the next. */
	if (!t->failed && log_durable_index(t->log) < log_last_index(t->log))
		log_tester_settle(t);
}

void log_tester_append(struct log_tester *t, size_t count)
{
	if (t->term == 0)
		t->term = 1;
	add_entries(t, model_last(&t->added) + 1, count, false);
	log_tester_settle(t);
}

void log_tester_truncate(struct log_tester *t, uint64_t first)
{
	add_entries(t, first, 0, false);
	log_tester_settle(t);
}

void log_tester_maintain(struct log_tester *t)
{
	do {
		if (t->chore)
			act_chore(t);
		if (!t->chore)
			act_chore(t); /* the next one, if there is one */
	} while (t->chore && !t->failed);
}

const char *log_tester_check_reads(struct log_tester *t)
{
	if (log_last_index(t->log) != model_last(&t->added))
		return "the log ends elsewhere";
	if (log_durable_index(t->log) != model_last(&t->added))
		return "not everything is durable";
	return check_entries(t, &t->added);
}
