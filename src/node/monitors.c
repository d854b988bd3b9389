/* Sessions that are shown what this member receives. */

#include "base/error.h"
#include "command/monitor.h"
#include "node/member_state.h"

/* One that does not read what it is shown is not waited for. */
#define MONITOR_OUTPUT_MAX ((size_t)32 << 20)

void session_monitor(struct session *s)
{
	if (list_empty(&s->monitor))
		list_push_back(&s->member->monitors, &s->monitor);
}

bool session_listens(const struct session *s)
{
	return !list_empty(&s->monitor);
}

void member_show(struct session *s, const struct command *command, const struct slice *argv,
		 size_t argc)
{
	struct member *m = s->member;
	struct call c = {
		.command = command, .argv = argv, .argc = argc, .database = s->client.database};
	struct buf line = {0};

	if (list_empty(&m->monitors) || !monitor_shows(command))
		return;
	monitor_line(&line, &c, clock_wall_ms(&m->io->clock), buf_slice(&s->address));
	list_for_each_safe (it, &m->monitors) {
		struct session *to = LIST_ITEM(it, struct session, monitor);

		if (to->out.len > MONITOR_OUTPUT_MAX)
			session_kill(to);
		else
			buf_append_slice(&to->out, buf_slice(&line));
		session_touch(to);
	}
	buf_free(&line);
}
