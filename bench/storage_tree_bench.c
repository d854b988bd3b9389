/*
 * What the ordered map in memory costs: rows of 16-byte keys "key:000000012345" put and found in
 * random order, and rows of 12-byte keys put in ascending order, as history is; with and without
 * a snapshot every 100 rows.
 *
 *	storage_tree_bench
 */

#include "base/arena.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/random.h"
#include "storage/tree.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROWS	       100000u
#define KEY_BYTES      16u
#define VALUE_BYTES    80u
#define REVISION_BYTES 12u
#define CHANGE_BYTES   300u
#define SNAPSHOT_EVERY 100u
#define ROUNDS	       9

struct bench {
	struct random random;
	struct arena arena;
	struct tree tree;
	uint32_t order[ROWS];
	uint8_t keys[ROWS][KEY_BYTES];
	uint8_t value[CHANGE_BYTES];
	double begin_ns;
};

/* Of one kind of operation, the fastest round: what the machine can when nobody disturbs it. */
struct figure {
	const char *name;
	double ns;
	double bytes; /* of arena for each row of the tree */
};

/* Of the processor, not of the wall: others may be at work on this machine. */
static double now_ns(void)
{
	struct timespec t;

	CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void begin(struct bench *b)
{
	b->begin_ns = now_ns();
}

static void end(struct bench *b, struct figure *f)
{
	double ns = (now_ns() - b->begin_ns) / ROWS;

	f->ns = f->ns > 0 ? MIN(f->ns, ns) : ns;
	f->bytes = (double)b->arena.bytes / (double)b->tree.rows;
}

static void shuffle(struct bench *b)
{
	for (uint32_t i = ROWS - 1; i > 0; i--) {
		uint32_t other = (uint32_t)random_below(&b->random, i + 1);
		uint32_t moved = b->order[i];

		b->order[i] = b->order[other];
		b->order[other] = moved;
	}
}

static void start_empty(struct bench *b)
{
	arena_clear(&b->arena);
	tree_init(&b->tree, &b->arena);
}

static struct slice key_of(const struct bench *b, uint32_t i)
{
	return slice_of(b->keys[b->order[i]], KEY_BYTES);
}

static void put_all(struct bench *b, bool snapshots, struct figure *f)
{
	struct slice value = slice_of(b->value, VALUE_BYTES);

	shuffle(b);
	begin(b);
	for (uint32_t i = 0; i < ROWS; i++) {
		tree_put(&b->tree, key_of(b, i), value, false);
		if (snapshots && i % SNAPSHOT_EVERY == 0)
			tree_snapshot(&b->tree);
	}
	end(b, f);
}

static void find_all(struct bench *b, struct figure *f)
{
	shuffle(b);
	begin(b);
	for (uint32_t i = 0; i < ROWS; i++)
		CHECK(tree_find(&b->tree, key_of(b, i)) != NULL);
	end(b, f);
}

static void append_all(struct bench *b, bool snapshots, struct figure *f)
{
	struct slice value = slice_of(b->value, CHANGE_BYTES);
	uint8_t key[REVISION_BYTES] = {0};

	start_empty(b);
	begin(b);
	for (uint32_t i = 0; i < ROWS; i++) {
		key[5] = (uint8_t)(i >> 16);
		key[6] = (uint8_t)(i >> 8);
		key[7] = (uint8_t)i;
		tree_put(&b->tree, slice_of(key, sizeof(key)), value, false);
		if (snapshots && i % SNAPSHOT_EVERY == 0)
			tree_snapshot(&b->tree);
	}
	end(b, f);
}

/* What an append costs at the least: room for as many bytes, and the copy. */
static void copy_all(struct bench *b, struct figure *f)
{
	struct slice value = slice_of(b->value, CHANGE_BYTES);

	start_empty(b);
	b->tree.rows = ROWS;
	begin(b);
	for (uint32_t i = 0; i < ROWS; i++)
		arena_copy(&b->arena, value);
	end(b, f);
}

enum {
	INSERT,
	FIND,
	OVERWRITE,
	INSERT_SNAPSHOTS,
	OVERWRITE_SNAPSHOTS,
	APPEND,
	APPEND_SNAPSHOTS,
	COPY,
	FIGURES,
};

static void run(struct bench *b, struct figure *figures)
{
	for (int i = 0; i < ROUNDS; i++) {
		start_empty(b);
		put_all(b, false, &figures[INSERT]);
		find_all(b, &figures[FIND]);
		put_all(b, false, &figures[OVERWRITE]);
		start_empty(b);
		put_all(b, true, &figures[INSERT_SNAPSHOTS]);
		put_all(b, true, &figures[OVERWRITE_SNAPSHOTS]);
		append_all(b, false, &figures[APPEND]);
		append_all(b, true, &figures[APPEND_SNAPSHOTS]);
		copy_all(b, &figures[COPY]);
	}
}

int main(void)
{
	struct bench *b = MEM_NEW(struct bench);
	struct figure figures[FIGURES] = {
		[INSERT] = {.name = "insert, random"},
		[FIND] = {.name = "find, random"},
		[OVERWRITE] = {.name = "overwrite, random"},
		[INSERT_SNAPSHOTS] = {.name = "insert, random, a snapshot every 100"},
		[OVERWRITE_SNAPSHOTS] = {.name = "  and then overwrite"},
		[APPEND] = {.name = "append, 12 + 300 bytes"},
		[APPEND_SNAPSHOTS] = {.name = "append, a snapshot every 100"},
		[COPY] = {.name = "copy of 300 bytes into an arena"},
	};

	random_seed(&b->random, 1);
	memset(b->value, 0x33, sizeof(b->value));
	for (uint32_t i = 0; i < ROWS; i++) {
		char text[KEY_BYTES + 1];

		snprintf(text, sizeof(text), "key:%012u", i);
		memcpy(b->keys[i], text, KEY_BYTES);
		b->order[i] = i;
	}
	run(b, figures);
	printf("%-40s %10s %16s\n", "100,000 rows", "ns each", "arena bytes/row");
	for (int i = 0; i < FIGURES; i++)
		printf("%-40s %10.0f %16.0f\n", figures[i].name, figures[i].ns, figures[i].bytes);
	arena_free(&b->arena);
	mem_free(b);
	return 0;
}
