#include "server/directive.h"

#include "base/check.h"
#include "base/error.h"
#include "resp/inline.h"

#include <string.h>
#include <strings.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

#define DAY_MS UINT64_C(86400000)

#define DIRECTIVE(name_, kind_, value_, field_, help_, ...)                              \
	{                                                                                \
		.name = (name_), .kind = (kind_), .value = (value_),                     \
		.offset = offsetof(struct options, field_), .help = (help_), __VA_ARGS__ \
	}
#define FACT(name_, value_, help_, ...)                                                   \
	{                                                                                 \
		.name = (name_), .kind = OPTION_FACT, .value = (value_), .help = (help_), \
		__VA_ARGS__                                                               \
	}
#define SECTION(title_)	   .section = (title_)
#define WITHIN(min_, max_) .bounds = {(min_), (max_)}
#define LIVE		   .flags = DIRECTIVE_LIVE
#define SECRET_LIVE	   .flags = DIRECTIVE_SECRET | DIRECTIVE_LIVE

static const struct directive directives[] = {
	DIRECTIVE("name", OPTION_TEXT, "n1", name, "this member's name, one of initial-cluster",
		  SECTION("Who this member is, and where")),
	DIRECTIVE("bind", OPTION_WORDS, "127.0.0.1", bind,
		  "addresses to listen on; * for all; with - in front it may be missing"),
	DIRECTIVE("port", OPTION_NUMBER, "6379", port, "port for clients", WITHIN(1, UINT16_MAX)),
	DIRECTIVE("peer-port", OPTION_NUMBER, NULL, peer_port,
		  "port for other members; port + 10000 if left out", WITHIN(1, UINT16_MAX)),
	DIRECTIVE("dir", OPTION_TEXT, "./conclave-data", dir, "where the data lives"),
	DIRECTIVE("log-dir", OPTION_TEXT, NULL, log_dir,
		  "where the log lives; log in dir if left out"),

	DIRECTIVE("initial-cluster", OPTION_MEMBERS, NULL, initial_cluster,
		  "all first members as n1=host:peer-port,n2=...; a cluster of one if left out",
		  SECTION("The cluster")),
	DIRECTIVE(
		"join", OPTION_TEXT, NULL, join,
		"host:peer-port of any member of the cluster to join, in place of initial-cluster"),
	DIRECTIVE("auto-promote", OPTION_FLAG, "yes", auto_promote,
		  "who joins gets a vote by itself when it has caught up"),
	DIRECTIVE("announce-peer", OPTION_TEXT, NULL, announce_peer,
		  "host:port where other members reach this one, if bind does not say"),
	DIRECTIVE("announce-client", OPTION_TEXT, NULL, announce_client,
		  "host:port where clients reach this member, if bind and port do not say"),
	DIRECTIVE("announce-role", OPTION_FACE, "master", announce_role,
		  "what HELLO, ROLE and INFO say: every member is a master, or (raft) the leader "
		  "is, and the others are its slaves"),
	DIRECTIVE("cluster-token", OPTION_TEXT, "conclave", cluster_token,
		  "members of one cluster have the same; others are refused"),
	DIRECTIVE("heartbeat-interval", OPTION_MS, "100", heartbeat_interval_ms,
		  "a leader is heard this often", WITHIN(1, 60000)),
	DIRECTIVE("election-timeout", OPTION_MS, "1000", election_timeout_ms,
		  "silence after which another leader is elected", WITHIN(10, 600000)),
	DIRECTIVE("request-timeout", OPTION_MS, "2500", request_timeout_ms,
		  "what is not answered by then gets an error; above two election timeouts",
		  WITHIN(1, 3600000), LIVE),
	DIRECTIVE("snapshot-bandwidth", OPTION_SIZE, "100mb", snapshot_bandwidth,
		  "a second, that a member gives of its state to others at most; 0: any number",
		  WITHIN(0, 1024 * GIB), LIVE),
	DIRECTIVE("check-interval", OPTION_MS, "60000", check_interval_ms,
		  "the members compare their data this often; 0: never", WITHIN(0, DAY_MS), LIVE),

	DIRECTIVE("maxclients", OPTION_NUMBER, "10000", maxclients, "client connections at a time",
		  WITHIN(1, 1000000), LIVE, SECTION("Connections of clients")),
	DIRECTIVE("requirepass", OPTION_MAYBE, "", requirepass,
		  "clients that come have to say this password first", SECRET_LIVE),
	DIRECTIVE("enable-debug-command", OPTION_ACCESS, "no", enable_debug_command,
		  "who may use DEBUG: nobody (no), clients on this machine (local), all (yes)"),
	DIRECTIVE("tcp-backlog", OPTION_NUMBER, "511", tcp_backlog,
		  "connections waiting to be accepted", WITHIN(1, 65535)),

	DIRECTIVE("unixsocket", OPTION_MAYBE, "", unixsocket,
		  "clients on this machine may connect to this file, too"),
	DIRECTIVE("unixsocketperm", OPTION_OCTAL, "0", unixsocketperm,
		  "the rights of that file; 0: as the umask has it", WITHIN(0, 0777)),
	DIRECTIVE("tcp-keepalive", OPTION_NUMBER, "300", tcp_keepalive_s,
		  "after so many seconds of silence a client is asked whether it is still there; "
		  "0: never; connections that come later obey",
		  WITHIN(0, INT32_MAX), LIVE),
	DIRECTIVE("timeout", OPTION_NUMBER, "0", timeout_s,
		  "a connection that asks nothing for so many seconds is closed; 0: never",
		  WITHIN(0, INT32_MAX), LIVE),
	DIRECTIVE("client-output-buffer-limit", OPTION_LIMITS,
		  "normal 256mb 0 0 replica 64mb 0 0 pubsub 32mb 8mb 60", output_limits,
		  "class, hard limit, soft limit, seconds: more replies than the hard limit, or "
		  "than the soft one for so long, end what is run for a connection, then the "
		  "connection; 0: no limit. Of the members' connections the hard limit holds alone",
		  LIVE),
	DIRECTIVE("max-request-bytes", OPTION_SIZE, "16mb", max_request_bytes,
		  "a larger request is passed over, and gets an error", WITHIN(64 * KIB, 16 * MIB),
		  LIVE),
	DIRECTIVE("proto-max-bulk-len", OPTION_SIZE, "512mb", proto_max_bulk_len,
		  "a longer argument is no protocol, and ends the connection",
		  WITHIN(MIB, INT64_MAX), LIVE),
	DIRECTIVE("proto-inline-max-size", OPTION_SIZE, "64kb", proto_inline_max_size,
		  "a longer line without arguments in form is no protocol either", WITHIN(KIB, MIB),
		  LIVE),

	DIRECTIVE("overlay-bytes", OPTION_SIZE, "32mb", overlay_bytes,
		  "changes in memory before they go to the engine", WITHIN(64 * KIB, 16 * GIB),
		  SECTION("Memory and disk")),
	DIRECTIVE("header-cache-bytes", OPTION_SIZE, "256mb", header_cache_bytes,
		  "records in memory", WITHIN(MIB, 1024 * GIB)),
	DIRECTIVE("value-cache-bytes", OPTION_SIZE, "512mb", value_cache_bytes, "values in memory",
		  WITHIN(0, 1024 * GIB)),
	DIRECTIVE("history-retention", OPTION_MS, "1h", history_retention_ms,
		  "the past is kept for so long", WITHIN(0, UINT64_C(100) * 365 * DAY_MS), LIVE),
	DIRECTIVE("history-max-bytes", OPTION_SIZE, "1gb", history_max_bytes,
		  "and of that no more than the newest so many bytes", WITHIN(0, GIB * 1024 * 1024),
		  LIVE),
	DIRECTIVE(
		"log-max-bytes", OPTION_SIZE, "1gb", log_max_bytes,
		"of the log, kept for members that are behind; up to four times that while one of "
		"them is given the state",
		WITHIN(MIB, 1024 * GIB)),
	DIRECTIVE("log-segment-bytes", OPTION_SIZE, "64mb", log_segment_bytes,
		  "one file of the log; a multiple of 4kb", WITHIN(16 * KIB, GIB)),
	DIRECTIVE("disk-reserve", OPTION_SIZE, "256mb", disk_reserve,
		  "with less room on the disk, commands that make the data grow are refused; "
		  "0: never",
		  WITHIN(0, 1024 * GIB), LIVE),
	DIRECTIVE("quota-bytes", OPTION_SIZE, "0", quota_bytes,
		  "when the files of dir and log-dir take more, the same; 0: any number",
		  WITHIN(0, GIB * 1024 * 1024), LIVE),

	DIRECTIVE("busy-poll", OPTION_NUMBER, "150", busy_poll_us,
		  "so many microseconds behind the last event a member looks for the next before "
		  "it sleeps, if nothing else wants the processor; 0: it sleeps at once",
		  WITHIN(0, 100000), LIVE, SECTION("Processor")),

	DIRECTIVE("log-level", OPTION_LEVEL, "notice", log_level, "error, warning, notice or debug",
		  LIVE, SECTION("What it tells, and whom")),

	DIRECTIVE("logfile", OPTION_MAYBE, "", logfile,
		  "what it tells goes there, and not to the standard error; opened anew on SIGHUP"),
	DIRECTIVE("pidfile", OPTION_MAYBE, "", pidfile,
		  "has the number of the process while it runs"),
	DIRECTIVE("slowlog-log-slower-than", OPTION_LATER, "10000", slowlog_log_slower_than,
		  "commands that take so many microseconds to run are noted", WITHIN(0, INT64_MAX),
		  LIVE),
	DIRECTIVE("slowlog-max-len", OPTION_NUMBER, "128", slowlog_max_len,
		  "so many of them are kept; 0: none", WITHIN(0, 100000), LIVE),

	FACT("databases", "16", "SELECT takes 0 to 15",
	     SECTION("Asked for by clients of Redis, and always so")),
	FACT("save", "", "there are no moments at which data is saved: it is saved always"),
	FACT("appendonly", "yes", "a write is in the log before it is acknowledged"),
	FACT("appendfsync", "always", "and the log is on the disk, of a majority of the members"),
	FACT("maxmemory", "0", "values live on the disk; caches have limits of their own"),
	FACT("maxmemory-policy", "noeviction", "nothing is thrown away for want of room"),
	FACT("replica-read-only", "no", "every member takes writes"),
	FACT("slave-read-only", "no", "the same by its former name"),
	FACT("notify-keyspace-events", "", "there are no notifications"),
	FACT("cluster-enabled", "no", "a client sees one server, not slots"),
	FACT("latency-monitor-threshold", "0", "there is no latency monitor"),
	FACT("daemonize", "no", "it stays in the foreground; who starts it can put it elsewhere"),
};

const struct directive *directive_at(size_t i)
{
	return i < ARRAY_LEN(directives) ? &directives[i] : NULL;
}

const struct directive *directive_find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
		const char *known = directives[i].name;

		if (strlen(known) == name.len &&
		    strncasecmp(known, (const char *)name.data, name.len) == 0)
			return &directives[i];
	}
	return NULL;
}

size_t directive_index(const struct directive *d)
{
	return (size_t)(d - directives);
}

void *directive_field(const struct directive *d, struct options *o)
{
	CHECK(d->kind != OPTION_FACT);
	return (char *)o + d->offset;
}

void directive_copy(const struct directive *d, struct options *to, const struct options *from)
{
	if (d->kind == OPTION_FACT)
		return;
	memset(directive_field(d, to), 0, options_value_size(d->kind));
	options_value_copy(d->kind, directive_field(d, to), (const char *)from + d->offset);
}

void directive_clear(const struct directive *d, struct options *o)
{
	if (d->kind == OPTION_FACT)
		return;
	options_value_free(d->kind, directive_field(d, o));
	memset(directive_field(d, o), 0, options_value_size(d->kind));
}

void directive_move(const struct directive *d, struct options *to, struct options *from)
{
	if (d->kind == OPTION_FACT)
		return;
	directive_clear(d, to);
	memcpy(directive_field(d, to), directive_field(d, from), options_value_size(d->kind));
	memset(directive_field(d, from), 0, options_value_size(d->kind));
}

int directive_set(const struct directive *d, struct options *o, const struct slice *words,
		  size_t count)
{
	if (d->kind == OPTION_FACT)
		return count == 1 && slice_equal(words[0], slice_of_text(d->value)) ? OK
										    : ERR_INVALID;
	return options_value_set(d->kind, d->bounds, directive_field(d, o), words, count);
}

/* One text as words; `line` has the bytes that they lie in. */
static const struct slice *words_of(const struct directive *d, const struct slice *text,
				    struct buf *line, struct resp_args *args, size_t *count)
{
	*count = 1;
	if (!options_value_is_list(d->kind))
		return text;
	buf_append_slice(line, *text);
	*count = 0;
	if (resp_inline_split(line->data, line->len, args) != OK)
		return text;
	*count = args->len;
	return resp_args_resolve(args, line->data);
}

int directive_set_text(const struct directive *d, struct options *o, struct slice text)
{
	struct resp_args args = {0};
	struct buf line = {0};
	size_t count;
	const struct slice *words = words_of(d, &text, &line, &args, &count);
	int rc = directive_set(d, o, words, count);

	resp_args_free(&args);
	buf_free(&line);
	return rc;
}

void directive_complain(const struct directive *d, struct slice text, struct buf *out)
{
	struct resp_args args = {0};
	struct buf line = {0};
	size_t count;
	const struct slice *words = words_of(d, &text, &line, &args, &count);

	options_value_complain(d->kind, d->bounds, words, count, out);
	resp_args_free(&args);
	buf_free(&line);
}

bool directive_is_same(const struct directive *d, const struct options *a, const struct options *b)
{
	struct buf one = {0}, other = {0};
	bool same;

	directive_put(d, a, &one);
	directive_put(d, b, &other);
	same = slice_equal(buf_slice(&one), buf_slice(&other));
	buf_free(&one);
	buf_free(&other);
	return same;
}

void directive_put(const struct directive *d, const struct options *o, struct buf *out)
{
	if (d->kind == OPTION_FACT)
		buf_append_slice(out, slice_of_text(d->value));
	else
		options_value_put(d->kind, (const char *)o + d->offset, out);
}

void directive_put_line(const struct directive *d, const struct options *o, struct buf *out)
{
	struct buf value = {0};

	directive_put(d, o, &value);
	buf_printf(out, "%s ", d->name);
	if (options_value_is_list(d->kind))
		buf_append_slice(out, buf_slice(&value));
	else
		options_value_quote(buf_slice(&value), out);
	buf_append_byte(out, '\n');
	buf_free(&value);
}

void directive_expects(const struct directive *d, struct buf *out)
{
	if (d->kind == OPTION_FACT)
		buf_printf(out, "'%s', or to leave it out: %s", d->value, d->help);
	else
		options_value_expects(d->kind, d->bounds, out);
}
