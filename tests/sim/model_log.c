/* Entries of the log, in order: whose command it is, whether it counts, and what it does. */

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"
#include "command/family.h"
#include "command/transaction.h"
#include "consensus/membership.h"
#include "node/batch.h"
#include "node/control_entry.h"
#include "node/expiry_entry.h"
#include "node/horizon_entry.h"
#include "sim/callers.h"
#include "sim/model.h"
#include "sim/world.h"

#include <inttypes.h>

/* ---- origins --------------------------------------------------------------------------------- */

static struct model_origin *origin_of(struct model *m, uint64_t member)
{
	for (size_t i = 0; i < m->origin_count; i++)
		if (m->origins[i].member == member)
			return &m->origins[i];
	return NULL;
}

static void apply_registration(struct model *m, uint64_t index, const struct entry *e)
{
	struct model_origin *o;
	struct registration r;

	if (registration_decode(entry_payload(e), &r) != OK)
		return;
	o = origin_of(m, r.member);
	if (!o) {
		MEM_GROW(m->origins, m->origin_cap, m->origin_count + 1);
		o = &m->origins[m->origin_count++];
		*o = (struct model_origin){.member = r.member};
	}
	if (o->incarnation == r.replaces && r.level >= m->level)
		*o = (struct model_origin){r.member, index, 0};
}

static void apply_membership(struct model *m, const struct entry *e)
{
	struct membership now = {0};
	size_t kept = 0;

	if (membership_decode(entry_payload(e), &now) != OK)
		return;
	for (size_t i = 0; i < m->origin_count; i++)
		if (membership_find(&now, m->origins[i].member))
			m->origins[kept++] = m->origins[i];
	m->origin_count = kept;
	kept = 0;
	for (size_t i = 0; i < m->need_count; i++)
		if (membership_find(&now, m->in_need[i]))
			m->in_need[kept++] = m->in_need[i];
	m->need_count = kept;
	membership_free(&now);
}

/* ---- space and versions ---------------------------------------------------------------------- */

static void apply_alarm(struct model *m, const struct entry *e)
{
	struct alarm_change a;
	size_t kept = 0;

	if (alarm_decode(entry_payload(e), &a) != OK)
		return;
	for (size_t i = 0; i < m->need_count; i++)
		if (m->in_need[i] != a.member)
			m->in_need[kept++] = m->in_need[i];
	m->need_count = kept;
	if (!a.raised)
		return;
	MEM_GROW(m->in_need, m->need_cap, m->need_count + 1);
	m->in_need[m->need_count++] = a.member;
}

/* Whether the command is refused while anybody is short of space. */
static bool grows(const struct slice *argv, size_t argc)
{
	const struct command *parent, *command = command_lookup(argv, argc, &parent);

	return command && command->flags & COMMAND_FLAG_DENYOOM;
}

void model_learns_level(struct model *m, uint64_t index, uint32_t level)
{
	if (index == m->index)
		m->level = level;
}

/* ---- transactions ---------------------------------------------------------------------------- */

/* Whether the key is what it was at the revision at which it was watched. */
static bool watch_holds(struct model *m, const struct watch *w)
{
	const struct model_cell *c = model_cell(m, w->database, w->key);
	const struct model_version *then = cell_at(c, w->revision), *now = cell_at(c, MODEL_NOW);

	if (then->value || now->value)
		return then->value && now->value && then->mod == now->mod;
	return now->mod <= w->revision && m->mapped_at[w->database] <= w->revision &&
	       model_horizon(m) <= w->revision;
}

static bool run_one(struct model *m, unsigned database, const struct slice *argv, size_t argc,
		    struct buf *reply)
{
	struct model_call c = {.m = m,
			       .database = database,
			       .argv = argv,
			       .argc = argc,
			       .at = MODEL_NOW,
			       .exact = true,
			       .horizon = model_horizon(m),
			       .reply = reply};

	if (m->need_count && grows(argv, argc)) {
		plain_error(reply, NO_SPACE_TEXT);
		return true;
	}
	works_applied(m->world, argv, argc);
	if (model_run(&c))
		return true;
	world_fail(m->world, "the model does not know %.*s", (int)argv[0].len,
		   (const char *)argv[0].data);
	return false;
}

/* False: it is one that the session answers. */
static bool element_of(struct cursor in, uint32_t *database, struct slice argv[static WORDS_MAX],
		       size_t *argc)
{
	if (cursor_fixed8(&in) == COMMAND_LOCAL)
		return false;
	*database = cursor_varint32(&in);
	*argc = (size_t)cursor_varint(&in);
	CHECK(*argc <= WORDS_MAX);
	for (size_t i = 0; i < *argc; i++)
		argv[i] = cursor_string(&in);
	return true;
}

static bool run_element(struct model *m, struct cursor in, struct buf *reply)
{
	struct slice argv[WORDS_MAX];
	uint32_t database;
	size_t argc;

	if (element_of(in, &database, argv, &argc))
		return run_one(m, database, argv, argc, reply);
	plain_any(reply);
	return true;
}

static bool elements_grow(struct cursor in)
{
	struct slice argv[WORDS_MAX];
	uint32_t database;
	size_t argc;

	while (cursor_left(&in) && !in.failed)
		if (element_of(cursor_of(cursor_string(&in)), &database, argv, &argc) &&
		    grows(argv, argc))
			return true;
	return false;
}

static void run_transaction(struct model *m, struct slice bytes, struct buf *reply)
{
	struct cursor in = cursor_of(bytes);
	struct buf elements = {0};
	bool holds = true;
	size_t count = 0;

	for (uint64_t n = cursor_varint(&in); n > 0; n--) {
		struct watch watch;

		if (watch_decode(&in, &watch) != OK)
			world_fail(m->world, "a transaction that cannot be read");
		else
			holds = watch_holds(m, &watch) && holds;
	}
	if (m->need_count && elements_grow(in)) {
		plain_error(reply, "EXECABORT Transaction discarded because of: " NO_SPACE_TEXT);
		return;
	}
	if (!holds) {
		plain_null(reply);
		return;
	}
	for (; cursor_left(&in) && !in.failed; count++)
		if (!run_element(m, cursor_of(cursor_string(&in)), &elements))
			break;
	plain_array(reply, count);
	buf_append_slice(reply, buf_slice(&elements));
	buf_free(&elements);
}

/* ---- batches --------------------------------------------------------------------------------- */

/*
 * What it would cost nobody counts here: but who deletes so many keys is beyond the limit, and
 * nobody else comes near.
 */
static bool is_too_much(const struct model *m, const struct batch_command *b)
{
	uint64_t limit = m->world->profile.work_limit;

	return limit && !(b->flags & BATCH_TRANSACTION) && b->argc > limit;
}

static void refuse_work(struct model *m, struct buf *reply)
{
	char text[160];

	COUNT(m->world, ANSWER_WORK);
	snprintf(text, sizeof(text),
		 "ERR work limit: this would read or change more than %" PRIu64
		 " keys, elements and KiB at once; nothing was done, split it",
		 m->world->profile.work_limit);
	plain_error(reply, text);
}

static void run_command(struct model *m, uint64_t incarnation, uint64_t seq,
			const struct batch_command *b)
{
	struct model_result *r = MEM_NEW(struct model_result);

	r->incarnation = incarnation;
	r->seq = seq;
	r->before = m->revision;
	model_begin(m);
	if (is_too_much(m, b))
		refuse_work(m, &r->reply);
	else if (b->flags & BATCH_TRANSACTION)
		run_transaction(m, b->argv[1], &r->reply);
	else
		run_one(m, (unsigned)b->database, b->argv, b->argc, &r->reply);
	model_end(m);
	r->after = m->revision;
	hash_table_insert(&m->results, &r->node, hash64_pair(incarnation, seq));
}

static void apply_batch(struct model *m, const struct entry *e)
{
	struct cursor c = cursor_of(entry_payload(e));
	struct slice *argv = NULL;
	struct batch_command b;
	struct batch_header h;
	size_t argv_cap = 0;

	if (batch_header_decode(&c, &h) != OK)
		return;
	for (uint64_t seq = h.seq; seq - h.seq < h.count; seq++) {
		struct model_origin *o = origin_of(m, h.member);

		if (!o || o->incarnation != h.incarnation || seq > o->seq + 1)
			break;
		if (batch_command_decode(&c, &b, &argv, &argv_cap) != OK)
			break;
		if (seq <= o->seq)
			continue;
		if (!(b.flags & (BATCH_CANCELLED | BATCH_AUTHOR)))
			run_command(m, h.incarnation, seq, &b);
		o->seq = seq;
	}
	mem_free(argv);
}

const struct model_result *model_result(const struct model *m, uint64_t incarnation, uint64_t seq)
{
	struct hash_node *n = hash_table_first(&m->results, hash64_pair(incarnation, seq));

	for (; n; n = hash_table_next(n)) {
		struct model_result *r = CONTAINER_OF(n, struct model_result, node);

		if (r->incarnation == incarnation && r->seq == seq)
			return r;
	}
	return NULL;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* Each deadline is a change of its own. */
static void apply_expiry(struct model *m, const struct entry *e)
{
	struct cursor c = cursor_of(entry_payload(e));
	struct expiry_item item;

	if (expiry_entry_decode(&c) != OK)
		return;
	while (cursor_left(&c) && expiry_item_decode(&c, &item) == OK) {
		uint64_t before = m->revision;

		model_begin(m);
		model_expire(m, item.at_ms, item.keyspace, item.key);
		model_end(m);
		m->world->counts.n[COUNT_EXPIRED] += m->revision - before;
	}
}

static void apply_horizon(struct model *m, const struct entry *e)
{
	struct horizon_entry h;

	if (horizon_entry_decode(entry_payload(e), &h) == OK && h.revision <= m->revision)
		model_compact(m, h.revision);
}

void model_apply(struct model *m, uint64_t index, const struct entry *e)
{
	if (index <= m->index || m->world->done)
		return;
	if (index != m->index + 1) {
		world_fail(m->world, "entry %" PRIu64 " is applied first, and %" PRIu64 " was last",
			   index, m->index);
		return;
	}
	m->index = index;
	m->now_ms = MAX(m->now_ms, e->stamp);
	if (e->kind == ENTRY_MEMBERSHIP)
		apply_membership(m, e);
	else if (e->kind == ENTRY_REGISTER)
		apply_registration(m, index, e);
	else if (e->kind == ENTRY_BATCH)
		apply_batch(m, e);
	else if (e->kind == ENTRY_EXPIRE)
		apply_expiry(m, e);
	else if (e->kind == ENTRY_HORIZON)
		apply_horizon(m, e);
	else if (e->kind == ENTRY_ALARM)
		apply_alarm(m, e);
	MEM_GROW(m->horizons, m->horizons_cap, (size_t)index + 1);
	m->horizons[index] = model_horizon(m);
	MEM_GROW(m->revisions, m->revisions_cap, (size_t)index + 1);
	m->revisions[index] = m->revision;
}
