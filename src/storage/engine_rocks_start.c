#include "storage/disk.h"
#include "storage/engine_rocks_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name);
	size_t end_len = strlen(end);

	return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

/*
 * RocksDB takes a directory without CURRENT for an empty one and removes the tables it finds
 * there. But CURRENT is there before the first table is; if it is missing, it was lost, and rows
 * with it that this member said it had.
 */
static int rocks_start_survey(const struct rocks *r, struct disk *disk)
{
	struct disk_names names = {0};
	bool tables = false;
	bool current = false;
	int rc = disk_list(disk, rocks_path_text(&r->dir), &names);

	for (size_t i = 0; i < names.count; i++)
		tables = tables || ends_with(names.names[i], ".sst");
	disk_names_free(&names);
	if (rc != OK || !tables)
		return rc;

	/* Listed anew: another process may just have made both. */
	names = (struct disk_names){0};
	rc = disk_list(disk, rocks_path_text(&r->dir), &names);
	for (size_t i = 0; i < names.count; i++)
		current = current || strcmp(names.names[i], "CURRENT") == 0;
	disk_names_free(&names);
	if (rc == OK && !current) {
		LOG(r->logger, LOG_ERROR, "engine: %s has tables but no CURRENT",
		    rocks_path_text(&r->dir));
		rc = ERR_CORRUPT;
	}
	return rc;
}

int rocks_start_before(struct rocks *r)
{
	struct disk disk = disk_posix();
	int rc = disk_make_directory(&disk, rocks_path_text(&r->incoming));

	return rc == OK ? rocks_start_survey(r, &disk) : rc;
}

/* The name of the file in the directory that RocksDB says is not there; NULL: it does not. */
static const char *missing_file(const struct rocks *r, const char *text, const char *while_doing)
{
	static const char before[] = "No such file or directory: While ";
	const char *dir = rocks_path_text(&r->dir);
	const char *at = strstr(text, before);

	if (!at)
		return NULL;
	at += sizeof(before) - 1;
	if (strncmp(at, while_doing, strlen(while_doing)) != 0)
		return NULL;
	at += strlen(while_doing);
	return strncmp(at, dir, strlen(dir)) == 0 ? at + strlen(dir) + 1 : NULL;
}

/* The number of the table that RocksDB says it cannot open; false: it says something else. */
static bool missing_table(const struct rocks *r, const char *text, unsigned long long *number)
{
	const char *at = missing_file(r, text, "open a file for random read: ");
	char *end;

	if (!at)
		return false;
	*number = strtoull(at, &end, 10);
	return end > at && strncmp(end, ".ldb:", 5) == 0; /* it tries tables' old ending last */
}

#define MANIFEST "MANIFEST-"

/* The highest number that a manifest has; 0: there is none. */
static unsigned long long newest_manifest(const struct disk_names *names)
{
	unsigned long long newest = 0;

	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->names[i];

		if (strncmp(name, MANIFEST, strlen(MANIFEST)) == 0)
			newest = MAX(newest, strtoull(name + strlen(MANIFEST), NULL, 10));
	}
	return newest;
}

/*
 * RocksDB syncs the directory once for both, the new manifest's name and that CURRENT names it; a
 * machine that dies before may keep the second without the first. Then the one before is there
 * still, and holds all that was ever said to be durable: it goes after that sync.
 */
bool rocks_start_name_manifest(const struct rocks *r, const char *text)
{
	const char *missing = missing_file(r, text, "opening a file for sequentially reading: ");
	struct disk disk = disk_posix();
	struct disk_names names = {0};
	unsigned long long newest = 0;
	char name[64];
	int len;

	if (!missing || strncmp(missing, MANIFEST, strlen(MANIFEST)) != 0)
		return false;
	if (disk_list(&disk, rocks_path_text(&r->dir), &names) == OK)
		newest = newest_manifest(&names);
	disk_names_free(&names);
	if (newest == 0)
		return false;
	len = snprintf(name, sizeof(name), MANIFEST "%06llu\n", newest);
	if (disk_replace(&disk, rocks_path_text(&r->dir), "CURRENT",
			 slice_of((const uint8_t *)name, (size_t)len)) != OK)
		return false;
	LOG(r->logger, LOG_WARNING, "engine: %s: going on with " MANIFEST "%06llu", text, newest);
	return true;
}

/*
 * The table is the right one or is refused: RocksDB compares its length with what the manifest
 * says, and the ingestion that failed was the process's last.
 */
bool rocks_start_restore(const struct rocks *r, const char *text, struct buf *table)
{
	unsigned long long number;
	char name[32];

	if (!missing_table(r, text, &number))
		return false;
	snprintf(name, sizeof(name), "%06llu.sst", number);
	rocks_path(table, rocks_path_text(&r->dir), name);
	return link(rocks_path_text(&r->taking), rocks_path_text(table)) == 0;
}

/*
 * What a killed process left in incoming/ is unlinked, never opened: it may be a second name of a
 * file that RocksDB has taken in.
 */
static int rocks_start_clear(const struct rocks *r)
{
	struct disk disk = disk_posix();
	const char *dir = rocks_path_text(&r->incoming);
	struct disk_names names = {0};
	int rc = disk_list(&disk, dir, &names);

	for (size_t i = 0; i < names.count && rc == OK; i++) {
		struct buf path = {0};

		rocks_path(&path, dir, names.names[i]);
		rc = disk_remove(&disk, rocks_path_text(&path));
		buf_free(&path);
	}
	disk_names_free(&names);
	return rc == OK ? disk_sync_directory(&disk, dir) : rc;
}

/*
 * RocksDB begins a write-ahead log with each start and keeps it until rows that came behind it are
 * in a table, so, as no row ever goes there, for ever. One row of no meaning in a family of no
 * meaning, put into a table past the log, lets the old ones go. Nothing else is in memory: no other
 * family is touched.
 */
static int rocks_start_let_logs_go(const struct rocks *r)
{
	rocksdb_writeoptions_t *write = rocksdb_writeoptions_create();
	rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
	char *text = NULL;

	rocksdb_writeoptions_disable_WAL(write, 1);
	rocksdb_flushoptions_set_wait(flush, 1);
	rocksdb_put_cf(r->db, write, r->families[ROCKS_DEFAULT], "start", 5, "", 0, &text);
	if (!text)
		rocksdb_flush_cf(r->db, flush, r->families[ROCKS_DEFAULT], &text);
	rocksdb_flushoptions_destroy(flush);
	rocksdb_writeoptions_destroy(write);
	return rocks_error(r, LOG_ERROR, "starting", text);
}

/*
 * A process that was killed may have left a manifest whose last lines never reached the disk, and
 * rows that RocksDB now answers from. They are durable all the same when this returns: at each
 * start RocksDB writes what it has found into a new manifest, syncs that, and CURRENT, and the
 * directory; and a table is synced, with its name, before any manifest speaks of it. The directory
 * is synced once more for the names that RocksDB removed.
 */
int rocks_start_after(struct rocks *r)
{
	struct disk disk = disk_posix();
	int rc = rocks_start_clear(r);

	/* Of a process that died between taking a file in and looking at it. */
	if (rc == OK && rocks_drop_unbounded(r) > 0 && rocks_drop_unbounded(r) > 0)
		rc = ERR_CORRUPT;
	if (rc == OK)
		rc = rocks_start_let_logs_go(r);
	return rc == OK ? disk_sync_directory(&disk, rocks_path_text(&r->dir)) : rc;
}
