#include "server/options.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "consensus/label.h"
#include "resp/inline.h"
#include "server/directive.h"
#include "server/options_file.h"

#include <ctype.h>
#include <string.h>

#define ENVIRONMENT_PREFIX "CONCLAVE_"
#define PEER_PORT_DISTANCE 10000

static void set_defaults(struct options *o)
{
	const struct directive *d;

	for (size_t i = 0; (d = directive_at(i)) != NULL; i++) {
		CHECK(i < DIRECTIVES_MAX);
		CHECK(!d->value || directive_set_text(d, o, slice_of_text(d->value)) == OK);
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

static int read_variable(struct options *o, const struct directive *d, const char *value,
			 struct buf *problem)
{
	struct resp_args args = {0};
	struct buf line = {0};
	int rc;

	buf_append_slice(&line, slice_of_text(value));
	rc = options_file_split(line.data, line.len, &args, problem);
	if (rc == OK)
		rc = options_give(o, d, resp_args_resolve(&args, line.data), args.len, problem);
	resp_args_free(&args);
	buf_free(&line);
	return rc;
}

static int read_environment(struct options *o, char *const *environment, struct buf *problem)
{
	const size_t prefix = strlen(ENVIRONMENT_PREFIX);

	const struct directive *d;

	for (; *environment; environment++) {
		const char *entry = *environment, *equal = strchr(entry, '=');

		if (!equal || strncmp(entry, ENVIRONMENT_PREFIX, prefix) != 0)
			continue;
		for (size_t i = 0; (d = directive_at(i)) != NULL; i++) {
			if (!variable_is(entry + prefix, (size_t)(equal - entry) - prefix, d->name))
				continue;
			buf_clear(problem);
			buf_printf(problem, "environment, %.*s: ", (int)(equal - entry), entry);
			if (read_variable(o, d, equal + 1, problem) != OK)
				return ERR_INVALID;
		}
	}
	return OK;
}

/* ---- command line ---------------------------------------------------------------------------- */

/*
 * A word of the command line alone: in a file it would forget the members of the next cluster with
 * the next start.
 */
#define FORCE_NEW_CLUSTER "--force-new-cluster"

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
		rc = options_give(o, d, words, count, problem);
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
		if (strcmp(argv[i], FORCE_NEW_CLUSTER) == 0 && next == i + 1) {
			o->alone = true;
			continue;
		}
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

/* NULL: that is nowhere others could go to. */
static char *address_text(const char *host, uint16_t port)
{
	struct buf text = {0};

	host += host[0] == '-'; /* bind: it may be missing */
	if (is_any_address(host))
		return NULL;
	label_put_address(slice_of_text(host), port, &text);
	buf_append_byte(&text, '\0');
	return (char *)text.data;
}

/* Where others reach this member, if nobody has said so. */
static void find_announce_peer(struct options *o)
{
	const char *host = o->bind.words[0];
	uint16_t port = (uint16_t)o->peer_port;

	if (o->announce_peer)
		return;
	for (size_t i = 0; i < o->initial_cluster.count; i++) {
		if (strcmp(o->initial_cluster.list[i].name, o->name) != 0)
			continue;
		host = o->initial_cluster.list[i].host;
		port = o->initial_cluster.list[i].port;
	}
	o->announce_peer = address_text(host, port);
}

static void find_announce_client(struct options *o)
{
	if (!o->announce_client)
		o->announce_client = address_text(o->bind.words[0], (uint16_t)o->port);
}

void options_put_address(const struct options *o, struct buf *out)
{
	if (o->announce_peer)
		buf_printf(out, "%s%s%s", o->announce_peer, o->announce_client ? "/" : "",
			   o->announce_client ? o->announce_client : "");
}

static bool is_address(const char *text)
{
	struct slice host;
	uint16_t port;

	return label_address(slice_of_text(text), &host, &port) == OK;
}

/* The first that stands where one before it does, or NULL: a copied line that was not changed. */
static const struct options_member *stands_twice(const struct options_members *all)
{
	for (size_t i = 1; i < all->count; i++)
		for (size_t j = 0; j < i; j++)
			if (all->list[i].port == all->list[j].port &&
			    strcmp(all->list[i].host, all->list[j].host) == 0)
				return &all->list[i];
	return NULL;
}

/* Who this member is, and whom it is to meet. */
static void check_cluster(const struct options *o, struct buf *problem)
{
	const struct options_member *twice = stands_twice(&o->initial_cluster);
	struct buf label = {0}, address = {0};

	options_put_address(o, &address);
	label_put(slice_of_text(o->name), buf_slice(&address), &label);
	buf_free(&address);
	if (o->announce_peer && !is_address(o->announce_peer))
		buf_printf(problem, "announce-peer: '%s' is no host:port", o->announce_peer);
	else if (o->announce_client && !is_address(o->announce_client))
		buf_printf(problem, "announce-client: '%s' is no host:port", o->announce_client);
	else if (strchr(o->name, '=') || label_check(buf_slice(&label)) != OK)
		buf_printf(problem,
			   "name: it is made of printable characters without =, and has "
			   "with its address at most %d bytes",
			   MEMBER_LABEL_MAX - 1);
	else if (twice)
		buf_printf(problem,
			   "initial-cluster: '%s' stands at %s:%u, where another one stands; each "
			   "has an address of its own",
			   twice->name, twice->host, (unsigned)twice->port);
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

/* What follows from other directives, where nobody has said it. */
static int find_others(struct options *o, struct buf *problem)
{
	struct buf dir = {0};

	if (o->peer_port == 0 && o->port > UINT16_MAX - PEER_PORT_DISTANCE) {
		buf_clear(problem);
		buf_printf(problem, "peer-port: port + 10000 is no port; give --peer-port");
		return ERR_INVALID;
	}
	if (o->peer_port == 0)
		o->peer_port = o->port + PEER_PORT_DISTANCE;
	find_announce_peer(o);
	find_announce_client(o);
	if (!o->log_dir) {
		buf_printf(&dir, "%s/log%c", o->dir, '\0');
		o->log_dir = (char *)dir.data;
	}
	return OK;
}

int options_check(const struct options *o, struct buf *problem)
{
	buf_clear(problem);
	if (strlen(o->name) > MEMBER_LABEL_MAX)
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
	else if (o->peer_port == o->port)
		buf_printf(problem,
			   "peer-port: members and clients cannot share port %u; give "
			   "another --peer-port",
			   (unsigned)o->port);
	else if (o->log_segment_bytes % 4096 != 0)
		buf_printf(problem, "log-segment-bytes: it has to be a multiple of 4kb");
	else if (o->alone && o->join)
		buf_printf(problem,
			   "--force-new-cluster lets a member go on alone, and join lets it come "
			   "to others: give one of them");
	else
		check_cluster(o, problem);
	return problem->len ? ERR_INVALID : OK;
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
		else if (strcmp(argv[i], "--print-conf") == 0)
			o->task = OPTIONS_CONF;
		if (o->task != OPTIONS_RUN)
			return OK;
	}
	set_defaults(o);
	rc = read_environment(o, environment, problem);
	if (rc == OK && argc > 0 && !is_directive(argv[0])) {
		rc = options_file_read(o, argv[0], problem);
		argc--;
		argv++;
	}
	if (rc == OK)
		rc = read_arguments(o, argc, argv, problem);
	if (rc == OK)
		rc = find_others(o, problem);
	if (rc == OK)
		rc = options_check(o, problem);
	return rc;
}

void options_free(struct options *o)
{
	const struct directive *d;

	for (size_t i = 0; (d = directive_at(i)) != NULL; i++)
		directive_clear(d, o);
	mem_free(o->file);
	o->file = NULL;
}

void options_copy(struct options *to, const struct options *from)
{
	const struct directive *d;

	*to = *from;
	for (size_t i = 0; (d = directive_at(i)) != NULL; i++)
		directive_copy(d, to, from);
	to->file = NULL;
	options_value_copy(OPTION_TEXT, &to->file, &from->file);
}
