/* A transaction as bytes: what other members sent is not trusted, and what nobody hears is left
 * out. */

#include "command/transaction.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "storage/engine_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct bench {
	struct engine_memory *rows;
	struct engine *engine;
	struct store *store;
	struct txn txn;
	struct buf reply;
	struct buf bytes;
};

static void bench_open(struct bench *b)
{
	struct store_options o = {.overlay_bytes = 1 << 20,
				  .header_cache_bytes = 1 << 20,
				  .value_cache_bytes = 1 << 20};
	struct buf snapshot = {0};
	struct job *job;

	*b = (struct bench){.rows = engine_memory_new()};
	b->engine = engine_memory_open(b->rows);
	assert_int_equal(store_open(&b->store, b->engine, &o, &snapshot), OK);
	buf_free(&snapshot);
	/* An engine that holds nothing is known not to hold a key. */
	job = store_flush(b->store, SLICE_LITERAL(""));
	while (job->step(job) == JOB_MORE)
		;
	assert_int_equal(store_flushed(b->store), OK);
	txn_init(&b->txn, b->store);
}

static void bench_close(struct bench *b)
{
	txn_close(&b->txn);
	store_close(b->store);
	engine_close(b->engine);
	engine_memory_free(b->rows);
	buf_free(&b->reply);
	buf_free(&b->bytes);
}

static void add(struct bench *b, unsigned database, const char *words)
{
	struct slice argv[8];
	size_t argc = 0;
	const struct command *parent;

	for (const char *at = words; *at; at += argv[argc - 1].len, at += *at == ' ')
		argv[argc++] = slice_of(at, strcspn(at, " "));
	transaction_add(&b->bytes, command_lookup(argv, argc, &parent), database, argv, argc);
}

/* Over a store that knows of every key that it has none; nothing is committed. */
static int run(struct bench *b, struct slice bytes, bool heard, uint32_t *changes)
{
	struct slice argv[2] = {SLICE_LITERAL("EXEC"), bytes};
	struct resp_writer w = {.out = heard ? &b->reply : NULL, .protocol = 2};
	struct call c = {.command = &transaction_command,
			 .argv = argv,
			 .argc = 2,
			 .txn = &b->txn,
			 .reply = &w};
	struct fetched *pinned = fetched_new();
	int rc;

	for (const char *key = "abc"; *key; key++) {
		for (unsigned database = 0; database < DATABASE_COUNT; database++) {
			struct buf row = {0};

			record_key(&row, database + 1, slice_of(key, 1));
			tree_put(&pinned->trees[FAMILY_STATE], buf_slice(&row),
				 (struct slice){NULL, 0}, true);
			buf_free(&row);
		}
	}
	buf_clear(&b->reply);
	txn_begin(&b->txn, 1000, 0);
	pinned->drops = b->txn.reader.drops;
	txn_pin(&b->txn, pinned);
	rc = command_run(&c);
	*changes = b->txn.sub;
	txn_undo(&b->txn);
	txn_pin(&b->txn, NULL);
	fetched_free(pinned);
	return rc;
}

static void fill(struct bench *b)
{
	struct watch w = {.database = 3, .revision = 5, .key = SLICE_LITERAL("a")};

	buf_append_varint(&b->bytes, 1);
	watch_encode(&w, &b->bytes);
	add(b, 0, "SET a 1");
	add(b, 2, "GET b");
	transaction_add_local(&b->bytes);
	add(b, 0, "INCR a");
}

static void elements_run_in_order_under_one_revision(void **state)
{
	struct bench b;
	uint32_t changes;

	(void)state;
	bench_open(&b);
	fill(&b);
	assert_int_equal(run(&b, buf_slice(&b.bytes), true, &changes), OK);
	assert_int_equal(changes, 2);
	buf_append_byte(&b.reply, '\0');
	assert_string_equal(b.reply.data, "*4\r\n+OK\r\n$-1\r\n$-1\r\n:2\r\n");
	bench_close(&b);
}

static void nobody_hears_so_nothing_is_read(void **state)
{
	struct bench b;
	uint32_t changes;

	(void)state;
	bench_open(&b);
	buf_append_varint(&b.bytes, 0);
	add(&b, 0, "GET not-pinned");
	add(&b, 0, "SET a 1");
	assert_int_equal(run(&b, buf_slice(&b.bytes), true, &changes), ERR_MISSING);
	assert_int_equal(run(&b, buf_slice(&b.bytes), false, &changes), OK);
	assert_int_equal(changes, 1);
	bench_close(&b);
}

static void bytes_that_end_too_early_are_refused(void **state)
{
	struct bench b;
	size_t whole[8], count = 0;
	uint32_t changes;

	(void)state;
	bench_open(&b);
	/* Where an element ends the bytes may end, too. */
	fill(&b);
	for (size_t len = 0; len <= b.bytes.len; len++) {
		/* A copy, so that a sanitizer sees what is read behind the end. */
		struct blob *copy = blob_copy(slice_of(b.bytes.data, len));
		int rc = run(&b, slice_of(copy->data, copy->len), true, &changes);

		blob_release(copy);
		if (rc == OK)
			whole[count++] = len;
		else
			assert_int_equal(rc, ERR_MALFORMED);
	}
	assert_int_equal(count, 5);
	assert_int_equal(whole[4], b.bytes.len);
	bench_close(&b);
}

static void bytes_that_were_damaged_are_refused_or_mean_something_else(void **state)
{
	struct bench b;
	struct random random;
	uint32_t changes;

	(void)state;
	bench_open(&b);
	random_seed(&random, 7);
	fill(&b);
	for (int i = 0; i < 20000; i++) {
		struct blob *copy = blob_copy(buf_slice(&b.bytes));
		int rc;

		copy->data[random_next(&random) % copy->len] = (uint8_t)random_next(&random);
		if (random_next(&random) % 2)
			copy->data[random_next(&random) % copy->len] ^=
				(uint8_t)(1 << random_next(&random) % 8);
		rc = run(&b, slice_of(copy->data, copy->len), i % 2, &changes);
		assert_true(rc == OK || rc == ERR_MALFORMED || rc == ERR_MISSING);
		blob_release(copy);
	}
	bench_close(&b);
}

/* An element says whether it reads or writes, so that it can be left out unread: it must be true.
 */
static void an_element_is_what_it_says(void **state)
{
	static const char *const no_elements[] = {"PING",    "MULTI",  "EXEC",
						  "WATCH a", "NOPE a", "GET a b"};
	struct bench b;
	struct command read = {.class = COMMAND_READ};
	uint32_t changes;

	(void)state;
	bench_open(&b);
	for (size_t i = 0; i < ARRAY_LEN(no_elements); i++) {
		struct slice argv[3];
		size_t argc = 0;

		for (const char *at = no_elements[i]; *at;
		     at += argv[argc - 1].len, at += *at == ' ')
			argv[argc++] = slice_of(at, strcspn(at, " "));
		buf_clear(&b.bytes);
		buf_append_varint(&b.bytes, 0);
		transaction_add(&b.bytes, &read, 0, argv, argc);
		assert_int_equal(run(&b, buf_slice(&b.bytes), true, &changes), ERR_MALFORMED);
	}
	bench_close(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_run_in_order_under_one_revision),
		cmocka_unit_test(nobody_hears_so_nothing_is_read),
		cmocka_unit_test(bytes_that_end_too_early_are_refused),
		cmocka_unit_test(bytes_that_were_damaged_are_refused_or_mean_something_else),
		cmocka_unit_test(an_element_is_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
