#ifndef CONCLAVE_CTL_ARGUMENTS_H
#define CONCLAVE_CTL_ARGUMENTS_H

/*
 * What the command line says: words that name a command and what it is about, and options, which
 * may stand anywhere between them. The table of options is in arguments.c; which of them a command
 * takes, its row says (ctl/command.h).
 */

#include "base/bytes.h"

#define ARGUMENTS_WORDS_MAX 8

enum argument_option {
	ARGUMENT_HOST = 1 << 0,
	ARGUMENT_PORT = 1 << 1,
	ARGUMENT_USER = 1 << 2,
	ARGUMENT_PASSWORD = 1 << 3,
	ARGUMENT_JSON = 1 << 4,
	ARGUMENT_NODES = 1 << 5,
	ARGUMENT_DIR = 1 << 6,
	ARGUMENT_SERVER = 1 << 7,
	ARGUMENT_HELP = 1 << 8,
};

/* What commands that speak to a member take. */
#define ARGUMENTS_REMOTE (ARGUMENT_HOST | ARGUMENT_PORT | ARGUMENT_USER | ARGUMENT_PASSWORD)

/* All text is borrowed from the command line and the environment. */
struct arguments {
	const char *words[ARGUMENTS_WORDS_MAX];
	size_t word_count;
	unsigned given; /* options, by their bits */
	const char *host;
	uint64_t port; /* 0: not said */
	const char *user;
	const char *password;
	uint64_t nodes;
	const char *dir;
	const char *server;
	char *const *environment;
};

/*
 * Reads the command line, without the program's name. ERR_INVALID: `problem` says what and why.
 * CONCLAVE_PASSWORD of the environment is the password if no option says one.
 */
MUST_USE int arguments_read(struct arguments *a, int argc, const char *const *argv,
			    char *const *environment, struct buf *problem);

/* The value of a variable of the environment; NULL: there is none. */
const char *arguments_environment(const struct arguments *a, const char *name);

/* The name of the first of these options, for people, without its dashes. */
const char *argument_name(unsigned options);

#endif
