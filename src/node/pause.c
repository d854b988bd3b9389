/*
 * Pauses: for a while no session runs commands, or none that writes. They wait in their sessions,
 * in order; other members, applying and deadlines go on. CLIENT UNPAUSE is run whatever is paused,
 * unless its own session holds something that came before it.
 */

#include "base/error.h"
#include "node/member_state.h"

static bool multi_writes(const struct multi *t)
{
	list_for_each (it, &t->queued)
		if (LIST_ITEM(it, const struct request, link)->command->class == COMMAND_WRITE)
			return true;
	return false;
}

bool session_pauses(const struct session *s, const struct slice *argv, size_t argc)
{
	const struct pause *pause = &s->member->pause;
	const struct command *parent, *command;

	if (pause->sleeps_till_ms)
		return true;
	if (!pause->till_ms)
		return false;
	command = command_lookup(argv, argc, &parent);
	if (command && command->role == ROLE_UNPAUSE)
		return false;
	return pause->all || (command && command->class == COMMAND_WRITE) ||
	       (command && command->role == ROLE_EXEC && multi_writes(&s->multi));
}

void member_pause(struct member *m, uint64_t ms, bool all)
{
	uint64_t now = member_now_ms(m), till_ms = ms < UINT64_MAX - now ? now + ms : UINT64_MAX;

	m->pause.till_ms = MAX(m->pause.till_ms, till_ms);
	m->pause.all = m->pause.all || all;
}

/* Who held something looks again whether it has to. */
static void release_held(struct member *m)
{
	list_for_each (it, &m->sessions) {
		struct session *s = LIST_ITEM(it, struct session, link);

		if (!list_empty(&s->held) && list_empty(&s->released))
			list_push_back(&m->released, &s->released);
	}
}

void member_unpause(struct member *m)
{
	m->pause.till_ms = 0;
	m->pause.all = false;
	release_held(m);
}

void member_pause_turn(struct member *m)
{
	uint64_t now = member_now_ms(m);

	if (m->pause.till_ms && now >= m->pause.till_ms)
		member_unpause(m);
	if (m->pause.sleeps_till_ms && now >= m->pause.sleeps_till_ms) {
		m->pause.sleeps_till_ms = 0;
		release_held(m);
	}
}

uint64_t member_pause_due_ms(const struct member *m)
{
	uint64_t pause = m->pause.till_ms ? m->pause.till_ms : UINT64_MAX;
	uint64_t sleep = m->pause.sleeps_till_ms ? m->pause.sleeps_till_ms : UINT64_MAX;

	return MIN(pause, sleep);
}
