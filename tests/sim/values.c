/*
 * Values that say where they belong. Each is written once, so what the log has of them is held
 * against what clients were told.
 */

#include "base/hash.h"
#include "base/mem.h"
#include "sim/callers.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

uint64_t value_new(struct world *w)
{
	struct callers *cs = w->callers;
	uint64_t n = ++w->next_value;

	if (n >= cs->written_cap) {
		size_t cap = mem_grown_capacity(cs->written_cap, (size_t)n + 1);

		cs->written = mem_resize(cs->written, cap, sizeof(*cs->written));
		memset(cs->written + cs->written_cap, 0,
		       (cap - cs->written_cap) * sizeof(*cs->written));
		cs->written_cap = cap;
	}
	return n * VALUE_STEP;
}

/*
 * A third of the values are texts, with padding, so that some are longer than what stands in a
 * record; the others are numbers, which can be incremented.
 */
void ask_value(struct caller *c, struct asked *a, const char *key)
{
	struct world *w = c->world;
	struct buf text = {0};
	uint64_t h;

	a->value = value_new(w);
	h = hash64_pair(a->value, w->seed);
	buf_printf(&text, "%" PRIu64, a->value);
	if (h % 3 == 0) {
		buf_printf(&text, ":%s:", key);
		for (uint64_t n = (h >> 8) % (w->profile.padding_bytes + 1); n > 0; n--)
			buf_append_byte(&text, (uint8_t)('a' + (h + n) % 26));
	}
	ask_word(c, a, buf_slice(&text));
	buf_free(&text);
}

static uint64_t number_in_front(struct slice s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(s.data[i] - '0');
	return n;
}

void value_is(struct world *w, uint64_t value, uint8_t state)
{
	struct written *v = &w->callers->written[value / VALUE_STEP];

	if (!value)
		return;
	v->state = state;
	if (state == WRITTEN_REFUSED && v->seen)
		world_fail(w, "the SET of %" PRIu64 " was refused, and applied", value);
}

void works_applied(struct world *w, const struct slice *argv, size_t argc)
{
	uint64_t value = argc == 3 ? number_in_front(argv[2]) : 0;
	struct written *v;

	if (value == 0 || value % VALUE_STEP || argv[0].len != 3 ||
	    strncasecmp((const char *)argv[0].data, "SET", 3) != 0)
		return;
	if (value / VALUE_STEP > w->next_value) {
		world_fail(w, "the log holds %" PRIu64 ", which nobody wrote", value);
		return;
	}
	v = &w->callers->written[value / VALUE_STEP];
	if (++v->seen > 1)
		world_fail(w, "the SET of %" PRIu64 " was applied twice", value);
	if (v->state == WRITTEN_REFUSED)
		world_fail(w, "the SET of %" PRIu64 " was refused, and applied", value);
}

void values_look(struct world *w)
{
	COUNT(w, CHECK_VALUES);
	for (uint64_t n = 1; n <= w->next_value; n++) {
		const struct written *v = &w->callers->written[n];

		if (v->state == WRITTEN_DONE && !v->seen)
			world_fail(w, "the SET of %" PRIu64 " was acknowledged, and is lost",
				   n * VALUE_STEP);
	}
}
