#include "server/data_dir.h"

#include "server/explain.h"
#include "server/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* `failure` is what errno said, or 0; `error` our own word for it. */
static void tell_failure(struct buf *problem, const char *path, const char *what, int failure,
			 int error)
{
	const char *remedy = "give another one";

	if (failure == 0 || failure == EIO || error == ERR_NO_SPACE)
		remedy = explain_remedy(error);
	else if (failure == EACCES || failure == EPERM)
		remedy = "it has to belong to the user who runs the server";
	buf_printf(problem, "%s: the directory cannot be %s: %s: %s", path, what,
		   failure ? socket_error_text(failure) : error_text(error), remedy);
}

int data_dir_prepare(struct disk *disk, const char *path, struct buf *problem)
{
	struct stat st;
	bool is_there = stat(path, &st) == 0;

	if (!is_there && errno == ENOENT) {
		int rc;

		errno = 0;
		rc = disk_make_directory(disk, path);
		if (rc == OK)
			return OK;
		tell_failure(problem, path, "made", errno, rc);
	} else if (is_there && !S_ISDIR(st.st_mode)) {
		buf_printf(problem, "%s: it is no directory; give another one", path);
	} else if (access(path, R_OK | W_OK | X_OK) != 0) {
		buf_printf(
			problem,
			"%s: this process may not write there: %s; the directory has to belong to "
			"the user who runs the server",
			path, socket_error_text(errno));
	} else {
		return OK;
	}
	return ERR_INVALID;
}

static bool begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* What a member makes there; after a power loss any of it may be missing. */
static bool is_ours(const char *name)
{
	return strcmp(name, "LOCK") == 0 || strcmp(name, "log") == 0 || begins(name, "ENGINE") ||
	       begins(name, "engine-") || begins(name, "MEMBER");
}

/* A file system that is mounted there has this one by itself. */
static bool is_nobodys(const char *name)
{
	return strcmp(name, "lost+found") == 0;
}

/* The name of something that shows whose the directory is; NULL: it is ours, or nobody's. */
static const char *find_foreign(const struct disk_names *names)
{
	const char *foreign = NULL;

	for (size_t i = 0; i < names->count; i++) {
		if (is_ours(names->names[i]))
			return NULL;
		if (!is_nobodys(names->names[i]))
			foreign = names->names[i];
	}
	return foreign;
}

static int check_whose(struct disk *disk, const char *path, struct buf *problem)
{
	struct disk_names names = {0};
	const char *foreign;
	int rc;

	errno = 0;
	rc = disk_list(disk, path, &names);
	if (rc != OK)
		tell_failure(problem, path, "read", errno, rc);
	foreign = rc == OK ? find_foreign(&names) : NULL;
	if (foreign) {
		buf_printf(problem,
			   "%s: it holds '%s' and no data of a member; give a directory that is "
			   "empty, or the one this member had before",
			   path, foreign);
		rc = ERR_INVALID;
	}
	disk_names_free(&names);
	return rc;
}

int data_dir_lock(struct disk *disk, const char *path, struct disk_file **lock, struct buf *problem)
{
	struct buf name = {0};
	int rc = check_whose(disk, path, problem), failure;

	if (rc != OK)
		return rc;
	buf_printf(&name, "%s/LOCK%c", path, '\0');
	errno = 0;
	rc = disk_lock(disk, (const char *)name.data, lock);
	failure = errno;
	buf_free(&name);
	if (rc == ERR_LOCKED)
		buf_printf(problem,
			   "%s: another process works in this directory; end it, or give "
			   "another --dir",
			   path);
	else if (rc != OK)
		tell_failure(problem, path, "locked", failure, rc);
	return rc;
}
