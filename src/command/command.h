#ifndef CONCLAVE_COMMAND_COMMAND_H
#define CONCLAVE_COMMAND_COMMAND_H

/*
 * The one table of commands: what each is called, what it takes, what becomes of it, and who runs
 * it. Rows stand in the files that implement them; everything that asks about commands asks here.
 *
 * A handler parses all its arguments before it acts, reads and changes through a txn and nothing
 * else, and writes its reply at the end. It runs on the loop or, over a view, in the pool; it may
 * be undone and run again, when a row had to be fetched first. So it keeps no state of its own and
 * asks for nothing that differs between members: the time is the txn's. Handlers of LOCAL commands
 * have no txn; they read and change the session's struct client, and ask the member and the process
 * around it (command/desk.h, command/host.h). Those of CLUSTER commands write no
 * reply unless they refuse: they say what is to be asked of the leader (command/cluster.h).
 */

#include "command/client.h"
#include "resp/writer.h"
#include "storage/txn.h"

/* What becomes of a command. There is no default. */
enum command_class {
	COMMAND_LOCAL =
		1,	  /* about the connection or the member: answered at once, without quorum */
	COMMAND_READ = 2, /* reads the state: behind a barrier, on this member */
	COMMAND_WRITE = 3,   /* changes the state: through the log */
	COMMAND_CLUSTER = 4, /* changes who takes part: by whoever leads, beside the state */
};

/* As COMMAND INFO names them. */
enum command_flag {
	COMMAND_FLAG_WRITE = 1 << 0,
	COMMAND_FLAG_READONLY = 1 << 1,
	COMMAND_FLAG_DENYOOM = 1 << 2, /* may make the state grow */
	COMMAND_FLAG_FAST = 1 << 3,
	COMMAND_FLAG_LOADING = 1 << 4,
	COMMAND_FLAG_STALE = 1 << 5,
	COMMAND_FLAG_ADMIN = 1 << 6,
	COMMAND_FLAG_NOSCRIPT = 1 << 7,
	COMMAND_FLAG_NO_AUTH = 1 << 8,
	COMMAND_FLAG_ALLOW_BUSY = 1 << 9,    /* also while a script runs */
	COMMAND_FLAG_SKIP_SLOWLOG = 1 << 10, /* its parts are noted, not the whole */
	COMMAND_FLAG_MOVABLE_KEYS = 1 << 11, /* no row can say where they stand */
	COMMAND_FLAG_NO_MULTI = 1 << 12,     /* not within a transaction */
	COMMAND_FLAG_SKIP_MONITOR = 1 << 13, /* MONITOR does not show it */
};

/* What becomes of a key, as the key specifications of COMMAND INFO name it. */
enum command_key_use {
	KEY_RO = 1 << 0,     /* the value is not changed */
	KEY_RW = 1 << 1,     /* it is changed, and what it was matters */
	KEY_OW = 1 << 2,     /* it is replaced, whatever it was */
	KEY_RM = 1 << 3,     /* the key is deleted */
	KEY_ACCESS = 1 << 4, /* what it holds is told, or copied */
	KEY_UPDATE = 1 << 5,
	KEY_INSERT = 1 << 6,
	KEY_DELETE = 1 << 7,
	KEY_VARIABLE = 1 << 8, /* it depends on the other arguments */
};

/* Categories of commands beyond those that follow from flags and group, see command_categories. */
enum command_category {
	CATEGORY_KEYSPACE = 1 << 0,
	CATEGORY_READ = 1 << 1,
	CATEGORY_WRITE = 1 << 2,
	CATEGORY_HASH = 1 << 3,
	CATEGORY_STRING = 1 << 4,
	CATEGORY_BITMAP = 1 << 5,
	CATEGORY_ADMIN = 1 << 6,
	CATEGORY_FAST = 1 << 7,
	CATEGORY_SLOW = 1 << 8,
	CATEGORY_DANGEROUS = 1 << 9,
	CATEGORY_CONNECTION = 1 << 10,
	CATEGORY_TRANSACTION = 1 << 11,
};

/* As COMMAND DOCS names them. */
enum command_group {
	GROUP_STRING = 1,
	GROUP_BITMAP,
	GROUP_HASH,
	GROUP_GENERIC,
	GROUP_HISTORY,
	GROUP_TRANSACTIONS,
	GROUP_CONNECTION,
	GROUP_SERVER,
	GROUP_CLUSTER,
};

/* What is said of a command to those who use it. */
struct command_doc {
	enum command_group group;
	const char *since; /* of Redis; of Conclave, if Redis has it not */
	const char *complexity;
	const char *syntax;  /* behind the name, see command/syntax.h; empty: no arguments */
	const char *summary; /* a sentence without its point */
	const char *tips;    /* as COMMAND INFO has them, a blank between; NULL: none */
	const char *differs; /* from Redis 7.0, and why; NULL: in nothing */
	bool of_member;	     /* its reply differs between members; that of LOCAL ones does anyway */
};

/* Commands that the session itself has a part in, beside or instead of a handler. */
enum command_role {
	ROLE_ORDINARY = 0,
	ROLE_MULTI,
	ROLE_EXEC,
	ROLE_DISCARD,
	ROLE_WATCH,
	ROLE_UNWATCH,
	ROLE_RESET,
	ROLE_QUIT,
	ROLE_REPLY,   /* says which replies the client wants, this one too */
	ROLE_UNPAUSE, /* runs however much is held */
	ROLE_DEBUG,   /* is refused to whom the member does not trust with it */
};

struct call;
struct command_family;
struct command_host;
struct desk;

struct command {
	const char *name; /* upper case; of a subcommand "CLIENT|ID" */
	int arity;	  /* with the name; negative: at least so many */
	enum command_class class;
	uint32_t flags;
	int first_key; /* 0: none */
	int last_key;  /* negative: counted from the end */
	int key_step;
	uint32_t key_use;   /* of its keys, or of the first one alone */
	uint32_t later_use; /* of the keys behind the first; 0: that of all */
	/* With KEY_VARIABLE: what becomes of the keys in this call. Else NULL. */
	uint32_t (*key_use_in)(const struct slice *argv, size_t argc);
	/*
	 * The argument where another command begins, whose keys are this one's; 0: the arguments
	 * are wrong. NULL: there is none.
	 */
	size_t (*inner)(const struct slice *argv, size_t argc);
	uint32_t categories; /* beside those that follow from the rest */
	/*
	 * OK, when a reply was written. CALL_REFUSED: the reply is an error, and nothing was
	 * changed. ERR_MISSING: to be undone and run again. Other errors: the state cannot be read.
	 * NULL: the session answers by the role, or by subcommands alone.
	 */
	int (*run)(struct call *c);
	enum command_role role;
	const struct command_family *subcommands; /* NULL: none */
	struct command_doc doc;
};

/* An error was written as the reply, and nothing was changed. */
#define CALL_REFUSED (-1)

struct scan_page;
struct cluster_request;
struct cluster_view;
struct command_host;
struct transaction_local;

/* One command to be run. */
struct call {
	const struct command *command;
	const struct slice *argv;
	size_t argc;
	unsigned database;
	struct txn *txn; /* NULL: a LOCAL or CLUSTER command */
	struct resp_writer *reply;
	struct client *client;		    /* LOCAL commands only, else NULL */
	const struct cluster_view *members; /* LOCAL commands only; NULL within a transaction */
	const struct desk *desk;	    /* LOCAL commands only */
	const struct command_host *host;    /* LOCAL commands only; NULL: there is no process */
	struct cluster_request *cluster;    /* CLUSTER commands: takes what is to be asked */
	struct buf *watches;		    /* takes what WATCH noted; NULL for all others */
	struct scan_page *page;		    /* of SCAN, see command/scan_names.h; may be NULL */
	struct transaction_local *local;    /* of EXEC, see command/transaction.h; may be NULL */
	uint64_t changed_at; /* the revision of this connection's last change; 0: there was none */
	size_t element;	     /* its place in an EXEC; else 0 */
	bool no_space;	     /* what may make the state grow is refused (COMMAND_FLAG_DENYOOM) */
	bool refused;	     /* set: the reply is an error, and nothing was changed */
};

/* Runs it: OK, with a reply written, or an error as `run` says, with none that counts. */
MUST_USE int command_run(struct call *c);

/* The command of this name, in any case; NULL: none. Subcommands are not looked at. */
const struct command *command_find(struct slice name);

/*
 * The row for a request: that of the subcommand where there are such. NULL: there is none; then
 * *parent is the command whose subcommand is not known, or NULL.
 */
const struct command *command_lookup(const struct slice *argv, size_t argc,
				     const struct command **parent);

/* The row of this name as replies have it: also that of a subcommand, "client|id". NULL: none. */
const struct command *command_named(struct slice name);

/* The table, families one after the other, for COMMAND and docs. Without subcommands. */
const struct command *command_at(size_t i);
size_t command_count(void);

/* The subcommands of one; NULL behind the last. */
const struct command *command_subcommand_at(const struct command *c, size_t i);

/* What HELP says of its subcommands, in lines, without HELP itself; NULL: it has no HELP. */
const char *command_help(const struct command *parent);

/* All its categories: of enum command_category. */
uint32_t command_categories(const struct command *c);

/* The group as COMMAND DOCS names it. */
const char *command_group_name(enum command_group group);

/* Whether so many arguments, with the name, are right for it. */
bool command_takes(const struct command *c, size_t argc);

/* The name as replies have it: in lower case. Appends. */
void command_append_name(const struct command *c, struct buf *out);

/* The key arguments of a call, one after the other: begin with `at` 0; 0: no more. */
size_t command_next_key(const struct command *c, size_t argc, size_t at);

#endif
