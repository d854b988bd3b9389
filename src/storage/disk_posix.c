#include "storage/disk.h"

#include "base/check.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct posix_file {
	struct disk_file file;
	int fd;
};

static int posix_fd(struct disk_file *file)
{
	return CONTAINER_OF(file, struct posix_file, file)->fd;
}

static int open_retry(const char *path, int flags)
{
	int fd;

	do {
		fd = open(path, flags | O_CLOEXEC, 0640);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

static struct disk_file *posix_file_new(struct disk *disk, int fd)
{
	struct posix_file *file = MEM_NEW(struct posix_file);

	file->file.disk = disk;
	file->fd = fd;
	return &file->file;
}

static int posix_open(struct disk *disk, const char *path, unsigned flags, struct disk_file **out)
{
	int how = flags & DISK_READ_ONLY ? O_RDONLY : O_RDWR;
	int fd;

	if (flags & DISK_CREATE)
		how |= O_CREAT | O_EXCL;
	fd = open_retry(path, how | (flags & DISK_DIRECT ? O_DIRECT : 0));
	/* Where O_DIRECT is refused the file may have been made all the same. */
	if (fd < 0 && errno == EINVAL && (flags & DISK_DIRECT))
		fd = open_retry(path, how & ~O_EXCL);
	if (fd < 0)
		return error_from_errno(errno);
	/*
	 * A process that died after a failed sync leaves pages in the cache that look clean and
	 * never reached the disk: whoever opens anew must see what the disk has.
	 */
	if (!(flags & DISK_CREATE))
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	*out = posix_file_new(disk, fd);
	return OK;
}

static void posix_close(struct disk_file *file)
{
	struct posix_file *f = CONTAINER_OF(file, struct posix_file, file);

	close(f->fd);
	mem_free(f);
}

static int posix_read(struct disk_file *file, uint64_t offset, void *data, size_t len, size_t *got)
{
	uint8_t *at = data;
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(posix_fd(file), at + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		/* Behind an unaligned end of the file a direct read is refused, not empty. */
		if (n == 0 || (n < 0 && errno == EINVAL && done % DISK_BLOCK != 0))
			break;
		if (n < 0)
			return error_from_errno(errno);
		done += (size_t)n;
	}
	*got = done;
	return OK;
}

static int posix_write(struct disk_file *file, uint64_t offset, const void *data, size_t len)
{
	const uint8_t *at = data;
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(posix_fd(file), at + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_from_errno(errno);
		if (n == 0)
			return ERR_IO;
		done += (size_t)n;
	}
	return OK;
}

/* EINTR is no exception: whether a sync that was interrupted did its work is not known. */
static int posix_sync(struct disk_file *file)
{
	return fdatasync(posix_fd(file)) == 0 ? OK : ERR_IO;
}

static int posix_preallocate(struct disk_file *file, uint64_t size)
{
	struct stat st;
	int rc;

	do {
		rc = fallocate(posix_fd(file), 0, 0, (off_t)size) == 0 ? 0 : errno;
	} while (rc == EINTR);
	if (rc != EOPNOTSUPP)
		return error_from_errno(rc);
	if (fstat(posix_fd(file), &st) != 0)
		return error_from_errno(errno);
	if ((uint64_t)st.st_size >= size)
		return OK;
	return ftruncate(posix_fd(file), (off_t)size) == 0 ? OK : error_from_errno(errno);
}

static int posix_truncate(struct disk_file *file, uint64_t size)
{
	int rc;

	do {
		rc = ftruncate(posix_fd(file), (off_t)size) == 0 ? 0 : errno;
	} while (rc == EINTR);
	return error_from_errno(rc);
}

static int posix_size(struct disk_file *file, uint64_t *size)
{
	struct stat st;

	if (fstat(posix_fd(file), &st) != 0)
		return error_from_errno(errno);
	*size = (uint64_t)st.st_size;
	return OK;
}

static int posix_rename(struct disk *disk, const char *from, const char *to)
{
	(void)disk;
	return rename(from, to) == 0 ? OK : error_from_errno(errno);
}

static int posix_remove(struct disk *disk, const char *path)
{
	(void)disk;
	return unlink(path) == 0 ? OK : error_from_errno(errno);
}

static int posix_sync_directory(struct disk *disk, const char *path)
{
	int fd = open_retry(path, O_RDONLY | O_DIRECTORY);
	int rc;

	(void)disk;
	if (fd < 0)
		return error_from_errno(errno);
	rc = fsync(fd) == 0 ? OK : error_from_errno(errno);
	close(fd);
	return rc;
}

/* Makes one directory and, if it is new, its name durable in the one above. */
static int make_one_directory(struct disk *disk, const char *path)
{
	const char *slash = strrchr(path, '/');
	char above[4096];

	if (mkdir(path, 0750) != 0)
		return errno == EEXIST ? OK : error_from_errno(errno);
	if (!slash)
		return posix_sync_directory(disk, ".");
	snprintf(above, sizeof(above), "%.*s", (int)MAX(slash - path, 1), path);
	return posix_sync_directory(disk, above);
}

static int posix_make_directory(struct disk *disk, const char *path)
{
	char part[4096];
	size_t len = strlen(path);
	int rc = OK;

	if (len == 0 || len >= sizeof(part))
		return ERR_INVALID;
	for (size_t i = 1; i <= len && rc == OK; i++) {
		if (i < len && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		rc = make_one_directory(disk, part);
	}
	return rc;
}

static int posix_list(struct disk *disk, const char *path, struct disk_names *names)
{
	DIR *dir = opendir(path);
	struct dirent *found;
	int rc;

	(void)disk;
	if (!dir)
		return error_from_errno(errno);
	for (errno = 0; (found = readdir(dir)) != NULL; errno = 0) {
		if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
			disk_names_add(names, found->d_name);
	}
	rc = error_from_errno(errno);
	closedir(dir);
	return rc;
}

static int posix_lock(struct disk *disk, const char *path, struct disk_file **out)
{
	int fd = open_retry(path, O_RDWR | O_CREAT);
	int rc;

	if (fd < 0)
		return error_from_errno(errno);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		rc = errno == EWOULDBLOCK ? ERR_LOCKED : error_from_errno(errno);
		close(fd);
		return rc;
	}
	*out = posix_file_new(disk, fd);
	return OK;
}

static int posix_free_space(struct disk *disk, const char *path, uint64_t *bytes)
{
	struct statvfs fs;

	(void)disk;
	if (statvfs(path, &fs) != 0)
		return error_from_errno(errno);
	*bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return OK;
}

/* Files that go while they are counted do not count. */
static int posix_used_space(struct disk *disk, const char *path, uint64_t *bytes)
{
	char *paths[] = {(char *)(uintptr_t)path, NULL};
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	const FTSENT *found;
	int failure = 0;

	(void)disk;
	if (!walk)
		return error_from_errno(errno);
	*bytes = 0;
	for (errno = 0; (found = fts_read(walk)) != NULL; errno = 0) {
		if (found->fts_info == FTS_F)
			*bytes += (uint64_t)found->fts_statp->st_blocks * 512;
		else if (found->fts_level == FTS_ROOTLEVEL && found->fts_errno)
			failure = found->fts_errno;
	}
	failure = failure ? failure : errno;
	fts_close(walk);
	return error_from_errno(failure);
}

struct disk disk_posix(void)
{
	static const struct disk_ops ops = {
		.open = posix_open,
		.close = posix_close,
		.read = posix_read,
		.write = posix_write,
		.sync = posix_sync,
		.preallocate = posix_preallocate,
		.truncate = posix_truncate,
		.size = posix_size,
		.rename = posix_rename,
		.remove = posix_remove,
		.make_directory = posix_make_directory,
		.sync_directory = posix_sync_directory,
		.list = posix_list,
		.lock = posix_lock,
		.free_space = posix_free_space,
		.used_space = posix_used_space,
	};

	return (struct disk){.ops = &ops};
}
