/*
 * HELP of commands with subcommands. Where Redis has the command these are its words, which some
 * tools look for; what it has not stands behind them.
 */

#include "base/error.h"
#include "command/family.h"

#include <string.h>

/* Lines, with a line's end between them; HELP itself is added. */
static const struct {
	const char *name;
	const char *text;
} helps[] = {
	{"CLIENT",
	 "CACHING (YES|NO)\n"
	 "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.\n"
	 "GETREDIR\n"
	 "    Return the client ID we are redirecting to when tracking is enabled.\n"
	 "GETNAME\n"
	 "    Return the name of the current connection.\n"
	 "ID\n"
	 "    Return the ID of the current connection.\n"
	 "INFO\n"
	 "    Return information about the current client connection.\n"
	 "KILL <ip:port>\n"
	 "    Kill connection made from <ip:port>.\n"
	 "KILL <option> <value> [<option> <value> [...]]\n"
	 "    Kill connections. Options are:\n"
	 "    * ADDR (<ip:port>|<unixsocket>:0)\n"
	 "      Kill connections made from the specified address\n"
	 "    * LADDR (<ip:port>|<unixsocket>:0)\n"
	 "      Kill connections made to specified local address\n"
	 "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)\n"
	 "      Kill connections by type.\n"
	 "    * USER <username>\n"
	 "      Kill connections authenticated by <username>.\n"
	 "    * SKIPME (YES|NO)\n"
	 "      Skip killing current connection (default: yes).\n"
	 "LIST [options ...]\n"
	 "    Return information about client connections. Options:\n"
	 "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)\n"
	 "      Return clients of specified type.\n"
	 "UNPAUSE\n"
	 "    Stop the current client pause, resuming traffic.\n"
	 "PAUSE <timeout> [WRITE|ALL]\n"
	 "    Suspend all, or just write, clients for <timeout> milliseconds.\n"
	 "REPLY (ON|OFF|SKIP)\n"
	 "    Control the replies sent to the current connection.\n"
	 "SETNAME <name>\n"
	 "    Assign the name <name> to the current connection.\n"
	 "UNBLOCK <clientid> [TIMEOUT|ERROR]\n"
	 "    Unblock the specified blocked client.\n"
	 "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]\n"
	 "         [OPTIN] [OPTOUT] [NOLOOP]\n"
	 "    Control server assisted client side caching.\n"
	 "TRACKINGINFO\n"
	 "    Report tracking status for the current connection.\n"
	 "NO-EVICT (ON|OFF)\n"
	 "    Protect current client connection from eviction.\n"
	 "NO-TOUCH (ON|OFF)\n"
	 "    Will not touch LRU/LFU stats when this mode is on.\n"
	 "SETINFO <option> <value>\n"
	 "    Set client meta attr. Options are:\n"
	 "    * LIB-NAME: the client lib name.\n"
	 "    * LIB-VER: the client lib version."},
	{"COMMAND", "(no subcommand)\n"
		    "    Return details about all Redis commands.\n"
		    "COUNT\n"
		    "    Return the total number of commands in this Redis server.\n"
		    "LIST\n"
		    "    Return a list of all commands in this Redis server.\n"
		    "INFO [<command-name> ...]\n"
		    "    Return details about multiple Redis commands.\n"
		    "    If no command names are given, documentation details for all\n"
		    "    commands are returned.\n"
		    "DOCS [<command-name> ...]\n"
		    "    Return documentation details about multiple Redis commands.\n"
		    "    If no command names are given, documentation details for all\n"
		    "    commands are returned.\n"
		    "GETKEYS <full-command>\n"
		    "    Return the keys from a full Redis command.\n"
		    "GETKEYSANDFLAGS <full-command>\n"
		    "    Return the keys and the access flags from a full Redis command."},
	{"CONFIG", "GET <pattern>\n"
		   "    Return parameters matching the glob-like <pattern> and their values.\n"
		   "SET <directive> <value>\n"
		   "    Set the configuration <directive> to <value>.\n"
		   "RESETSTAT\n"
		   "    Reset statistics reported by the INFO command.\n"
		   "REWRITE\n"
		   "    Rewrite the configuration file."},
	{"DEBUG", "OBJECT <key>\n"
		  "    Show low level info about `key` and associated value.\n"
		  "SLEEP <seconds>\n"
		  "    Run nothing for clients of this member for <seconds>. Decimals allowed."},
	{"HISTORY", "COMPACT <revision>\n"
		    "    Give up the past below a revision, for good.\n"
		    "GET <key> [FROM <revision>] [TO <revision>] [COUNT <count>] [REV]\n"
		    "    Return the changes of a key: when, by whom, and to what.\n"
		    "INFO\n"
		    "    Return how far back the past is known."},
	{"LATENCY", "DOCTOR\n"
		    "    Return a human readable latency analysis report.\n"
		    "GRAPH <event>\n"
		    "    Return an ASCII latency graph for the <event> class.\n"
		    "HISTORY <event>\n"
		    "    Return time-latency samples for the <event> class.\n"
		    "LATEST\n"
		    "    Return the latest latency samples for all events.\n"
		    "RESET [<event> ...]\n"
		    "    Reset latency data of one or more <event> classes.\n"
		    "    (default: reset all data for all event classes)\n"
		    "HISTOGRAM [COMMAND ...]\n"
		    "    Return a cumulative distribution of latencies in the format of a "
		    "histogram for the specified command names.\n"
		    "    If no commands are specified then all histograms are replied."},
	{"MEMBER", "ADD <id> <name> <address> [LEARNER]\n"
		   "    Take in a newcomer, which gets a vote when it has caught up.\n"
		   "DEMOTE <member>\n"
		   "    Take its vote from a member, which stays as a learner.\n"
		   "LIST\n"
		   "    Return who takes part, where, and in which role.\n"
		   "PROMOTE <member>\n"
		   "    Give a learner a vote.\n"
		   "REMOVE <member>\n"
		   "    Take a member out, for ever.\n"
		   "REPLACE <member> <learner>\n"
		   "    Give the vote of a member that goes to a learner, in one step.\n"
		   "TRANSFER <member>\n"
		   "    Make a member the leader.\n"
		   "UPDATE <member> <address>\n"
		   "    Tell the others where a member is to be reached."},
	{"MEMORY", "DOCTOR\n"
		   "    Return memory problems reports.\n"
		   "MALLOC-STATS\n"
		   "    Return internal statistics report from the memory allocator.\n"
		   "PURGE\n"
		   "    Attempt to purge dirty pages for reclamation by the allocator.\n"
		   "STATS\n"
		   "    Return information about the memory usage of the server.\n"
		   "USAGE <key> [SAMPLES <count>]\n"
		   "    Return memory in bytes used by <key> and its value. Nested values are\n"
		   "    sampled up to <count> times (default: 5, 0 means sample all)."},
	{"OBJECT",
	 "ENCODING <key>\n"
	 "    Return the kind of internal representation used in order to store the value\n"
	 "    associated with a <key>.\n"
	 "FREQ <key>\n"
	 "    Return the access frequency index of the <key>. The returned integer is\n"
	 "    proportional to the logarithm of the recent access frequency of the key.\n"
	 "IDLETIME <key>\n"
	 "    Return the idle time of the <key>, that is the approximated number of\n"
	 "    seconds elapsed since the last access to the key.\n"
	 "REFCOUNT <key>\n"
	 "    Return the number of references of the value associated with the specified\n"
	 "    <key>.\n"
	 "REVISION <key>\n"
	 "    Return the revision of the last change of the <key>."},
	{"SLOWLOG",
	 "GET [<count>]\n"
	 "    Return top <count> entries from the slowlog (default: 10, -1 mean all).\n"
	 "    Entries are made of:\n"
	 "    id, timestamp, time in microseconds, arguments array, client IP and port,\n"
	 "    client name\n"
	 "LEN\n"
	 "    Return the length of the slowlog.\n"
	 "RESET\n"
	 "    Reset the slowlog."},
};

static void help_line(struct call *c, struct slice text, size_t *lines)
{
	resp_write_simple(c->reply, text);
	++*lines;
}

const char *command_help(const struct command *parent)
{
	for (size_t i = 0; i < ARRAY_LEN(helps); i++)
		if (strcmp(helps[i].name, parent->name) == 0)
			return helps[i].text;
	return NULL;
}

int reply_help(struct call *c)
{
	size_t len = strcspn(c->command->name, "|"), lines = 0;
	const struct command *parent = command_find(slice_of(c->command->name, len));
	struct resp_open open = resp_open_array(c->reply);
	const char *at = command_help(parent);
	struct buf title = {0};

	buf_printf(&title,
		   "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", parent->name);
	help_line(c, buf_slice(&title), &lines);
	buf_free(&title);
	while (at && *at) {
		size_t line_len = strcspn(at, "\n");

		help_line(c, slice_of(at, line_len), &lines);
		at += line_len + (at[line_len] != '\0');
	}
	help_line(c, SLICE_LITERAL("HELP"), &lines);
	help_line(c, SLICE_LITERAL("    Prints this help."), &lines);
	resp_close(c->reply, open, lines);
	return OK;
}
