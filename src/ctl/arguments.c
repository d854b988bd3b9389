#include "ctl/arguments.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 9
#define PORT_MAX  UINT16_MAX

enum argument_kind { KIND_FLAG, KIND_TEXT, KIND_NUMBER };

static const struct argument_row {
	const char *name;
	enum argument_option option;
	enum argument_kind kind;
	size_t offset;
	uint64_t max; /* of a number; the least is 1 */
} rows[] = {
	{"host", ARGUMENT_HOST, KIND_TEXT, offsetof(struct arguments, host), 0},
	{"port", ARGUMENT_PORT, KIND_NUMBER, offsetof(struct arguments, port), PORT_MAX},
	{"user", ARGUMENT_USER, KIND_TEXT, offsetof(struct arguments, user), 0},
	{"password", ARGUMENT_PASSWORD, KIND_TEXT, offsetof(struct arguments, password), 0},
	{"json", ARGUMENT_JSON, KIND_FLAG, 0, 0},
	{"nodes", ARGUMENT_NODES, KIND_NUMBER, offsetof(struct arguments, nodes), NODES_MAX},
	{"dir", ARGUMENT_DIR, KIND_TEXT, offsetof(struct arguments, dir), 0},
	{"server", ARGUMENT_SERVER, KIND_TEXT, offsetof(struct arguments, server), 0},
	{"help", ARGUMENT_HELP, KIND_FLAG, 0, 0},
};

static const struct argument_row *row_find(const char *argument)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(argument + 2, rows[i].name) == 0)
			return &rows[i];
	return NULL;
}

static int row_set(const struct argument_row *row, struct arguments *a, const char *text,
		   struct buf *problem)
{
	void *field = (char *)a + row->offset;
	char *end;
	uint64_t value;

	if (row->kind == KIND_TEXT) {
		*(const char **)field = text;
		return OK;
	}
	value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < 1 || value > row->max) {
		buf_printf(problem, "--%s takes a number from 1 to %" PRIu64 ", not '%s'",
			   row->name, row->max, text);
		return ERR_INVALID;
	}
	*(uint64_t *)field = value;
	return OK;
}

/* The option at argv[*i], and its value behind it. */
static int option_read(struct arguments *a, int argc, const char *const *argv, int *i,
		       struct buf *problem)
{
	const struct argument_row *row = row_find(argv[*i]);

	if (!row) {
		buf_printf(problem, "unknown option: %s", argv[*i]);
		return ERR_INVALID;
	}
	a->given |= row->option;
	if (row->kind == KIND_FLAG)
		return OK;
	if (++*i == argc) {
		buf_printf(problem, "--%s needs a value", row->name);
		return ERR_INVALID;
	}
	return row_set(row, a, argv[*i], problem);
}

int arguments_read(struct arguments *a, int argc, const char *const *argv, char *const *environment,
		   struct buf *problem)
{
	*a = (struct arguments){.host = "127.0.0.1", .nodes = 3, .environment = environment};
	a->password = arguments_environment(a, "CONCLAVE_PASSWORD");
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0) {
			if (option_read(a, argc, argv, &i, problem) != OK)
				return ERR_INVALID;
		} else if (a->word_count == ARGUMENTS_WORDS_MAX) {
			buf_printf(problem, "more words than any command takes: %s", argv[i]);
			return ERR_INVALID;
		} else {
			a->words[a->word_count++] = argv[i];
		}
	}
	return OK;
}

const char *arguments_environment(const struct arguments *a, const char *name)
{
	size_t len = strlen(name);

	for (char *const *line = a->environment; *line; line++)
		if (strncmp(*line, name, len) == 0 && (*line)[len] == '=')
			return *line + len + 1;
	return NULL;
}

const char *argument_name(unsigned options)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (options & rows[i].option)
			return rows[i].name;
	return "";
}
