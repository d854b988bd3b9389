/* What handlers have in common: arguments, usual replies, records. */

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mutant.h"
#include "command/family.h"
#include "command/scan_names.h"
#include "resp/integer.h"

#include <string.h>
#include <strings.h>

int command_run(struct call *c)
{
	uint32_t changes = c->txn ? c->txn->sub : 0;
	int rc;

	if (c->no_space && c->command->flags & COMMAND_FLAG_DENYOOM)
		rc = reply_error(c, NO_SPACE_TEXT);
	else
		rc = c->command->run(c);
	c->refused = rc == CALL_REFUSED;
	if (!c->refused)
		return rc;
	CHECK(!c->txn || c->txn->sub == changes);
	return OK;
}

/* ---- arguments ------------------------------------------------------------------------------- */

bool argument_is(struct slice argument, const char *word)
{
	return strlen(word) == argument.len &&
	       strncasecmp((const char *)argument.data, word, argument.len) == 0;
}

int call_integer(struct call *c, size_t at, int64_t *value)
{
	return resp_integer_parse(c->argv[at], value) ? OK : reply_not_integer(c);
}

int call_timeout_ms(struct call *c, struct slice text, int64_t *ms)
{
	if (!resp_integer_parse(text, ms))
		return reply_error(c, "ERR timeout is not an integer or out of range");
	return *ms >= 0 ? OK : reply_error(c, "ERR timeout is negative");
}

int call_options(struct call *c, size_t from, const struct option *table, size_t count,
		 struct options *out)
{
	*out = (struct options){0};
	CHECK(count <= OPTIONS_MAX);
	for (size_t at = from; at < c->argc; at++) {
		size_t i = 0;

		while (i < count && !argument_is(c->argv[at], table[i].word))
			i++;
		if (i == count || (out->flags & table[i].excludes) ||
		    (table[i].has_value && at + 1 == c->argc))
			return reply_syntax(c);
		out->flags |= table[i].flag;
		if (table[i].has_value)
			out->values[i] = c->argv[++at];
	}
	return OK;
}

/* ---- replies --------------------------------------------------------------------------------- */

int reply_ok(struct call *c)
{
	resp_write_simple(c->reply, SLICE_LITERAL("OK"));
	return OK;
}

int reply_integer(struct call *c, int64_t value)
{
	resp_write_integer(c->reply, value);
	return OK;
}

int reply_error(struct call *c, const char *text)
{
	resp_write_error(c->reply, slice_of_text(text));
	return CALL_REFUSED;
}

int reply_wrong_type(struct call *c)
{
	return reply_error(c, "WRONGTYPE Operation against a key holding the wrong kind of value");
}

int reply_syntax(struct call *c)
{
	return reply_error(c, "ERR syntax error");
}

int reply_not_integer(struct call *c)
{
	return reply_error(c, "ERR value is not an integer or out of range");
}

int reply_error_named(struct call *c, const char *before, const char *behind)
{
	struct buf text = {0};

	buf_printf(&text, "ERR %s", before);
	command_append_name(c->command, &text);
	buf_printf(&text, "%s", behind);
	resp_write_error(c->reply, buf_slice(&text));
	buf_free(&text);
	return CALL_REFUSED;
}

int reply_wrong_arity(struct call *c)
{
	return reply_error_named(c, "wrong number of arguments for '", "' command");
}

int reply_wrong_form(struct call *c)
{
	size_t name_len = strcspn(c->command->name, "|");

	resp_write_errorf(c->reply,
			  "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try "
			  "%.*s HELP.",
			  (int)MIN(c->argv[1].len, (size_t)128), (const char *)c->argv[1].data,
			  (int)name_len, c->command->name);
	return CALL_REFUSED;
}

/* ---- records --------------------------------------------------------------------------------- */

int call_record(struct call *c, size_t at, struct record *r)
{
	int rc = txn_record(c->txn, c->database, c->argv[at], r);

	return rc == ERR_NOT_FOUND ? OK : rc;
}

int call_string_record(struct call *c, size_t at, struct record *r)
{
	int rc = call_record(c, at, r);

	if (rc == OK && r->type != RECORD_NONE && !record_is_string(r))
		return reply_wrong_type(c);
	return rc;
}

int call_string(struct call *c, size_t at, struct record *r, struct slice *value)
{
	int rc = call_string_record(c, at, r);

	*value = (struct slice){NULL, 0};
	if (rc == OK && r->type != RECORD_NONE)
		rc = txn_value(c->txn, r, value);
	return rc;
}

int call_string_fits(struct call *c, uint64_t bytes)
{
	if (bytes <= STRING_BYTES_MAX)
		return OK;
	return reply_error(c, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
}

void call_delete(struct call *c, size_t at, const struct record *r)
{
	txn_delete(c->txn, c->database, c->argv[at], r, CHANGE_DELETE);
}

void call_replace_string(struct call *c, size_t at, const struct record *old, struct slice value)
{
	struct record_terms terms = {.deadline_ms = old->deadline_ms, .lease = old->lease};

	if (MUTANT(replace_loses_deadline))
		terms.deadline_ms = 0;

	txn_set_string(c->txn, c->database, c->argv[at], old, value, &terms);
}

/* ---- conditions on a record ------------------------------------------------------------------ */

bool revision_condition_parse(struct slice text, struct revision_condition *out)
{
	const uint8_t *dash = text.len ? memchr(text.data, '-', text.len) : NULL;
	int64_t main_number, sub = 0;
	size_t main_len = dash ? (size_t)(dash - text.data) : text.len;

	if (!resp_integer_parse(slice_of(text.data, main_len), &main_number) || main_number < 0)
		return false;
	if (dash && (!resp_integer_parse(slice_of(dash + 1, text.len - main_len - 1), &sub) ||
		     sub < 0 || sub > UINT32_MAX))
		return false;
	*out = (struct revision_condition){.at = {(uint64_t)main_number, (uint32_t)sub},
					   .whole = dash != NULL};
	return true;
}

bool revision_condition_holds(const struct revision_condition *condition, const struct record *r)
{
	if (condition->at.main == 0 || r->type == RECORD_NONE)
		return condition->at.main == 0 && r->type == RECORD_NONE;
	return condition->whole ? revision_equal(condition->at, r->mod)
				: condition->at.main == r->mod.main;
}

/* ---- long reads and draws -------------------------------------------------------------------- */

/* What looks at more than so many is no work for the loop, even if all is in memory. */
#define LOOP_MAX 1000

bool call_is_long(const struct call *c, uint64_t count)
{
	return c->page && c->page->known && count > LOOP_MAX;
}

uint64_t call_random_seed(const struct call *c)
{
	uint64_t state = hash64_pair(c->txn->time_ms, c->txn->position.revision);

	state = hash64_pair(state, c->element);
	return hash64_pair(state, c->page ? c->page->number : 0);
}

/* ---- time ------------------------------------------------------------------------------------ */

int call_deadline(struct call *c, struct slice text, enum time_unit unit, bool absolute,
		  uint64_t *deadline_ms)
{
	int64_t ms;

	if (!resp_integer_parse(text, &ms))
		return reply_not_integer(c);
	if (ms <= 0 || __builtin_mul_overflow(ms, (int64_t)unit, &ms) ||
	    (!absolute && __builtin_add_overflow(ms, (int64_t)c->txn->time_ms, &ms)))
		return reply_error_named(c, "invalid expire time in '", "' command");
	*deadline_ms = (uint64_t)ms;
	return OK;
}
