/*
 * Authors of changes: a row says who was meant by a number that a run of a member gave. It stays as
 * long as changes above the horizon may name it.
 */

#include "storage/row_internal.h"
#include "storage/txn_internal.h"

#define AUTHOR_KEY_BYTES (1 + 8 + 8)

static void big64_append(struct buf *out, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		buf_append_byte(out, (uint8_t)(v >> (56 - 8 * i)));
}

void author_key(struct buf *out, struct author a)
{
	buf_append_byte(out, STATE_AUTHOR);
	big64_append(out, a.incarnation);
	big64_append(out, a.number);
}

void author_text_encode(const struct author_text *t, struct buf *out)
{
	buf_append_byte(out, row_head(0));
	buf_append_string(out, t->user);
	buf_append_string(out, t->address);
	buf_append_string(out, t->client);
}

int author_text_decode(struct slice bytes, struct author_text *t)
{
	struct cursor c = cursor_of(bytes);
	uint8_t head = cursor_fixed8(&c);
	int rc = row_head_check(head);

	t->user = cursor_string(&c);
	t->address = cursor_string(&c);
	t->client = cursor_string(&c);
	if (rc == OK && cursor_done(&c) && head == row_head(0))
		return OK;
	*t = (struct author_text){0};
	return rc == OK ? ERR_MALFORMED : rc;
}

/* ---- in a command ---------------------------------------------------------------------------- */

void txn_put_author(struct txn *t, struct author a, const struct author_text *text)
{
	buf_clear(&t->key);
	buf_clear(&t->row);
	author_key(&t->key, a);
	author_text_encode(text, &t->row);
	txn_put(t, FAMILY_STATE, buf_slice(&t->key), buf_slice(&t->row), false);
}

/* It ends with the next change, as all garbage does: that is above every horizon there was. */
void txn_end_author(struct txn *t, struct author a)
{
	buf_clear(&t->key);
	author_garbage_key(&t->key, t->position.revision + 1, a);
	txn_put(t, FAMILY_STATE, buf_slice(&t->key), (struct slice){NULL, 0}, false);
}

void txn_end_authors_of(struct txn *t, uint64_t incarnation)
{
	txn_put_garbage(t, GARBAGE_AUTHORS_OF, incarnation);
}

int txn_author(struct txn *t, struct author a, struct author_text *text)
{
	struct slice row;
	int rc;

	buf_clear(&t->key);
	author_key(&t->key, a);
	rc = reader_get(txn_reader(t), FAMILY_STATE, buf_slice(&t->key), &row);
	return rc == OK ? row_decoded(author_text_decode(row, text)) : rc;
}
