/*
 * What follows from the state alone, and what is a member's own: a row says it, and whatever is run
 * on all members at once depends on it. Here the same state is read in different circumstances.
 */

#include "base/error.h"
#include "command/command.h"
#include "node/member_state.h"

#include "support/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* At least one of every command that reads. */
static const char *const examples[] = {
	"AT 3 GET s",
	"BITCOUNT s",
	"BITFIELD_RO s GET u8 0",
	"BITPOS s 1",
	"DBSIZE",
	"DIGEST s",
	"EXISTS s h none",
	"EXPIRETIME t",
	"GET s",
	"GETBIT s 3",
	"GETRANGE s 0 3",
	"HEXISTS h f1",
	"HGET h f1",
	"HGETALL h",
	"HISTORY GET s",
	"HISTORY INFO",
	"HKEYS h",
	"HLEN h",
	"HMGET h f1 none",
	"HRANDFIELD h -50",
	"HSCAN h 0 COUNT 2",
	"HSTRLEN h f1",
	"HVALS h",
	"KEYS *",
	"LCS s t",
	"MEMORY USAGE h",
	"MGET s t none",
	"OBJECT ENCODING s",
	"OBJECT FREQ s",
	"OBJECT IDLETIME s",
	"OBJECT REFCOUNT s",
	"OBJECT REVISION s",
	"PEXPIRETIME t",
	"PREFIX k",
	"PTTL t",
	"RANDOMKEY",
	"RANGE - +",
	"REVISION",
	"REVISION LAST",
	"SCAN 0 COUNT 3",
	"SCAN 4 COUNT 3",
	"STRLEN s",
	"SUBSTR s 0 3",
	"TOUCH s none",
	"TTL t",
	"TYPE h",
	"WATCH s",
};

#define EXAMPLES ARRAY_LEN(examples)

static const struct command *row_of(const char *line)
{
	const char *blank = strchr(line, ' ');
	size_t len = blank ? (size_t)(blank - line) : strlen(line);
	struct slice argv[2] = {slice_of((const uint8_t *)line, len), {NULL, 0}};
	const struct command *parent;

	if (blank)
		argv[1] = slice_of((const uint8_t *)blank + 1, strcspn(blank + 1, " "));
	return command_lookup(argv, blank ? 2 : 1, &parent);
}

struct heard {
	struct buf replies[EXAMPLES];
	bool differs[EXAMPLES];
};

/* All examples; what is another reply than the first time is noted. */
static void listen(struct solo *s, struct session *session, struct heard *heard)
{
	for (size_t i = 0; i < EXAMPLES; i++) {
		struct slice said = slice_of_text(solo_say_in(s, session, examples[i]));

		if (!heard->replies[i].len)
			buf_append_slice(&heard->replies[i], said);
		else if (!slice_equal(buf_slice(&heard->replies[i]), said))
			heard->differs[i] = true;
	}
	solo_say_in(s, session, "UNWATCH");
}

/* Some keys, in six changes. */
static void fill(struct solo *s)
{
	static const char *const lines[] = {
		"SET s some-value",
		"SET t other-value EX 1000",
		"HSET h f1 a f2 b f3 c f4 d f5 e",
		"MSET ka 1 kb 2 kc 3",
		"SET s another-value",
		"MSET kd 1 ke 2 kf 3 kg 4",
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_int_equal(solo_say(s, lines[i])[0] == '-', 0);
	assert_string_equal(solo_say(s, "REVISION"), ":6|");
}

static void what_follows_from_the_state_is_the_same_in_all_circumstances(void **state)
{
	struct heard heard = {0};
	struct session *other;
	unsigned differ = 0;
	struct solo s;

	(void)state;
	solo_init(&s);
	assert_int_equal(solo_start(&s), OK);
	fill(&s);
	listen(&s, s.session, &heard);
	listen(&s, s.session, &heard);
	other = session_open(s.member, &solo_session_events, &s);
	listen(&s, other, &heard);
	for (size_t i = 0; i < EXAMPLES; i++) {
		const struct command *row = row_of(examples[i]);

		assert_non_null(row);
		if (heard.differs[i] && !row->doc.of_member)
			fail_msg("%s differs between members", examples[i]);
		differ += heard.differs[i];
		buf_free(&heard.replies[i]);
	}
	assert_int_equal(
		differ,
		3); /* HRANDFIELD, RANDOMKEY, REVISION LAST; of SCAN only what history forgot */
	solo_close(&s);
}

static bool has_example(const struct command *row)
{
	for (size_t i = 0; i < EXAMPLES; i++)
		if (row_of(examples[i]) == row)
			return true;
	return false;
}

static void check_example(const struct command *row)
{
	bool reads =
		row->class == COMMAND_READ && (row->run || row->role) && row->role != ROLE_EXEC;

	if (reads && !has_example(row))
		fail_msg("%s has no example", row->name);
}

static void every_read_has_an_example(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count(); i++) {
		const struct command *row = command_at(i), *sub;

		check_example(row);
		for (size_t j = 0; (sub = command_subcommand_at(row, j)) != NULL; j++)
			check_example(sub);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_from_the_state_is_the_same_in_all_circumstances),
		cmocka_unit_test(every_read_has_an_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
