/* The end of a session that somebody else asks for. */

#include "node/member_state.h"

bool session_is_killed(const struct session *s)
{
	return s->killed;
}

/* What it was held back with was never handed out: it is not run. */
void session_drop_held(struct session *s)
{
	struct list *it;

	while ((it = list_pop_front(&s->held)) != NULL) {
		struct request *r = LIST_ITEM(it, struct request, link);

		s->count--;
		s->bytes -= r->bytes;
		request_free(r);
	}
	list_remove(&s->released); /* it may stand there, with nothing to go on */
}

void session_kill(struct session *s)
{
	s->killed = true;
	s->client.wants_close = true;
	session_drop_held(s);
	session_touch(s);
}
