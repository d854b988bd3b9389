/*
 * What the rows of SETs cost in RocksDB, so that figures of this machine can be held against those
 * of another: a change of 300 bytes in history and a record of 45 in the state, keys drawn from a
 * million, in steady state.
 *
 *	storage_rocks_bench [--keys N] [--sets N] [--dir D]
 *
 * `memtables` is RocksDB as it is mostly used, with write batches of 64 SETs and no write-ahead
 * log; `files` is the engine, with sorted files of as many SETs as an overlay of 32 MiB holds.
 * Processor time of the whole process, merging included; making the rows and sorting them is not.
 */

#include "base/check.h"
#include "base/codec.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "storage/engine_rocks.h"
#include "storage/row.h"
#include "support/usage.h"

#include <inttypes.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGE_BYTES 300u
#define RECORD_BYTES 45u
#define BATCH	     64u
#define OVERLAY	     64000u
#define POOL_BYTES   ((size_t)1 << 20)

struct key {
	char text[32];
};

struct bench {
	uint64_t keys;
	uint64_t sets;
	const char *dir;
	struct random random;
	uint64_t revision;
	uint64_t own_ns;   /* of the bench itself */
	uint8_t *pool;	   /* POOL_BYTES of chance, from which values are cut */
	struct key *drawn; /* OVERLAY of them */
};

struct slot {
	struct buf history;
	struct buf state;
};

/* ---- rows ------------------------------------------------------------------------------------ */

static void fill_pool(struct bench *b)
{
	b->pool = mem_alloc(POOL_BYTES);
	for (size_t i = 0; i < POOL_BYTES; i += sizeof(uint64_t)) {
		uint64_t word = random_next(&b->random);

		memcpy(b->pool + i, &word, sizeof(word));
	}
}

/* No two in a row are alike, as far as compression can see. */
static struct slice next_value(struct bench *b, size_t len)
{
	return slice_of(b->pool + b->revision * 4099 % (POOL_BYTES - len), len);
}

static void next_history_key(struct bench *b, struct buf *key)
{
	struct revision r = {.main = ++b->revision};

	buf_clear(key);
	history_key_put(buf_reserve(key, HISTORY_KEY_BYTES), r);
	key->len = HISTORY_KEY_BYTES;
}

static void state_key(const struct key *k, struct buf *key)
{
	buf_clear(key);
	record_key(key, 1, slice_of((const uint8_t *)k->text, strlen(k->text)));
}

/* The first pass has all keys once, in order; those behind it draw. */
static void draw_key(struct bench *b, uint64_t i, struct key *k)
{
	uint64_t n = i < b->keys ? i : random_below(&b->random, b->keys);

	snprintf(k->text, sizeof(k->text), "key:%010" PRIu64, n);
}

/* ---- memtables ------------------------------------------------------------------------------- */

static void must(char *problem)
{
	if (!problem)
		return;
	fprintf(stderr, "RocksDB: %s\n", problem);
	exit(1);
}

static rocksdb_t *open_memtables(const char *dir, rocksdb_column_family_handle_t **families)
{
	static const char *const names[] = {"default", "history", "state"};
	rocksdb_options_t *o = rocksdb_options_create();
	const rocksdb_options_t *options[] = {o, o, o};
	char *problem = NULL;
	rocksdb_t *db;

	rocksdb_options_set_create_if_missing(o, 1);
	rocksdb_options_set_create_missing_column_families(o, 1);
	rocksdb_options_set_compression(o, rocksdb_no_compression);
	rocksdb_options_set_max_background_jobs(o, 2);
	rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
	db = rocksdb_open_column_families(o, dir, 3, names, options, families, &problem);
	must(problem);
	rocksdb_options_destroy(o);
	return db;
}

static void put_batch(struct bench *b, rocksdb_writebatch_t *batch,
		      rocksdb_column_family_handle_t **families, uint64_t first)
{
	struct slot s = {0};

	for (uint64_t i = 0; i < BATCH; i++) {
		struct slice change = next_value(b, CHANGE_BYTES);
		struct slice record = next_value(b, RECORD_BYTES);
		struct key k;

		draw_key(b, first + i, &k);
		next_history_key(b, &s.history);
		state_key(&k, &s.state);
		rocksdb_writebatch_put_cf(batch, families[1], (const char *)s.history.data,
					  s.history.len, (const char *)change.data, change.len);
		rocksdb_writebatch_put_cf(batch, families[2], (const char *)s.state.data,
					  s.state.len, (const char *)record.data, record.len);
	}
	buf_free(&s.history);
	buf_free(&s.state);
}

static void write_memtables(struct bench *b, rocksdb_t *db,
			    rocksdb_column_family_handle_t **families, uint64_t first,
			    uint64_t count)
{
	rocksdb_writeoptions_t *w = rocksdb_writeoptions_create();

	rocksdb_writeoptions_disable_WAL(w, 1);
	for (uint64_t done = 0; done < count; done += BATCH) {
		rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
		uint64_t begin = usage_thread_ns();
		char *problem = NULL;

		put_batch(b, batch, families, first + done);
		b->own_ns += usage_thread_ns() - begin;
		rocksdb_write(db, w, batch, &problem);
		must(problem);
		rocksdb_writebatch_destroy(batch);
	}
	rocksdb_writeoptions_destroy(w);
}

static void print_figure(const struct bench *b, const char *name, uint64_t begin_ns)
{
	double ns = (double)(usage_process_ns() - begin_ns - b->own_ns);

	printf("%-10s %6.2f us a SET\n", name, ns / (double)b->sets * 1e-3);
	fflush(stdout);
}

static void part_memtables(struct bench *b)
{
	rocksdb_column_family_handle_t *families[3];
	char dir[4096];
	rocksdb_t *db;
	uint64_t begin;

	snprintf(dir, sizeof(dir), "%s/memtables", b->dir);
	db = open_memtables(dir, families);
	write_memtables(b, db, families, 0, b->keys);
	b->own_ns = 0;
	begin = usage_process_ns();
	write_memtables(b, db, families, b->keys, b->sets);
	print_figure(b, "memtables", begin);
	for (size_t i = 0; i < 3; i++)
		rocksdb_column_family_handle_destroy(families[i]);
	rocksdb_close(db);
	CHECK(engine_rocks_destroy(dir) == OK);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int key_order(const void *a, const void *b)
{
	return strcmp(((const struct key *)a)->text, ((const struct key *)b)->text);
}

static void put_history(struct bench *b, struct engine *e, uint64_t count)
{
	struct engine_file *file;
	struct buf key = {0};

	CHECK(engine_file_begin(e, FAMILY_HISTORY, &file) == OK);
	for (uint64_t i = 0; i < count; i++) {
		next_history_key(b, &key);
		CHECK(engine_file_put(file, buf_slice(&key), next_value(b, CHANGE_BYTES)) == OK);
	}
	CHECK(engine_file_finish(file) == OK);
	CHECK(engine_file_ingest(file) == OK);
	buf_free(&key);
}

static void put_state(struct bench *b, struct engine *e, uint64_t count)
{
	struct engine_file *file;
	struct buf key = {0};

	CHECK(engine_file_begin(e, FAMILY_STATE, &file) == OK);
	for (uint64_t i = 0; i < count; i++) {
		if (i > 0 && key_order(&b->drawn[i], &b->drawn[i - 1]) == 0)
			continue;
		state_key(&b->drawn[i], &key);
		CHECK(engine_file_put(file, buf_slice(&key), next_value(b, RECORD_BYTES)) == OK);
	}
	CHECK(engine_file_finish(file) == OK);
	CHECK(engine_file_ingest(file) == OK);
	buf_free(&key);
}

static void write_files(struct bench *b, struct engine *e, uint64_t first, uint64_t count)
{
	for (uint64_t done = 0; done < count; done += OVERLAY) {
		uint64_t n = MIN(OVERLAY, count - done), begin = usage_thread_ns();

		for (uint64_t i = 0; i < n; i++)
			draw_key(b, first + done + i, &b->drawn[i]);
		qsort(b->drawn, n, sizeof(*b->drawn), key_order);
		b->own_ns += usage_thread_ns() - begin;
		put_history(b, e, n);
		put_state(b, e, n);
	}
}

static void part_files(struct bench *b)
{
	struct engine_rocks_options o = engine_rocks_defaults(NULL);
	struct engine *e;
	char dir[4096];
	uint64_t begin;

	snprintf(dir, sizeof(dir), "%s/files", b->dir);
	o.dir = dir;
	CHECK(engine_rocks_open(&e, &o) == OK);
	write_files(b, e, 0, b->keys);
	b->own_ns = 0;
	begin = usage_process_ns();
	write_files(b, e, b->keys, b->sets);
	print_figure(b, "files", begin);
	engine_close(e);
	CHECK(engine_rocks_destroy(dir) == OK);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void usage(void)
{
	fprintf(stderr, "usage: storage_rocks_bench [--keys N] [--sets N] [--dir D]\n");
	exit(2);
}

static void read_arguments(struct bench *b, int argc, char **argv)
{
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			usage();
		if (strcmp(argv[i], "--keys") == 0)
			b->keys = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--sets") == 0)
			b->sets = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--dir") == 0)
			b->dir = argv[i + 1];
		else
			usage();
	}
	if (b->keys == 0 || b->sets == 0)
		usage();
}

int main(int argc, char **argv)
{
	struct bench b = {.keys = 1000000, .sets = 4000000, .dir = "/tmp"};
	char dir[4096];

	read_arguments(&b, argc, argv);
	snprintf(dir, sizeof(dir), "%s/storage_rocks_bench.XXXXXX", b.dir);
	CHECK(mkdtemp(dir));
	b.dir = dir;
	b.drawn = mem_alloc(OVERLAY * sizeof(*b.drawn));
	random_seed(&b.random, 1);
	fill_pool(&b);
	part_memtables(&b);
	part_files(&b);
	mem_free(b.drawn);
	mem_free(b.pool);
	CHECK(remove(dir) == 0);
	return 0;
}
