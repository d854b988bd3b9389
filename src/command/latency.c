/*
 * LATENCY: spikes by kind of event. None are sampled, as in a Redis whose monitoring is off;
 * SLOWLOG and INFO commandstats say which commands took long.
 */

#include "base/error.h"
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

static int latency_help(struct call *c)
{
	static const char *const lines[] = {
		"DOCTOR",
		"    Return a human readable latency analysis report.",
		"GRAPH <event>",
		"    Return an ASCII latency graph for the <event> class.",
		"HISTORY <event>",
		"    Return time-latency samples for the <event> class.",
		"LATEST",
		"    Return the latest latency samples for all events.",
		"RESET [<event> ...]",
		"    Reset latency data of one or more <event> classes.",
		"    (default: reset all data for all event classes)",
	};

	return reply_help_lines(c, "LATENCY", lines, ARRAY_LEN(lines));
}

#define ALWAYS (COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE)
#define ADMIN  (ALWAYS | COMMAND_FLAG_ADMIN | COMMAND_FLAG_NOSCRIPT)

static const struct command subcommands[] = {
	COMMAND_ROW("LATENCY|DOCTOR", 2, COMMAND_LOCAL, ADMIN, latency_doctor,
		    COMMAND_DOC(GROUP_SERVER, WORK_FIXED, "2.8.13", "O(1)", "",
				"Says in words what took long",
				.tips = "nondeterministic_output request_policy:all_nodes "
					"response_policy:special")),
	COMMAND_ROW("LATENCY|GRAPH", 3, COMMAND_LOCAL, ADMIN, latency_graph,
		    COMMAND_DOC(GROUP_SERVER, WORK_FIXED, "2.8.13", "O(1)", "event",
				"Draws what took long",
				.tips = "nondeterministic_output request_policy:all_nodes "
					"response_policy:special")),
	COMMAND_ROW("LATENCY|HELP", 2, COMMAND_LOCAL, ALWAYS, latency_help,
		    COMMAND_DOC(GROUP_SERVER, WORK_FIXED, "2.8.13", "O(1)", "",
				"Describes the subcommands")),
	COMMAND_ROW("LATENCY|HISTORY", 3, COMMAND_LOCAL, ADMIN, latency_nothing,
		    COMMAND_DOC(GROUP_SERVER, WORK_FIXED, "2.8.13", "O(1)", "event",
				"Lists how long an event took",
				.tips = "nondeterministic_output request_policy:all_nodes "
					"response_policy:special")),
	COMMAND_ROW("LATENCY|LATEST", 2, COMMAND_LOCAL, ADMIN, latency_nothing,
		    COMMAND_DOC(GROUP_SERVER, WORK_FIXED, "2.8.13", "O(1)", "",
				"Lists the newest of all events",
				.tips = "nondeterministic_output request_policy:all_nodes "
					"response_policy:special")),
	COMMAND_ROW("LATENCY|RESET", -2, COMMAND_LOCAL, ADMIN, latency_reset,
		    COMMAND_DOC(GROUP_SERVER, WORK_FIXED, "2.8.13", "O(1)", "[event [event ...]]",
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
		COMMAND_DOC(GROUP_SERVER, WORK_FIXED, "2.8.13", "that of the subcommand", "",
			    "Commands about what took long"),
	},
};

const struct command_family latency_family = COMMAND_FAMILY(rows);
