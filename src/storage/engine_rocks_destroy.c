/* The end of an engine's directory: files, then the directories that held them. */

#include "base/bytes.h"
#include "storage/disk.h"
#include "storage/engine_rocks.h"

#include <errno.h>
#include <unistd.h>

static int remove_files(struct disk *disk, const char *dir)
{
	struct disk_names names = {0};
	int rc = disk_list(disk, dir, &names);

	for (size_t i = 0; rc == OK && i < names.count; i++) {
		struct buf path = {0};

		buf_printf(&path, "%s/%s%c", dir, names.names[i], '\0');
		/* What is no file is a directory, and goes later. */
		if (unlink((const char *)path.data) != 0 && errno != EISDIR && errno != ENOENT)
			rc = error_from_errno(errno);
		buf_free(&path);
	}
	disk_names_free(&names);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static int remove_directory(const char *dir)
{
	return rmdir(dir) == 0 || errno == ENOENT ? OK : error_from_errno(errno);
}

int engine_rocks_destroy(const char *dir)
{
	struct disk disk = disk_posix();
	struct buf incoming = {0};
	int rc;

	buf_printf(&incoming, "%s/incoming%c", dir, '\0');
	rc = remove_files(&disk, (const char *)incoming.data);
	if (rc == OK)
		rc = remove_directory((const char *)incoming.data);
	if (rc == OK)
		rc = remove_files(&disk, dir);
	if (rc == OK)
		rc = remove_directory(dir);
	buf_free(&incoming);
	return rc;
}
