/* A store that takes over another engine's state goes on with what is there. */

#include "storage/compact.h"
#include "storage/store.h"
#include "support/store_tester.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int set_key(struct txn *t, void *ctx)
{
	static const struct record_terms none;
	struct record old = {0};
	int rc = txn_record(t, 0, SLICE_LITERAL("key"), &old);

	(void)ctx;
	if (rc == ERR_NOT_FOUND)
		rc = OK;
	if (rc == OK)
		txn_set_string(t, 0, SLICE_LITERAL("key"), &old, SLICE_LITERAL("value"), &none);
	return rc;
}

static int flush_database(struct txn *t, void *ctx)
{
	(void)ctx;
	txn_flush_database(t, 0);
	return OK;
}

static int move_horizon(struct txn *t, void *ctx)
{
	return txn_move_horizon(t, *(uint64_t *)ctx);
}

/* Two keyspaces end, below the horizon; the state is stored. */
static void make_garbage(struct store_tester *s)
{
	uint64_t horizon = 4;

	store_tester_init(s, 1, 1 << 20, 1 << 20);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_tester_run(s, set_key, NULL), OK);
		assert_int_equal(store_tester_run(s, flush_database, NULL), OK);
	}
	assert_int_equal(store_tester_run(s, set_key, NULL), OK);
	assert_int_equal(store_tester_run(s, move_horizon, &horizon), OK);
	store_tester_flush(s);
}

static unsigned rows_of(struct engine *e, uint8_t tag)
{
	const uint8_t end = (uint8_t)(tag + 1);
	struct engine_view *v = engine_view_open(e);
	struct engine_cursor *c = engine_cursor_open(v, FAMILY_STATE, slice_of(&end, 1));
	unsigned rows = 0;

	for (engine_cursor_seek(c, slice_of(&tag, 1)); engine_cursor_valid(c);
	     engine_cursor_next(c))
		rows++;
	assert_int_equal(engine_cursor_error(c), OK);
	engine_cursor_close(c);
	engine_view_close(v);
	return rows;
}

/* All but the engine, which another store has from now on. */
static struct engine *give_engine(struct store_tester *s)
{
	txn_close(&s->txn);
	txn_close(&s->reads);
	store_close(s->store);
	return s->engine;
}

/* Views that nobody holds any more are closed. */
static void clean(struct store *s)
{
	struct job *job = store_clean(s);

	assert_non_null(job);
	while (job->step(job) == JOB_MORE)
		;
	store_cleaned(job);
}

/* The other member had not come to it, however far this one was with its own. */
static void garbage_of_another_engine_is_dropped(void **state)
{
	struct store_tester own, other;
	struct store_intake in = {0};
	struct engine *engine;

	(void)state;
	make_garbage(&own);
	make_garbage(&other);
	store_tester_compact(&own);
	assert_int_equal(rows_of(own.engine, STATE_GARBAGE), 0);
	assert_int_equal(rows_of(own.engine, STATE_RECORD), 1);
	assert_int_equal(rows_of(other.engine, STATE_GARBAGE), 2);
	engine = give_engine(&other);
	assert_int_equal(store_intake_read(&in, engine), OK);
	store_replace(own.store, &in);
	clean(own.store);
	assert_ptr_equal(store_take_abandoned(own.store), own.engine);
	engine_close(own.engine);
	own.engine = engine;
	store_tester_compact(&own);
	assert_int_equal(rows_of(engine, STATE_GARBAGE), 0);
	assert_int_equal(rows_of(engine, STATE_RECORD), 1);
	store_tester_close(&own);
	engine_memory_free(other.rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(garbage_of_another_engine_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
