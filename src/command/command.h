#ifndef CONCLAVE_COMMAND_COMMAND_H
#define CONCLAVE_COMMAND_COMMAND_H

/*
 * The one table of commands: what each is called, what it takes, what becomes of it, and who runs
 * it. Rows stand in the files that implement them; everything that asks about commands asks here.
 *
 * A handler parses all its arguments before it acts, reads and changes through a txn and nothing
 * else, and writes its reply at the end. It runs on the loop or, over a view, in the pool; it may
 * be undone and run again, when a row had to be fetched first. So it keeps no state of its own and
 * asks for nothing that differs between members: the time is the txn's.
 */

#include "resp/writer.h"
#include "storage/txn.h"

/* What becomes of a command. There is no default. */
enum command_class {
	COMMAND_LOCAL =
		1,	  /* about the connection or the member: answered at once, without quorum */
	COMMAND_READ = 2, /* reads the state: behind a barrier, on this member */
	COMMAND_WRITE = 3, /* changes the state: through the log */
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
};

struct call;

struct command {
	const char *name; /* upper case */
	int arity;	  /* with the name; negative: at least so many */
	enum command_class class;
	uint32_t flags;
	int first_key; /* 0: none */
	int last_key;  /* negative: counted from the end */
	int key_step;
	/*
	 * OK, when a reply was written, an error to the client too. ERR_MISSING: to be undone and
	 * run again. Other errors: the state cannot be read. NULL: whoever owns the connection
	 * answers (LOCAL).
	 */
	int (*run)(struct call *c);
};

/* One command to be run. */
struct call {
	const struct command *command;
	const struct slice *argv;
	size_t argc;
	unsigned database;
	struct txn *txn;
	struct resp_writer *reply;
};

/* The command of this name, in any case; NULL: none. */
const struct command *command_find(struct slice name);

/* The table in order of names, for COMMAND and docs. */
const struct command *command_at(size_t i);
size_t command_count(void);

/* Whether so many arguments, with the name, are right for it. */
bool command_takes(const struct command *c, size_t argc);

/* The key arguments of a call, one after the other: begin with `at` 0; 0: no more. */
size_t command_next_key(const struct command *c, size_t argc, size_t at);

#endif
