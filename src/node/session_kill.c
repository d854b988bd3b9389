/* The end of a session that somebody else asks for, or that its client never meant to be one. */

#include "node/member_state.h"

#include "command/family.h"

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
	session_end_copies(s);
	session_touch(s);
}

/*
 * A browser can be sent to any port, and what it is made to post may have lines that are commands.
 * No client begins a request with these words; as with Redis, whoever does is gone before the rest
 * is looked at.
 */
bool session_is_browser(struct session *s, struct slice name)
{
	if (!argument_is(name, "post") && !argument_is(name, "host:"))
		return false;
	LOG(s->member->io->logger, LOG_WARNING,
	    "%.*s sends HTTP: somebody may want it to say what it does not mean; it is cut off",
	    (int)s->address.len, (const char *)s->address.data);
	session_kill(s);
	return true;
}
