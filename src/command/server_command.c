/* The member as a server: storing, ending, what others have of what was written. */

#include "base/error.h"
#include "command/cluster.h"
#include "command/desk.h"
#include "command/family.h"
#include "command/host.h"
#include "command/replication.h"
#include "consensus/membership.h"
#include "resp/integer.h"

#include <math.h>
#include <stdlib.h>

static int server_later(struct call *c, const struct later *later)
{
	c->desk->later(c->desk->self, later);
	return OK;
}

/* ---- storing --------------------------------------------------------------------------------- */

static int server_save(struct call *c)
{
	return server_later(c, &(struct later){.kind = LATER_SAVED});
}

static int server_bgsave(struct call *c)
{
	if (c->argc > 2 || (c->argc == 2 && !argument_is(c->argv[1], "schedule")))
		return reply_syntax(c);
	c->desk->save(c->desk->self);
	resp_write_simple(c->reply, SLICE_LITERAL("Background saving started"));
	return OK;
}

/* What is in the engine need not stay in the log. */
static int server_bgrewriteaof(struct call *c)
{
	c->desk->save(c->desk->self);
	resp_write_simple(c->reply, SLICE_LITERAL("Background append only file rewriting started"));
	return OK;
}

static int server_lastsave(struct call *c)
{
	struct info_member info;

	c->desk->info(c->desk->self, &info);
	return reply_integer(c, (int64_t)info.saved_s);
}

/* ---- ending ---------------------------------------------------------------------------------- */

static int server_shutdown(struct call *c)
{
	struct later later = {.kind = LATER_ENDS};
	bool abort = false, nosave = false;

	for (size_t i = 1; i < c->argc; i++) {
		if (argument_is(c->argv[i], "nosave"))
			nosave = true;
		else if (argument_is(c->argv[i], "save"))
			later.saves = true;
		else if (argument_is(c->argv[i], "now"))
			later.at_once = true;
		else if (argument_is(c->argv[i], "force"))
			later.forced = true;
		else if (argument_is(c->argv[i], "abort"))
			abort = true;
		else
			return reply_syntax(c);
	}
	if ((nosave && later.saves) ||
	    (abort && (nosave || later.saves || later.at_once || later.forced)))
		return reply_syntax(c);
	if (abort) /* from its beginning on nothing more is read */
		return reply_error(c, "ERR No shutdown in progress.");
	if (!c->host)
		return reply_error(c, "ERR This member cannot end its process");
	return server_later(c, &later);
}

/* ---- copies ---------------------------------------------------------------------------------- */

static void role_put_slave(struct call *c, const struct info_member *info,
			   const struct info_follower *f)
{
	struct replication_place place = replication_place_of(info, f->id);
	uint8_t number[RESP_INTEGER_MAX];

	resp_write_array(c->reply, 3);
	resp_write_bulk(c->reply, place.host);
	resp_write_bulk(c->reply, slice_of(number, resp_integer_format(number, place.port)));
	resp_write_bulk(c->reply, slice_of(number, resp_integer_format(number, (int64_t)f->index)));
}

static void role_put_master(struct call *c, const struct info_member *info)
{
	size_t slaves = replication_slaves(info);

	resp_write_array(c->reply, 3);
	resp_write_bulk(c->reply, SLICE_LITERAL("master"));
	resp_write_integer(c->reply, (int64_t)info->position->index);
	resp_write_array(c->reply, slaves);
	for (size_t i = 0; i < slaves; i++)
		role_put_slave(c, info, &info->followers[i]);
}

static int server_role(struct call *c)
{
	struct info_member info;
	struct replication_place place;

	c->desk->info(c->desk->self, &info);
	if (replication_is_master(&info)) {
		role_put_master(c, &info);
		return OK;
	}
	place = replication_place_of(&info, info.leader);
	resp_write_array(c->reply, 5);
	resp_write_bulk(c->reply, SLICE_LITERAL("slave"));
	resp_write_bulk(c->reply, place.host);
	resp_write_integer(c->reply, place.port);
	resp_write_bulk(c->reply, slice_of_text(replication_link(&info)));
	resp_write_integer(c->reply, (int64_t)info.position->index);
	return OK;
}

/* Within a transaction nothing is waited for. */
static int copies_now(struct call *c, bool tells_here)
{
	int64_t here, others;

	c->desk->copies(c->desk->self, &here, &others);
	if (tells_here) {
		resp_write_array(c->reply, 2);
		resp_write_integer(c->reply, here);
	}
	return reply_integer(c, others);
}

static int server_wait(struct call *c)
{
	struct later later = {.kind = LATER_COPIED};
	int64_t ms;

	if (call_integer(c, 1, &later.others) != OK || call_timeout_ms(c, c->argv[2], &ms) != OK)
		return CALL_REFUSED;
	later.ms = (uint64_t)ms;
	return c->members ? server_later(c, &later) : copies_now(c, false);
}

static int server_waitaof(struct call *c)
{
	struct later later = {.kind = LATER_COPIED_HERE};
	int64_t ms;

	if (call_integer(c, 1, &later.here) != OK)
		return CALL_REFUSED;
	if (later.here < 0 || later.here > 1)
		return reply_error(c, "ERR value is out of range, must be between 0 and 1");
	if (!resp_integer_parse(c->argv[2], &later.others) || later.others < 0)
		return reply_error(c, "ERR value is out of range, must be positive");
	if (call_timeout_ms(c, c->argv[3], &ms) != OK)
		return CALL_REFUSED;
	later.ms = (uint64_t)ms;
	return c->members ? server_later(c, &later) : copies_now(c, true);
}

/* ---- leading --------------------------------------------------------------------------------- */

struct failover {
	bool abort;
	bool has_place;
	bool has_timeout;
};

static int failover_parse(struct call *c, struct failover *f)
{
	int64_t number;
	bool forced = false;

	for (size_t i = 1; i < c->argc; i++) {
		size_t more = c->argc - 1 - i;

		if (argument_is(c->argv[i], "timeout") && more >= 1 && !f->has_timeout) {
			if (call_integer(c, ++i, &number) != OK)
				return CALL_REFUSED;
			if (number <= 0)
				return reply_error(c,
						   "ERR FAILOVER timeout must be greater than 0");
			f->has_timeout = true;
		} else if (argument_is(c->argv[i], "to") && more >= 2 && !f->has_place) {
			if (call_integer(c, i + 2, &number) != OK)
				return CALL_REFUSED;
			i += 2;
			f->has_place = true;
		} else if (argument_is(c->argv[i], "force") && !forced) {
			forced = true;
		} else {
			return reply_syntax(c);
		}
	}
	return OK;
}

/* Leadership goes to whoever is up to date; MEMBER TRANSFER says to whom. */
static int server_failover(struct call *c)
{
	struct failover f = {0};
	struct info_member info;

	if (c->argc == 2 && argument_is(c->argv[1], "abort"))
		return reply_error(c, "ERR No failover in progress.");
	if (failover_parse(c, &f) != OK)
		return CALL_REFUSED;
	c->desk->info(c->desk->self, &info);
	if (!info.leader)
		return reply_error(c, c->members && c->members->outside
					      ? c->members->outside
					      : "CLUSTERDOWN There is no leader that could hand "
						"over; nothing was done");
	if (info.membership->count < 2)
		return reply_error(c, "ERR FAILOVER requires connected replicas.");
	if (f.has_place)
		return reply_error(c, "ERR FAILOVER target HOST and PORT is not a replica.");
	if (!c->members)
		return reply_error(c, "ERR FAILOVER would come before the transaction that it is "
				      "in");
	switch (c->desk->hand_over(c->desk->self)) {
	case OK:
		return reply_ok(c);
	case ERR_NOT_LEADER:
		return reply_error(c, "ERR FAILOVER is not valid when server is a replica.");
	case ERR_BUSY:
		return reply_error(c, "ERR FAILOVER already in progress.");
	default:
		return reply_error(c, "ERR FAILOVER requires connected replicas.");
	}
}

/* ---- DEBUG ----------------------------------------------------------------------------------- */

/* As Redis reads it: what is no number is none. */
static int debug_sleep(struct call *c)
{
	struct later later = {.kind = LATER_SLEPT};
	struct buf text = {0};
	double seconds;

	if (!c->members)
		return reply_error(c, "ERR DEBUG SLEEP holds no transaction that it is in");
	buf_append_slice(&text, c->argv[2]);
	buf_append_byte(&text, '\0');
	seconds = strtod((const char *)text.data, NULL);
	buf_free(&text);
	if (isfinite(seconds) && seconds > 0)
		later.ms = seconds < 1e6 ? (uint64_t)(seconds * 1000) : (uint64_t)1000000000;
	return server_later(c, &later);
}

static int server_debug(struct call *c)
{
	if (argument_is(c->argv[1], "help") && c->argc == 2)
		return reply_help(c);
	if (argument_is(c->argv[1], "sleep") && c->argc == 3)
		return debug_sleep(c);
	return reply_wrong_form(c);
}

#define ALWAYS (COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE)
#define ADMIN  (COMMAND_FLAG_ADMIN | COMMAND_FLAG_NOSCRIPT)

static const struct command rows[] = {
	COMMAND_ROW("BGREWRITEAOF", 1, COMMAND_LOCAL, ADMIN, server_bgrewriteaof,
		    COMMAND_DOC(GROUP_SERVER, "1.0.0", "O(1)", "",
				"Begins to store what is in memory")),
	COMMAND_ROW("BGSAVE", -1, COMMAND_LOCAL, ADMIN, server_bgsave,
		    COMMAND_DOC(GROUP_SERVER, "1.0.0", "O(1)", "[SCHEDULE]",
				"Begins to store what is in memory")),
	COMMAND_ROW(
		"DEBUG", -2, COMMAND_LOCAL, ADMIN | ALWAYS, server_debug, .role = ROLE_DEBUG,
		COMMAND_DOC(GROUP_SERVER, "1.0.0", "that of the subcommand",
			    "subcommand [arg [arg ...]]", "Means for tests",
			    .differs = "Only SLEEP, OBJECT and HELP; behind enable-debug-command")),
	COMMAND_ROW("FAILOVER", -1, COMMAND_LOCAL, ADMIN | COMMAND_FLAG_STALE, server_failover,
		    COMMAND_DOC(GROUP_SERVER, "6.2.0", "O(1)",
				"[TO host port:integer [FORCE]] [ABORT] [TIMEOUT milliseconds]",
				"Hands the leadership over to another member",
				.differs = "An error within a transaction, which it would come "
					   "before")),
	COMMAND_ROW("LASTSAVE", 1, COMMAND_LOCAL, ALWAYS | COMMAND_FLAG_FAST, server_lastsave,
		    .categories = CATEGORY_ADMIN | CATEGORY_DANGEROUS,
		    COMMAND_DOC(GROUP_SERVER, "1.0.0", "O(1)", "",
				"Tells when the state was last stored as a whole",
				.tips = "nondeterministic_output")),
	COMMAND_ROW("ROLE", 1, COMMAND_LOCAL, ALWAYS | COMMAND_FLAG_NOSCRIPT | COMMAND_FLAG_FAST,
		    server_role, .categories = CATEGORY_ADMIN | CATEGORY_DANGEROUS,
		    COMMAND_DOC(GROUP_SERVER, "2.8.12", "O(1)", "",
				"Tells the part that this member plays")),
	COMMAND_ROW("SAVE", 1, COMMAND_LOCAL, ADMIN | COMMAND_FLAG_NO_MULTI, server_save,
		    COMMAND_DOC(GROUP_SERVER, "1.0.0", "O(N), N bytes in memory", "",
				"Stores what is in memory, and answers when it is")),
	COMMAND_ROW("SHUTDOWN", -1, COMMAND_LOCAL,
		    ADMIN | ALWAYS | COMMAND_FLAG_NO_MULTI | COMMAND_FLAG_ALLOW_BUSY,
		    server_shutdown,
		    COMMAND_DOC(GROUP_SERVER, "1.0.0", "O(N), N bytes in memory",
				"[NOSAVE|SAVE] [NOW] [FORCE] [ABORT]", "Ends this member")),
	COMMAND_ROW("WAIT", 3, COMMAND_LOCAL, COMMAND_FLAG_NOSCRIPT, server_wait,
		    .categories = CATEGORY_CONNECTION,
		    COMMAND_DOC(GROUP_GENERIC, "3.0.0", "O(1)",
				"numreplicas:integer timeout:integer",
				"Waits until so many other members have what was written",
				.tips = "request_policy:all_shards response_policy:agg_min")),
	COMMAND_ROW("WAITAOF", 4, COMMAND_LOCAL, COMMAND_FLAG_NOSCRIPT, server_waitaof,
		    .categories = CATEGORY_CONNECTION,
		    COMMAND_DOC(GROUP_GENERIC, "7.2.0", "O(1)",
				"numlocal:integer numreplicas:integer timeout:integer",
				"Waits until so many members have on disk what was written",
				.tips = "request_policy:all_shards response_policy:agg_min")),
};

const struct command_family server_family = COMMAND_FAMILY(rows);
