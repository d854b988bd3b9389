#include "consensus/birth.h"

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mutant.h"

static struct birth_member *birth_find(struct birth *b, struct slice name)
{
	for (uint32_t i = 0; i < b->count; i++)
		if (slice_equal(b->members[i].name, name))
			return &b->members[i];
	return NULL;
}

static bool birth_knows_id(const struct birth *b, uint64_t id)
{
	for (uint32_t i = 0; i < b->count; i++)
		if (b->members[i].id == id)
			return true;
	return false;
}

static uint64_t membership_digest(const struct membership *m)
{
	struct buf bytes = {0};
	uint64_t digest;

	membership_encode(m, &bytes);
	digest = hash64(buf_slice(&bytes));
	buf_free(&bytes);
	return digest ? digest : 1;
}

/* Moves on as far as what is known allows. */
static void birth_progress(struct birth *b)
{
	uint32_t known = 0, confirmed = 0;

	for (uint32_t i = 0; i < b->count; i++) {
		known += b->members[i].id != 0;
		confirmed += b->members[i].confirmed;
	}
	if (b->state == BIRTH_COLLECTING &&
	    (known == b->count || (MUTANT(birth_without_all) && known > b->count / 2))) {
		struct membership m = {0};

		b->state = BIRTH_HOLDING;
		birth_membership(b, &m);
		b->digest = membership_digest(&m);
		membership_free(&m);
	}
	if (b->state == BIRTH_CONFIRMING &&
	    (confirmed == b->count || (MUTANT(birth_without_all) && confirmed > b->count / 2)))
		b->state = BIRTH_BORN;
}

int birth_init(struct birth *b, struct slice name, uint64_t id, const struct slice *names,
	       size_t count)
{
	struct birth_member *self;

	*b = (struct birth){.self = id};
	if (count == 0 || id == 0)
		return ERR_INVALID;
	if (count > MEMBERSHIP_MAX)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < count; i++) {
		if (names[i].len == 0 || names[i].len > MEMBER_LABEL_MAX || birth_find(b, names[i]))
			return ERR_INVALID;
		b->members[b->count++].name = names[i];
	}
	self = birth_find(b, name);
	if (!self)
		return ERR_INVALID;
	self->id = id;
	birth_progress(b); /* alone, everybody is known already */
	return OK;
}

int birth_resume(struct birth *b, const struct membership *held)
{
	if (held->count != b->count)
		return ERR_INVALID;
	for (uint32_t i = 0; i < held->count; i++) {
		const struct participant *m = &held->members[i];
		struct birth_member *known = birth_find(b, slice_of(m->label, m->label_len));

		if (!known || (known->id && known->id != m->id))
			return ERR_INVALID;
		known->id = m->id;
	}
	birth_progress(b);
	CHECK(b->state == BIRTH_HOLDING);
	birth_stored(b);
	return OK;
}

int birth_hear(struct birth *b, const struct birth_hello *hello)
{
	struct birth_member *m = birth_find(b, hello->name);

	if (!m)
		return ERR_NOT_FOUND;
	if ((m->id && m->id != hello->id) || (!m->id && birth_knows_id(b, hello->id)))
		return ERR_EXISTS;
	m->id = hello->id;
	birth_progress(b);
	if (b->digest && hello->digest == b->digest) {
		m->confirmed = true;
		birth_progress(b);
		/* Who is born knows that everybody had confirmed, also those who are gone since. */
		if (hello->born && b->state == BIRTH_CONFIRMING)
			b->state = BIRTH_BORN;
	}
	return OK;
}

void birth_membership(const struct birth *b, struct membership *out)
{
	for (uint32_t i = 0; i < b->count; i++) {
		const struct birth_member *m = &b->members[i];

		if (m->id)
			CHECK(membership_add_first(out, m->id, m->name) == OK);
	}
}

void birth_stored(struct birth *b)
{
	CHECK(b->state == BIRTH_HOLDING);
	b->state = BIRTH_CONFIRMING;
	for (uint32_t i = 0; i < b->count; i++)
		if (b->members[i].id == b->self)
			b->members[i].confirmed = true;
	birth_progress(b);
}

struct birth_hello birth_hello(const struct birth *b)
{
	struct birth_hello hello = {.id = b->self};

	for (uint32_t i = 0; i < b->count; i++)
		if (b->members[i].id == b->self)
			hello.name = b->members[i].name;
	if (b->state >= BIRTH_CONFIRMING)
		hello.digest = b->digest;
	hello.born = b->state == BIRTH_BORN;
	return hello;
}

struct birth_hello birth_echo(struct slice name, uint64_t id, const struct birth_hello *asked)
{
	return (struct birth_hello){.name = name, .id = id, .digest = asked->digest, .born = true};
}

void birth_awaited(const struct birth *b, struct buf *out)
{
	for (uint32_t i = 0; i < b->count; i++) {
		const struct birth_member *m = &b->members[i];

		if (b->state == BIRTH_COLLECTING ? m->id != 0 : m->confirmed)
			continue;
		if (out->len)
			buf_append_byte(out, ' ');
		buf_append_slice(out, m->name);
	}
}

void birth_hello_encode(const struct birth_hello *hello, struct buf *out)
{
	buf_append_string(out, hello->name);
	buf_append_fixed64(out, hello->id);
	buf_append_fixed64(out, hello->digest);
	buf_append_fixed8(out, hello->born);
	buf_append_fixed64(out, hello->wall_ms);
}

int birth_hello_decode(struct slice bytes, struct birth_hello *hello)
{
	struct cursor c = cursor_of(bytes);
	uint8_t born;

	hello->name = cursor_string(&c);
	hello->id = cursor_fixed64(&c);
	hello->digest = cursor_fixed64(&c);
	born = cursor_fixed8(&c);
	hello->born = born;
	hello->wall_ms = cursor_fixed64(&c);
	if (!cursor_done(&c) || born > 1 || hello->id == 0 || hello->name.len == 0)
		return ERR_MALFORMED;
	return OK;
}
