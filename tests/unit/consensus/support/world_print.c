#include "world_print.h"

#include "base/error.h"

#include <inttypes.h>

void text_membership(struct buf *out, const struct membership *m)
{
	const char *gap = "";

	for (uint32_t i = 0; i < m->count; i++) {
		if (!(m->members[i].roles & MEMBER_VOTER))
			continue;
		buf_printf(out, "%s%" PRIu64, gap, m->members[i].id);
		gap = " ";
	}
	if (m->joint)
		buf_printf(out, " <-");
	for (uint32_t i = 0; i < m->count; i++)
		if (m->members[i].roles & MEMBER_VOTER_OLD)
			buf_printf(out, " %" PRIu64, m->members[i].id);
	for (uint32_t i = 0; i < m->count; i++)
		if (m->members[i].roles & MEMBER_LEARNER)
			buf_printf(out, " ~%" PRIu64, m->members[i].id);
	for (size_t i = 0; i < m->removed_count; i++)
		buf_printf(out, " -%" PRIu64, m->removed[i]);
}

void text_entry(struct buf *out, uint64_t index, const struct entry *e)
{
	struct membership m = {0};

	buf_printf(out, "%" PRIu64 "/%" PRIu64, index, e->term);
	if (e->kind == ENTRY_NOOP) {
		buf_printf(out, " noop");
	} else if (e->kind != ENTRY_MEMBERSHIP) {
		buf_printf(out, " %.*s", (int)e->len, (const char *)e->data);
	} else if (membership_decode(entry_payload(e), &m) == OK) {
		buf_printf(out, " members ");
		text_membership(out, &m);
		membership_free(&m);
	}
}

/* Long runs are shown by their ends. */
void text_entries(struct buf *out, uint64_t first, const struct entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (count > 8 && i == 2) {
			buf_printf(out, ", ...");
			i = count - 3;
			continue;
		}
		if (i > 0)
			buf_printf(out, ", ");
		text_entry(out, first + i, &entries[i]);
	}
}

static void print_append_resp(struct buf *out, const struct raft_message *m)
{
	if (m->flags & RAFT_FLAG_STALE)
		buf_printf(out, " stale");
	else if (m->flags & RAFT_FLAG_REJECT)
		buf_printf(out, " refuses %" PRIu64 ", has %" PRIu64 "/%" PRIu64, m->index, m->hint,
			   m->log_term);
	else
		buf_printf(out, " agrees up to %" PRIu64, m->index);
}

static void print_append(struct buf *out, const struct raft_message *m)
{
	buf_printf(out, " after %" PRIu64 "/%" PRIu64 " commit %" PRIu64, m->index, m->log_term,
		   m->commit);
	if (m->count)
		buf_printf(out, ": ");
	text_entries(out, m->index + 1, m->entries, m->count);
}

static void print_flags(struct buf *out, const struct raft_message *m)
{
	if (m->flags & RAFT_FLAG_FORCE)
		buf_printf(out, ", forced");
	if (m->flags & RAFT_FLAG_DAMAGED)
		buf_printf(out, ", damaged");
	if (m->flags & RAFT_FLAG_BEHIND)
		buf_printf(out, ", behind");
	if (m->flags & RAFT_FLAG_INSTALLING)
		buf_printf(out, ", installing");
}

void text_message(struct buf *out, const struct raft_message *m)
{
	buf_printf(out, "%" PRIu64 ">%" PRIu64 " %s term %" PRIu64, m->from, m->to,
		   raft_message_name(m->type), m->term);
	switch (m->type) {
	case RAFT_PREVOTE:
	case RAFT_VOTE:
		buf_printf(out, " last %" PRIu64 "/%" PRIu64, m->index, m->log_term);
		break;
	case RAFT_PREVOTE_RESP:
	case RAFT_VOTE_RESP:
		buf_printf(out, "%s", m->flags & RAFT_FLAG_REJECT ? " no" : " yes");
		break;
	case RAFT_APPEND:
		print_append(out, m);
		break;
	case RAFT_APPEND_RESP:
		print_append_resp(out, m);
		break;
	case RAFT_HEARTBEAT:
		buf_printf(out, " agreed %" PRIu64 " commit %" PRIu64 " round %" PRIu64, m->index,
			   m->commit, m->context);
		break;
	case RAFT_HEARTBEAT_RESP:
		buf_printf(out, " round %" PRIu64, m->context);
		break;
	case RAFT_COMMIT:
		buf_printf(out, " commit %" PRIu64, m->commit);
		break;
	case RAFT_SNAPSHOT:
		buf_printf(out, " at %" PRIu64 "/%" PRIu64, m->index, m->log_term);
		break;
	case RAFT_READ:
		if (m->context == UINT64_MAX)
			buf_printf(out, " to be whole");
		else
			buf_printf(out, " %" PRIu64, m->context);
		break;
	case RAFT_READ_RESP:
		if (m->context == UINT64_MAX)
			buf_printf(out, " whole at %" PRIu64, m->index);
		else
			buf_printf(out, " %" PRIu64 " at %" PRIu64, m->context, m->index);
		break;
	case RAFT_TRANSFER:
		buf_printf(out, " to %" PRIu64, m->context);
		break;
	default:
		break;
	}
	print_flags(out, m);
}

void text_persist(struct buf *out, const struct raft_persist *p)
{
	const char *gap = "";

	if (p->reset) {
		buf_printf(out, "log starts over after %" PRIu64 "/%" PRIu64, p->base,
			   p->base_term);
		gap = "; ";
	}
	if (p->hard_changed) {
		buf_printf(out, "%sterm %" PRIu64 " vote %" PRIu64 "%s", gap, p->hard.term,
			   p->hard.vote, p->hard.born ? "" : " unborn");
		gap = "; ";
	}
	if (p->clear_damage) {
		buf_printf(out, "%swhole again", gap);
		gap = "; ";
	}
	if (p->count)
		buf_printf(out, "%s", gap);
	text_entries(out, p->first, p->entries, p->count);
}

static const char *print_flag(struct buf *out, const char *gap, bool from, bool to,
			      const char *name)
{
	if (from == to)
		return gap;
	buf_printf(out, "%s%s%s", gap, to ? "" : "not ", name);
	return ", ";
}

static void print_role(struct buf *out, const struct raft_status *s)
{
	buf_printf(out, " %s", raft_role_name(s->role));
	if (s->role == RAFT_FOLLOWER && s->leader)
		buf_printf(out, " of %" PRIu64, s->leader);
	buf_printf(out, " in term %" PRIu64, s->term);
}

void text_changes(struct buf *out, const struct raft_status *from, const struct raft_status *to)
{
	const char *gap = " ";

	if (from->role != to->role || from->term != to->term || from->leader != to->leader) {
		print_role(out, to);
		gap = ", ";
	}
	gap = print_flag(out, gap, from->born, to->born, "born");
	gap = print_flag(out, gap, from->damaged, to->damaged, "damaged");
	gap = print_flag(out, gap, from->transferring, to->transferring, "handing over");
	print_flag(out, gap, from->installing, to->installing, "installing");
}

void text_status(struct buf *out, const struct raft_status *s)
{
	print_role(out, s);
	buf_printf(out, ", vote %" PRIu64 ", log %" PRIu64 "..%" PRIu64 ", durable %" PRIu64,
		   s->vote, s->base + 1, s->last, s->durable);
	buf_printf(out, ", commit %" PRIu64 "%s%s%s%s", s->commit, s->born ? "" : ", unborn",
		   s->damaged ? ", damaged" : "", s->installing ? ", installing" : "",
		   s->transferring ? ", handing over" : "");
}
