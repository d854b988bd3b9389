/* LCS: what two strings have in common, in the same order. */

#include "base/error.h"
#include "base/mem.h"
#include "command/family.h"

#include <string.h>

/* ---- arguments ------------------------------------------------------------------------------- */

struct lcs_options {
	bool length;
	bool places;
	bool with_lengths;
	int64_t shortest; /* places that are shorter are left out */
};

static int lcs_options(struct call *c, struct lcs_options *o)
{
	*o = (struct lcs_options){0};
	for (size_t i = 3; i < c->argc; i++) {
		if (argument_is(c->argv[i], "IDX")) {
			o->places = true;
		} else if (argument_is(c->argv[i], "LEN")) {
			o->length = true;
		} else if (argument_is(c->argv[i], "WITHMATCHLEN")) {
			o->with_lengths = true;
		} else if (argument_is(c->argv[i], "MINMATCHLEN") && i + 1 < c->argc) {
			int rc = call_integer(c, ++i, &o->shortest);

			if (rc != OK)
				return rc;
		} else {
			return reply_syntax(c);
		}
	}
	if (o->places && o->length)
		return reply_error(c, "ERR If you want both the length and indexes, please just "
				      "use IDX.");
	return OK;
}

/* ---- the table ------------------------------------------------------------------------------- */

/*
 * For each place in one string and in the other, how long the longest subsequence of what stands
 * before both is: a row more, and a column more, than the strings have bytes.
 */
struct lcs {
	struct slice a;
	struct slice b;
	uint32_t *lengths;
};

static uint32_t *lcs_at(const struct lcs *l, size_t i, size_t j)
{
	return &l->lengths[i * (l->b.len + 1) + j];
}

/* All lengths. The caller frees them. */
static void lcs_fill(struct lcs *l)
{
	l->lengths = mem_alloc((l->a.len + 1) * (l->b.len + 1) * sizeof(uint32_t));
	memset(l->lengths, 0, (l->b.len + 1) * sizeof(uint32_t));
	for (size_t i = 1; i <= l->a.len; i++) {
		uint32_t *row = lcs_at(l, i, 0), *above = lcs_at(l, i - 1, 0);

		row[0] = 0;
		for (size_t j = 1; j <= l->b.len; j++)
			row[j] = l->a.data[i - 1] == l->b.data[j - 1] ? above[j - 1] + 1
								      : MAX(above[j], row[j - 1]);
	}
}

/* A run of bytes that both have, from the end of the strings to their beginning. */
struct lcs_run {
	size_t a;
	size_t b;
	size_t len;
};

/*
 * The next run that ends before `*i` and `*j`, which move to where it begins. False: there is none.
 * Where two ways are as good, it is the one that Redis takes.
 */
static bool lcs_next(const struct lcs *l, size_t *i, size_t *j, struct lcs_run *run)
{
	run->len = 0;
	while (*i > 0 && *j > 0) {
		if (l->a.data[*i - 1] == l->b.data[*j - 1]) {
			*run = (struct lcs_run){--*i, --*j, run->len + 1};
			continue;
		}
		if (run->len > 0)
			return true;
		if (*lcs_at(l, *i - 1, *j) > *lcs_at(l, *i, *j - 1))
			--*i;
		else
			--*j;
	}
	return run->len > 0;
}

/* ---- replies --------------------------------------------------------------------------------- */

static void lcs_write_ends(struct call *c, size_t from, size_t len)
{
	resp_write_array(c->reply, 2);
	resp_write_integer(c->reply, (int64_t)from);
	resp_write_integer(c->reply, (int64_t)(from + len - 1));
}

static void lcs_reply_places(struct call *c, const struct lcs_options *o, const struct lcs *l)
{
	size_t i = l->a.len, j = l->b.len, count = 0;
	struct resp_open open;
	struct lcs_run run;

	resp_write_map(c->reply, 2);
	resp_write_bulk(c->reply, SLICE_LITERAL("matches"));
	open = resp_open_array(c->reply);
	while (lcs_next(l, &i, &j, &run)) {
		if ((int64_t)run.len < o->shortest)
			continue;
		resp_write_array(c->reply, 2 + (size_t)o->with_lengths);
		lcs_write_ends(c, run.a, run.len);
		lcs_write_ends(c, run.b, run.len);
		if (o->with_lengths)
			resp_write_integer(c->reply, (int64_t)run.len);
		count++;
	}
	resp_close(c->reply, open, count);
	resp_write_bulk(c->reply, SLICE_LITERAL("len"));
	resp_write_integer(c->reply, *lcs_at(l, l->a.len, l->b.len));
}

static void lcs_reply_text(struct call *c, const struct lcs *l)
{
	size_t i = l->a.len, j = l->b.len, end = *lcs_at(l, i, j);
	struct buf text = {0};
	struct lcs_run run;

	buf_reserve(&text, end);
	text.len = end;
	while (lcs_next(l, &i, &j, &run)) {
		end -= run.len;
		memcpy(text.data + end, l->a.data + run.a, run.len);
	}
	resp_write_bulk(c->reply, buf_slice(&text));
	buf_free(&text);
}

/* The strings; OK also where one is not there: it is empty then. */
static int lcs_strings(struct call *c, struct lcs *l)
{
	struct slice *values[] = {&l->a, &l->b};

	for (size_t i = 0; i < 2; i++) {
		struct record r;
		int rc = call_record(c, 1 + i, &r);

		if (rc == OK && r.type != RECORD_NONE && !record_is_string(&r))
			return reply_error(c, "ERR The specified keys must contain string values");
	}
	for (size_t i = 0; i < 2; i++) {
		struct record r;
		int rc = call_string(c, 1 + i, &r, values[i]);

		if (rc != OK)
			return rc;
	}
	return OK;
}

static int string_lcs(struct call *c)
{
	struct lcs l = {.lengths = NULL};
	struct lcs_options o;
	uint64_t cells;
	int rc = lcs_strings(c, &l);

	if (rc == OK)
		rc = lcs_options(c, &o);
	if (rc != OK)
		return rc;
	cells = ((uint64_t)l.a.len + 1) * (l.b.len + 1);
	if (cells * sizeof(uint32_t) > STRING_BYTES_MAX)
		return reply_error(c, "ERR Insufficient memory, transient memory for LCS exceeds "
				      "proto-max-bulk-len");
	/* A cell is far less work than what others count as one. */
	if (call_is_long(c, cells / 64))
		return ERR_MISSING;
	lcs_fill(&l);
	if (o.places)
		lcs_reply_places(c, &o, &l);
	else if (o.length)
		resp_write_integer(c->reply, *lcs_at(&l, l.a.len, l.b.len));
	else
		lcs_reply_text(c, &l);
	mem_free(l.lengths);
	return OK;
}

static const struct command rows[] = {
	COMMAND_KEY_ROW("LCS", -3, COMMAND_READ, COMMAND_FLAG_READONLY, 1, 2, 1, string_lcs,
			.key_use = KEY_RO | KEY_ACCESS,
			COMMAND_DOC(GROUP_STRING, "7.0.0", "O(N*M), N and M bytes",
				    "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]",
				    "Finds the longest common subsequence of two strings",
				    .differs = "The product of both lengths is at most four "
					       "million: the table has 16 MiB")),
};

const struct command_family string_lcs_family = COMMAND_FAMILY(rows);
