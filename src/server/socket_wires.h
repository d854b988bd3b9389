#ifndef CONCLAVE_SERVER_SOCKET_WIRES_H
#define CONCLAVE_SERVER_SOCKET_WIRES_H

/* Wires (peer/wire.h) that are TCP sockets, watched by libev. */

#include "base/job.h"
#include "peer/wire.h"

struct ev_loop;
struct socket_wires;

struct socket_wires_options {
	struct ev_loop *ev;
	uint32_t silence_ms; /* a connection that moves nothing for so long has failed */
	void *ctx;
	/* Runs a job on the lane for looking up names. */
	void (*resolve)(void *ctx, struct job *job);
};

struct socket_wires *socket_wires_new(const struct socket_wires_options *options);

/* All wires have been freed, and no job of theirs runs any more. NULL is nothing. */
void socket_wires_free(struct socket_wires *ws);

/* For whoever dials. */
struct wires *socket_wires_interface(struct socket_wires *ws);

/* An open wire of an accepted socket that does not block; the socket belongs to it. */
struct wire *socket_wires_accept(struct socket_wires *ws, int fd);

#endif
