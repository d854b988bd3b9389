/* The end of a session whose client takes too little of what it is answered. */

#include "node/member_state.h"

#define CUT_TEXT "ERR the replies that wait are beyond client-output-buffer-limit: this was not run"

void session_limit_output(struct session *s, size_t bytes)
{
	s->out_limit = bytes;
}

bool session_is_cut(const struct session *s)
{
	return s->cut;
}

/* What cannot be withdrawn any more: it has a number, or another thread has it, or it has run. */
static bool is_handed_out(const struct request *r)
{
	return r->seq || r->state == REQUEST_RUNNING || r->state == REQUEST_LATER ||
	       r->state == REQUEST_DONE;
}

/*
 * What stands between requests that are answered gets an answer, too, or the client would take one
 * reply for another. What came behind a transaction was not even looked at: it is in vain.
 */
static void cut_requests(struct session *s)
{
	session_drop_held(s);
	list_for_each (each, &s->requests) {
		struct request *r = LIST_ITEM(each, struct request, link);

		if (is_handed_out(r))
			continue;
		if (r->state == REQUEST_WRITES)
			origin_drop(&s->member->origin, r);
		request_answer_error(r, CUT_TEXT);
	}
}

void session_check_output(struct session *s)
{
	if (s->cut || s->out_limit == 0 || s->out.len + s->behind <= s->out_limit)
		return;
	s->cut = true;
	cut_requests(s);
}

void session_cut(struct session *s)
{
	if (s->cut)
		return;
	s->cut = true;
	cut_requests(s);
	session_advance(s);
}
