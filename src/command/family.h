#ifndef CONCLAVE_COMMAND_FAMILY_H
#define CONCLAVE_COMMAND_FAMILY_H

/* Inside command only: the rows of each family, and what handlers have in common. */

#include "command/command.h"

struct command_family {
	const struct command *rows;
	size_t count;
};

extern const struct command_family client_family;
extern const struct command_family config_family;
extern const struct command_family connection_family;
extern const struct command_family hash_family;
extern const struct command_family hash_random_family;
extern const struct command_family history_family;
extern const struct command_family member_family;
extern const struct command_family latency_family;
extern const struct command_family memory_family;
extern const struct command_family monitor_family;
extern const struct command_family move_family;
extern const struct command_family past_family;
extern const struct command_family random_key_family;
extern const struct command_family range_family;
extern const struct command_family database_family;
extern const struct command_family expiry_family;
extern const struct command_family info_family;
extern const struct command_family introspection_family;
extern const struct command_family key_family;
extern const struct command_family object_family;
extern const struct command_family scan_family;
extern const struct command_family server_family;
extern const struct command_family slowlog_family;
extern const struct command_family string_family;
extern const struct command_family string_bit_family;
extern const struct command_family string_bitfield_family;
extern const struct command_family string_lcs_family;
extern const struct command_family string_many_family;
extern const struct command_family string_number_family;
extern const struct command_family string_part_family;
extern const struct command_family transaction_family;

/* What clients take for the age of the server: Redis commands up to this version stand. */
#define REDIS_VERSION "7.2.4"

#define COMMAND_FAMILY(table)                                              \
	{                                                                  \
		.rows = (table), .count = sizeof(table) / sizeof(*(table)) \
	}

/*
 * A row of a command without keys, and one of a command with them. Behind the handler stand the
 * fields that only some rows have, and COMMAND_DOC.
 */
#define COMMAND_ROW(name_, arity_, class_, flags_, run_, ...)                             \
	{                                                                                 \
		.name = (name_), .arity = (arity_), .class = (class_), .flags = (flags_), \
		.run = (run_), __VA_ARGS__                                                \
	}
#define COMMAND_KEY_ROW(name_, arity_, class_, flags_, first_, last_, step_, run_, ...)         \
	{                                                                                       \
		.name = (name_), .arity = (arity_), .class = (class_), .flags = (flags_),       \
		.first_key = (first_), .last_key = (last_), .key_step = (step_), .run = (run_), \
		__VA_ARGS__                                                                     \
	}

/* What is said of a command: see struct command_doc. `tips` and `differs` may follow. */
#define COMMAND_DOC(group_, since_, complexity_, syntax_, summary_, ...) \
	.doc = {.group = (group_),                                       \
		.since = (since_),                                       \
		.complexity = (complexity_),                             \
		.syntax = (syntax_),                                     \
		.summary = (summary_),                                   \
		__VA_ARGS__}

/* ---- arguments ------------------------------------------------------------------------------- */

/* Whether the argument is this word, in any case. */
bool argument_is(struct slice argument, const char *word);

/* The argument as a number; CALL_REFUSED if it is none. */
MUST_USE int call_integer(struct call *c, size_t at, int64_t *value);

/* A timeout in milliseconds, not negative. */
MUST_USE int call_timeout_ms(struct call *c, struct slice text, int64_t *ms);

/* A word that may follow the fixed arguments, in a table of at most OPTIONS_MAX. */
struct option {
	const char *word;
	uint32_t flag;
	uint32_t excludes; /* flags that may not stand beside it */
	bool has_value;	   /* the next argument belongs to it */
};

#define OPTIONS_MAX 16

struct options {
	uint32_t flags;
	struct slice values[OPTIONS_MAX]; /* by place in the table; of repeated ones the last */
};

/* Reads all arguments from `from` on as options. CALL_REFUSED: a syntax error. */
MUST_USE int call_options(struct call *c, size_t from, const struct option *table, size_t count,
			  struct options *out);

/* ---- replies --------------------------------------------------------------------------------- */

int reply_ok(struct call *c);
int reply_integer(struct call *c, int64_t value);

/* The handler of HELP, under any command with subcommands: its lines stand in help.c. */
int reply_help(struct call *c);

/* All of these write an error and return CALL_REFUSED. */
int reply_error(struct call *c, const char *text); /* from the code on: "ERR ..." */
int reply_wrong_type(struct call *c);
int reply_syntax(struct call *c);
int reply_not_integer(struct call *c);
int reply_wrong_arity(struct call *c);
int reply_wrong_form(struct call *c); /* a subcommand with arguments of no form that it has */

/* What is said of a command that may make the state grow while a member is short of space. */
#define NO_SPACE_TEXT                                                                        \
	"OOM command not allowed: a member is short of disk space; delete keys, or give it " \
	"more room (disk-reserve, quota-bytes)"

/* "ERR <before><name of the command><behind>" */
int reply_error_named(struct call *c, const char *before, const char *behind);

/* ---- records --------------------------------------------------------------------------------- */

/*
 * The record under argument `at`. OK: it is there, or `r->type` is RECORD_NONE. Any other result is
 * to be returned as it is.
 */
MUST_USE int call_record(struct call *c, size_t at, struct record *r);

/*
 * The same for a key that is to hold a string, with its value; CALL_REFUSED if it holds something
 * else. Where there is no key the value is empty.
 */
MUST_USE int call_string(struct call *c, size_t at, struct record *r, struct slice *value);

/* The same without the value, which may have to be fetched. */
MUST_USE int call_string_record(struct call *c, size_t at, struct record *r);

/* The record under argument 1, which is to be a hash or nothing, as call_record. */
MUST_USE int call_hash(struct call *c, struct record *r);

/* How a value is kept, in the words of OBJECT ENCODING. */
MUST_USE int call_encoding(struct call *c, const struct record *r, const char **encoding);

/* Seconds since the last change of a key: what reads it is no part of the state. */
MUST_USE int call_idle_s(struct call *c, const struct record *r, uint64_t *idle_s);

/*
 * What the rows of argument `at` take as they are now, without its past; of many elements some are
 * looked at, and taken for all.
 */
MUST_USE int call_record_bytes(struct call *c, size_t at, const struct record *r, uint64_t *bytes);

/* Beyond this no string may grow: it is one request's worth. */
#define STRING_BYTES_MAX ((uint64_t)16 << 20)

/* A string of so many bytes may be made; CALL_REFUSED if not. `bytes` may be beyond all bounds. */
MUST_USE int call_string_fits(struct call *c, uint64_t bytes);

/* The key under argument `at` is gone; `r` is its record, which is there. */
void call_delete(struct call *c, size_t at, const struct record *r);

/* The key holds another string, and the deadline it had. */
void call_replace_string(struct call *c, size_t at, const struct record *old, struct slice value);

/* ---- clients --------------------------------------------------------------------------------- */

/* CALL_REFUSED: a name that would break the lines of a list of clients. */
MUST_USE int client_name_allowed(struct call *c, struct slice name);

/* ---- conditions on a record ------------------------------------------------------------------ */

/* IFREV: main or main-sub; main 0: the key is to be absent. */
struct revision_condition {
	struct revision at;
	bool whole; /* main-sub */
};

MUST_USE bool revision_condition_parse(struct slice text, struct revision_condition *out);
bool revision_condition_holds(const struct revision_condition *condition, const struct record *r);

/* ---- long reads and draws -------------------------------------------------------------------- */

/*
 * Whether the call runs on the loop and had better run in the pool, since it looks at so much: then
 * ERR_MISSING is the answer. What is applied has no choice.
 */
bool call_is_long(const struct call *c, uint64_t count);

/* Seeds what a read draws; in a transaction it is the same wherever and however often it runs. */
uint64_t call_random_seed(const struct call *c);

/* ---- time ------------------------------------------------------------------------------------ */

enum time_unit {
	TIME_SECONDS = 1000,
	TIME_MILLISECONDS = 1,
};

/*
 * A deadline that has to lie behind zero, as SET and GETEX take it: `text` from now on, or since
 * 1970. CALL_REFUSED: no number, or none that is possible.
 */
MUST_USE int call_deadline(struct call *c, struct slice text, enum time_unit unit, bool absolute,
			   uint64_t *deadline_ms);

#endif
