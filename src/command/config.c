/* CONFIG: what the process was told, and is told while it runs. */

#include "base/error.h"
#include "command/desk.h"
#include "command/family.h"
#include "command/glob.h"
#include "command/host.h"

#include <ctype.h>

static int reply_no_host(struct call *c)
{
	return reply_error(c, "ERR this member runs without a process that has a configuration");
}

/* ---- GET ------------------------------------------------------------------------------------- */

static bool is_pattern(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '*' || text.data[i] == '?' || text.data[i] == '[')
			return true;
	return false;
}

/* Names are lower case, and patterns match them in any case. */
static void append_lower(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_append_byte(out, (uint8_t)tolower(text.data[i]));
}

/* Which argument, if any, is the first to name this directive; a name in full is as it was asked.
 */
static bool is_wanted(struct call *c, const char *name, struct slice *as)
{
	struct buf pattern = {0};
	bool found = false;

	for (size_t i = 2; i < c->argc && !found; i++) {
		*as = slice_of_text(name);
		if (!is_pattern(c->argv[i])) {
			found = argument_is(c->argv[i], name);
			if (found)
				*as = c->argv[i];
			continue;
		}
		buf_clear(&pattern);
		append_lower(&pattern, c->argv[i]);
		found = glob_matches(buf_slice(&pattern), slice_of_text(name));
	}
	buf_free(&pattern);
	return found;
}

static int config_get(struct call *c)
{
	const struct command_host *host = c->host;
	struct resp_open open;
	struct buf value = {0};
	const char *name;
	size_t found = 0;

	if (!host)
		return reply_no_host(c);
	open = resp_open_map(c->reply);
	for (size_t i = 0; (name = host->config_name(host->owner, i)) != NULL; i++) {
		struct slice as;

		if (!is_wanted(c, name, &as))
			continue;
		buf_clear(&value);
		host->config_value(host->owner, i, &value);
		resp_write_bulk(c->reply, as);
		resp_write_bulk(c->reply, buf_slice(&value));
		found++;
	}
	resp_close(c->reply, open, found);
	buf_free(&value);
	return OK;
}

/* ---- SET, REWRITE ---------------------------------------------------------------------------- */

/* What cannot be taken back is not done before it is known that the transaction runs. */
static int check_may_change(struct call *c)
{
	if (!c->host)
		return reply_no_host(c);
	if (!c->members)
		return reply_error_named(c, "'", "' is not allowed in transactions");
	return OK;
}

static int config_set(struct call *c)
{
	const struct command_host *host = c->host;
	struct buf problem = {0};
	int rc = check_may_change(c);

	if (rc != OK)
		return rc;
	if (c->argc % 2)
		return reply_syntax(c);
	rc = host->config_set(host->owner, c->argv + 2, (c->argc - 2) / 2, &problem);
	if (rc == OK)
		resp_write_simple(c->reply, SLICE_LITERAL("OK"));
	else
		resp_write_error(c->reply, buf_slice(&problem));
	buf_free(&problem);
	return rc == OK ? OK : CALL_REFUSED;
}

/* The disk is waited for by another thread. */
static int config_rewrite(struct call *c)
{
	const struct command_host *host = c->host;
	struct later later = {.kind = LATER_REWRITTEN};
	struct buf problem = {0};
	int rc = check_may_change(c);

	if (rc != OK)
		return rc;
	later.number = host->config_rewrite(host->owner, &problem);
	if (later.number) {
		c->desk->later(c->desk->self, &later);
	} else {
		resp_write_error(c->reply, buf_slice(&problem));
		rc = CALL_REFUSED;
	}
	buf_free(&problem);
	return rc;
}

/* The member's counts and the process'. */
static int config_resetstat(struct call *c)
{
	int rc = check_may_change(c);

	if (rc != OK)
		return rc;
	command_stats_reset(c->desk->stats);
	c->host->config_reset_stats(c->host->owner);
	return reply_ok(c);
}

#define ALWAYS (COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE)
#define ADMIN  (ALWAYS | COMMAND_FLAG_ADMIN | COMMAND_FLAG_NOSCRIPT)

static const struct command rows[] = {
	COMMAND_ROW("CONFIG|GET", -3, COMMAND_LOCAL, ADMIN, config_get,
		    COMMAND_DOC(GROUP_SERVER, "2.0.0", "O(N), N directives and patterns",
				"parameter [parameter ...]",
				"Tells the directives that match the patterns")),
	COMMAND_ROW("CONFIG|HELP", 2, COMMAND_LOCAL, ALWAYS, reply_help,
		    COMMAND_DOC(GROUP_SERVER, "5.0.0", "O(1)", "", "Describes the subcommands")),
	COMMAND_ROW("CONFIG|RESETSTAT", 2, COMMAND_LOCAL, ADMIN, config_resetstat,
		    COMMAND_DOC(GROUP_SERVER, "2.0.0", "O(1)", "",
				"Sets the counts that INFO tells to zero")),
	COMMAND_ROW("CONFIG|REWRITE", 2, COMMAND_LOCAL, ADMIN, config_rewrite,
		    COMMAND_DOC(GROUP_SERVER, "2.8.0", "O(N), N lines", "",
				"Writes the configuration as it is into its file")),
	COMMAND_ROW("CONFIG|SET", -4, COMMAND_LOCAL, ADMIN, config_set,
		    COMMAND_DOC(GROUP_SERVER, "2.0.0", "O(N), N directives",
				"parameter value [parameter value ...]",
				"Changes directives, all of them or none",
				.tips = "request_policy:all_nodes response_policy:all_succeeded")),
};

const struct command_family config_family = COMMAND_FAMILY(rows);
