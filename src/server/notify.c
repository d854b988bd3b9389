#include "server/notify.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool notify_supervisor(const char *socket_path, const char *state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = socket_path ? strlen(socket_path) : 0, state_len = strlen(state);
	socklen_t to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	ssize_t sent;
	int fd;

	if (len == 0)
		return true;
	if (len >= sizeof(to.sun_path))
		return false;
	memcpy(to.sun_path, socket_path, len);
	/* A name that is no file's begins with a NUL, which is written as @. */
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	sent = sendto(fd, state, state_len, MSG_NOSIGNAL, (const struct sockaddr *)&to, to_len);
	close(fd);
	return sent == (ssize_t)state_len;
}
