#include "tally.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

static const char other_kinds[] = "(others)";

void tally_init(struct tally *t, size_t commands)
{
	*t = (struct tally){.count = commands};
	t->commands = mem_zalloc(commands, sizeof(*t->commands));
}

void tally_free(struct tally *t)
{
	mem_free(t->commands);
	*t = (struct tally){0};
}

void tally_answer(struct tally *t, size_t command, uint64_t ns, bool null)
{
	CHECK(command < t->count);
	histogram_add(&t->commands[command].times, ns);
	t->commands[command].nulls += null;
}

static void add_kind(struct tally *t, struct slice name, uint64_t count)
{
	size_t len = MIN(name.len, (size_t)TALLY_KIND_NAME - 1), i = 0;

	while (i < t->kind_count &&
	       (strlen(t->kinds[i].name) != len || memcmp(t->kinds[i].name, name.data, len) != 0))
		i++;
	if (i >= TALLY_KINDS - 1) {
		i = TALLY_KINDS - 1;
		name = slice_of_text(other_kinds);
		len = name.len;
	}
	if (i == t->kind_count) {
		memcpy(t->kinds[i].name, name.data, len);
		t->kind_count++;
	}
	t->kinds[i].count += count;
}

void tally_error(struct tally *t, size_t command, struct slice kind)
{
	CHECK(command < t->count);
	t->commands[command].errors++;
	add_kind(t, kind, 1);
}

void tally_merge(struct tally *t, const struct tally *from)
{
	CHECK(t->count == from->count);
	for (size_t i = 0; i < t->count; i++) {
		histogram_merge(&t->commands[i].times, &from->commands[i].times);
		t->commands[i].errors += from->commands[i].errors;
		t->commands[i].nulls += from->commands[i].nulls;
	}
	for (size_t i = 0; i < from->kind_count; i++)
		add_kind(t, slice_of_text(from->kinds[i].name), from->kinds[i].count);
	t->connected += from->connected;
	t->failures += from->failures;
	t->lost += from->lost;
	t->unsent += from->unsent;
	t->last_reply = MAX(t->last_reply, from->last_reply);
}

uint64_t tally_command_requests(const struct tally_command *c)
{
	return c->times.count + c->errors;
}

uint64_t tally_requests(const struct tally *t)
{
	uint64_t requests = 0;

	for (size_t i = 0; i < t->count; i++)
		requests += tally_command_requests(&t->commands[i]);
	return requests;
}

uint64_t tally_errors(const struct tally *t)
{
	uint64_t errors = 0;

	for (size_t i = 0; i < t->count; i++)
		errors += t->commands[i].errors;
	return errors;
}
