#include "node/control_entry.h"

#include "base/check.h"
#include "base/error.h"

#define CONTROL_VERSION 1

/* Reads the version: OK, and the cursor stands behind it. */
static int control_begin(struct cursor *c, struct slice bytes)
{
	uint8_t version;

	*c = cursor_of(bytes);
	version = cursor_fixed8(c);
	if (c->failed)
		return ERR_MALFORMED;
	if (version != CONTROL_VERSION)
		return version > CONTROL_VERSION ? ERR_VERSION : ERR_MALFORMED;
	return OK;
}

/* ---- level ----------------------------------------------------------------------------------- */

void level_entry_encode(uint32_t level, struct buf *out)
{
	buf_append_fixed8(out, CONTROL_VERSION);
	buf_append_fixed32(out, level);
}

int level_entry_decode(struct slice bytes, uint32_t *level)
{
	struct cursor c;
	int rc = control_begin(&c, bytes);

	if (rc != OK)
		return rc;
	*level = cursor_fixed32(&c);
	return cursor_done(&c) ? OK : ERR_MALFORMED;
}

/* ---- check ----------------------------------------------------------------------------------- */

void check_entry_encode(struct buf *out)
{
	buf_append_fixed8(out, CONTROL_VERSION);
}

int check_entry_decode(struct slice bytes)
{
	struct cursor c;
	int rc = control_begin(&c, bytes);

	if (rc != OK)
		return rc;
	return cursor_done(&c) ? OK : ERR_MALFORMED;
}

void digests_encode(const struct digests *d, struct buf *out)
{
	buf_append_fixed8(out, CONTROL_VERSION);
	buf_append_fixed64(out, d->index);
	buf_append_fixed64(out, d->revision);
	buf_append_fixed64(out, d->living);
	buf_append_fixed64(out, d->history);
}

int digests_decode(struct slice bytes, struct digests *d)
{
	struct cursor c;
	int rc = control_begin(&c, bytes);

	if (rc != OK)
		return rc;
	d->index = cursor_fixed64(&c);
	d->revision = cursor_fixed64(&c);
	d->living = cursor_fixed64(&c);
	d->history = cursor_fixed64(&c);
	return cursor_done(&c) && d->index ? OK : ERR_MALFORMED;
}

/* ---- verdict --------------------------------------------------------------------------------- */

void verdict_encode(const struct verdict *v, struct buf *out)
{
	CHECK(v->count <= MEMBERSHIP_MAX);
	buf_append_fixed8(out, CONTROL_VERSION);
	buf_append_fixed64(out, v->index);
	buf_append_fixed8(out, (uint8_t)v->count);
	for (uint32_t i = 0; i < v->count; i++) {
		buf_append_fixed64(out, v->items[i].member);
		buf_append_fixed8(out, (uint8_t)v->items[i].outcome);
	}
}

int verdict_decode(struct slice bytes, struct verdict *v)
{
	struct cursor c;
	int rc = control_begin(&c, bytes);

	if (rc != OK)
		return rc;
	v->index = cursor_fixed64(&c);
	v->count = cursor_fixed8(&c);
	if (v->count == 0 || v->count > MEMBERSHIP_MAX)
		return ERR_MALFORMED;
	for (uint32_t i = 0; i < v->count; i++) {
		uint64_t member = cursor_fixed64(&c);
		uint8_t outcome = cursor_fixed8(&c);

		if ((outcome != VERDICT_QUARANTINE && outcome != VERDICT_RELEASE) ||
		    (i > 0 && member <= v->items[i - 1].member))
			return ERR_MALFORMED;
		v->items[i] = (struct verdict_item){member, (enum verdict_outcome)outcome};
	}
	return cursor_done(&c) ? OK : ERR_MALFORMED;
}

/* ---- alarms ---------------------------------------------------------------------------------- */

void alarm_encode(const struct alarm_change *a, struct buf *out)
{
	buf_append_fixed8(out, CONTROL_VERSION);
	buf_append_fixed64(out, a->member);
	buf_append_fixed8(out, (uint8_t)a->kind);
	buf_append_fixed8(out, a->raised);
}

int alarm_decode(struct slice bytes, struct alarm_change *a)
{
	struct cursor c;
	uint8_t kind, raised;
	int rc = control_begin(&c, bytes);

	if (rc != OK)
		return rc;
	a->member = cursor_fixed64(&c);
	kind = cursor_fixed8(&c);
	raised = cursor_fixed8(&c);
	if (!cursor_done(&c) || kind < 1 || kind > ALARM_KIND_MAX || raised > 1)
		return ERR_MALFORMED;
	a->kind = (enum alarm_kind)kind;
	a->raised = raised;
	return OK;
}
