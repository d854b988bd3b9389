#ifndef CONCLAVE_COMMAND_CLIENT_SOCKET_H
#define CONCLAVE_COMMAND_CLIENT_SOCKET_H

/* What the process knows of a client's connection, for CLIENT LIST and INFO. */

#include <stddef.h>

#define CLIENT_ADDRESS_MAX 96

struct client_socket {
	int fd; /* -1: there is none */
	size_t input_used;
	size_t input_free;
	size_t written;			/* of the replies that were not taken yet */
	char local[CLIENT_ADDRESS_MAX]; /* the address that it came to; empty: not known */
};

#endif
