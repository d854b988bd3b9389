#include "consensus/membership.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"

#include <string.h>

#define MEMBERSHIP_VERSION 1

void membership_free(struct membership *m)
{
	mem_free(m->removed);
	*m = (struct membership){0};
}

void membership_copy(struct membership *to, const struct membership *from)
{
	uint64_t *removed = NULL;

	if (from->removed_count) {
		removed = mem_resize(NULL, from->removed_count, sizeof(*removed));
		memcpy(removed, from->removed, from->removed_count * sizeof(*removed));
	}
	mem_free(to->removed);
	*to = *from;
	to->removed = removed;
	to->removed_cap = from->removed_count;
}

static struct participant *membership_find_mutable(struct membership *m, uint64_t id)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (m->members[i].id == id)
			return &m->members[i];
	return NULL;
}

const struct participant *membership_find(const struct membership *m, uint64_t id)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (m->members[i].id == id)
			return &m->members[i];
	return NULL;
}

bool membership_votes(const struct membership *m, uint64_t id)
{
	const struct participant *member = membership_find(m, id);

	return member && (member->roles & (MEMBER_VOTER | MEMBER_VOTER_OLD));
}

/* Where `id` stands, or would, in the sorted list of removed ids. */
static size_t removed_place(const struct membership *m, uint64_t id)
{
	size_t at = 0;

	while (at < m->removed_count && m->removed && m->removed[at] < id)
		at++;
	return at;
}

bool membership_was_removed(const struct membership *m, uint64_t id)
{
	size_t at = removed_place(m, id);

	return at < m->removed_count && m->removed && m->removed[at] == id;
}

static void membership_remember_removed(struct membership *m, uint64_t id)
{
	size_t at = removed_place(m, id);

	MEM_GROW(m->removed, m->removed_cap, m->removed_count + 1);
	CHECK(m->removed != NULL);
	memmove(&m->removed[at + 1], &m->removed[at], (m->removed_count - at) * sizeof(uint64_t));
	m->removed[at] = id;
	m->removed_count++;
}

static void member_set_label(struct participant *member, struct slice label)
{
	member->label_len = (uint8_t)label.len;
	if (label.len)
		memcpy(member->label, label.data, label.len);
}

static int membership_insert(struct membership *m, uint64_t id, uint8_t roles, struct slice label)
{
	uint32_t at = 0;

	if (id == 0 || label.len > MEMBER_LABEL_MAX || membership_was_removed(m, id))
		return ERR_INVALID;
	if (membership_find(m, id))
		return ERR_EXISTS;
	if (m->count == MEMBERSHIP_MAX)
		return ERR_TOO_LARGE;
	while (at < m->count && m->members[at].id < id)
		at++;
	memmove(&m->members[at + 1], &m->members[at], (m->count - at) * sizeof(struct participant));
	m->members[at] = (struct participant){.id = id, .roles = roles};
	member_set_label(&m->members[at], label);
	m->count++;
	return OK;
}

int membership_add_first(struct membership *m, uint64_t id, struct slice label)
{
	return membership_insert(m, id, MEMBER_VOTER, label);
}

static int membership_change_one(struct membership *m, const struct member_change *c)
{
	struct participant *member = membership_find_mutable(m, c->id);

	if (c->kind == MEMBER_ADD_LEARNER)
		return membership_insert(m, c->id, MEMBER_LEARNER | (c->rises ? MEMBER_RISES : 0),
					 c->label);
	if (c->kind == MEMBER_ADD_VOTER)
		return membership_insert(m, c->id, MEMBER_VOTER, c->label);
	if (!member)
		return ERR_NOT_FOUND;
	switch (c->kind) {
	case MEMBER_PROMOTE:
		if (!(member->roles & MEMBER_LEARNER))
			return ERR_INVALID;
		member->roles &= MEMBER_VOTER_OLD;
		member->roles |= MEMBER_VOTER;
		return OK;
	case MEMBER_DEMOTE:
		if (!(member->roles & MEMBER_VOTER))
			return ERR_INVALID;
		member->roles = (uint8_t)((member->roles & ~MEMBER_VOTER) | MEMBER_LEARNER);
		return OK;
	case MEMBER_REMOVE:
		member->roles &= MEMBER_VOTER_OLD;
		return OK;
	case MEMBER_RELABEL:
		if (c->label.len > MEMBER_LABEL_MAX)
			return ERR_INVALID;
		member_set_label(member, c->label);
		return OK;
	default:
		return ERR_INVALID;
	}
}

/* How many votes differ between the old and the new half. */
static unsigned membership_votes_moved(const struct membership *m)
{
	unsigned moved = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		uint8_t roles = m->members[i].roles;

		moved += !(roles & MEMBER_VOTER) != !(roles & MEMBER_VOTER_OLD);
	}
	return moved;
}

/* Whoever has no role left is out for ever. */
static void membership_drop_roleless(struct membership *m)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		if (!m->members[i].roles)
			membership_remember_removed(m, m->members[i].id);
		else if (kept++ != i)
			m->members[kept - 1] = m->members[i];
	}
	m->count = kept;
}

/* Drops the old half, and those who stood in it alone. */
static void membership_settle(struct membership *m)
{
	for (uint32_t i = 0; i < m->count; i++)
		m->members[i].roles &= (uint8_t)~MEMBER_VOTER_OLD;
	m->joint = false;
	membership_drop_roleless(m);
}

static bool membership_has_role(const struct membership *m, uint8_t role)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (m->members[i].roles & role)
			return true;
	return false;
}

int membership_change(const struct membership *m, const struct member_change *changes, size_t count,
		      struct membership *out)
{
	int rc;

	if (m->joint)
		return ERR_BUSY;
	membership_copy(out, m);
	for (uint32_t i = 0; i < out->count; i++)
		if (out->members[i].roles & MEMBER_VOTER)
			out->members[i].roles |= MEMBER_VOTER_OLD;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++)
			if (changes[j].id == changes[i].id)
				return ERR_INVALID;
		rc = membership_change_one(out, &changes[i]);
		if (rc != OK)
			return rc;
	}
	if (count == 0 || !membership_has_role(out, MEMBER_VOTER))
		return ERR_INVALID;
	if (membership_votes_moved(out) > 1 && !MUTANT(change_two_voters_in_one_step)) {
		out->joint = true;
		membership_drop_roleless(out); /* learners: they stand in neither half */
		return OK;
	}
	membership_settle(out);
	return OK;
}

int membership_alone(const struct membership *m, uint64_t id, struct membership *out)
{
	if (!membership_find(m, id))
		return ERR_INVALID;
	membership_copy(out, m);
	for (uint32_t i = 0; i < out->count; i++)
		out->members[i].roles = out->members[i].id == id ? MEMBER_VOTER : 0;
	out->joint = false;
	membership_drop_roleless(out);
	return OK;
}

void membership_leave(const struct membership *m, struct membership *out)
{
	CHECK(m->joint);
	membership_copy(out, m);
	membership_settle(out);
}

/* A majority of the members with `role` is in `holds`. */
static bool half_majority(const struct membership *m, uint8_t role, uint32_t holds)
{
	unsigned voters = 0, held = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		if (!(m->members[i].roles & role))
			continue;
		voters++;
		held += holds >> i & 1;
	}
	if (MUTANT(majority_is_half))
		return held >= voters / 2;
	return held > voters / 2;
}

bool membership_majority(const struct membership *m, uint32_t holds)
{
	if (!half_majority(m, MEMBER_VOTER, holds))
		return false;
	if (MUTANT(joint_majority_ignored))
		return true;
	return !m->joint || half_majority(m, MEMBER_VOTER_OLD, holds);
}

static uint64_t half_agreed(const struct membership *m, uint8_t role, const uint64_t *values)
{
	uint64_t sorted[MEMBERSHIP_MAX];
	unsigned n = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		unsigned at = n;

		if (!(m->members[i].roles & role))
			continue;
		for (; at > 0 && sorted[at - 1] < values[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = values[i];
		n++;
	}
	return n ? sorted[n / 2] : 0;
}

uint64_t membership_agreed(const struct membership *m, const uint64_t *values)
{
	uint64_t agreed = half_agreed(m, MEMBER_VOTER, values);

	if (m->joint && !MUTANT(joint_commit_ignored))
		agreed = MIN(agreed, half_agreed(m, MEMBER_VOTER_OLD, values));
	return agreed;
}

void membership_encode(const struct membership *m, struct buf *out)
{
	buf_append_fixed8(out, MEMBERSHIP_VERSION);
	buf_append_fixed8(out, m->joint);
	buf_append_varint(out, m->count);
	for (uint32_t i = 0; i < m->count; i++) {
		const struct participant *member = &m->members[i];

		buf_append_fixed64(out, member->id);
		buf_append_fixed8(out, member->roles);
		buf_append_string(out, slice_of(member->label, member->label_len));
	}
	buf_append_varint(out, m->removed_count);
	for (size_t i = 0; i < m->removed_count; i++)
		buf_append_fixed64(out, m->removed[i]);
}

static void membership_decode_members(struct cursor *c, struct membership *out)
{
	uint64_t count = cursor_varint(c);

	if (count > MEMBERSHIP_MAX) {
		cursor_fail(c);
		return;
	}
	out->count = (uint32_t)count;
	for (uint32_t i = 0; i < out->count; i++) {
		struct slice label;

		out->members[i].id = cursor_fixed64(c);
		out->members[i].roles = cursor_fixed8(c);
		label = cursor_string(c);
		if (label.len > MEMBER_LABEL_MAX)
			cursor_fail(c);
		else
			member_set_label(&out->members[i], label);
	}
}

static void membership_decode_removed(struct cursor *c, struct membership *out)
{
	uint64_t count = cursor_varint(c);

	if (count > cursor_left(c) / 8) {
		cursor_fail(c);
		return;
	}
	MEM_GROW(out->removed, out->removed_cap, (size_t)count);
	out->removed_count = (size_t)count;
	for (size_t i = 0; i < out->removed_count; i++)
		out->removed[i] = cursor_fixed64(c);
}

int membership_decode(struct slice bytes, struct membership *out)
{
	struct cursor c = cursor_of(bytes);
	uint8_t version = cursor_fixed8(&c);
	uint8_t joint = cursor_fixed8(&c);

	out->joint = joint;
	membership_decode_members(&c, out);
	membership_decode_removed(&c, out);
	if (version != MEMBERSHIP_VERSION || joint > 1 || !cursor_done(&c) ||
	    membership_broken(out)) {
		membership_free(out);
		return ERR_MALFORMED;
	}
	return OK;
}

static const char *member_broken(const struct membership *m, uint32_t i)
{
	const struct participant *member = &m->members[i];
	uint8_t known = MEMBER_VOTER | MEMBER_VOTER_OLD | MEMBER_LEARNER | MEMBER_RISES;

	if (member->id == 0 || (i > 0 && m->members[i - 1].id >= member->id))
		return "M1: ids ascend and are not 0";
	if ((member->roles & MEMBER_VOTER && member->roles & MEMBER_LEARNER) ||
	    (member->roles & MEMBER_RISES && !(member->roles & MEMBER_LEARNER)) ||
	    (member->roles & ~known) || !member->roles ||
	    (member->roles & MEMBER_VOTER_OLD && !m->joint))
		return "M3: roles fit each other";
	if (membership_was_removed(m, member->id))
		return "M4: nobody who was removed takes part";
	return NULL;
}

const char *membership_broken(const struct membership *m)
{
	if (m->count > MEMBERSHIP_MAX || !membership_has_role(m, MEMBER_VOTER))
		return "M2: somebody votes";
	for (size_t i = 1; i < m->removed_count; i++)
		if (m->removed[i - 1] >= m->removed[i])
			return "M4: removed ids ascend";
	for (uint32_t i = 0; i < m->count; i++) {
		const char *broken = member_broken(m, i);

		if (broken)
			return broken;
	}
	if (m->joint && !membership_has_role(m, MEMBER_VOTER_OLD))
		return "M5: a joint membership has an old half";
	return NULL;
}
