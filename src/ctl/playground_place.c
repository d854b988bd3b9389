#include "ctl/playground_place.h"

#include "base/error.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_DIRECTORIES 16

static const char *why(void)
{
	const char *text = strerrordesc_np(errno);

	return text ? text : "unknown error";
}

/* A copy that mem_free takes. */
static char *copy_of(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(mem_alloc(size), text, size);
}

int place_directory(const struct arguments *a, char **path, struct buf *problem)
{
	const char *parent = arguments_environment(a, "TMPDIR");
	char name[PATH_MAX], absolute[PATH_MAX];
	bool there;

	if (a->dir) {
		snprintf(name, sizeof(name), "%s", a->dir);
		there = mkdir(name, 0755) == 0 || errno == EEXIST;
	} else {
		snprintf(name, sizeof(name), "%s/conclave-playground-XXXXXX",
			 parent && parent[0] ? parent : "/tmp");
		there = mkdtemp(name) != NULL;
	}
	if (!there || !realpath(name, absolute)) {
		buf_printf(problem, "%s: %s", name, why());
		return ERR_UNAVAILABLE;
	}
	*path = copy_of(absolute);
	return OK;
}

size_t place_members(const char *path)
{
	char name[PATH_MAX];
	size_t count = 0;

	do
		snprintf(name, sizeof(name), "%s/n%zu", path, ++count);
	while (access(name, F_OK) == 0);
	return count - 1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	(void)remove(path);
	return 0;
}

void place_remove(const char *path)
{
	(void)nftw(path, remove_one, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS);
}

int place_check_port(uint16_t port, struct buf *problem)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, rc = OK;

	/* As the server does it: what a former one left behind is in nobody's way. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(fd, 1) != 0) {
		buf_printf(problem, "port %u of 127.0.0.1: %s; --port says where to begin", port,
			   why());
		rc = ERR_UNAVAILABLE;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

int place_server(const struct arguments *a, char **path, struct buf *problem)
{
	char name[PATH_MAX];
	ssize_t len;
	char *end;

	if (a->server) {
		snprintf(name, sizeof(name), "%s", a->server);
	} else {
		len = readlink("/proc/self/exe", name, sizeof(name) - 1);
		name[MAX(len, (ssize_t)0)] = '\0';
		end = strrchr(name, '/');
		len = end ? end + 1 - name : 0;
		snprintf(name + len, sizeof(name) - (size_t)len, "conclave-server");
	}
	if (access(name, X_OK) != 0) {
		buf_printf(problem, "%s: %s; --server names the program of the members", name,
			   why());
		return ERR_UNAVAILABLE;
	}
	*path = copy_of(name);
	return OK;
}

char **place_environment(const struct arguments *a)
{
	static const char directives[] = "CONCLAVE_";
	size_t count = 0, kept = 0;
	char **lines;

	while (a->environment[count])
		count++;
	lines = mem_zalloc(count + 1, sizeof(*lines));
	for (size_t i = 0; i < count; i++)
		if (strncmp(a->environment[i], directives, strlen(directives)) != 0)
			lines[kept++] = a->environment[i];
	return lines;
}
