/*
 * LATENCY: spikes by kind of event, and how long commands take. Of the former none are sampled, as
 * in a Redis whose monitoring is off; SLOWLOG and INFO commandstats say which commands took long.
 */

#include "base/error.h"
#include "command/desk.h"
#include "command/family.h"

static int latency_doctor(struct call *c)
{
	resp_write_verbatim(c->reply, "txt",
			    SLICE_LITERAL("Latency monitoring is disabled in this server. SLOWLOG "
					  "GET and INFO commandstats say which commands took "
					  "long.\n"));
	return OK;
}

static int latency_graph(struct call *c)
{
	resp_write_errorf(c->reply, "ERR No samples available for event '%.*s'",
			  (int)c->argv[2].len, (const char *)c->argv[2].data);
	return CALL_REFUSED;
}

/* ---- histograms ------------------------------------------------------------------------------ */

/* How many of them took no longer than that, for each time that more of them did. */
static void reply_histogram(struct call *c, const struct command_count *count)
{
	struct resp_open open;
	size_t buckets = 0;
	uint64_t sum = 0;

	resp_write_map(c->reply, 2);
	resp_write_bulk(c->reply, SLICE_LITERAL("calls"));
	resp_write_integer(c->reply, (int64_t)count->calls);
	resp_write_bulk(c->reply, SLICE_LITERAL("histogram_usec"));
	open = resp_open_map(c->reply);
	for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
		if (count->took[i] == 0)
			continue;
		sum += count->took[i];
		resp_write_integer(c->reply, (int64_t)command_bucket_usec(i));
		resp_write_integer(c->reply, (int64_t)sum);
		buckets++;
	}
	resp_close(c->reply, open, buckets);
}

static size_t histogram_of(struct call *c, const struct command *row)
{
	const struct command_count *count = command_stats_of(c->desk->stats, row);
	struct buf name = {0};

	if (!count || count->calls == 0)
		return 0;
	command_append_name(row, &name);
	resp_write_bulk(c->reply, buf_slice(&name));
	buf_free(&name);
	reply_histogram(c, count);
	return 1;
}

/* Its own, and those of its subcommands. */
static size_t histograms_of(struct call *c, const struct command *row)
{
	const struct command *sub;
	size_t found = histogram_of(c, row);

	for (size_t i = 0; (sub = command_subcommand_at(row, i)) != NULL; i++)
		found += histogram_of(c, sub);
	return found;
}

/* What is no command is left out. */
static int latency_histogram(struct call *c)
{
	struct resp_open open = resp_open_map(c->reply);
	size_t found = 0, count = c->argc == 2 ? command_count() : c->argc - 2;

	for (size_t i = 0; i < count; i++) {
		const struct command *row =
			c->argc == 2 ? command_at(i) : command_named(c->argv[2 + i]);

		found += row ? histograms_of(c, row) : 0;
	}
	resp_close(c->reply, open, found);
	return OK;
}

/* Of HISTORY and LATEST. */
static int latency_nothing(struct call *c)
{
	resp_write_array(c->reply, 0);
	return OK;
}

static int latency_reset(struct call *c)
{
	return reply_integer(c, 0);
}

#define ALWAYS (COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE)
#define ADMIN  (ALWAYS | COMMAND_FLAG_ADMIN | COMMAND_FLAG_NOSCRIPT)

static const struct command subcommands[] = {
	COMMAND_ROW("LATENCY|DOCTOR", 2, COMMAND_LOCAL, ADMIN, latency_doctor,
		    COMMAND_DOC(GROUP_SERVER, "2.8.13", "O(1)", "", "Says in words what took long",
				.tips = "nondeterministic_output request_policy:all_nodes "
					"response_policy:special")),
	COMMAND_ROW("LATENCY|GRAPH", 3, COMMAND_LOCAL, ADMIN, latency_graph,
		    COMMAND_DOC(GROUP_SERVER, "2.8.13", "O(1)", "event", "Draws what took long",
				.tips = "nondeterministic_output request_policy:all_nodes "
					"response_policy:special")),
	COMMAND_ROW("LATENCY|HELP", 2, COMMAND_LOCAL, ALWAYS, reply_help,
		    COMMAND_DOC(GROUP_SERVER, "2.8.13", "O(1)", "", "Describes the subcommands")),
	COMMAND_ROW("LATENCY|HISTOGRAM", -2, COMMAND_LOCAL, ADMIN, latency_histogram,
		    COMMAND_DOC(GROUP_SERVER, "7.0.0", "O(N), N commands", "[command ...]",
				"Counts how many calls of commands took how long on this member",
				.tips = "nondeterministic_output request_policy:all_nodes "
					"response_policy:special")),
	COMMAND_ROW("LATENCY|HISTORY", 3, COMMAND_LOCAL, ADMIN, latency_nothing,
		    COMMAND_DOC(GROUP_SERVER, "2.8.13", "O(1)", "event",
				"Lists how long an event took",
				.tips = "nondeterministic_output request_policy:all_nodes "
					"response_policy:special")),
	COMMAND_ROW("LATENCY|LATEST", 2, COMMAND_LOCAL, ADMIN, latency_nothing,
		    COMMAND_DOC(GROUP_SERVER, "2.8.13", "O(1)", "",
				"Lists the newest of all events",
				.tips = "nondeterministic_output request_policy:all_nodes "
					"response_policy:special")),
	COMMAND_ROW("LATENCY|RESET", -2, COMMAND_LOCAL, ADMIN, latency_reset,
		    COMMAND_DOC(GROUP_SERVER, "2.8.13", "O(1)", "[event [event ...]]",
				"Forgets what took long",
				.tips = "request_policy:all_nodes response_policy:all_succeeded")),
};

static const struct command_family subcommand_family = COMMAND_FAMILY(subcommands);

static const struct command rows[] = {
	{
		.name = "LATENCY",
		.arity = -2,
		.class = COMMAND_LOCAL,
		.subcommands = &subcommand_family,
		COMMAND_DOC(GROUP_SERVER, "2.8.13", "that of the subcommand", "",
			    "Commands about what took long"),
	},
};

const struct command_family latency_family = COMMAND_FAMILY(rows);
