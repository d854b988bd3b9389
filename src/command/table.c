/* The table as a whole: found by name, walked in order. */

#include "base/check.h"
#include "command/family.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct command_family *const families[] = {
	&connection_family, &hash_family,  &history_family, &move_family,
	&past_family,	    &range_family, &string_family,
};

/* Names are few and short: by length and first letter nearly all are told apart at once. */
const struct command *command_find(struct slice name)
{
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		for (size_t i = 0; i < families[f]->count; i++) {
			const struct command *c = &families[f]->rows[i];

			if (strncasecmp(c->name, (const char *)name.data, name.len) == 0 &&
			    c->name[name.len] == '\0')
				return c;
		}
	}
	return NULL;
}

const struct command *command_at(size_t i)
{
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		if (i < families[f]->count)
			return &families[f]->rows[i];
		i -= families[f]->count;
	}
	return NULL;
}

size_t command_count(void)
{
	size_t n = 0;

	for (size_t f = 0; f < ARRAY_LEN(families); f++)
		n += families[f]->count;
	return n;
}

bool command_takes(const struct command *c, size_t argc)
{
	return c->arity >= 0 ? argc == (size_t)c->arity : argc >= (size_t)-c->arity;
}

size_t command_next_key(const struct command *c, size_t argc, size_t at)
{
	size_t last = c->last_key >= 0 ? (size_t)c->last_key : argc - (size_t)-c->last_key;
	size_t next = at == 0 ? (size_t)c->first_key : at + (size_t)c->key_step;

	if (c->first_key == 0 || next > last || next >= argc)
		return 0;
	return next;
}
