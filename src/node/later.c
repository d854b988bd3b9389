/*
 * Commands about the connection or the member whose answer takes time: they wait in their session,
 * so replies keep their order, and are looked at with every turn. There are few of them: those that
 * many clients may wait for have a file and an order of their own (copies.c).
 */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "command/host.h"
#include "node/member_state.h"

/* What this session is to be told later; its request is made by whoever runs the command. */
void session_later(struct session *s, const struct later *later)
{
	s->later = MEM_NEW(struct later);
	*s->later = *later;
}

void member_save(struct member *m)
{
	m->save_index = MAX(store_position(m->store)->index, m->applying.index);
}

static bool waits_for_copies(const struct later *later)
{
	return later->kind == LATER_COPIED || later->kind == LATER_COPIED_HERE;
}

void session_await(struct request *r, struct later *later)
{
	struct member *m = r->session->member;
	uint64_t now = member_now_ms(m);

	r->later = later;
	r->state = REQUEST_LATER;
	list_remove(&r->ageing);
	r->due_ms = later->ms < UINT64_MAX - now ? now + later->ms : UINT64_MAX;
	if (later->kind == LATER_SLEPT) {
		m->pause.sleeps_till_ms = MAX(m->pause.sleeps_till_ms, r->due_ms);
	} else if (later->kind == LATER_SAVED || later->kind == LATER_ENDS) {
		member_save(m);
		r->due_ms = UINT64_MAX;
	} else if (later->ms == 0) {
		r->due_ms = UINT64_MAX;
	}
	r->seq = m->save_index;
	if (waits_for_copies(later))
		copies_await(r);
	else
		list_push_back(&m->later, &r->waiting);
}

/* ---- storing, ending, sleeping --------------------------------------------------------------- */

/* OK: it is done; ERR_BUSY: not yet; else it will not be. */
static int saved(struct member *m, const struct request *r)
{
	if (store_durable_index(m->store) >= r->seq)
		return OK;
	if (store_flush_failed(m->store) || !driver_can_store(m->driver))
		return ERR_UNAVAILABLE;
	return ERR_BUSY;
}

static bool answer_saved(struct member *m, struct request *r)
{
	int rc = saved(m, r);
	struct resp_writer w;

	if (rc == ERR_BUSY)
		return false;
	w = session_writer(r);
	if (rc == OK)
		resp_write_simple(&w, SLICE_LITERAL("OK"));
	else
		resp_write_error(&w, SLICE_LITERAL("ERR The state cannot be stored now; see the "
						   "log of this member"));
	return true;
}

/* Who asked for the end hears of it by the end of the connection. */
static bool answer_ends(struct member *m, struct request *r)
{
	const struct later *later = r->later;
	const struct command_host *host = m->options.host;
	int rc = later->saves ? saved(m, r) : OK;
	struct resp_writer w;

	if (rc == ERR_BUSY)
		return false;
	if (rc == OK || later->forced) {
		r->quiet = true;
		host->shutdown(host->owner, later->at_once);
		return true;
	}
	w = session_writer(r);
	resp_write_error(&w, SLICE_LITERAL("ERR Errors trying to SHUTDOWN. Check logs."));
	return true;
}

static bool answer_rewritten(struct member *m, struct request *r)
{
	const struct command_host *host = m->options.host;
	struct buf problem = {0};
	int rc = host->config_rewritten(host->owner, r->later->number, &problem);
	struct resp_writer w;

	if (rc != ERR_BUSY) {
		w = session_writer(r);
		if (rc == OK)
			resp_write_simple(&w, SLICE_LITERAL("OK"));
		else
			resp_write_error(&w, buf_slice(&problem));
	}
	buf_free(&problem);
	return rc != ERR_BUSY;
}

static bool answer_slept(struct member *m, struct request *r)
{
	struct resp_writer w;

	if (member_now_ms(m) < r->due_ms)
		return false;
	w = session_writer(r);
	resp_write_simple(&w, SLICE_LITERAL("OK"));
	return true;
}

static bool answer_later(struct member *m, struct request *r)
{
	struct resp_writer w;

	if (m->failed || r->session->killed) {
		w = session_writer(r);
		resp_write_error(&w, SLICE_LITERAL("ERR This was not waited for"));
		return true;
	}
	switch (r->later->kind) {
	case LATER_SLEPT:
		return answer_slept(m, r);
	case LATER_SAVED:
		return answer_saved(m, r);
	case LATER_ENDS:
		return answer_ends(m, r);
	case LATER_REWRITTEN:
		return answer_rewritten(m, r);
	case LATER_COPIED:
	case LATER_COPIED_HERE:
		break;
	}
	CHECK(!"who waits for copies is in this list only to be told that it does not any more");
	return true;
}

void member_later_turn(struct member *m)
{
	list_for_each_safe (it, &m->later) {
		struct request *r = LIST_ITEM(it, struct request, waiting);

		if (answer_later(m, r))
			session_answer_done(r);
	}
	member_copies_turn(m);
}

uint64_t member_later_due_ms(const struct member *m)
{
	uint64_t due_ms = copy_waits_due_ms(&m->copy_waits);

	list_for_each (it, &m->later)
		due_ms = MIN(due_ms, LIST_ITEM(it, const struct request, waiting)->due_ms);
	return due_ms;
}
