#ifndef CONCLAVE_COMMAND_FAMILY_H
#define CONCLAVE_COMMAND_FAMILY_H

/* Inside command only: the rows of each family, and what handlers have in common. */

#include "command/command.h"

struct command_family {
	const struct command *rows;
	size_t count;
};

extern const struct command_family connection_family;
extern const struct command_family hash_family;
extern const struct command_family history_family;
extern const struct command_family move_family;
extern const struct command_family past_family;
extern const struct command_family range_family;
extern const struct command_family string_family;

#define COMMAND_FAMILY(table)                                              \
	{                                                                  \
		.rows = (table), .count = sizeof(table) / sizeof(*(table)) \
	}

/* A row of a command without keys, and one of a command with them. */
#define COMMAND_ROW(name_, arity_, class_, flags_, run_)                                  \
	{                                                                                 \
		.name = (name_), .arity = (arity_), .class = (class_), .flags = (flags_), \
		.run = (run_)                                                             \
	}
#define COMMAND_KEY_ROW(name_, arity_, class_, flags_, first_, last_, step_, run_)             \
	{                                                                                      \
		.name = (name_), .arity = (arity_), .class = (class_), .flags = (flags_),      \
		.first_key = (first_), .last_key = (last_), .key_step = (step_), .run = (run_) \
	}

/* ---- arguments ---------------------------------------------------------------------------------
 */

/* Whether the argument is this word, in any case. */
bool argument_is(struct slice argument, const char *word);

/* ---- replies -----------------------------------------------------------------------------------
 */

int reply_ok(struct call *c);
int reply_integer(struct call *c, int64_t value);
int reply_error(struct call *c, const char *text); /* from the code on: "ERR ..." */
int reply_wrong_type(struct call *c);
int reply_syntax(struct call *c);
int reply_not_integer(struct call *c);

/* ---- records -----------------------------------------------------------------------------------
 */

/*
 * The record under argument `at`. OK: it is there, or `r->type` is RECORD_NONE. Any other result is
 * to be returned as it is.
 */
MUST_USE int call_record(struct call *c, size_t at, struct record *r);

#endif
