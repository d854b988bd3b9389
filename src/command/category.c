/* What follows from a row without standing in it: categories, and what groups are called. */

#include "base/check.h"
#include "command/family.h"

static const struct {
	const char *name;
	uint32_t category;
} groups[] = {
	[GROUP_STRING] = {"string", CATEGORY_STRING},
	[GROUP_BITMAP] = {"bitmap", CATEGORY_BITMAP},
	[GROUP_HASH] = {"hash", CATEGORY_HASH},
	[GROUP_GENERIC] = {"generic", CATEGORY_KEYSPACE},
	[GROUP_HISTORY] = {"history", CATEGORY_KEYSPACE},
	[GROUP_TRANSACTIONS] = {"transactions", CATEGORY_TRANSACTION},
	[GROUP_CONNECTION] = {"connection", CATEGORY_CONNECTION},
	[GROUP_SERVER] = {"server", 0},
	[GROUP_CLUSTER] = {"cluster", CATEGORY_CONNECTION},
};

const char *command_group_name(enum command_group group)
{
	CHECK(group > 0 && (size_t)group < ARRAY_LEN(groups));
	return groups[group].name;
}

uint32_t command_categories(const struct command *c)
{
	bool alone = c->run || c->role;
	uint32_t all = c->categories;

	CHECK(c->doc.group > 0 && (size_t)c->doc.group < ARRAY_LEN(groups));
	/* What has nothing but subcommands is of no kind itself. */
	if (alone)
		all |= groups[c->doc.group].category;
	if (c->flags & COMMAND_FLAG_WRITE)
		all |= CATEGORY_WRITE;
	if (c->flags & COMMAND_FLAG_READONLY)
		all |= CATEGORY_READ;
	if (c->flags & COMMAND_FLAG_ADMIN)
		all |= CATEGORY_ADMIN | CATEGORY_DANGEROUS;
	return all | (c->flags & COMMAND_FLAG_FAST ? CATEGORY_FAST : CATEGORY_SLOW);
}
