#include "node/deeds.h"

#include "base/mem.h"
#include "node/member_state.h"

enum deed_kind {
	DEED_KILL = 1,
	DEED_PAUSE,
	DEED_UNPAUSE,
};

struct deed {
	enum deed_kind kind;
	bool all;	 /* PAUSE */
	uint64_t number; /* KILL: the client's; PAUSE: milliseconds */
};

static void deeds_note(struct session *s, struct deed deed)
{
	struct deeds *d = &s->multi.deeds;

	MEM_GROW(d->list, d->cap, d->count + 1);
	d->list[d->count++] = deed;
}

static void note_kill(void *self, const struct client_row *row)
{
	deeds_note(self, (struct deed){.kind = DEED_KILL, .number = row->client->id});
}

static void note_pause(void *self, uint64_t ms, bool all)
{
	deeds_note(self, (struct deed){.kind = DEED_PAUSE, .number = ms, .all = all});
}

static void note_unpause(void *self)
{
	deeds_note(self, (struct deed){.kind = DEED_UNPAUSE});
}

struct desk deeds_desk(struct session *s)
{
	struct desk desk = session_desk(s);

	desk.clients_kill = note_kill;
	desk.clients_pause = note_pause;
	desk.clients_unpause = note_unpause;
	return desk;
}

static void kill_client(struct member *m, uint64_t id)
{
	list_for_each (it, &m->sessions) {
		struct session *s = LIST_ITEM(it, struct session, link);

		if (s->client.id != id)
			continue;
		session_kill(s);
		return;
	}
}

void deeds_do(struct session *s)
{
	struct deeds done = s->multi.deeds;

	s->multi.deeds = (struct deeds){0};
	for (size_t i = 0; i < done.count; i++) {
		const struct deed *deed = &done.list[i];

		switch (deed->kind) {
		case DEED_KILL:
			kill_client(s->member, deed->number);
			break;
		case DEED_PAUSE:
			member_pause(s->member, deed->number, deed->all);
			break;
		case DEED_UNPAUSE:
			member_unpause(s->member);
			break;
		}
	}
	deeds_forget(&done);
}

void deeds_forget(struct deeds *d)
{
	mem_free(d->list);
	*d = (struct deeds){0};
}
