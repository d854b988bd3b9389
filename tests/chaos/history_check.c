/*
 * Checks a recorded history for linearizability, key by key.
 *
 *	conclave-history-check FILE
 *
 * A line is an operation: KEY CLIENT KIND CALL OUTCOME RETURN EXPECTED VALUE RESULT. KIND is write,
 * read, cas, incr or delete (checker/history.h says what they mean); OUTCOME is done, open, applied
 *or refused; all else are numbers, - stands for no value, and what does not matter may be anything.
 * It says what no order explains, and ends with 0 if there is nothing of that, with 1 if there is,
 * with 2 if the file cannot be read. A key whose search takes too long is named; that is no error.
 */

#include "base/compiler.h"
#include "checker/linearize.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_PER_KEY ((uint64_t)5 * LINEARIZE_STEPS)

enum word { KEY, CLIENT, KIND, CALL, OUTCOME, RETURN, EXPECTED, VALUE, RESULT, WORDS };

/* One line, as words. */
struct line {
	char *words[WORDS];
};

static uint64_t number(const struct line *l, enum word word)
{
	return strcmp(l->words[word], "-") == 0 ? HISTORY_NONE : strtoull(l->words[word], NULL, 10);
}

static bool line_parse(char *text, struct line *l)
{
	for (size_t i = 0; i < WORDS; i++) {
		size_t len = strcspn(text, " \n");

		if (len == 0)
			return false;
		l->words[i] = text;
		text += len;
		if (*text)
			*text++ = '\0';
	}
	return *text == '\0';
}

static bool kind_of(const char *word, enum history_kind *kind)
{
	static const struct {
		const char *word;
		enum history_kind kind;
	} kinds[] = {
		{"write", HISTORY_WRITE}, {"read", HISTORY_READ},     {"cas", HISTORY_CAS},
		{"incr", HISTORY_INCR},	  {"delete", HISTORY_DELETE},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(word, kinds[i].word) == 0) {
			*kind = kinds[i].kind;
			return true;
		}
	return false;
}

static bool line_add(const struct line *l, struct history *h)
{
	const char *outcome = l->words[OUTCOME];
	uint64_t call = number(l, CALL), ret = number(l, RETURN), key = number(l, KEY);
	uint32_t client = (uint32_t)number(l, CLIENT);
	enum history_kind kind;
	size_t op;

	if (!kind_of(l->words[KIND], &kind))
		return false;
	if (kind == HISTORY_CAS)
		op = history_call_cas(h, call, client, key, number(l, EXPECTED), number(l, VALUE));
	else
		op = history_call(h, call, client, key, kind,
				  kind == HISTORY_WRITE ? number(l, VALUE) : 0);
	if (strcmp(outcome, "done") == 0)
		history_return(h, ret, op, kind == HISTORY_WRITE ? 0 : number(l, RESULT));
	else if (strcmp(outcome, "applied") == 0)
		history_return_applied(h, ret, op);
	else if (strcmp(outcome, "refused") == 0)
		history_return_refused(h, ret, op);
	else
		return strcmp(outcome, "open") == 0;
	return true;
}

static bool read_history(FILE *f, struct history *h)
{
	char text[256];

	for (size_t at = 1; fgets(text, sizeof(text), f); at++) {
		struct line l;

		if (!line_parse(text, &l) || !line_add(&l, h)) {
			fprintf(stderr, "line %zu cannot be read\n", at);
			return false;
		}
	}
	return true;
}

static int check(const struct history *h)
{
	struct buf report = {0};
	struct linearize_result r = linearize_check(h, STEPS_PER_KEY, &report);
	struct slice text = buf_slice(&report);

	fwrite(text.data, 1, text.len, stdout);
	printf("%s: %zu operations, %" PRIu64 " steps\n", linearize_verdict_name(r.verdict), h->len,
	       r.steps);
	buf_free(&report);
	return r.verdict == LINEARIZE_FAIL || r.verdict == LINEARIZE_ABORTED_READ;
}

int main(int argc, char **argv)
{
	struct history h = {0};
	FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
	int rc = 2;

	if (!f) {
		fprintf(stderr, "usage: conclave-history-check FILE (that can be read)\n");
		return 2;
	}
	if (read_history(f, &h))
		rc = check(&h);
	history_free(&h);
	fclose(f);
	return rc;
}
