/*
 * Rows that entries will need are fetched when the entries are appended, while the log writes them
 * and a majority is asked: they are in the cache when the entries are applied. Keys come from the
 * arguments, by the table of commands; of values and elements nothing is known before a command
 * runs. What was not fetched, or did not stay, is asked for when a step misses it, together with
 * what the rest of its entry needs. Only what is missing even then takes a dry run.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"
#include "command/transaction.h"
#include "node/expiry_entry.h"
#include "node/member_state.h"

/* Keys that one job fetches. */
#define JOB_KEYS  1024
#define JOB_BYTES ((size_t)1 << 20)

/* Jobs in the pool, and jobs that wait for their turn; what is beyond is not fetched ahead. */
#define JOBS_FLYING  4
#define JOBS_WAITING 32

/* A step that has done so much costs more to run again than a few jobs to wait for. */
#define STEP_MUCH (JOB_KEYS / 4)

/* How far ahead the memory is asked: enough for an answer, and not so far that it is gone again. */
#define PLACES_AHEAD  2
#define ROWS_AHEAD    4
#define BUCKETS_AHEAD 8

struct prefetch_job {
	struct job job;
	struct list link; /* in the member: waiting, or flying */
	struct member *member;
	uint64_t first; /* the entry that it began with */
	struct arena arena;
	struct tree wanted; /* keys of rows */
	size_t bytes;
	struct view *view; /* while it flies */
	struct fetched *rows;
};

void member_prefetch_init(struct member *m)
{
	list_init(&m->prefetch.waiting);
	list_init(&m->prefetch.flying);
}

static void prefetch_job_free(struct prefetch_job *p)
{
	list_remove(&p->link);
	view_close(p->view);
	fetched_free(p->rows);
	arena_free(&p->arena);
	mem_free(p);
}

static void prefetch_free_all(struct list *jobs)
{
	while (!list_empty(jobs))
		prefetch_job_free(LIST_ITEM(jobs->next, struct prefetch_job, link));
}

void member_prefetch_close(struct member *m)
{
	prefetch_free_all(&m->prefetch.waiting);
	prefetch_free_all(&m->prefetch.flying);
	buf_free(&m->prefetch.rows);
	mem_free(m->prefetch.argv);
	mem_free(m->prefetch.element_argv);
}

/* ---- the pool -------------------------------------------------------------------------------- */

static enum job_progress prefetch_step(struct job *job)
{
	struct prefetch_job *p = CONTAINER_OF(job, struct prefetch_job, job);
	struct tree_snapshot wanted = {p->wanted.root, p->wanted.height};
	struct engine_get *gets = mem_zalloc(p->wanted.rows, sizeof(*gets));
	struct tree_cursor c;
	size_t count = 0;

	for (tree_seek(&c, wanted, (struct slice){NULL, 0}); c.row; tree_next(&c))
		gets[count++] =
			(struct engine_get){.family = FAMILY_STATE, .key = tree_row_key(c.row)};
	CHECK(count == p->wanted.rows);
	view_get_many(p->view, gets, count);
	for (size_t i = 0; i < count; i++) {
		struct engine_get *get = &gets[i];

		/* What cannot be read is found out by whoever needs it. */
		if (get->result == OK || get->result == ERR_NOT_FOUND)
			tree_put(&p->rows->trees[FAMILY_STATE], get->key, buf_slice(&get->value),
				 get->result != OK);
		buf_free(&get->value);
	}
	mem_free(gets);
	return JOB_DONE;
}

static void prefetch_done(struct job *job)
{
	struct prefetch_job *p = CONTAINER_OF(job, struct prefetch_job, job);
	struct member *m = p->member;

	store_learn(m->store, p->view, p->rows);
	m->prefetch.flying_count--;
	m->prefetch.landed++;
	prefetch_job_free(p);
}

/* ---- what entries need ----------------------------------------------------------------------- */

/* The job that takes one more key; NULL: enough is being fetched. */
static struct prefetch_job *prefetch_job_open(struct member *m, uint64_t index)
{
	struct prefetch *x = &m->prefetch;
	struct prefetch_job *p;

	if (!list_empty(&x->waiting)) {
		p = LIST_ITEM(x->waiting.prev, struct prefetch_job, link);
		if (p->wanted.rows < JOB_KEYS && p->bytes < JOB_BYTES)
			return p;
	}
	if (x->waiting_count == JOBS_WAITING)
		return NULL;
	p = MEM_NEW(struct prefetch_job);
	p->member = m;
	p->first = index;
	tree_init(&p->wanted, &p->arena);
	list_init(&p->link);
	list_push_back(&x->waiting, &p->link);
	x->waiting_count++;
	return p;
}

/* A row that is not in memory. */
static void prefetch_row(struct member *m, uint64_t index, struct slice row)
{
	struct prefetch_job *p = prefetch_job_open(m, index);

	if (!p || tree_find(&p->wanted, row))
		return;
	/* The entry at hand may be an earlier one than those that were appended. */
	p->first = MIN(p->first, index);
	p->bytes += row.len;
	tree_put(&p->wanted, row, (struct slice){NULL, 0}, false);
}

/* Those of the noted rows that are not in memory are to be fetched. */
static void prefetch_noted(struct member *m)
{
	struct prefetch *x = &m->prefetch;
	struct slice rows[ROW_CACHE_TOGETHER] = {{NULL, 0}};
	uint64_t hashes[ROW_CACHE_TOGETHER] = {0};
	bool held[ROW_CACHE_TOGETHER];
	size_t at = 0, count = x->noted_count;

	for (size_t i = 0; i < count; i++) {
		rows[i] = slice_of(x->rows.data + at, x->noted[i].len);
		at += x->noted[i].len;
		hashes[i] = hash64(rows[i]);
		lookahead_note(&x->lookahead, x->noted[i].index, hashes[i]);
	}
	store_holds(m->store, rows, hashes, count, held);
	for (size_t i = 0; i < count; i++)
		if (!held[i])
			prefetch_row(m, x->noted[i].index, rows[i]);
	buf_clear(&x->rows);
	x->noted_count = 0;
}

static void prefetch_record(struct member *m, uint64_t index, uint32_t keyspace, struct slice key)
{
	struct prefetch *x = &m->prefetch;
	size_t before = x->rows.len;

	record_key(&x->rows, keyspace, key);
	x->noted[x->noted_count].len = x->rows.len - before;
	x->noted[x->noted_count].index = index;
	if (++x->noted_count == ROW_CACHE_TOGETHER)
		prefetch_noted(m);
}

/* For which entry a key is looked up. */
struct prefetch_target {
	struct member *member;
	uint64_t index;
};

static void prefetch_key(void *ctx, unsigned database, struct slice key)
{
	const struct prefetch_target *t = ctx;
	const struct position *p = store_position(t->member->store);

	prefetch_record(t->member, t->index, p->databases[database], key);
}

static void prefetch_command(struct prefetch_target *t, const struct command *command,
			     const struct batch_command *b)
{
	if (!command || !command_takes(command, b->argc) || b->database >= DATABASE_COUNT)
		return;
	for (size_t at = 0; (at = command_next_key(command, b->argc, at)) != 0;)
		prefetch_key(t, (unsigned)b->database, b->argv[at]);
}

static void prefetch_transaction(struct prefetch_target *t, const struct batch_command *b)
{
	struct prefetch *x = &t->member->prefetch;

	if (b->argc == 2)
		transaction_tell_keys(b->argv[1], &x->element_argv, &x->element_argv_cap,
				      prefetch_key, t);
}

/* From `at` on, if that is not 0: where a command begins. */
static void prefetch_batch(struct member *m, uint64_t index, const struct entry *e, size_t at)
{
	struct prefetch_target target = {m, index};
	struct prefetch *x = &m->prefetch;
	struct cursor c = cursor_of(entry_payload(e));
	const struct command *command = NULL;
	struct slice name = {NULL, 0};
	struct batch_header h;

	if (batch_header_decode(&c, &h) != OK)
		return;
	if (at)
		c.at = e->data + at;
	while (cursor_left(&c)) {
		struct batch_command b;

		if (batch_command_decode(&c, &b, &x->argv, &x->argv_cap) != OK)
			return;
		if (b.flags & (BATCH_CANCELLED | BATCH_AUTHOR))
			continue;
		if (b.flags & BATCH_TRANSACTION) {
			prefetch_transaction(&target, &b);
			continue;
		}
		/* Mostly it is the same command all over. */
		if (!slice_equal(b.argv[0], name)) {
			name = b.argv[0];
			command = command_find(name);
		}
		prefetch_command(&target, command, &b);
	}
}

static void prefetch_expiry(struct member *m, uint64_t index, const struct entry *e, size_t at)
{
	struct cursor c = cursor_of(entry_payload(e));
	struct expiry_item item;

	if (expiry_entry_decode(&c) != OK)
		return;
	if (at)
		c.at = e->data + at;
	while (cursor_left(&c) && expiry_item_decode(&c, &item) == OK)
		if (position_keyspace(store_position(m->store), item.keyspace))
			prefetch_record(m, index, item.keyspace, item.key);
}

static void prefetch_entry(struct member *m, uint64_t index, const struct entry *e, size_t at)
{
	if (e->kind == ENTRY_BATCH)
		prefetch_batch(m, index, e, at);
	else if (e->kind == ENTRY_EXPIRE)
		prefetch_expiry(m, index, e, at);
}

void member_prefetch_appended(struct member *m, uint64_t first, const struct entry *entries,
			      size_t count)
{
	for (size_t i = 0; i < count; i++)
		prefetch_entry(m, first + i, &entries[i], 0);
}

void member_prefetch_turn(struct member *m)
{
	struct prefetch *x = &m->prefetch;

	/* All that was appended in a turn together: small entries share their waits for memory. */
	prefetch_noted(m);
	while (!list_empty(&x->waiting) && x->flying_count < JOBS_FLYING) {
		struct prefetch_job *p = LIST_ITEM(x->waiting.next, struct prefetch_job, link);

		list_remove(&p->link);
		list_push_back(&x->flying, &p->link);
		x->waiting_count--;
		x->flying_count++;
		p->view = view_open_engine(m->store);
		p->rows = fetched_new();
		p->job.step = prefetch_step;
		p->job.done = prefetch_done;
		p->job.owner = m;
		m->io->run(m->io->ctx, LANE_READ, &p->job);
	}
}

void member_prefetch_go_on(struct member *m)
{
	const struct row_cache *rows = store_rows(m->store);
	struct lookahead *x = &m->prefetch.lookahead;
	uint64_t hash;

	lookahead_go_on(x, m->applying.index);
	if (lookahead_get(x, PLACES_AHEAD, &hash))
		row_cache_expect_place(rows, hash);
	if (lookahead_get(x, ROWS_AHEAD, &hash))
		row_cache_expect_row(rows, hash);
	if (lookahead_get(x, BUCKETS_AHEAD, &hash))
		row_cache_expect_bucket(rows, hash);
}

/* ---- a step that misses a row ---------------------------------------------------------------- */

static bool has_entry(const struct list *jobs, uint64_t index)
{
	for (const struct list *it = jobs->next; it != jobs; it = it->next)
		if (LIST_ITEM(it, struct prefetch_job, link)->first <= index)
			return true;
	return false;
}

static bool prefetch_is_under_way(const struct member *m)
{
	const struct prefetch *x = &m->prefetch;

	return has_entry(&x->flying, m->applying.index) ||
	       has_entry(&x->waiting, m->applying.index);
}

/*
 * A step begins anew each time. A small one goes on as soon as it may; one that is large, and needs
 * the rows of many jobs, would be run through from its beginning for each of them.
 */
bool member_prefetch_awaited(const struct member *m)
{
	const struct applying *a = &m->applying;

	if (!a->awaits)
		return false;
	return a->landed == m->prefetch.landed || (a->awaits_all && prefetch_is_under_way(m));
}

/*
 * Whether what the rest of the entry needs is to be looked up. For one step mostly once: what is
 * missing even then is no key. A large one may need more than is fetched at once, and then gets a
 * good deal further each time.
 */
static bool prefetch_helps(const struct applying *a, uint64_t worked)
{
	return a->asked != a->done + 1 ||
	       worked >= a->asked_worked + MAX(STEP_MUCH, a->asked_worked / 4);
}

bool member_prefetch_missing(struct member *m, const struct entry *e)
{
	struct applying *a = &m->applying;
	uint64_t worked = txn_worked(&m->txn);

	a->awaits = prefetch_is_under_way(m);
	if (!a->awaits && prefetch_helps(a, worked)) {
		a->asked = a->done + 1;
		a->asked_worked = worked;
		prefetch_entry(m, a->index, e, a->at);
		prefetch_noted(m);
		a->awaits = prefetch_is_under_way(m);
	}
	a->awaits_all = worked >= STEP_MUCH;
	a->landed = m->prefetch.landed;
	return a->awaits;
}
