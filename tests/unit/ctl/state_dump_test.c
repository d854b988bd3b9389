#include "ctl/state_dump.h"

#include "base/error.h"
#include "base/hash.h"
#include "storage/engine_memory.h"
#include "storage/level.h"
#include "storage/position.h"
#include "storage/row.h"
#include "storage/store.h"
#include "storage/txn_chunks.h"
#include "storage/txn_element.h"
#include "storage/vault_rocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What the position is to be wrong about. */
enum flaw {
	FLAW_NONE,
	FLAW_DIGEST,
	FLAW_COUNT,
	FLAW_HISTORY,
	FLAW_VALUE, /* the change that holds it says something else */
	FLAW_ROW,   /* a record that is none */
};

static const char long_value[] =
	"a value that does not stand in its record, since it has more than sixty-four bytes";

static void put(struct engine_file *f, const struct buf *key, const struct buf *value)
{
	assert_int_equal(engine_file_put(f, buf_slice(key), buf_slice(value)), OK);
}

/* One string, long enough to stand in its change only. */
static void put_string(struct engine_file *f, const char *key, struct position *p, enum flaw flaw)
{
	struct record r = {.type = RECORD_STRING,
			   .mod = {1, 0},
			   .create = {1, 0},
			   .value_at = {1, 0},
			   .version = 1,
			   .digest = hash64(slice_of_text(long_value)),
			   .size = strlen(long_value),
			   .keep = 1};
	struct keyspace_row *keyspace = position_keyspace(p, 1);
	struct buf row = {0}, value = {0};

	record_key(&row, 1, slice_of_text(key));
	record_encode(&r, &value);
	keyspace->keys = flaw == FLAW_COUNT ? 2 : 1;
	keyspace->digest = hash64_salted(buf_slice(&value), hash64(buf_slice(&row)));
	keyspace->digest += flaw == FLAW_DIGEST;
	if (flaw == FLAW_ROW)
		buf_append_byte(&value, 0);
	put(f, &row, &value);
	buf_free(&row);
	buf_free(&value);
}

static void put_change(struct engine_file *f, const char *key, struct position *p, enum flaw flaw)
{
	struct change c = {.kind = CHANGE_SET,
			   .type = RECORD_STRING,
			   .keyspace = 1,
			   .key = slice_of_text(key),
			   .create = {1, 0},
			   .version = 1,
			   .keep = 1,
			   .value = slice_of_text(flaw == FLAW_VALUE ? "another" : long_value)};
	uint8_t row[HISTORY_KEY_BYTES];
	struct buf value = {0};

	history_key_put(row, (struct revision){1, 0});
	change_encode(&c, &value);
	p->digest_history = hash64_salted(buf_slice(&value), 1) + (flaw == FLAW_HISTORY);
	assert_int_equal(engine_file_put(f, slice_of(row, sizeof(row)), buf_slice(&value)), OK);
	buf_free(&value);
}

/* A state of one key, at index 9. */
static void fill(struct engine *e, enum flaw flaw)
{
	static const char key[] = "a\"b\x01";
	struct buf meta = {0}, value = {0};
	struct engine_file *history, *state;
	struct position p;

	position_init(&p);
	p.index = 9;
	p.term = 2;
	p.revision = 1;
	assert_int_equal(engine_file_begin(e, FAMILY_HISTORY, &history), OK);
	put_change(history, key, &p, flaw);
	assert_int_equal(engine_file_finish(history), OK);
	assert_int_equal(engine_file_ingest(history), OK);
	/* The position is the first row, and says what the others add up to. */
	position_keyspace(&p, 1)->keys = 1;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(engine_file_begin(e, FAMILY_STATE, &state), OK);
		buf_clear(&meta);
		buf_clear(&value);
		meta_key(&meta, SLICE_LITERAL("position"));
		position_encode(&p, SLICE_LITERAL(""), &value);
		put(state, &meta, &value);
		put_string(state, key, &p, flaw);
		assert_int_equal(engine_file_finish(state), OK);
		assert_int_equal(engine_file_ingest(state), OK);
	}
	position_free(&p);
	buf_free(&meta);
	buf_free(&value);
}

/* The dump as text that the caller frees. */
static char *dump(enum flaw flaw, bool json, int expected)
{
	struct engine_memory *rows = engine_memory_new();
	struct engine *e = engine_memory_open(rows);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fill(e, flaw);
	assert_int_equal(state_dump(e, json, out), expected);
	fclose(out);
	engine_close(e);
	engine_memory_free(rows);
	return text;
}

static void a_state_that_fits_together_is_shown(void **state)
{
	char *text = dump(FLAW_NONE, false, OK);

	(void)state;
	assert_non_null(strstr(text, "position: index 9, term 2, revision 1, horizon 0, "));
	assert_non_null(strstr(text, "database 15: keyspace 16 since revision 0\n"));
	assert_non_null(strstr(text, "keyspace 1: 1 keys, 0 with a deadline, digest "));
	assert_non_null(strstr(text, "record 1/a\\x22b\\x01: string, mod 1-0, create 1-0, "));
	assert_non_null(strstr(text, "size 82, "));
	assert_non_null(strstr(text,
			       "1 records of 1 keys, 1 other rows, 1 changes, 0 beyond "
			       "the position, 0 bad; what is said of the living agrees: true, "
			       "of history: true\n"));
	free(text);
	text = dump(FLAW_NONE, true, OK);
	assert_non_null(strstr(text, "\"key\":\"a\\u0022b\\u0001\",\"holds\":\"string\""));
	assert_non_null(
		strstr(text, "\"bad\":0,\"living_agrees\":true,\"history_agrees\":true}\n"));
	free(text);
}

static void what_does_not_fit_is_said(void **state)
{
	static const struct {
		enum flaw flaw;
		const char *text;
	} flaws[] = {
		{FLAW_DIGEST, "0 bad; what is said of the living agrees: false, of history: true"},
		{FLAW_COUNT, "0 bad; what is said of the living agrees: false, of history: true"},
		{FLAW_HISTORY, "0 bad; what is said of the living agrees: true, of history: false"},
		{FLAW_VALUE, "1 bad; what is said of the living agrees: true, of history: true"},
		{FLAW_ROW, "1 bad; what is said of the living agrees: false, of history: true"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flaws); i++) {
		char *text = dump(flaws[i].flaw, false, ERR_CORRUPT);

		assert_non_null(strstr(text, flaws[i].text));
		free(text);
	}
}

/* ---- elements -------------------------------------------------------------------------------- */

static void run_flush(struct store *s)
{
	struct job *job = store_flush(s, SLICE_LITERAL(""));

	while (job->step(job) == JOB_MORE)
		;
	assert_int_equal(store_flushed(s), OK);
	job = store_clean(s);
	while (job && job->step(job) == JOB_MORE)
		;
	store_cleaned(job);
}

/* A hash, and a string of two chunks with a hole between them, as they come to be. */
static void fill_elements(struct engine *e)
{
	struct store_options options = {.overlay_bytes = 1 << 20};
	struct collection hash;
	struct store *s;
	struct txn t = {0};
	struct record r;
	bool added;

	assert_int_equal(store_open(&s, e, &options, &(struct buf){0}), OK);
	store_position(s)->level = LEVEL_NEWEST;
	txn_init(&t, s);
	txn_begin(&t, 1, 0);
	assert_int_equal(txn_record(&t, 0, SLICE_LITERAL("h"), &r), ERR_NOT_FOUND);
	collection_open(&hash, &t, 0, SLICE_LITERAL("h"), &r, RECORD_HASH);
	assert_int_equal(collection_set(&hash, SLICE_LITERAL("f"), SLICE_LITERAL("v"), &added), OK);
	collection_close(&hash);
	for (uint64_t at = 0; at <= 100000; at += 100000) {
		assert_int_equal(txn_record(&t, 0, SLICE_LITERAL("s"), &r),
				 at ? OK : ERR_NOT_FOUND);
		assert_int_equal(
			txn_write_part(&t, 0, SLICE_LITERAL("s"), &r, at, SLICE_LITERAL("abc")),
			OK);
	}
	txn_commit(&t);
	txn_close(&t);
	run_flush(s);
	store_close(s);
}

/* An element of the incarnation holds something else from now on. */
static void change_element(struct engine *e, uint64_t incarnation, struct slice order,
			   struct slice name)
{
	struct engine_file *f;
	struct buf row = {0}, value = {0};

	element_key(&row, incarnation, order, name);
	buf_append_slice(&value, SLICE_LITERAL("x"));
	assert_int_equal(engine_file_begin(e, FAMILY_STATE, &f), OK);
	put(f, &row, &value);
	assert_int_equal(engine_file_finish(f), OK);
	assert_int_equal(engine_file_ingest(f), OK);
	buf_free(&row);
	buf_free(&value);
}

static char *dump_elements(struct engine *e, bool json, int expected)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(state_dump(e, json, out), expected);
	fclose(out);
	return text;
}

static void elements_are_shown_and_compared_with_their_records(void **state)
{
	struct engine_memory *rows = engine_memory_new();
	struct engine *e = engine_memory_open(rows);
	char *text;

	(void)state;
	fill_elements(e);
	text = dump_elements(e, false, OK);
	assert_non_null(strstr(text, "record 1/s: string in chunks, "));
	assert_non_null(strstr(text, "size 100003, "));
	assert_non_null(strstr(text, "element of 1, hash, f: size 1, digest "));
	assert_non_null(strstr(text, "element of 2, string in chunks, chunk 0: size 3, digest "));
	assert_non_null(strstr(text, "element of 2, string in chunks, chunk 6: size 1699, "));
	assert_non_null(strstr(text, " 0 bad; "));
	free(text);
	text = dump_elements(e, true, OK);
	assert_non_null(strstr(text, "{\"type\":\"element\",\"incarnation\":2,\"of\":\"string in "
				     "chunks\",\"chunk\":6,\"size\":1699,"));
	assert_non_null(strstr(text, "\"name\":\"f\",\"size\":1,"));
	free(text);
	change_element(e, 2, (struct slice){NULL, 0}, SLICE_LITERAL("\0\0\0\5"));
	text = dump_elements(e, false, ERR_CORRUPT);
	assert_non_null(strstr(text, " 1 bad; "));
	free(text);
	change_element(e, 1, SLICE_LITERAL("12345678"), SLICE_LITERAL("g"));
	text = dump_elements(e, false, ERR_CORRUPT);
	assert_non_null(strstr(text, " 2 bad; "));
	free(text);
	engine_close(e);
	engine_memory_free(rows);
}

static void the_state_of_a_directory_is_shown_when_nobody_works_there(void **state)
{
	struct engine_rocks_options options = engine_rocks_defaults(NULL);
	char dir[] = "/tmp/conclave-state-XXXXXX", path[64];
	struct disk disk = disk_posix();
	FILE *out = fopen("/dev/null", "w");
	struct vault_rocks *vault;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_non_null(out);
	assert_int_equal(state_dump_directory(&disk, dir, true, out), ERR_NOT_FOUND);
	assert_int_equal(rmdir(dir), 0); /* nothing was made in it */
	assert_int_equal(state_dump_directory(&disk, dir, true, out), ERR_NOT_FOUND);

	assert_int_equal(vault_rocks_open(&vault, &disk, dir, &options), OK);
	fill(vault_rocks_engine(vault), FLAW_NONE);
	assert_int_equal(state_dump_directory(&disk, dir, true, out), ERR_LOCKED);
	vault_rocks_close(vault);
	assert_int_equal(state_dump_directory(&disk, dir, true, out), OK);
	fclose(out);

	snprintf(path, sizeof(path), "%s/engine-1", dir);
	assert_int_equal(engine_rocks_destroy(path), OK);
	snprintf(path, sizeof(path), "%s/ENGINE", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/LOCK", dir);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_that_fits_together_is_shown),
		cmocka_unit_test(what_does_not_fit_is_said),
		cmocka_unit_test(elements_are_shown_and_compared_with_their_records),
		cmocka_unit_test(the_state_of_a_directory_is_shown_when_nobody_works_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
