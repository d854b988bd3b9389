#include "server/options.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "consensus/label.h"
#include "resp/inline.h"
#include "server/options_value.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ENVIRONMENT_PREFIX "CONCLAVE_"
#define PEER_PORT_DISTANCE 10000

/* No default: it follows from others, or there is none. */
struct directive {
	const char *name;
	enum options_kind kind;
	const char *value;
	struct options_bounds bounds;
	const char *help;
	size_t offset;
};

#define KIB	  ((uint64_t)1 << 10)
#define MIB	  ((uint64_t)1 << 20)
#define GIB	  ((uint64_t)1 << 30)
#define AT(field) offsetof(struct options, field)

static const struct directive directives[] = {
	{"name", OPTION_TEXT, "n1", {0}, "this member's name, one of initial-cluster", AT(name)},
	{"bind", OPTION_WORDS, "127.0.0.1", {0}, "addresses to listen on; * for all", AT(bind)},
	{"port", OPTION_NUMBER, "6379", {1, UINT16_MAX}, "port for clients", AT(port)},
	{"peer-port",
	 OPTION_NUMBER,
	 NULL,
	 {1, UINT16_MAX},
	 "port for other members; port + 10000 if left out",
	 AT(peer_port)},
	{"dir", OPTION_TEXT, "./conclave-data", {0}, "where the data lives", AT(dir)},
	{"log-dir",
	 OPTION_TEXT,
	 NULL,
	 {0},
	 "where the log lives; <dir>/log if left out",
	 AT(log_dir)},
	{"initial-cluster",
	 OPTION_MEMBERS,
	 NULL,
	 {0},
	 "all first members as n1=host:peer-port,n2=...; a cluster of one if left out",
	 AT(initial_cluster)},
	{"join",
	 OPTION_TEXT,
	 NULL,
	 {0},
	 "host:peer-port of any member of the cluster to join, in place of initial-cluster",
	 AT(join)},
	{"auto-promote",
	 OPTION_FLAG,
	 "yes",
	 {0},
	 "who joins gets a vote by itself when it has caught up",
	 AT(auto_promote)},
	{"announce-peer",
	 OPTION_TEXT,
	 NULL,
	 {0},
	 "host:port where other members reach this one, if bind does not say",
	 AT(announce_peer)},
	{"cluster-token",
	 OPTION_TEXT,
	 "conclave",
	 {0},
	 "members of one cluster have the same; others are refused",
	 AT(cluster_token)},
	{"heartbeat-interval",
	 OPTION_MS,
	 "100",
	 {1, 60000},
	 "a leader is heard this often",
	 AT(heartbeat_interval_ms)},
	{"election-timeout",
	 OPTION_MS,
	 "1000",
	 {10, 600000},
	 "silence after which another leader is elected",
	 AT(election_timeout_ms)},
	{"request-timeout",
	 OPTION_MS,
	 "2500",
	 {1, 3600000},
	 "what is not answered by then gets an error; above two election timeouts",
	 AT(request_timeout_ms)},
	{"requirepass",
	 OPTION_TEXT,
	 NULL,
	 {0},
	 "clients have to say this password first; none if left out",
	 AT(requirepass)},
	{"maxclients",
	 OPTION_NUMBER,
	 "10000",
	 {1, 1000000},
	 "client connections at a time",
	 AT(maxclients)},
	{"tcp-backlog",
	 OPTION_NUMBER,
	 "511",
	 {1, 65535},
	 "connections waiting to be accepted",
	 AT(tcp_backlog)},
	{"enable-debug-command",
	 OPTION_ACCESS,
	 "no",
	 {0},
	 "who may use DEBUG: nobody (no), clients on this machine (local), all (yes)",
	 AT(enable_debug_command)},
	{"slowlog-log-slower-than",
	 OPTION_NUMBER,
	 "10000",
	 {0, INT64_MAX},
	 "commands that take so many microseconds to run are noted",
	 AT(slowlog_log_slower_than)},
	{"slowlog-max-len",
	 OPTION_NUMBER,
	 "128",
	 {0, 100000},
	 "so many of them are kept; 0: none",
	 AT(slowlog_max_len)},
	{"overlay-bytes",
	 OPTION_SIZE,
	 "32mb",
	 {64 * KIB, 16 * GIB},
	 "changes in memory before they go to the engine",
	 AT(overlay_bytes)},
	{"header-cache-bytes",
	 OPTION_SIZE,
	 "64mb",
	 {MIB, 1024 * GIB},
	 "records in memory",
	 AT(header_cache_bytes)},
	{"value-cache-bytes",
	 OPTION_SIZE,
	 "128mb",
	 {0, 1024 * GIB},
	 "values in memory",
	 AT(value_cache_bytes)},
	{"history-retention",
	 OPTION_MS,
	 "1h",
	 {0, UINT64_C(100) * 365 * 86400 * 1000},
	 "the past is kept for so long",
	 AT(history_retention_ms)},
	{"history-max-bytes",
	 OPTION_SIZE,
	 "1gb",
	 {0, GIB * 1024 * 1024},
	 "and of that no more than the newest so many bytes",
	 AT(history_max_bytes)},
	{"log-max-bytes",
	 OPTION_SIZE,
	 "1gb",
	 {MIB, 1024 * GIB},
	 "of the log, kept for members that are behind",
	 AT(log_max_bytes)},
	{"log-segment-bytes",
	 OPTION_SIZE,
	 "64mb",
	 {16 * KIB, GIB},
	 "one file of the log; a multiple of 4kb",
	 AT(log_segment_bytes)},
	{"disk-reserve",
	 OPTION_SIZE,
	 "64mb",
	 {0, 1024 * GIB},
	 "with less room on the disk, commands that make the data grow are refused; 0: never",
	 AT(disk_reserve)},
	{"check-interval",
	 OPTION_MS,
	 "60000",
	 {0, 86400000},
	 "the members compare their data this often; 0: never",
	 AT(check_interval_ms)},
	{"log-level",
	 OPTION_LEVEL,
	 "notice",
	 {0},
	 "error, warning, notice or debug",
	 AT(log_level)},
};

static const struct directive *directive_find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(directives); i++)
		if (slice_equal(name, slice_of_text(directives[i].name)))
			return &directives[i];
	return NULL;
}

static int directive_set(struct options *o, const struct directive *d, const struct slice *words,
			 size_t count)
{
	return options_value_set(d->kind, d->bounds, (char *)o + d->offset, words, count);
}

static int refuse_value(const struct directive *d, const struct slice *words, size_t count,
			struct buf *problem)
{
	buf_printf(problem, "%s:", d->name);
	for (size_t i = 0; i < count; i++)
		buf_printf(problem, " '%.*s'", (int)words[i].len, (const char *)words[i].data);
	buf_printf(problem, "%s; expected ", count ? " cannot be used" : " the value is missing");
	options_value_expects(d->kind, d->bounds, problem);
	return ERR_INVALID;
}

static void set_defaults(struct options *o)
{
	for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
		const struct directive *d = &directives[i];
		struct slice value;

		if (!d->value)
			continue;
		value = slice_of_text(d->value);
		CHECK(directive_set(o, d, &value, 1) == OK);
	}
}

/* ---- environment ----------------------------------------------------------------------------- */

/* PEER_PORT is peer-port. */
static bool variable_is(const char *variable, size_t len, const char *directive)
{
	if (len != strlen(directive))
		return false;
	for (size_t i = 0; i < len; i++) {
		int c = variable[i] == '_' ? '-' : tolower((unsigned char)variable[i]);

		if (c != (unsigned char)directive[i] || islower((unsigned char)variable[i]))
			return false;
	}
	return true;
}

static int split_words(uint8_t *line, size_t len, struct resp_args *args, struct buf *problem)
{
	resp_args_clear(args);
	if (resp_inline_split(line, len, args) == OK)
		return OK;
	buf_printf(problem, "a quote is not closed, or something stands right behind one");
	return ERR_INVALID;
}

static int read_variable(struct options *o, const struct directive *d, const char *value,
			 struct buf *problem)
{
	struct resp_args args = {0};
	struct buf line = {0};
	const struct slice *words;
	int rc;

	buf_append_slice(&line, slice_of_text(value));
	rc = split_words(line.data, line.len, &args, problem);
	if (rc == OK) {
		words = resp_args_resolve(&args, line.data);
		rc = directive_set(o, d, words, args.len);
		if (rc != OK)
			rc = refuse_value(d, words, args.len, problem);
	}
	resp_args_free(&args);
	buf_free(&line);
	return rc;
}

static int read_environment(struct options *o, char *const *environment, struct buf *problem)
{
	const size_t prefix = strlen(ENVIRONMENT_PREFIX);

	for (; *environment; environment++) {
		const char *entry = *environment, *equal = strchr(entry, '=');

		if (!equal || strncmp(entry, ENVIRONMENT_PREFIX, prefix) != 0)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
			if (!variable_is(entry + prefix, (size_t)(equal - entry) - prefix,
					 directives[i].name))
				continue;
			buf_clear(problem);
			buf_printf(problem, "environment, %.*s: ", (int)(equal - entry), entry);
			if (read_variable(o, &directives[i], equal + 1, problem) != OK)
				return ERR_INVALID;
		}
	}
	return OK;
}

/* ---- file ------------------------------------------------------------------------------------ */

static int read_whole_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), failure;
	ssize_t n;

	if (fd < 0)
		return errno;
	do {
		n = read(fd, buf_reserve(out, 4096), 4096);
		if (n > 0)
			buf_commit(out, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	failure = n < 0 ? errno : 0;
	close(fd);
	return failure;
}

static int read_line(struct options *o, uint8_t *line, size_t len, struct resp_args *args,
		     struct buf *problem)
{
	const struct directive *d;
	const struct slice *words;

	if (split_words(line, len, args, problem) != OK)
		return ERR_INVALID;
	if (args->len == 0)
		return OK;
	words = resp_args_resolve(args, line);
	d = directive_find(words[0]);
	if (!d) {
		buf_printf(problem, "there is no directive '%.*s'; --help lists them",
			   (int)words[0].len, (const char *)words[0].data);
		return ERR_INVALID;
	}
	if (directive_set(o, d, words + 1, args->len - 1) != OK)
		return refuse_value(d, words + 1, args->len - 1, problem);
	return OK;
}

static bool is_comment(const uint8_t *line, size_t len)
{
	while (len > 0 && isspace(*line)) {
		line++;
		len--;
	}
	return len > 0 && *line == '#';
}

static int read_lines(struct options *o, const char *path, struct buf *text, struct buf *problem)
{
	struct resp_args args = {0};
	size_t at = 0;
	int rc = OK;

	for (size_t number = 1; at < text->len && rc == OK; number++) {
		uint8_t *line = text->data + at;
		uint8_t *end = memchr(line, '\n', text->len - at);
		size_t len = end ? (size_t)(end - line) : text->len - at;

		at += len + 1;
		if (is_comment(line, len))
			continue;
		buf_clear(problem);
		buf_printf(problem, "%s:%zu: ", path, number);
		rc = read_line(o, line, len, &args, problem);
	}
	resp_args_free(&args);
	return rc;
}

static int read_file(struct options *o, const char *path, struct buf *problem)
{
	struct buf text = {0};
	int failure = read_whole_file(path, &text), rc;

	if (failure) {
		buf_clear(problem);
		buf_printf(problem, "%s: the file of directives cannot be read: %s", path,
			   error_text(error_from_errno(failure)));
		rc = ERR_INVALID;
	} else {
		rc = read_lines(o, path, &text, problem);
	}
	buf_free(&text);
	return rc;
}

/* ---- command line ---------------------------------------------------------------------------- */

static bool is_directive(const char *argument)
{
	return strncmp(argument, "--", 2) == 0;
}

static int read_argument(struct options *o, const char *name, char *const *values, size_t count,
			 struct buf *problem)
{
	const struct directive *d = directive_find(slice_of_text(name + 2));
	struct slice *words = mem_zalloc(count + 1, sizeof(*words));
	int rc = OK;

	buf_clear(problem);
	if (!d) {
		buf_printf(problem, "%s: there is no such directive; --help lists them", name);
		rc = ERR_INVALID;
	} else {
		for (size_t i = 0; i < count; i++)
			words[i] = slice_of_text(values[i]);
		buf_printf(problem, "--");
		if (directive_set(o, d, words, count) != OK)
			rc = refuse_value(d, words, count, problem);
	}
	mem_free(words);
	return rc;
}

static int read_arguments(struct options *o, int argc, char *const *argv, struct buf *problem)
{
	int rc = OK;

	for (int i = 0, next; i < argc && rc == OK; i = next) {
		next = i + 1;
		if (!is_directive(argv[i])) {
			buf_clear(problem);
			buf_printf(problem,
				   "%s: a directive begins with --, and a file stands first",
				   argv[i]);
			return ERR_INVALID;
		}
		while (next < argc && !is_directive(argv[next]))
			next++;
		rc = read_argument(o, argv[i], argv + i + 1, (size_t)(next - i - 1), problem);
	}
	return rc;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool knows_itself(const struct options *o)
{
	for (size_t i = 0; i < o->initial_cluster.count; i++)
		if (strcmp(o->initial_cluster.list[i].name, o->name) == 0)
			return true;
	return o->initial_cluster.count == 0;
}

static bool is_any_address(const char *host)
{
	return strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/* Where others reach this member, if nobody has said so. */
static void find_announce_peer(struct options *o)
{
	const char *host = o->bind.words[0];
	uint16_t port = (uint16_t)o->peer_port;
	struct buf text = {0};

	if (o->announce_peer)
		return;
	for (size_t i = 0; i < o->initial_cluster.count; i++) {
		if (strcmp(o->initial_cluster.list[i].name, o->name) != 0)
			continue;
		host = o->initial_cluster.list[i].host;
		port = o->initial_cluster.list[i].port;
	}
	if (is_any_address(host))
		return;
	buf_printf(&text, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
	buf_append_byte(&text, '\0');
	o->announce_peer = (char *)text.data;
}

static bool is_address(const char *text)
{
	struct slice host;
	uint16_t port;

	return label_address(slice_of_text(text), &host, &port) == OK;
}

/* Who this member is, and whom it is to meet. */
static void check_cluster(const struct options *o, struct buf *problem)
{
	struct buf label = {0};

	label_put(slice_of_text(o->name),
		  o->announce_peer ? slice_of_text(o->announce_peer) : (struct slice){0}, &label);
	if (o->announce_peer && !is_address(o->announce_peer))
		buf_printf(problem, "announce-peer: '%s' is no host:port", o->announce_peer);
	else if (strchr(o->name, '=') || label_check(buf_slice(&label)) != OK)
		buf_printf(problem,
			   "name: it is made of printable characters without =, and has "
			   "with its address at most %d bytes",
			   MEMBER_LABEL_MAX - 1);
	else if (o->join && o->initial_cluster.count)
		buf_printf(problem, "join: a member that joins has no initial-cluster; give one of "
				    "the two");
	else if (o->join && !is_address(o->join))
		buf_printf(problem, "join: '%s' is no host:port of a member", o->join);
	else if (o->join && !o->announce_peer)
		buf_printf(problem, "join: the others have to know where this member is; give "
				    "--announce-peer host:port");
	buf_free(&label);
}

/* What no value alone can say. */
static int check_together(struct options *o, struct buf *problem)
{
	struct buf dir = {0};

	buf_clear(problem);
	if (o->peer_port == 0 && o->port > UINT16_MAX - PEER_PORT_DISTANCE)
		buf_printf(problem, "peer-port: port + 10000 is no port; give --peer-port");
	else if (strlen(o->name) > MEMBER_LABEL_MAX)
		buf_printf(problem, "name: it has more than %d bytes; give a shorter one",
			   MEMBER_LABEL_MAX);
	else if (!knows_itself(o))
		buf_printf(problem,
			   "name: '%s' is not in initial-cluster; give --name one of its names",
			   o->name);
	else if (o->election_timeout_ms < 2 * o->heartbeat_interval_ms)
		buf_printf(problem, "election-timeout: it has to be at least two "
				    "heartbeat-intervals; ten are good");
	else if (o->request_timeout_ms <= 2 * o->election_timeout_ms)
		buf_printf(problem, "request-timeout: it has to be above two election-timeouts, or "
				    "a change of leader would be an error to clients");
	else if (o->log_segment_bytes % 4096 != 0)
		buf_printf(problem, "log-segment-bytes: it has to be a multiple of 4kb");
	if (problem->len)
		return ERR_INVALID;
	if (o->peer_port == 0)
		o->peer_port = o->port + PEER_PORT_DISTANCE;
	find_announce_peer(o);
	check_cluster(o, problem);
	if (problem->len)
		return ERR_INVALID;
	if (!o->log_dir) {
		buf_printf(&dir, "%s/log%c", o->dir, '\0');
		o->log_dir = (char *)dir.data;
	}
	return OK;
}

int options_load(struct options *o, int argc, char *const *argv, char *const *environment,
		 struct buf *problem)
{
	int rc;

	*o = (struct options){0};
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			o->task = OPTIONS_HELP;
		else if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-v") == 0)
			o->task = OPTIONS_VERSION;
		if (o->task != OPTIONS_RUN)
			return OK;
	}
	set_defaults(o);
	rc = read_environment(o, environment, problem);
	if (rc == OK && argc > 0 && !is_directive(argv[0])) {
		rc = read_file(o, argv[0], problem);
		argc--;
		argv++;
	}
	if (rc == OK)
		rc = read_arguments(o, argc, argv, problem);
	if (rc == OK)
		rc = check_together(o, problem);
	return rc;
}

void options_free(struct options *o)
{
	for (size_t i = 0; i < ARRAY_LEN(directives); i++)
		options_value_free(directives[i].kind, (char *)o + directives[i].offset);
}

void options_help(struct buf *out)
{
	buf_printf(out,
		   "usage: conclave-server [file] [--directive value ...]\n"
		   "       conclave-server --help | --version\n\n"
		   "Directives stand in the file without the dashes, and in the environment as\n"
		   "CONCLAVE_PEER_PORT; the command line is stronger than the file, the file is\n"
		   "stronger than the environment.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
		const struct directive *d = &directives[i];

		buf_printf(out, "  --%-20s %s", d->name, d->help);
		if (d->value)
			buf_printf(out, " [%s]", d->value);
		buf_printf(out, "\n");
	}
}
