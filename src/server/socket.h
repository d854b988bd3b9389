#ifndef CONCLAVE_SERVER_SOCKET_H
#define CONCLAVE_SERVER_SOCKET_H

/* What is set on TCP sockets; addresses and failures in words for people. */

#include "base/compiler.h"

#include <stdint.h>
#include <sys/socket.h>

/* Long enough for an IPv6 address with scope, brackets and port. */
#define SOCKET_NAME_MAX 96

/* "127.0.0.1:6379", "[::1]:6379"; of a file "/run/conclave.sock:0". Returns `out`. */
const char *socket_name(const struct sockaddr *address, socklen_t len, char out[SOCKET_NAME_MAX]);

/* The same of whoever is at the other end. */
const char *socket_peer_name(int fd, char out[SOCKET_NAME_MAX]);

/* The same of this end. */
const char *socket_own_name(int fd, char out[SOCKET_NAME_MAX]);

/* What the system's `errno_value` says; like strerror, and for any thread. */
const char *socket_error_text(int errno_value);

/* Small writes go out at once. */
void socket_set_nodelay(int fd);

/* After `idle_s` seconds of silence the other end is asked whether it is still there. */
void socket_set_keepalive(int fd, unsigned idle_s);

/* The connection fails when what was sent is not acknowledged for so long. */
void socket_set_timeout(int fd, unsigned timeout_ms);

#endif
