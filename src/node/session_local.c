/* Commands about the connection or the member: answered as they come, but in their turn. */

#include "base/check.h"
#include "base/error.h"
#include "node/member_state.h"

const char *member_is_outside(const struct member *m)
{
	if (driver_membership(m->driver)->count)
		return NULL;
	if (m->options.driver.name_count)
		return "CLUSTERDOWN The cluster is not born yet: this member waits for all others "
		       "of initial-cluster, as its log says; nothing was done";
	return "CLUSTERDOWN This member has not joined the cluster yet: its log says whom it asks; "
	       "nothing was done";
}

/* Runs it, with its reply into `w`; false: that is an error. */
static bool local_run(struct session *s, const struct command *command, const struct slice *argv,
		      size_t argc, struct resp_writer *w)
{
	struct member *m = s->member;
	struct cluster_view members = {.membership = driver_membership(m->driver),
				       .leader = m->status.leader,
				       .outside = member_is_outside(m)};
	struct desk desk = session_desk(s);
	struct call c = {.command = command,
			 .argv = argv,
			 .argc = argc,
			 .database = s->client.database,
			 .reply = w,
			 .members = &members,
			 .desk = &desk,
			 .host = m->options.host,
			 .client = &s->client};
	uint64_t began_us = member_now_us(m);
	int rc = command_run(&c);

	CHECK(rc == OK);
	member_ran(s, &c, began_us);
	return !c.refused;
}

void session_run_local(struct session *s, const struct command *command, const struct slice *argv,
		       size_t argc)
{
	struct request *r = session_add(s, command, NULL, 0);
	struct resp_writer w = session_writer(r);

	(void)local_run(s, command, argv, argc, &w);
	if (s->later)
		session_await(r, s->later);
	else
		session_answer_done(r);
	s->later = NULL;
}

/* Its own reply is the first that it speaks of; errors follow what was wanted before. */
void session_run_reply(struct session *s, const struct command *command, const struct slice *argv,
		       size_t argc)
{
	struct request *r = session_add(s, command, NULL, 0);
	struct resp_writer w = request_writer(r);

	if (local_run(s, command, argv, argc, &w))
		r->quiet = s->client.replies != REPLIES_ON;
	session_answer_done(r);
}
