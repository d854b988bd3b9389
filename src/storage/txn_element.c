#include "storage/txn_element.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mutant.h"
#include "storage/txn_internal.h"

struct slice txn_element_key(struct txn *t, enum record_type type, uint64_t incarnation,
			     struct slice element)
{
	uint8_t order[ELEMENT_ORDER_MAX];
	size_t len = element_order_put(type, element, order);

	buf_clear(&t->key);
	element_key(&t->key, incarnation, slice_of(order, len), element);
	return buf_slice(&t->key);
}

int txn_element_read(struct txn *t, const struct record *r, struct slice element, bool kept,
		     struct slice *value)
{
	struct slice row;
	int rc = OK;

	CHECK(r->incarnation);
	if (t->past.on)
		rc = past_elements(t, r->incarnation);
	if (rc == OK)
		rc = txn_work(t, 1);
	if (rc != OK)
		return rc;
	row = txn_element_key(t, r->type, r->incarnation, element);
	return kept ? reader_get(txn_reader(t), FAMILY_STATE, row, value)
		    : reader_peek(txn_reader(t), FAMILY_STATE, row, value);
}

int txn_element(struct txn *t, const struct record *r, struct slice element, struct slice *value)
{
	return txn_element_read(t, r, element, true, value);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void number_put(uint8_t at[static 8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t number_get(const uint8_t at[static 8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | at[i];
	return v;
}

/* The same for all keys of an incarnation. */
static void incarnation_put(uint8_t *head, uint64_t incarnation)
{
	head[0] = STATE_ELEMENT;
	number_put(head + 1, incarnation);
}

/* `from_len`: how much of s->from counts, where what stands behind the incarnation is set. */
static int element_scan_begin(struct element_scan *s, struct txn *t, const struct record *r,
			      size_t from_len)
{
	int rc = OK;

	CHECK(r->incarnation);
	s->txn = t;
	s->type = r->type;
	s->error = OK;
	if (t->past.on)
		rc = past_elements(t, r->incarnation);
	if (rc != OK)
		return rc;
	incarnation_put(s->from, r->incarnation);
	incarnation_put(s->to, r->incarnation + 1);
	return scan_open(&s->scan, txn_reader(t), FAMILY_STATE, slice_of(s->from, from_len),
			 slice_of(s->to, sizeof(s->to)), false);
}

int element_scan_open(struct element_scan *s, struct txn *t, const struct record *r)
{
	return element_scan_begin(s, t, r, ELEMENT_KEY_HEAD);
}

int element_scan_open_at(struct element_scan *s, struct txn *t, const struct record *r,
			 uint64_t hash)
{
	uint8_t order[ELEMENT_ORDER_MAX];

	CHECK(element_order_put(r->type, (struct slice){NULL, 0}, order) == ELEMENT_ORDER_MAX);
	number_put(s->from + ELEMENT_KEY_HEAD, hash);
	return element_scan_begin(s, t, r, sizeof(s->from));
}

bool element_scan_next(struct element_scan *s, struct slice *element, struct slice *value)
{
	uint64_t incarnation;
	struct slice row;

	if (s->error != OK || !scan_next(&s->scan, &row, value))
		return false;
	s->error = row_decoded(element_key_decode(row, s->type, &incarnation, element));
	if (s->error == OK && row.len - element->len > ELEMENT_KEY_HEAD)
		s->hash = number_get(row.data + ELEMENT_KEY_HEAD);
	if (s->error == OK)
		s->error = txn_work(s->txn, 1);
	return s->error == OK;
}

int element_scan_close(struct element_scan *s)
{
	int rc = scan_close(&s->scan);

	return s->error != OK ? s->error : rc;
}

/* ---- changing -------------------------------------------------------------------------------- */

void collection_open(struct collection *c, struct txn *t, unsigned database, struct slice key,
		     const struct record *old, enum record_type type)
{
	*c = (struct collection){
		.txn = t,
		.keyspace = txn_keyspace(t, database),
		.key = key,
		.old = *old,
		.now = *old,
	};
	if (old->type == type)
		return;
	c->now = (struct record){
		.type = type,
		.mod = old->mod,
		.incarnation = t->position.next_incarnation,
		.keep = (uint8_t)MAX(old->keep, 1),
	};
}

int collection_get(struct collection *c, struct slice element, struct slice *value)
{
	return txn_element(c->txn, &c->now, element, value);
}

/* The first change of a new collection: the number of its incarnation is taken. */
static void collection_begin(struct collection *c, struct revision at)
{
	struct txn *t = c->txn;

	CHECK(c->now.incarnation == t->position.next_incarnation);
	t->position.next_incarnation++;
	c->now.create = at;
	txn_bury(t, &c->old);
}

/*
 * One element changes: from `before`, NULL if it was not there, to `value`, NULL if it is gone.
 * The change in history is written before the row, whose bytes `before` may be.
 */
static void collection_change(struct collection *c, struct slice element,
			      const struct slice *before, const struct slice *value)
{
	struct txn *t = c->txn;
	struct revision at = txn_next_revision(t);
	enum change_kind kind = value ? CHANGE_ELEMENT_SET : CHANGE_ELEMENT_DELETE;
	struct record last = c->now.version == 0 ? c->old : c->now;
	struct change change;
	struct slice row;

	if (c->now.version == 0)
		collection_begin(c, at);
	row = txn_element_key(t, c->now.type, c->now.incarnation, element);
	c->now.mod = at;
	c->now.version++;
	c->now.size += (uint64_t)(value != NULL) - (uint64_t)(before != NULL);
	if (before)
		c->now.digest -= element_share(row, *before);
	if (value)
		c->now.digest += element_share(row, *value);
	change = txn_change_of(t, kind, c->keyspace, c->key, &last, &c->now);
	change.element = element;
	change.has_before = before && !MUTANT(element_without_before);
	if (before)
		change.before = *before;
	if (value)
		change.value = *value;
	txn_put_change(t, at, &change);
	txn_put(t, FAMILY_STATE, row, value ? *value : (struct slice){NULL, 0}, value == NULL);
}

int collection_set(struct collection *c, struct slice element, struct slice value, bool *added)
{
	struct slice before;
	int rc = collection_get(c, element, &before);

	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	*added = rc == ERR_NOT_FOUND;
	collection_change(c, element, *added ? NULL : &before, &value);
	return OK;
}

int collection_remove(struct collection *c, struct slice element, bool *removed)
{
	struct slice before;
	int rc = collection_get(c, element, &before);

	if (rc != OK && rc != ERR_NOT_FOUND)
		return rc;
	*removed = rc == OK;
	if (*removed)
		collection_change(c, element, &before, NULL);
	return OK;
}

void collection_close(struct collection *c)
{
	struct record gone = {.type = RECORD_NONE};
	struct change change;

	if (revision_equal(c->now.mod, c->old.mod))
		return;
	if (c->now.size > 0 || MUTANT(empty_hash_stays)) {
		txn_put_record(c->txn, c->keyspace, c->key, &c->old, &c->now);
		return;
	}
	gone.mod = txn_next_revision(c->txn);
	change = txn_change_of(c->txn, CHANGE_DELETE, c->keyspace, c->key, &c->now, &gone);
	txn_put_change(c->txn, gone.mod, &change);
	txn_put_record(c->txn, c->keyspace, c->key, &c->old, &gone);
}
