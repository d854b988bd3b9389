#include "server/pid_file.h"

#include "base/error.h"
#include "server/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PID_TEXT_MAX 24

static size_t pid_text(char text[PID_TEXT_MAX])
{
	return (size_t)snprintf(text, PID_TEXT_MAX, "%ld\n", (long)getpid());
}

int pid_file_write(const char *path, struct buf *problem)
{
	char text[PID_TEXT_MAX];
	size_t len = pid_text(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool done = fd >= 0 && write(fd, text, len) == (ssize_t)len;

	if (!done)
		buf_printf(problem, "pidfile: %s cannot be written: %s", path,
			   socket_error_text(errno));
	if (fd >= 0)
		close(fd);
	return done ? OK : ERR_UNAVAILABLE;
}

void pid_file_remove(const char *path)
{
	char own[PID_TEXT_MAX], found[PID_TEXT_MAX];
	size_t len = pid_text(own);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_own;

	if (fd < 0)
		return;
	is_own = read(fd, found, sizeof(found)) == (ssize_t)len && memcmp(own, found, len) == 0;
	close(fd);
	if (is_own)
		(void)unlink(path);
}
