#include "node/lookahead.h"

void lookahead_note(struct lookahead *x, uint64_t index, uint64_t hash)
{
	size_t at = x->end++ % LOOKAHEAD_MAX;

	if (x->end - x->begin > LOOKAHEAD_MAX)
		x->begin++;
	x->rows[at].index = index;
	x->rows[at].hash = hash;
}

void lookahead_go_on(struct lookahead *x, uint64_t index)
{
	while (x->begin < x->end && x->rows[x->begin % LOOKAHEAD_MAX].index < index)
		x->begin++;
	if (x->begin < x->end && x->rows[x->begin % LOOKAHEAD_MAX].index == index)
		x->begin++;
}

bool lookahead_get(const struct lookahead *x, size_t ahead, uint64_t *hash)
{
	if (x->begin + ahead >= x->end)
		return false;
	*hash = x->rows[(x->begin + ahead) % LOOKAHEAD_MAX].hash;
	return true;
}
