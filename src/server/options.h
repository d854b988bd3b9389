#ifndef CONCLAVE_SERVER_OPTIONS_H
#define CONCLAVE_SERVER_OPTIONS_H

/*
 * What the process is told at its start. Each directive stands once, in the table of directive.c:
 * name, kind, default, bounds, help. It may be given, from the weakest to the strongest, as
 *
 *	CONCLAVE_PEER_PORT=7001             in the environment
 *	peer-port 7001                      on a line of the file; # begins a comment line
 *	--peer-port 7001                    on the command line
 *
 * and what is given later replaces what was given before, all of it; only a file gives a directive
 * once. Words on a line of the file and in the environment are quoted as in Redis' file
 * (resp/inline.h). Variables that name no directive are left alone: they may be somebody else's.
 */

#include "base/bytes.h"
#include "base/logging.h"

/* One of the initial members: `name=host:port`. */
struct options_member {
	char *name;
	char *host;
	uint16_t port; /* of other members, not of clients */
};

struct options_words {
	char **words;
	size_t count;
};

struct options_members {
	struct options_member *list;
	size_t count;
};

/* What may wait to be taken by one connection. */
struct output_limit {
	uint64_t hard; /* bytes; 0: no limit */
	uint64_t soft; /* bytes, for no longer than so many seconds; 0: no limit */
	uint64_t soft_s;
};

enum output_class {
	OUTPUT_NORMAL,
	OUTPUT_REPLICA, /* connections to other members */
	OUTPUT_PUBSUB,
	OUTPUT_CLASSES,
};

struct options_limits {
	struct output_limit classes[OUTPUT_CLASSES];
};

enum options_task {
	OPTIONS_RUN,
	OPTIONS_HELP,	 /* print options_put_help */
	OPTIONS_CONF,	 /* print options_put_conf */
	OPTIONS_VERSION, /* print the version */
};

/* There are fewer directives than that. */
#define DIRECTIVES_MAX 128

struct options {
	enum options_task task;
	bool alone;		    /* --force-new-cluster was said */
	char *file;		    /* they were read from; NULL: none */
	bool given[DIRECTIVES_MAX]; /* by place in the table: somewhere it was said */

	char *name;
	struct options_words bind;
	uint64_t port;
	uint64_t peer_port;
	char *dir;
	char *log_dir;

	struct options_members initial_cluster; /* empty: a cluster of one */
	char *join;		/* host:port of any member of the cluster to join; NULL: none */
	char *announce_peer;	/* host:port where others reach this member; NULL: not known */
	char *announce_client;	/* the same for clients */
	uint64_t announce_role; /* 1: the leader alone is called master */
	uint64_t auto_promote;	/* who joins gets a vote by itself */
	char *cluster_token;
	uint64_t heartbeat_interval_ms;
	uint64_t election_timeout_ms;
	uint64_t request_timeout_ms;

	char *requirepass; /* NULL: none */
	uint64_t maxclients;
	uint64_t tcp_backlog;
	uint64_t enable_debug_command;	 /* enum debug_access */
	int64_t slowlog_log_slower_than; /* microseconds; -1: never */
	uint64_t slowlog_max_len;
	uint64_t tcp_keepalive_s; /* 0: none */
	uint64_t timeout_s;	  /* 0: none */
	char *unixsocket;	  /* NULL: none */
	uint64_t unixsocketperm;  /* 0: as the umask has it */
	struct options_limits output_limits;
	uint64_t max_request_bytes;
	uint64_t proto_max_bulk_len;
	uint64_t proto_inline_max_size;
	uint64_t overlay_bytes;
	uint64_t header_cache_bytes;
	uint64_t value_cache_bytes;
	uint64_t history_retention_ms;
	uint64_t history_max_bytes;
	uint64_t log_max_bytes;
	uint64_t log_segment_bytes;
	uint64_t disk_reserve;
	uint64_t quota_bytes;  /* 0: none */
	uint64_t busy_poll_us; /* 0: never */
	uint64_t check_interval_ms;
	uint64_t snapshot_bandwidth;
	uint64_t log_level; /* enum log_level */
	char *logfile;	    /* NULL: the standard error */
	char *pidfile;	    /* NULL: none */
};

/*
 * Reads all three sources; `argv` without the program's name, `environment` ends with NULL.
 * ERR_INVALID: `problem` says where, what, and what to do. The caller frees `o` in any case.
 */
MUST_USE int options_load(struct options *o, int argc, char *const *argv, char *const *environment,
			  struct buf *problem);

void options_free(struct options *o);

/* A copy of all, which the caller frees, too; `to` owns nothing. */
void options_copy(struct options *to, const struct options *from);

/*
 * What no value alone can say: whether those that have to do with each other fit. What follows
 * from others is known already.
 */
MUST_USE int options_check(const struct options *o, struct buf *problem);

/* Appends where this member is, as its label has it (consensus/label.h); nothing: it is not known.
 */
void options_put_address(const struct options *o, struct buf *out);

/* Appends the usage: a line for each directive. */
void options_put_help(struct buf *out);

/* Appends a file of directives: each of them as a comment, with its default and what it does. */
void options_put_conf(struct buf *out);

#endif
