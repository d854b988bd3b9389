#include "base/check.h"
#include "base/mem.h"
#include "storage/disk.h"
#include "storage/engine_rocks_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>

/* What must be free beside a file that is to be taken in: RocksDB notes it in its manifest. */
#define ROCKS_INGEST_ROOM ((uint64_t)4 << 20)

struct rocks_file {
	struct engine_file file;
	struct buf path;
	rocksdb_sstfilewriter_t *writer; /* NULL once the file is whole */
};

static struct rocks_file *rocks_file_of(struct engine_file *f)
{
	return CONTAINER_OF(f, struct rocks_file, file);
}

static int rocks_file_error(struct engine_file *f, char *text)
{
	return rocks_error(rocks_of(f->engine), LOG_WARNING, "making a file", text);
}

/*
 * The name was never used since the engine was opened, and nothing was left in the directory then:
 * the writer would cut a file that is there, and that may be a second name of a living one.
 */
int rocks_file_begin(struct engine *e, enum engine_family family, struct engine_file **out)
{
	struct rocks *r = rocks_of(e);
	struct rocks_file *f = MEM_NEW(struct rocks_file);
	char name[32];
	char *text = NULL;
	int rc;

	f->file.engine = e;
	snprintf(name, sizeof(name), "%016" PRIx64 ".sst", r->next_file++);
	rocks_path(&f->path, rocks_path_text(&r->incoming), name);
	f->writer = rocksdb_sstfilewriter_create(r->env, r->young[family]);
	rocksdb_sstfilewriter_open(f->writer, rocks_path_text(&f->path), &text);
	rc = rocks_error(r, LOG_WARNING, "beginning a file", text);
	if (rc != OK) {
		rocks_file_free(&f->file);
		return rc;
	}
	*out = &f->file;
	return OK;
}

int rocks_file_put(struct engine_file *f, struct slice key, struct slice value)
{
	char *text = NULL;

	rocksdb_sstfilewriter_put(rocks_file_of(f)->writer, rocks_text(key), key.len,
				  rocks_text(value), value.len, &text);
	return rocks_file_error(f, text);
}

int rocks_file_delete(struct engine_file *f, struct slice key)
{
	char *text = NULL;

	rocksdb_sstfilewriter_delete(rocks_file_of(f)->writer, rocks_text(key), key.len, &text);
	return rocks_file_error(f, text);
}

/*
 * All that stands in one file gets one sequence number when the file is taken in, and a range
 * covers lower ones only: so rows of the same file stay.
 */
int rocks_file_delete_range(struct engine_file *f, struct slice from, struct slice to)
{
	char *text = NULL;

	rocksdb_sstfilewriter_delete_range(rocks_file_of(f)->writer, rocks_text(from), from.len,
					   rocks_text(to), to.len, &text);
	return rocks_file_error(f, text);
}

/*
 * An engine that ran out of space while it took a file in has to be opened anew, a file that was
 * not made is only made again: so a disk that is nearly full is noticed here.
 */
static int rocks_file_room(struct rocks *r)
{
	struct statvfs v;

	if (statvfs(rocks_path_text(&r->dir), &v) != 0 ||
	    (uint64_t)v.f_bavail * v.f_frsize >= ROCKS_INGEST_ROOM)
		return OK;
	LOG(r->logger, LOG_WARNING, "engine: the disk of %s is full", rocks_path_text(&r->dir));
	return ERR_NO_SPACE;
}

/* The writer syncs the file before it says that all went well. */
int rocks_file_finish(struct engine_file *f)
{
	struct rocks_file *file = rocks_file_of(f);
	char *text = NULL;
	int rc;

	rocksdb_sstfilewriter_finish(file->writer, &text);
	rocksdb_sstfilewriter_destroy(file->writer);
	file->writer = NULL;
	rc = rocks_file_error(f, text);
	return rc == OK ? rocks_file_room(rocks_of(f->engine)) : rc;
}

/*
 * RocksDB links the file into its directory, gives it its sequence number, syncs file and
 * directory, then writes and syncs the line in its manifest that makes it count, and at last
 * removes the name in incoming/. A crash before the line leaves two names of a file that nobody
 * knows, one behind it a second name of a living one; rocks_start_after() removes the one here.
 *
 * When the line is written and its sync fails, RocksDB takes the file for not taken in and removes
 * its own name (7.8.3), though the line may be found at the next start. So here the file has a
 * name by which that start knows it, on the disk before there is a line, and after a failure keeps
 * it: rocks_start_restore().
 */
int rocks_file_ingest(struct engine_file *f)
{
	struct rocks_file *file = rocks_file_of(f);
	struct rocks *r = rocks_of(f->engine);
	struct disk disk = disk_posix();
	const char *path = rocks_path_text(&r->taking);
	char *text = NULL;
	int rc;

	CHECK(!file->writer);
	rc = disk_rename(&disk, rocks_path_text(&file->path), path);
	if (rc == OK)
		rc = disk_sync_directory(&disk, rocks_path_text(&r->incoming));
	if (rc != OK) {
		LOG(r->logger, LOG_ERROR, "engine: cannot rename %s: %s",
		    rocks_path_text(&file->path), error_text(rc));
		return rc == ERR_NO_SPACE ? rc : ERR_IO;
	}
	rocksdb_ingest_external_file_cf(r->db, r->families[f->family], &path, 1,
					r->ingest[f->family], &text);
	rc = rocks_error(r, LOG_ERROR, "taking a file in", text);
	/* A disk that does not read is not to be written to. */
	return rc == OK && rocks_drop_unbounded(r) > 0 ? ERR_IO : rc;
}

/* No row of ours has an empty key, so no table begins or ends with one. */
static bool is_unbounded(const rocksdb_livefiles_t *files, int i)
{
	size_t len;

	(void)rocksdb_livefiles_smallestkey(files, i, &len);
	return len == 0;
}

size_t rocks_drop_unbounded(struct rocks *r)
{
	const rocksdb_livefiles_t *files = rocksdb_livefiles(r->db);
	size_t found = 0;

	for (int i = 0; i < rocksdb_livefiles_count(files); i++) {
		const char *name = rocksdb_livefiles_name(files, i);

		if (!is_unbounded(files, i))
			continue;
		LOG(r->logger, LOG_ERROR,
		    "engine: %s%s was taken in without its rows, which could not be read: it is "
		    "let go",
		    rocks_path_text(&r->dir), name);
		rocksdb_delete_file(r->db, name);
		found++;
	}
	rocksdb_livefiles_destroy(files);
	return found;
}

/*
 * A file that was to be taken in has not this name any more, nor has one whose beginning failed.
 * One that cannot be removed is in nobody's way until the next start removes it.
 */
void rocks_file_free(struct engine_file *f)
{
	struct rocks_file *file = rocks_file_of(f);
	struct disk disk = disk_posix();
	int rc;

	if (file->writer)
		rocksdb_sstfilewriter_destroy(file->writer);
	rc = disk_remove(&disk, rocks_path_text(&file->path));
	if (rc != OK && rc != ERR_NOT_FOUND)
		LOG(rocks_of(f->engine)->logger, LOG_WARNING, "engine: cannot remove %s: %s",
		    rocks_path_text(&file->path), error_text(rc));
	buf_free(&file->path);
	mem_free(file);
}
