/* The table as a whole: found by name, walked in order. */

#include "base/check.h"
#include "command/family.h"
#include "command/table_index.h"

#include <string.h>

static const struct command_family *const families[] = {
	&string_family,	    &string_number_family,   &string_part_family, &string_many_family,
	&key_family,	    &expiry_family,	     &database_family,	  &transaction_family,
	&connection_family, &introspection_family,   &info_family,	  &latency_family,
	&memory_family,	    &monitor_family,	     &server_family,	  &slowlog_family,
	&hash_family,	    &hash_random_family,     &history_family,	  &move_family,
	&past_family,	    &range_family,	     &scan_family,	  &random_key_family,
	&string_bit_family, &string_bitfield_family, &string_lcs_family,
};

/* A name of the table, which is in capital letters, and one in any case. */
static bool name_is(const char *name, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = (uint8_t)name[i];

		if (!byte || (byte != text.data[i] && byte != command_upper(text.data[i])))
			return false;
	}
	return name[text.len] == '\0';
}

static const struct command *row_at(uint16_t place)
{
	size_t family = (size_t)(place >> 8) - 1, row = place & 0xff;

	return family < ARRAY_LEN(families) && row < families[family]->count
		       ? &families[family]->rows[row]
		       : NULL;
}

static const struct command *find_walking(struct slice name)
{
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		for (size_t i = 0; i < families[f]->count; i++) {
			if (name_is(families[f]->rows[i].name, name))
				return &families[f]->rows[i];
		}
	}
	return NULL;
}

/* A name longer than any is none, and not worth the hashing. */
#define NAME_LEN_MAX 64

const struct command *command_find(struct slice name)
{
	size_t at;

	if (name.len == 0 || name.len > NAME_LEN_MAX)
		return NULL;
	at = command_name_hash(name);
	for (size_t n = 0; n < COMMAND_INDEX_SIZE && command_index[at]; n++) {
		const struct command *c = row_at(command_index[at]);

		if (c && name_is(c->name, name))
			return c;
		at = (at + 1) % COMMAND_INDEX_SIZE;
	}
	return find_walking(name);
}

const struct command *command_lookup(const struct slice *argv, size_t argc,
				     const struct command **parent)
{
	const struct command *c = command_find(argv[0]);

	*parent = NULL;
	if (!c || !c->subcommands || argc < 2)
		return c;
	*parent = c;
	for (size_t i = 0; i < c->subcommands->count; i++) {
		const struct command *sub = &c->subcommands->rows[i];

		if (name_is(sub->name + strlen(c->name) + 1, argv[1]))
			return sub;
	}
	return NULL;
}

const struct command *command_named(struct slice name)
{
	const uint8_t *bar = name.len ? memchr(name.data, '|', name.len) : NULL;
	const struct command *parent;
	struct slice argv[2] = {name};
	size_t head;

	if (!bar)
		return command_find(name);
	head = (size_t)(bar - name.data);
	argv[0] = slice_of(name.data, head);
	argv[1] = slice_of(bar + 1, name.len - head - 1);
	parent = command_find(argv[0]);
	return parent && parent->subcommands ? command_lookup(argv, 2, &parent) : NULL;
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

uint16_t command_place(size_t i)
{
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		if (i < families[f]->count) {
			CHECK(f < 0xff && i <= 0xff);
			return (uint16_t)((f + 1) << 8 | i);
		}
		i -= families[f]->count;
	}
	return 0;
}

size_t command_count(void)
{
	size_t n = 0;

	for (size_t f = 0; f < ARRAY_LEN(families); f++)
		n += families[f]->count;
	return n;
}

const struct command *command_subcommand_at(const struct command *c, size_t i)
{
	return c->subcommands && i < c->subcommands->count ? &c->subcommands->rows[i] : NULL;
}

bool command_takes(const struct command *c, size_t argc)
{
	return c->arity >= 0 ? argc == (size_t)c->arity : argc >= (size_t)-c->arity;
}

void command_append_name(const struct command *c, struct buf *out)
{
	for (const char *at = c->name; *at; at++)
		buf_append_byte(out,
				*at >= 'A' && *at <= 'Z' ? (uint8_t)(*at | 0x20) : (uint8_t)*at);
}

size_t command_next_key(const struct command *c, size_t argc, size_t at)
{
	size_t last = c->last_key >= 0 ? (size_t)c->last_key : argc - (size_t)-c->last_key;
	size_t next = at == 0 ? (size_t)c->first_key : at + (size_t)c->key_step;

	if (c->first_key == 0 || next > last || next >= argc)
		return 0;
	return next;
}
