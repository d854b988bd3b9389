/* Rows of an engine that rot: whoever meets one stops, and its machine begins anew. */

#include "sim/model.h"
#include "sim/nemesis.h"
#include "storage/row.h"

/* The record of some key, or the change of some revision. */
static enum engine_family draw_row(struct world *w, struct buf *row)
{
	const struct model *m = w->model;
	uint8_t change[HISTORY_KEY_BYTES];
	const struct model_cell *c;

	if (random_chance(&w->random, 500000)) {
		history_key_put(change, (struct revision){draw(w, 1, m->revision), 0});
		buf_append(row, change, sizeof(change));
		return FAMILY_HISTORY;
	}
	c = m->all[random_below(&w->random, m->cell_count)];
	record_key(row, m->keyspaces[c->database], buf_slice(&c->key));
	return FAMILY_STATE;
}

bool act_rot(struct world *w)
{
	struct host *h = victim(w);
	struct buf row = {0};
	enum engine_family family;
	bool done;

	if (!may_lose(w, h) || !w->model->revision)
		return false;
	family = draw_row(w, &row);
	done = engine_memory_damage(h->vault.living, family, buf_slice(&row));
	buf_free(&row);
	if (!done)
		return false;
	TRACE(w, h, "a row of its engine is damaged");
	h->excuse = "a row of its engine is damaged";
	h->suspect = true;
	h->rotten = true;
	return true;
}

/* The operator: sometimes it is tried again as it is, in the end never. */
void rot_mend(struct world *w, struct host *h)
{
	uint32_t likely = h->state == HOST_DOWN ? 300000 : 10000;

	if (!h->rotten || (!w->calm && !random_chance(&w->random, likely)))
		return;
	host_kill(h, true);
	host_wipe(h);
	h->rotten = false;
}
