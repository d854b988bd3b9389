#include "storage/tree.h"

#include "base/random.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS	  500
#define SNAPSHOTS 200
#define READERS	  2
#define WAITING	  8

/* A snapshot and what is in it: the version of each key, 0 if there is none. */
struct handed {
	struct tree_snapshot snapshot;
	uint32_t versions[KEYS];
};

/* What the writer hands to the readers; what else they share is said by the thread sanitizer. */
struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct handed *waiting[WAITING];
	size_t count;
	bool closed;
};

static void queue_push(struct queue *q, struct handed *h)
{
	pthread_mutex_lock(&q->mutex);
	while (q->count == WAITING)
		pthread_cond_wait(&q->changed, &q->mutex);
	q->waiting[q->count++] = h;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->mutex);
}

static void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->mutex);
	q->closed = true;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->mutex);
}

/* NULL: nothing more will come. */
static struct handed *queue_pop(struct queue *q)
{
	struct handed *h = NULL;

	pthread_mutex_lock(&q->mutex);
	while (q->count == 0 && !q->closed)
		pthread_cond_wait(&q->changed, &q->mutex);
	if (q->count > 0) {
		h = q->waiting[--q->count];
		pthread_cond_broadcast(&q->changed);
	}
	pthread_mutex_unlock(&q->mutex);
	return h;
}

/* Keys differ in their last two bytes only. */
static struct slice key_of(uint32_t number, uint8_t *out)
{
	memcpy(out, "a common beginning", 18);
	out[18] = (uint8_t)(number >> 8);
	out[19] = (uint8_t)number;
	return slice_of(out, 20);
}

static size_t value_length(uint32_t version)
{
	return sizeof(version) + version % 50;
}

static bool row_is(const struct tree_row *row, uint32_t version)
{
	uint32_t found;

	if (version == 0 || !row)
		return version == 0 && !row;
	if (row->value_len != value_length(version))
		return false;
	memcpy(&found, tree_row_value(row).data, sizeof(found));
	return found == version && row->deleted == (version % 7 == 0);
}

/* The whole of it in ascending order, each row also found by its key and from behind. */
static bool handed_is_right(const struct handed *h)
{
	struct tree_cursor c, back;
	uint8_t key[20];

	tree_seek(&c, h->snapshot, (struct slice){0});
	for (uint32_t i = 0; i < KEYS; i++) {
		struct slice k = key_of(i, key);

		if (!row_is(tree_snapshot_find(&h->snapshot, k), h->versions[i]))
			return false;
		if (h->versions[i] == 0)
			continue;
		tree_seek_before(&back, h->snapshot, k);
		if (back.row && slice_compare(tree_row_key(back.row), k) >= 0)
			return false;
		if (!c.row || !slice_equal(tree_row_key(c.row), k) ||
		    !row_is(c.row, h->versions[i]))
			return false;
		tree_next(&c);
	}
	return c.row == NULL;
}

struct reader {
	pthread_t thread;
	struct queue *queue;
	size_t read;
	bool wrong;
};

static void *read_all(void *reader_)
{
	struct reader *r = reader_;
	struct handed *h;

	while ((h = queue_pop(r->queue)) != NULL) {
		r->wrong = r->wrong || !handed_is_right(h);
		r->read++;
		free(h);
	}
	return NULL;
}

static void write_and_hand_over(struct queue *q, struct tree *t)
{
	uint32_t versions[KEYS] = {0};
	uint8_t key[20], value[60] = {0};
	uint32_t version = 0;
	struct random r;

	random_seed(&r, 1);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		struct handed *h = malloc(sizeof(*h));

		for (size_t k = random_below(&r, 60); k > 0; k--) {
			/* Few of them, so that many a row is overwritten where it is. */
			uint32_t number = (uint32_t)(random_below(&r, KEYS) & ~(i % 8));

			versions[number] = ++version;
			memcpy(value, &version, sizeof(version));
			tree_put(t, key_of(number, key), slice_of(value, value_length(version)),
				 version % 7 == 0);
		}
		h->snapshot = tree_snapshot(t);
		memcpy(h->versions, versions, sizeof(versions));
		queue_push(q, h);
	}
}

static void snapshots_are_read_while_the_tree_changes(void **state)
{
	struct queue q = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	struct reader readers[READERS] = {0};
	struct arena arena = {0};
	struct tree t;
	size_t read = 0;

	(void)state;
	tree_init(&t, &arena);
	for (size_t i = 0; i < READERS; i++) {
		readers[i].queue = &q;
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_all, &readers[i]),
				 0);
	}
	write_and_hand_over(&q, &t);
	queue_close(&q);
	for (size_t i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
		assert_false(readers[i].wrong);
		read += readers[i].read;
	}
	assert_int_equal(read, SNAPSHOTS);
	assert_null(tree_broken(&t));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshots_are_read_while_the_tree_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
