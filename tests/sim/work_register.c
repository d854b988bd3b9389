/* Registers and counters of everybody, keys of one client, and what needs no state. */

#include "sim/callers.h"

#include <inttypes.h>
#include <stdio.h>

static unsigned below(struct caller *c, unsigned n)
{
	return (unsigned)random_below(&c->world->random, n);
}

static void set(struct caller *c, const char *key)
{
	ask_value(c, ask(c, "SET %s", key), key);
}

static void draw_register(struct caller *c, char key[static 16])
{
	work_use(c, 0);
	snprintf(key, 16, "r%u", below(c, c->world->profile.keys));
}

void work_set(struct caller *c)
{
	char key[16];

	draw_register(c, key);
	set(c, key);
}

void work_get(struct caller *c)
{
	char key[16];

	draw_register(c, key);
	ask(c, "GET %s", key);
}

/* Refused where the register holds a text. */
void work_incr(struct caller *c)
{
	char key[16];

	draw_register(c, key);
	ask(c, "incr %s", key);
}

void work_delete(struct caller *c)
{
	char key[16];

	draw_register(c, key);
	ask(c, "DEL %s", key);
}

void work_count(struct caller *c)
{
	work_use(c, 0);
	ask(c, below(c, 3) ? "INCR c%u" : "GET c%u", below(c, 2));
}

/* Reads between the writes of one connection: each sees those before it, and none behind it. */
void work_own(struct caller *c)
{
	char key[16];

	work_use(c, 0);
	for (unsigned n = 1 + below(c, c->world->profile.burst); n > 0; n--) {
		snprintf(key, sizeof(key), "p%u", c->number);
		switch (below(c, 6)) {
		case 0:
			set(c, key);
			break;
		case 1:
			ask(c, "INCR q%u", c->number);
			break;
		case 2:
			ask(c, "APPEND s%u %u", c->number, below(c, 100));
			break;
		case 3:
			ask(c, "GET %s", key);
			break;
		case 4:
			ask(c, "MGET p%u q%u s%u r0", c->number, c->number, c->number);
			break;
		case 5:
			ask(c, below(c, 4) ? "GET s%u" : "DEL s%u", c->number);
			break;
		}
	}
}

/* A part of a big value: read, or changed in place. */
static void ask_part(struct caller *c, unsigned key, size_t most)
{
	size_t at =
		random_below(&c->world->random, 3 * most); /* also where strings live in chunks */

	switch (below(c, 5)) {
	case 0:
		ask(c, "SETRANGE b%u %zu part%u", key, at, below(c, 1000));
		break;
	case 1:
		ask(c, "SETBIT b%u %zu %u", key, 8 * at + below(c, 8), below(c, 2));
		break;
	case 2:
		ask(c, "GETRANGE b%u %zu %zu", key, at, at + below(c, 100));
		break;
	case 3:
		ask(c, "STRLEN b%u", key);
		break;
	case 4:
		ask(c, "APPEND b%u more%u", key, below(c, 1000));
		break;
	}
}

/* Values that fill overlays: applying has to wait for the engine. */
void work_big(struct caller *c)
{
	size_t most = c->world->profile.big_bytes;
	unsigned key = below(c, 2), what = below(c, 8);
	struct buf text = {0};

	work_use(c, 0);
	if (!most || what == 0) {
		ask(c, "GET b%u", key);
		return;
	}
	if (what > 3) {
		ask_part(c, key, most);
		return;
	}
	for (size_t n = random_below(&c->world->random, most); n > 0; n--)
		buf_append_byte(&text, (uint8_t)('a' + n % 26));
	ask_word(c, ask(c, what == 1 ? "APPEND b%u" : "SET b%u", key), buf_slice(&text));
	buf_free(&text);
}

void work_local(struct caller *c)
{
	struct asked *a;

	if (below(c, 2)) {
		plain_simple(&ask(c, "PING")->expected, "PONG");
		return;
	}
	a = ask(c, "ECHO e%u", c->number);
	plain_bulk(&a->expected, slice_of(a->words.bytes.data + 4, a->words.bytes.len - 4));
}

void work_nonsense(struct caller *c)
{
	bool unknown = below(c, 2);

	plain_begins(&ask(c, unknown ? "NOSUCH r0" : "SET r0")->expected,
		     unknown ? SLICE_LITERAL("ERR unknown command 'NOSUCH'")
			     : SLICE_LITERAL("ERR wrong number of arguments"));
}

/* None of these keys was ever there: so each costs what it costs to find that out. */
static struct asked *ask_absent(struct caller *c, const char *command)
{
	struct asked *a = ask(c, "%s", command);
	char key[16];

	for (unsigned i = 0; i < WORK_LIMIT_KEYS; i++) {
		snprintf(key, sizeof(key), "absent%u", i);
		ask_word(c, a, slice_of_text(key));
	}
	return a;
}

/* As a write it is refused where limits are small. In a transaction reads are everybody's own. */
void work_heavy(struct caller *c)
{
	work_use(c, 0);
	if (below(c, 2)) {
		ask_absent(c, "DEL");
		return;
	}
	if (c->watching)
		return;
	ask(c, "MULTI");
	for (unsigned n = 0; n < 4; n++)
		ask_absent(c, "EXISTS");
	ask(c, "INCR c%u", below(c, 2));
	ask(c, "EXEC");
}
