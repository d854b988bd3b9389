/* MEMORY: what keys and the process take. */

#include "base/error.h"
#include "command/desk.h"
#include "command/family.h"
#include "command/host.h"
#include "resp/integer.h"
#include "storage/txn_element.h"

#define SAMPLES_DEFAULT 5

/* The row of an element beside its bytes. */
#define ELEMENT_ROW_BYTES (ELEMENT_KEY_HEAD + ELEMENT_ORDER_MAX)

static int parse_samples(struct call *c, int64_t *samples)
{
	*samples = SAMPLES_DEFAULT;
	for (size_t i = 3; i < c->argc; i += 2) {
		if (!argument_is(c->argv[i], "samples") || i + 1 == c->argc)
			return reply_syntax(c);
		if (call_integer(c, i + 1, samples) != OK)
			return CALL_REFUSED;
		if (*samples < 0)
			return reply_syntax(c);
		if (*samples == 0)
			*samples = INT64_MAX;
	}
	return OK;
}

/* What its elements take, from the first ones, so many of them. */
static int elements_bytes(struct call *c, const struct record *r, int64_t samples, uint64_t *bytes)
{
	struct element_scan s;
	struct slice element, value;
	uint64_t seen = 0, sum = 0;
	int rc = element_scan_open(&s, c->txn, r);

	if (rc != OK)
		return rc;
	while (samples-- > 0 && element_scan_next(&s, &element, &value)) {
		sum += ELEMENT_ROW_BYTES + element.len + value.len;
		seen++;
	}
	rc = element_scan_close(&s);
	*bytes = seen ? (uint64_t)((double)sum / (double)seen * (double)r->size) : 0;
	return rc;
}

static int record_bytes(struct call *c, size_t at, const struct record *r, int64_t samples,
			uint64_t *bytes)
{
	struct buf header = {0};
	int rc = OK;

	*bytes = r->inlined ? 0 : r->size; /* what is inlined stands in the record */
	if (!record_is_string(r))
		rc = elements_bytes(c, r, samples, bytes);
	if (rc != OK)
		return rc;
	record_encode(r, &header);
	*bytes += header.len + c->argv[at].len;
	buf_free(&header);
	return OK;
}

int call_record_bytes(struct call *c, size_t at, const struct record *r, uint64_t *bytes)
{
	return record_bytes(c, at, r, SAMPLES_DEFAULT, bytes);
}

static int memory_usage(struct call *c)
{
	struct record r;
	uint64_t bytes;
	int64_t samples;
	int rc = parse_samples(c, &samples);

	if (rc == OK)
		rc = call_record(c, 2, &r);
	if (rc != OK)
		return rc;
	if (r.type == RECORD_NONE) {
		resp_write_null(c->reply);
		return OK;
	}
	rc = record_bytes(c, 2, &r, samples, &bytes);
	return rc == OK ? reply_integer(c, (int64_t)bytes) : rc;
}

/* ---- the member ------------------------------------------------------------------------------ */

static void put_number(struct call *c, const char *name, uint64_t value)
{
	resp_write_bulk(c->reply, slice_of_text(name));
	resp_write_integer(c->reply, (int64_t)value);
}

static uint64_t count_keys(const struct position *p)
{
	uint64_t keys = 0;

	for (size_t i = 0; i < p->keyspace_count; i++)
		keys += p->keyspaces[i].keys;
	return keys;
}

static int memory_stats(struct call *c)
{
	struct resp_open open = resp_open_map(c->reply);
	struct info_process process;
	struct info_member info;

	c->desk->info(c->desk->self, &info);
	if (c->host) {
		c->host->info_process(c->host->owner, &process);
		put_number(c, "peak.allocated", process.resident_peak_bytes);
		put_number(c, "total.allocated", process.resident_bytes);
	}
	put_number(c, "replication.backlog", 0);
	put_number(c, "clients.slaves", 0);
	put_number(c, "keys.count", count_keys(info.position));
	put_number(c, "overlay.bytes", info.store.live_bytes + info.store.frozen_bytes);
	put_number(c, "header-cache.bytes", info.store.header_bytes);
	put_number(c, "value-cache.bytes", info.store.value_bytes);
	resp_close(c->reply, open, c->host ? 8 : 6);
	return OK;
}

static int memory_doctor(struct call *c)
{
	resp_write_verbatim(c->reply, "txt",
			    SLICE_LITERAL("Memory is bounded by overlay-bytes, header-cache-bytes "
					  "and value-cache-bytes; keys live on disk and nothing is "
					  "evicted. INFO memory and MEMORY STATS say what is "
					  "used.\n"));
	return OK;
}

/* The allocator gives back by itself what it can: as with Redis on it, there is nothing to do. */
static int memory_purge(struct call *c)
{
	return reply_ok(c);
}

static int memory_malloc_stats(struct call *c)
{
	resp_write_bulk(c->reply, SLICE_LITERAL("Stats not supported for the current allocator"));
	return OK;
}

static const struct command subcommands[] = {
	COMMAND_ROW("MEMORY|DOCTOR", 2, COMMAND_LOCAL, 0, memory_doctor,
		    COMMAND_DOC(GROUP_SERVER, "4.0.0", "O(1)", "",
				"Says in words how memory is used",
				.tips = "nondeterministic_output request_policy:all_shards "
					"response_policy:special")),
	COMMAND_ROW("MEMORY|HELP", 2, COMMAND_LOCAL, COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE,
		    reply_help,
		    COMMAND_DOC(GROUP_SERVER, "4.0.0", "O(1)", "", "Describes the subcommands")),
	COMMAND_ROW("MEMORY|MALLOC-STATS", 2, COMMAND_LOCAL, 0, memory_malloc_stats,
		    COMMAND_DOC(GROUP_SERVER, "4.0.0", "O(1)", "",
				"Tells what the allocator says of itself",
				.tips = "nondeterministic_output request_policy:all_shards "
					"response_policy:special")),
	COMMAND_ROW("MEMORY|PURGE", 2, COMMAND_LOCAL, 0, memory_purge,
		    COMMAND_DOC(GROUP_SERVER, "4.0.0", "O(N), N pages", "",
				"Gives memory that is not used back to the system",
				.tips = "request_policy:all_shards response_policy:all_succeeded")),
	COMMAND_ROW("MEMORY|STATS", 2, COMMAND_LOCAL, 0, memory_stats,
		    COMMAND_DOC(GROUP_SERVER, "4.0.0", "O(1)", "", "Tells what memory is used for",
				.tips = "nondeterministic_output request_policy:all_shards "
					"response_policy:special")),
	COMMAND_KEY_ROW("MEMORY|USAGE", -3, COMMAND_READ, COMMAND_FLAG_READONLY, 2, 2, 1,
			memory_usage, .key_use = KEY_RO,
			COMMAND_DOC(GROUP_SERVER, "4.0.0", "O(1)", "key [SAMPLES count]",
				    "Tells how many bytes a key takes")),
};

static const struct command_family subcommand_family = COMMAND_FAMILY(subcommands);

static const struct command rows[] = {
	{
		.name = "MEMORY",
		.arity = -2,
		.class = COMMAND_LOCAL,
		.subcommands = &subcommand_family,
		COMMAND_DOC(GROUP_SERVER, "4.0.0", "that of the subcommand", "",
			    "Commands about memory"),
	},
};

const struct command_family memory_family = COMMAND_FAMILY(rows);
