#include "options.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum option_kind {
	OPTION_FLAG,
	OPTION_NUMBER,
	OPTION_SECONDS,
	OPTION_TEXT,
	OPTION_WORDS,
	OPTION_PICK
};

struct option {
	const char *name;
	enum option_kind kind;
	size_t offset;
	uint64_t min; /* of numbers */
	uint64_t max;
	const char *value; /* what it takes, for people */
	const char *help;
};

#define FIELD(name)	offsetof(struct bench_options, name)
#define DAY_S		86400u
#define VALUE_BYTES_MAX (64u << 20)
#define CONNECTIONS_MAX 60000u
#define HELP_COLUMN	26

static const struct option options[] = {
	{"host", OPTION_WORDS, FIELD(hosts), 0, 0, "HOST:PORT",
	 "a server (127.0.0.1:6379); given again, connections are spread over all of them"},
	{"connections", OPTION_NUMBER, FIELD(connections), 1, CONNECTIONS_MAX, "N",
	 "connections that are used at the same time (50)"},
	{"pipeline", OPTION_NUMBER, FIELD(pipeline), 1, 100000, "N",
	 "requests sent at once; the next ones go when all are answered (1)"},
	{"threads", OPTION_NUMBER, FIELD(threads), 1, 64, "N",
	 "threads that the connections are shared among (2)"},
	{"seconds", OPTION_SECONDS, FIELD(seconds), 0, DAY_S, "S", "how long requests count (10)"},
	{"requests", OPTION_NUMBER, FIELD(requests), 1, UINT32_MAX, "N",
	 "until so many are done, instead of a time"},
	{"warmup", OPTION_SECONDS, FIELD(warmup_s), 0, DAY_S, "S",
	 "before that, requests that do not count (1)"},
	{"mix", OPTION_TEXT, FIELD(mix), 0, 0, "get=90,set=10",
	 "commands and weights (get=1,set=1); there are get set incr hset hget del ping"},
	{"command", OPTION_WORDS, FIELD(lines), 0, 0, "LINE",
	 "one more command, with {key} {number} {value} in it; 5=LINE has weight 5"},
	{"keys", OPTION_NUMBER, FIELD(keys), 1, PICKER_KEYS_MAX, "N", "keys there are (100000)"},
	{"pick", OPTION_PICK, FIELD(choice), 0, 0, "HOW",
	 "which key is next (uniform): uniform, sequential, zipf or zipf:SKEW (0.99)"},
	{"value-bytes", OPTION_NUMBER, FIELD(value_bytes), 0, VALUE_BYTES_MAX, "N",
	 "random bytes in a value (256)"},
	{"fill", OPTION_FLAG, FIELD(fill), 0, 0, "", "write every key first"},
	{"rate", OPTION_NUMBER, FIELD(rate), 1, 100000000, "N",
	 "requests/s, whether servers keep up or not; times count from when each was due"},
	{"timeout", OPTION_SECONDS, FIELD(timeout_s), 0, DAY_S, "S",
	 "who does not answer for so long is asked on another connection (10)"},
	{"protocol", OPTION_NUMBER, FIELD(protocol), 2, 3, "2|3", "version of the protocol (2)"},
	{"user", OPTION_TEXT, FIELD(user), 0, 0, "NAME", "whose password it is"},
	{"password", OPTION_TEXT, FIELD(password), 0, 0, "TEXT",
	 "better in the environment: CONCLAVE_PASSWORD"},
	{"first", OPTION_WORDS, FIELD(first), 0, 0, "LINE",
	 "what each connection says before all else, as READONLY or \"SELECT 3\""},
	{"seed", OPTION_NUMBER, FIELD(seed), 0, UINT64_MAX, "N", "of what is left to chance (1)"},
	{"every", OPTION_NUMBER, FIELD(every_s), 1, DAY_S, "S",
	 "each so many seconds a line on the standard error"},
	{"json", OPTION_FLAG, FIELD(json), 0, 0, "", "the report as one object of JSON"},
	{"help", OPTION_FLAG, FIELD(help), 0, 0, "", "this"},
};

static const char head[] =
	"usage: conclave-bench [options]\n"
	"\n"
	"Puts load on servers that speak the Redis protocol, and says how many requests\n"
	"a second they answered, how fast, and what errors there were. In brackets\n"
	"stands what holds if nothing is said.\n"
	"\n";

static const char tail[] =
	"\n"
	"Each connection waits for the answer before it asks again, so a server that\n"
	"stops for a while is asked less, and few requests see the stop. With --rate\n"
	"requests are due at fixed times, and the wait for a free connection counts.\n"
	"\n"
	"Times are of requests that were answered and not by an error, and at most 1 %\n"
	"too high. Exit codes: 0 done, 1 nothing could be measured, 2 the command line\n"
	"makes no sense.\n";

void bench_options_put_help(struct buf *out)
{
	buf_append_slice(out, slice_of_text(head));
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option *opt = &options[i];
		int used = (int)(strlen(opt->name) + strlen(opt->value)) + 5;

		buf_printf(out, "  --%s %s%*s%s\n", opt->name, opt->value,
			   MAX(HELP_COLUMN - used, 1), "", opt->help);
	}
	buf_append_slice(out, slice_of_text(tail));
}

/* ---- values ---------------------------------------------------------------------------------- */

static void words_add(struct words *w, const char *word)
{
	MEM_GROW(w->list, w->cap, w->count + 1);
	w->list[w->count++] = word;
}

static int number_set(const struct option *opt, uint64_t *field, const char *text,
		      struct buf *problem)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < opt->min ||
	    value > opt->max) {
		buf_printf(problem, "--%s takes a number from %" PRIu64 " to %" PRIu64 ", not '%s'",
			   opt->name, opt->min, opt->max, text);
		return ERR_INVALID;
	}
	*field = value;
	return OK;
}

static int seconds_set(const struct option *opt, double *field, const char *text,
		       struct buf *problem)
{
	char *end;
	double value = strtod(text, &end);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || !(value <= (double)opt->max)) {
		buf_printf(problem, "--%s takes seconds, as 10 or 0.5, not '%s'", opt->name, text);
		return ERR_INVALID;
	}
	*field = value;
	return OK;
}

static int option_set(const struct option *opt, struct bench_options *o, const char *text,
		      struct buf *problem)
{
	void *field = (char *)o + opt->offset;

	switch (opt->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return OK;
	case OPTION_NUMBER:
		return number_set(opt, field, text, problem);
	case OPTION_SECONDS:
		return seconds_set(opt, field, text, problem);
	case OPTION_TEXT:
		*(const char **)field = text;
		return OK;
	case OPTION_WORDS:
		words_add(field, text);
		return OK;
	case OPTION_PICK:
		if (picker_choice_parse(text, field) == OK)
			return OK;
		buf_printf(problem,
			   "--pick takes uniform, sequential, zipf or zipf:SKEW with a "
			   "skew up to 10, not '%s'",
			   text);
		return ERR_INVALID;
	}
	return ERR_INVALID;
}

/* ---- the command line ------------------------------------------------------------------------ */

static const struct option *option_find(const char *argument)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strncmp(argument, "--", 2) == 0 && strcmp(argument + 2, options[i].name) == 0)
			return &options[i];
	return NULL;
}

/* What no option alone can say. */
static int options_check(const struct bench_options *o, bool has_seconds, struct buf *problem)
{
	const char *text = NULL;

	if (o->requests && has_seconds)
		text = "either --seconds or --requests";
	else if (!o->requests && o->seconds <= 0)
		text = "--seconds has to be above 0";
	else if (o->timeout_s <= 0)
		text = "--timeout has to be above 0";
	else if (o->user && !o->password)
		text = "--user needs a password";
	if (text)
		buf_printf(problem, "%s", text);
	return text ? ERR_INVALID : OK;
}

int bench_options_read(struct bench_options *o, int argc, const char *const *argv,
		       const char *password, struct buf *problem)
{
	bool has_seconds = false;

	*o = (struct bench_options){.connections = 50,
				    .pipeline = 1,
				    .threads = 2,
				    .seconds = 10,
				    .warmup_s = 1,
				    .keys = 100000,
				    .value_bytes = 256,
				    .timeout_s = 10,
				    .protocol = 2,
				    .seed = 1,
				    .password = password};
	for (int i = 0; i < argc; i++) {
		const struct option *opt = option_find(argv[i]);
		const char *value = "";

		if (!opt) {
			buf_printf(problem, "there is no option '%s'; see --help", argv[i]);
			return ERR_INVALID;
		}
		if (opt->kind != OPTION_FLAG && ++i == argc) {
			buf_printf(problem, "--%s needs a value: %s", opt->name, opt->value);
			return ERR_INVALID;
		}
		if (opt->kind != OPTION_FLAG)
			value = argv[i];
		if (option_set(opt, o, value, problem) != OK)
			return ERR_INVALID;
		has_seconds = has_seconds || opt->offset == FIELD(seconds);
	}
	if (o->hosts.count == 0)
		words_add(&o->hosts, "127.0.0.1:6379");
	if (!o->mix && o->lines.count == 0)
		o->mix = "get=1,set=1";
	return options_check(o, has_seconds, problem);
}

void bench_options_free(struct bench_options *o)
{
	mem_free(o->hosts.list);
	mem_free(o->lines.list);
	mem_free(o->first.list);
}
