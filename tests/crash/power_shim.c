/*
 * A library for LD_PRELOAD that writes down what a process does to the files below a directory:
 * every byte, every name, and which of them were synced. power.py reads that, and makes of it
 * what a disk may hold after the power went off. Of the calls only the syncs are played: nothing
 * here has to outlive more than the process, and the page cache does.
 *
 *	POWER_ROOT     the directory, absolute and without links; set: the library is at work
 *	POWER_TRACE    the file that the record goes to, outside of it
 *	POWER_DIES_AT  the process dies right before the call of this number; 0: it does not
 *	POWER_FAILS_AT the call of this number fails with EIO, once; 0: none does
 *	POWER_READ_FAILS_AT  so does the read of this number; reads are counted apart
 *	POWER_SLOW_US  a sync takes up to so long, now and then
 *	POWER_SEED     draws how long
 *
 * A call that fails leaves names as they were and syncs nothing; what it was to write is written,
 * and may or may not be found. What a failed sync was to make durable no later one does: the system
 * takes it for written by then.
 *
 * What stdio writes to its files is not seen, and so is always lost. What cannot be followed (a
 * writable shared mapping, a hole, a copy in the kernel) ends the process with a word about it,
 * so that nobody takes a trace for whole that is not.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Of a record in the trace; power.py knows the same letters. */
enum trace_kind {
	TRACE_CREATE = 'C',   /* text: path; a: inode */
	TRACE_MKDIR = 'D',    /* text: path */
	TRACE_RENAME = 'R',   /* text: from, zero byte, to */
	TRACE_LINK = 'L',     /* text: from, zero byte, to */
	TRACE_UNLINK = 'U',   /* text: path */
	TRACE_RMDIR = 'X',    /* text: path */
	TRACE_WRITE = 'W',    /* a: inode, b: offset; text: the bytes */
	TRACE_SIZE = 'T',     /* a: inode, b: length of the file from now on */
	TRACE_SYNC = 'S',     /* a: inode, b: records before the sync began */
	TRACE_SYNC_DIR = 'N', /* text: path; b: records before the sync began */
	TRACE_FAILED = 'F',   /* a: inode; a sync of it that failed */
};

struct trace_head {
	uint64_t kind;
	uint64_t a;
	uint64_t b;
	uint64_t len; /* of the text behind */
};

static struct {
	pthread_mutex_t lock; /* from a change of names to its record; around every record */
	char root[PATH_MAX];
	size_t root_len; /* 0: not at work */
	int trace;
	uint64_t records;
	uint64_t calls;
	uint64_t dies_at;
	uint64_t fails_at;
	uint64_t reads;
	uint64_t read_fails_at;
	uint64_t slow_us;
	uint64_t random;
} power = {.lock = PTHREAD_MUTEX_INITIALIZER, .trace = -1};

/* ---- the record ------------------------------------------------------------------------------ */

__attribute__((noreturn)) static void power_stop(const char *why)
{
	dprintf(STDERR_FILENO, "power_shim: %s\n", why);
	abort();
}

static uint64_t power_setting(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void power_init(void)
{
	const char *root = getenv("POWER_ROOT"), *trace = getenv("POWER_TRACE");

	if (!root)
		return;
	if (!trace || root[0] != '/' || strlen(root) + 1 >= sizeof(power.root))
		power_stop("POWER_ROOT is not absolute, or there is no POWER_TRACE");
	power.trace = (int)syscall(SYS_openat, AT_FDCWD, trace,
				   O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (power.trace < 0)
		power_stop("POWER_TRACE cannot be written");
	power.dies_at = power_setting("POWER_DIES_AT");
	power.fails_at = power_setting("POWER_FAILS_AT");
	power.read_fails_at = power_setting("POWER_READ_FAILS_AT");
	power.slow_us = power_setting("POWER_SLOW_US");
	power.random = power_setting("POWER_SEED") * 2 + 1;
	power.root_len = strlen(root);
	memcpy(power.root, root, power.root_len + 1);
}

/* The lock is held. A record that the end of the process cut off is none. */
static void power_record(enum trace_kind kind, uint64_t a, uint64_t b, const struct iovec *text,
			 int count)
{
	struct trace_head head = {.kind = kind, .a = a, .b = b};
	struct iovec parts[3] = {{&head, sizeof(head)}};
	size_t whole = sizeof(head);

	if (count > 2)
		power_stop("a record of too many parts");
	for (int i = 0; i < count; i++) {
		parts[i + 1] = text[i];
		head.len += text[i].iov_len;
		whole += text[i].iov_len;
	}
	if (syscall(SYS_writev, power.trace, parts, count + 1) != (long)whole)
		power_stop("the trace cannot be written");
	power.records++;
}

static void power_record_text(enum trace_kind kind, uint64_t a, uint64_t b, const void *text,
			      size_t len)
{
	struct iovec part = {(void *)(uintptr_t)text, len};

	power_record(kind, a, b, &part, 1);
}

static int power_fail(const char *what)
{
	dprintf(STDERR_FILENO, "power_shim: %s fails\n", what);
	errno = EIO;
	return -1;
}

/* Every call that is followed passes here first. True: it is to fail. */
static bool power_call(const char *what)
{
	bool fails;

	pthread_mutex_lock(&power.lock);
	if (++power.calls == power.dies_at)
		syscall(SYS_kill, getpid(), SIGKILL);
	fails = power.calls == power.fails_at;
	pthread_mutex_unlock(&power.lock);
	return fails && power_fail(what) != 0;
}

/* ---- what is below the root ------------------------------------------------------------------ */

static bool below_root(const char *path)
{
	return strncmp(path, power.root, power.root_len) == 0 &&
	       (path[power.root_len] == '/' || path[power.root_len] == '\0');
}

/* Where the descriptor's file stands now; false: it is not below the root. */
static bool path_of(int fd, char *path)
{
	char link[64];
	ssize_t len;

	if (!power.root_len)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_MAX - 1);
	path[len > 0 ? len : 0] = '\0';
	return below_root(path);
}

/* The path as seen from the root of all; false: it is not below ours. */
static bool path_at(int dir, const char *path, char *whole)
{
	char at[PATH_MAX], link[64];
	ssize_t len;

	if (!power.root_len)
		return false;
	if (path[0] == '/')
		return snprintf(whole, PATH_MAX, "%s", path) < PATH_MAX && below_root(whole);
	if (dir == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/self/cwd");
	else
		snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	len = readlink(link, at, sizeof(at) - 1);
	at[len > 0 ? len : 0] = '\0';
	return snprintf(whole, PATH_MAX, "%s/%s", at, path) < PATH_MAX && below_root(whole);
}

/* Whether this is a file of ours, and which. */
static bool file_of(int fd, uint64_t *inode)
{
	int before = errno;
	char path[PATH_MAX];
	struct stat st;
	bool ours =
		power.root_len && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && path_of(fd, path);

	if (ours)
		*inode = st.st_ino;
	errno = before;
	return ours;
}

/* ---- names ----------------------------------------------------------------------------------- */

static int open_followed(int dir, const char *path, int flags, mode_t mode)
{
	char whole[PATH_MAX];
	struct stat st;
	bool was_there;
	int fd;

	if (power_call(__func__))
		return -1;
	if (flags & __O_TMPFILE & ~O_DIRECTORY)
		power_stop("files without a name are not followed");
	pthread_mutex_lock(&power.lock);
	was_there = faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	fd = (int)syscall(SYS_openat, dir, path, flags, mode);
	if (fd >= 0 && path_of(fd, whole) && fstat(fd, &st) == 0) {
		if (!was_there)
			power_record_text(TRACE_CREATE, st.st_ino, 0, whole, strlen(whole));
		else if (flags & O_TRUNC)
			power_record(TRACE_SIZE, st.st_ino, 0, NULL, 0);
	}
	pthread_mutex_unlock(&power.lock);
	return fd;
}

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
	char whole[PATH_MAX];

	if ((flags & (O_CREAT | O_TRUNC)) && path_at(dir, path, whole))
		return open_followed(dir, path, flags, mode);
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

static mode_t mode_given(int flags, va_list args)
{
	return flags & (O_CREAT | (__O_TMPFILE & ~O_DIRECTORY)) ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_given(flags, args);
	va_end(args);
	return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_given(flags, args);
	va_end(args);
	return open_at(dir, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
	return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	char whole[PATH_MAX];
	bool ours = path_at(dir, path, whole);
	int rc;

	if (ours && power_call(__func__))
		return -1;
	pthread_mutex_lock(&power.lock);
	rc = (int)syscall(SYS_mkdirat, dir, path, mode);
	if (rc == 0 && ours)
		power_record_text(TRACE_MKDIR, 0, 0, whole, strlen(whole));
	pthread_mutex_unlock(&power.lock);
	return rc;
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int unlinkat(int dir, const char *path, int flags)
{
	char whole[PATH_MAX];
	bool ours = path_at(dir, path, whole);
	int rc;

	if (ours && power_call(__func__))
		return -1;
	pthread_mutex_lock(&power.lock);
	rc = (int)syscall(SYS_unlinkat, dir, path, flags);
	if (rc == 0 && ours)
		power_record_text(flags & AT_REMOVEDIR ? TRACE_RMDIR : TRACE_UNLINK, 0, 0, whole,
				  strlen(whole));
	pthread_mutex_unlock(&power.lock);
	return rc;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
	int rc = unlink(path);

	return rc != 0 && errno == EISDIR ? rmdir(path) : rc;
}

/* Both sides of a rename or a link are below the root, or neither is. */
static bool both_ours(bool from, bool to)
{
	if (from != to)
		power_stop("a name that goes across the border of POWER_ROOT is not followed");
	return from;
}

static void record_pair(enum trace_kind kind, const char *from, const char *to)
{
	struct iovec parts[2] = {{(void *)(uintptr_t)from, strlen(from) + 1},
				 {(void *)(uintptr_t)to, strlen(to)}};

	power_record(kind, 0, 0, parts, 2);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	char whole_from[PATH_MAX], whole_to[PATH_MAX];
	bool ours = both_ours(path_at(from_dir, from, whole_from), path_at(to_dir, to, whole_to));
	int rc;

	if (ours && power_call(__func__))
		return -1;
	if (ours && flags)
		power_stop("a rename with flags is not followed");
	pthread_mutex_lock(&power.lock);
	rc = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
	if (rc == 0 && ours)
		record_pair(TRACE_RENAME, whole_from, whole_to);
	pthread_mutex_unlock(&power.lock);
	return rc;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return renameat2(from_dir, from, to_dir, to, 0);
}

int rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	char whole_from[PATH_MAX], whole_to[PATH_MAX];
	bool ours = both_ours(path_at(from_dir, from, whole_from), path_at(to_dir, to, whole_to));
	int rc;

	if (ours && power_call(__func__))
		return -1;
	pthread_mutex_lock(&power.lock);
	rc = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
	if (rc == 0 && ours)
		record_pair(TRACE_LINK, whole_from, whole_to);
	pthread_mutex_unlock(&power.lock);
	return rc;
}

int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* `n` bytes from `offset` on have been written out of these parts. */
static void record_written(uint64_t inode, off_t offset, const struct iovec *parts, ssize_t n)
{
	pthread_mutex_lock(&power.lock);
	for (; n > 0; parts++) {
		size_t len = (size_t)n < parts->iov_len ? (size_t)n : parts->iov_len;

		power_record_text(TRACE_WRITE, inode, (uint64_t)offset, parts->iov_base, len);
		offset += (off_t)len;
		n -= (ssize_t)len;
	}
	pthread_mutex_unlock(&power.lock);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	uint64_t inode;
	bool ours = file_of(fd, &inode);
	bool fails;
	ssize_t n;

	fails = ours && power_call(__func__);
	n = syscall(SYS_writev, fd, parts, count);
	if (ours && n > 0)
		record_written(inode, lseek(fd, 0, SEEK_CUR) - n, parts, n);
	if (fails)
		errno = EIO; /* it was done, and nobody is to know */
	return fails ? -1 : n;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	uint64_t inode;
	bool ours = file_of(fd, &inode);
	bool fails;
	ssize_t n;

	fails = ours && power_call(__func__);
	n = syscall(SYS_pwritev, fd, parts, count, offset, 0);
	if (ours && n > 0)
		record_written(inode, offset, parts, n);
	if (fails)
		errno = EIO; /* it was done, and nobody is to know */
	return fails ? -1 : n;
}

ssize_t write(int fd, const void *data, size_t len)
{
	struct iovec part = {(void *)(uintptr_t)data, len};

	return writev(fd, &part, 1);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	struct iovec part = {(void *)(uintptr_t)data, len};

	return pwritev(fd, &part, 1, offset);
}

/*
 * A file that the engine is about to take in has 16 digits in its name, and then is "taking"; once
 * it is taken in, six digits. It was written a moment ago, so the system has it in memory, and no
 * disk is read that could fail. (RocksDB 7.8 would end the process: it asks where an iterator
 * stands that met an error.)
 */
static bool was_just_written(int fd)
{
	static const char suffix[] = ".sst";
	char path[PATH_MAX];
	const char *name;

	if (!path_of(fd, path))
		return false;
	name = strrchr(path, '/') + 1;
	return strcmp(name, "taking.sst") == 0 ||
	       (strlen(name) == 16 + strlen(suffix) && strcmp(name + 16, suffix) == 0);
}

ssize_t pread(int fd, void *data, size_t len, off_t offset)
{
	uint64_t inode;

	if (power.read_fails_at && file_of(fd, &inode) && !was_just_written(fd)) {
		bool fails;

		pthread_mutex_lock(&power.lock);
		fails = ++power.reads == power.read_fails_at;
		pthread_mutex_unlock(&power.lock);
		if (fails)
			return power_fail(__func__);
	}
	return syscall(SYS_pread64, fd, data, len, offset);
}

static void record_size(int fd, uint64_t inode)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		power_stop("a file that is open has no size");
	pthread_mutex_lock(&power.lock);
	power_record(TRACE_SIZE, inode, (uint64_t)st.st_size, NULL, 0);
	pthread_mutex_unlock(&power.lock);
}

int ftruncate(int fd, off_t size)
{
	uint64_t inode;
	bool ours = file_of(fd, &inode);
	int rc;

	if (ours && power_call(__func__))
		return -1;
	rc = (int)syscall(SYS_ftruncate, fd, size);
	if (ours && rc == 0)
		record_size(fd, inode);
	return rc;
}

/* What was set aside behind a file's end is given back: no byte of it changes. */
static bool is_behind(int fd, int mode, off_t offset)
{
	struct stat st;

	return mode == (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE) && fstat(fd, &st) == 0 &&
	       offset >= st.st_size;
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	uint64_t inode;
	bool ours = file_of(fd, &inode);
	int rc;

	if (ours && power_call(__func__))
		return -1;
	if (ours && (mode & ~FALLOC_FL_KEEP_SIZE) && !is_behind(fd, mode, offset))
		power_stop("fallocate that changes bytes is not followed");
	rc = (int)syscall(SYS_fallocate, fd, mode, offset, len);
	if (ours && rc == 0 && mode == 0)
		record_size(fd, inode);
	return rc;
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
	return fallocate(fd, 0, offset, len) == 0 ? 0 : errno;
}

/* ---- syncs ----------------------------------------------------------------------------------- */

/* Most disks are quick most of the time. */
static void wait_for_disk(void)
{
	struct timespec wait = {0};

	if (!power.slow_us)
		return;
	pthread_mutex_lock(&power.lock);
	power.random ^= power.random << 13;
	power.random ^= power.random >> 7;
	power.random ^= power.random << 17;
	if (power.random % 8 == 0)
		wait.tv_nsec = (long)(power.random / 8 % power.slow_us * 1000 % 1000000000);
	pthread_mutex_unlock(&power.lock);
	if (wait.tv_nsec)
		ppoll(NULL, 0, &wait, NULL);
}

static int sync_fails(const struct stat *st)
{
	if (S_ISREG(st->st_mode)) {
		pthread_mutex_lock(&power.lock);
		power_record(TRACE_FAILED, st->st_ino, 0, NULL, 0);
		pthread_mutex_unlock(&power.lock);
	}
	errno = EIO;
	return -1;
}

/* What was written down before the sync began is durable when its end is written down. */
static int sync_file(int fd, long call)
{
	char path[PATH_MAX];
	uint64_t before;
	struct stat st;

	if (!path_of(fd, path) || fstat(fd, &st) != 0)
		return (int)syscall(call, fd);
	if (power_call(__func__))
		return sync_fails(&st);
	pthread_mutex_lock(&power.lock);
	before = power.records;
	pthread_mutex_unlock(&power.lock);
	wait_for_disk();
	pthread_mutex_lock(&power.lock);
	if (S_ISDIR(st.st_mode))
		power_record_text(TRACE_SYNC_DIR, 0, before, path, strlen(path));
	else
		power_record(TRACE_SYNC, st.st_ino, before, NULL, 0);
	pthread_mutex_unlock(&power.lock);
	return 0;
}

int fsync(int fd)
{
	return sync_file(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return sync_file(fd, SYS_fdatasync);
}

/* ---- what is not followed -------------------------------------------------------------------- */

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	uint64_t inode;

	if (fd >= 0 && (protection & PROT_WRITE) && !(flags & MAP_PRIVATE) && file_of(fd, &inode))
		power_stop("writing through a mapping is not followed");
	return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, offset);
}

ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t len, unsigned flags)
{
	uint64_t inode;

	if (file_of(to, &inode))
		power_stop("copying in the kernel is not followed");
	return syscall(SYS_copy_file_range, from, from_at, to, to_at, len, flags);
}

/* ---- the same under the names of large files ------------------------------------------------- */

int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int dir, const char *path, int flags, ...) __attribute__((alias("openat")));
int creat64(const char *path, mode_t mode) __attribute__((alias("creat")));
int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));
int fallocate64(int fd, int mode, off_t offset, off_t len) __attribute__((alias("fallocate")));
int posix_fallocate64(int fd, off_t offset, off_t len) __attribute__((alias("posix_fallocate")));
ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset)
	__attribute__((alias("pwrite")));
ssize_t pread64(int fd, void *data, size_t len, off_t offset) __attribute__((alias("pread")));
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset)
	__attribute__((alias("pwritev")));
void *mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset)
	__attribute__((alias("mmap")));
