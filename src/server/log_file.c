#include "server/log_file.h"

#include "base/error.h"
#include "server/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int log_file_open(const char *path, struct buf *problem)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	bool done = fd >= 0 && dup2(fd, STDERR_FILENO) >= 0;

	if (!done)
		buf_printf(problem, "logfile: %s cannot be opened: %s", path,
			   socket_error_text(errno));
	if (fd >= 0)
		close(fd);
	return done ? OK : ERR_UNAVAILABLE;
}
