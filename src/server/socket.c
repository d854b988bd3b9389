#include "server/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* Of a file the end of its path, if all of it is too long. */
static void local_name(const struct sockaddr_un *address, char out[SOCKET_NAME_MAX])
{
	size_t len = strnlen(address->sun_path, sizeof(address->sun_path));
	size_t fits = MIN(len, (size_t)SOCKET_NAME_MAX - sizeof(":0"));

	snprintf(out, SOCKET_NAME_MAX, "%.*s:0", (int)fits, address->sun_path + (len - fits));
}

const char *socket_name(const struct sockaddr *address, socklen_t len, char out[SOCKET_NAME_MAX])
{
	char host[64], port[8];

	if (address->sa_family == AF_UNIX)
		local_name((const struct sockaddr_un *)(const void *)address, out);
	else if (getnameinfo(address, len, host, sizeof(host), port, sizeof(port),
			     NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(out, SOCKET_NAME_MAX, "unknown address");
	else
		snprintf(out, SOCKET_NAME_MAX, address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
			 host, port);
	return out;
}

const char *socket_peer_name(int fd, char out[SOCKET_NAME_MAX])
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);

	(void)getpeername(fd, (struct sockaddr *)&address, &len);
	/* Clients of a file have no name of their own: as in Redis they are called by the file. */
	if (address.ss_family == AF_UNIX) {
		len = sizeof(address);
		(void)getsockname(fd, (struct sockaddr *)&address, &len);
	}
	return socket_name((struct sockaddr *)&address, len, out);
}

const char *socket_own_name(int fd, char out[SOCKET_NAME_MAX])
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);

	(void)getsockname(fd, (struct sockaddr *)&address, &len);
	return socket_name((struct sockaddr *)&address, len, out);
}

const char *socket_error_text(int errno_value)
{
	const char *text = strerrordesc_np(errno_value);

	return text ? text : "unknown error";
}

/* None of these can fail in a way that matters: without them things are slower, not wrong. */
static void set_number(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

void socket_set_nodelay(int fd)
{
	set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void socket_set_keepalive(int fd, unsigned idle_s)
{
	set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)idle_s);
	set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)MAX(idle_s / 3, 1u));
	set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

void socket_set_timeout(int fd, unsigned timeout_ms)
{
	set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)timeout_ms);
}
