/*
 * Commands with arguments as their rows have them, and with others, against a whole member that
 * runs alone (support/solo.h). Each request gets one reply, whole; what is refused, queued or only
 * read changes nothing; and what was answered is there when the process begins anew.
 *
 * Input: steps. A byte says what comes, and which of two clients sends it; of a command the next
 * ones say which row, how many arguments and, for each, what it is taken from: keys, numbers, the
 * row's own words, names of commands, values, or the input itself.
 */

#include "base/check.h"
#include "base/error.h"
#include "command/command.h"
#include "command/syntax.h"
#include "node/member_state.h"
#include "resp/parser.h"
#include "support/replies.h"
#include "support/solo.h"

#include <string.h>

#define ARGUMENTS_MAX 12

/* Of one input: a large one is no better than several. A restart costs as much as a hundred others.
 */
#define STEPS_MAX    100
#define RESTARTS_MAX 2

struct world {
	struct solo solo;
	const uint8_t *at;
	const uint8_t *end;
	struct session *sessions[2];
	uint64_t asked[2]; /* replies that are to come */
	unsigned restarts;
	struct buf words[ARGUMENTS_MAX];
	struct slice argv[ARGUMENTS_MAX];
	size_t argc;
};

/* What commands can change. */
struct sums {
	uint64_t revision;
	uint64_t history;
	uint64_t living;
	uint64_t horizon;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t take_byte(struct world *w)
{
	return w->at < w->end ? *w->at++ : 0;
}

/* ---- requests -------------------------------------------------------------------------------- */

static const char *const keys[] = {"a", "b", "h", "t", "", "k/1", "k/2", "long"};
static const char *const numbers[] = {
	"0",
	"1",
	"-1",
	"2",
	"10",
	"-10",
	"100",
	"9223372036854775807",
	"-9223372036854775808",
	"15",
	"1.5",
	"1000000",
	"inf",
	"3",
	"4",
	"5",
};
static const char *const values[] = {
	"",    "x",   "abc", "*",   "[a", "(b", "-", "+",
	"1-0", "0-0", "u8",  "i64", "#1", "f",	"g", "\r\n",
};

#define PICK(w, list) ((list)[take_byte(w) % ARRAY_LEN(list)])

/* What needs others, ends all, shows what is no reply, or would have to be waited for. */
static bool is_left_out(const struct command *row)
{
	static const char *const names[] = {"MONITOR", "CLIENT|REPLY", "CLIENT|PAUSE"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(row->name, names[i]) == 0)
			return true;
	return row->class == COMMAND_CLUSTER;
}

static const struct command *take_row(struct world *w)
{
	const struct command *row = command_at(take_byte(w) % command_count());
	size_t subcommands = 0;

	while (command_subcommand_at(row, subcommands))
		subcommands++;
	if (subcommands)
		row = command_subcommand_at(row, take_byte(w) % subcommands);
	return row;
}

/* One of the words that stand in what the row says of its arguments. */
static void put_word(struct world *w, const struct command *row, struct buf *out)
{
	struct slice words[SYNTAX_NODES_MAX];
	struct syntax syntax;
	size_t count = 0;

	syntax_parse(row->doc.syntax, &syntax);
	for (size_t i = 0; i < syntax.count; i++)
		if (syntax.nodes[i].word.len)
			words[count++] = syntax.nodes[i].word;
	if (count)
		buf_append_slice(out, words[take_byte(w) % count]);
}

static void put_text(struct buf *out, const char *text)
{
	buf_append_slice(out, slice_of_text(text));
}

static bool is_key(const struct command *row, size_t at)
{
	size_t argc = at + 2;

	for (size_t key = 0; (key = command_next_key(row, argc, key)) != 0;)
		if (key == at)
			return true;
	return false;
}

static void put_argument(struct world *w, const struct command *row, size_t at, struct buf *out)
{
	uint8_t from = take_byte(w);
	size_t len;

	switch (is_key(row, at) && from < 200 ? 0 : from % 8) {
	case 0:
		put_text(out, PICK(w, keys));
		break;
	case 1:
	case 2:
		put_text(out, PICK(w, numbers));
		break;
	case 3:
	case 4:
		put_word(w, row, out);
		break;
	case 5:
		put_text(out, command_at(take_byte(w) % command_count())->name);
		break;
	case 6:
		put_text(out, PICK(w, values));
		break;
	default:
		len = take_byte(w) % 32;
		len = MIN(len, (size_t)(w->end - w->at));
		buf_append(out, w->at, len);
		w->at += len;
		while (from >= 248 && out->len < 5000)
			buf_append_byte(out, 'x');
	}
}

/* The name, with the subcommand behind it, and its arguments. */
static void take_request(struct world *w, const struct command *row)
{
	const char *bar = strchr(row->name, '|');
	size_t named = bar ? 2 : 1, least = (size_t)(row->arity < 0 ? -row->arity : row->arity);
	uint8_t more = take_byte(w);

	for (size_t i = 0; i < ARGUMENTS_MAX; i++)
		buf_clear(&w->words[i]);
	put_text(&w->words[0], row->name);
	if (bar) {
		w->words[0].len = (size_t)(bar - row->name);
		put_text(&w->words[1], bar + 1);
	}
	w->argc = more >= 248 ? named + more % 8 : least + (row->arity < 0 ? more % 6 : 0);
	w->argc = MIN(w->argc, (size_t)ARGUMENTS_MAX);
	for (size_t i = named; i < w->argc; i++)
		put_argument(w, row, i, &w->words[i]);
	for (size_t i = 0; i < w->argc; i++)
		w->argv[i] = buf_slice(&w->words[i]);
}

/* ---- the member ------------------------------------------------------------------------------ */

static struct sums sums_of(struct world *w)
{
	const struct position *p = store_position(w->solo.member->store);

	return (struct sums){.revision = p->revision,
			     .history = p->digest_history,
			     .living = position_digest_living(p),
			     .horizon = p->horizon};
}

static bool sums_equal(struct sums a, struct sums b)
{
	return a.revision == b.revision && a.history == b.history && a.living == b.living &&
	       a.horizon == b.horizon;
}

static void open_session(struct world *w, unsigned who)
{
	w->sessions[who] = session_open(w->solo.member, &solo_session_events, &w->solo);
	w->asked[who] = 0;
}

static void start(struct world *w)
{
	CHECK(solo_start(&w->solo) == OK);
	for (unsigned who = 0; who < ARRAY_LEN(w->sessions); who++)
		open_session(w, who);
}

/* As many replies as one asked for, each of them whole. What the last begins with; 0: none. */
static uint8_t take_replies_of(struct world *w, unsigned who)
{
	struct session *session = w->sessions[who];
	struct buf *out = session_output(session);
	uint8_t kind = 0;

	CHECK(session_is_idle(session));
	for (size_t at = 0; at < out->len; w->asked[who]--) {
		size_t len = reply_len(out->data + at, out->len - at);

		CHECK(len > 0 && w->asked[who] > 0);
		kind = out->data[at];
		at += len;
	}
	buf_clear(out);
	if (session_wants_close(session)) {
		session_close(session);
		open_session(w, who);
	}
	CHECK(w->asked[who] == 0);
	return kind;
}

static uint8_t take_replies(struct world *w, unsigned who)
{
	uint8_t kind;

	solo_work(&w->solo);
	CHECK(!member_stopped(w->solo.member) && w->solo.failures == 0);
	kind = take_replies_of(w, who);
	(void)take_replies_of(w, !who);
	return kind;
}

static void ask(struct world *w, unsigned who, bool alone)
{
	const struct command *row = take_row(w);
	struct sums before;
	uint8_t kind;

	take_request(w, row);
	if (is_left_out(row))
		return;
	if (!alone) {
		w->asked[who]++;
		session_request(w->sessions[who], w->argv, w->argc);
		return;
	}
	(void)take_replies(w, who);
	before = sums_of(w);
	w->asked[who]++;
	session_request(w->sessions[who], w->argv, w->argc);
	kind = take_replies(w, who);
	/* EXEC of something is an array, and is the only command of the member's own that changes.
	 */
	if (kind == '-' || (row->class != COMMAND_WRITE && row->role != ROLE_EXEC))
		CHECK(sums_equal(before, sums_of(w)));
}

/*
 * Time goes by meanwhile: what has a deadline may be gone, and a record whose deadline was put off
 * or taken away may have lost the row that stood for it.
 */
static void begin_anew(struct world *w, bool power)
{
	bool may_expire;
	struct sums before;

	(void)take_replies(w, 0);
	may_expire = store_deadline_ms(w->solo.member->store) != UINT64_MAX;
	before = sums_of(w);
	solo_stop(&w->solo, power);
	start(w);
	CHECK(may_expire || sums_equal(before, sums_of(w)));
}

static void step(struct world *w)
{
	uint8_t what = take_byte(w);

	if (what < 200) {
		ask(w, what / 128, true);
	} else if (what < 248) {
		ask(w, what / 240, false);
	} else if (what < 254) {
		(void)take_replies(w, 0);
		w->solo.now_ms += (uint64_t)take_byte(w) * 100;
		solo_work(&w->solo);
	} else if (w->restarts++ < RESTARTS_MAX) {
		begin_anew(w, what == 255);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.at = data, .end = data + size};

	solo_init(&w.solo);
	w.solo.options.overlay_bytes = 4096;
	w.solo.options.header_cache_bytes = 1024;
	w.solo.options.value_cache_bytes = 1024;
	start(&w);
	for (unsigned steps = 0; w.at < w.end && steps < STEPS_MAX; steps++)
		step(&w);
	begin_anew(&w, false);
	solo_close(&w.solo);
	for (size_t i = 0; i < ARGUMENTS_MAX; i++)
		buf_free(&w.words[i]);
	return 0;
}
