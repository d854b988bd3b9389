/* Deadlines: given, put off, taken away, asked for. */

#include "node/member_state.h"
#include "sim/callers.h"

#include <inttypes.h>

/* What the leader may need to bring an expiry through the log, with nothing in its way. */
#define EXPIRY_SLACK_MS 1000

static unsigned below(struct caller *c, unsigned n)
{
	return (unsigned)random_below(&c->world->random, n);
}

static unsigned draw_ms(struct caller *c)
{
	return below(c, 3) ? 20 + below(c, 2000) : 20 + below(c, 30000);
}

void work_expire(struct caller *c)
{
	unsigned key = below(c, 4);

	work_use(c, below(c, 3) ? 2 + below(c, 2) : 0);
	switch (below(c, 9)) {
	case 0:
	case 1:
	case 2:
		ask(c, "SET t%u %u PX %u", key, below(c, 100), draw_ms(c));
		break;
	case 3:
		ask(c, "SET t%u %u", key, 1 + below(c, 100));
		break;
	case 4:
		ask(c, "SET t%u %u KEEPTTL", key, below(c, 100));
		break;
	case 5:
		ask(c, "PEXPIRE t%u %u", key, draw_ms(c));
		break;
	case 6:
		ask(c, "PERSIST t%u", key);
		break;
	case 7:
		ask(c, "GETEX t%u PX %u", key, draw_ms(c));
		break;
	case 8:
		ask(c, below(c, 2) ? "GETEX t%u PERSIST" : "INCR t%u", key);
		break;
	}
}

void work_remaining(struct caller *c)
{
	work_use(c, below(c, 3) ? 2 + below(c, 2) : 0);
	switch (below(c, 3)) {
	case 0:
		ask(c, "PTTL t%u", below(c, 4));
		break;
	case 1:
		ask(c, "GET t%u", below(c, 4));
		break;
	case 2:
		ask(c, "PEXPIRETIME t%u", below(c, 4));
		break;
	}
}

void expiry_watch(struct world *w)
{
	struct host *leader = world_leader(w);
	uint64_t now_ms = member_time_now(leader->member);
	const struct model *m = w->model;

	COUNT(w, CHECK_GONE);
	for (size_t i = 0; i < m->cell_count; i++) {
		const struct model_version *v = cell_at(m->all[i], MODEL_NOW);

		if (v->value && v->deadline_ms && v->deadline_ms + EXPIRY_SLACK_MS < now_ms)
			world_fail(w, "%.*s in db %u lives on, %" PRIu64 " ms after its deadline",
				   (int)m->all[i]->key.len, (const char *)m->all[i]->key.data,
				   m->all[i]->database, now_ms - v->deadline_ms);
	}
}
