#ifndef CONCLAVE_CTL_REMOTE_H
#define CONCLAVE_CTL_REMOTE_H

/*
 * A member as its clients see it: one connection, one request at a time. What goes wrong is said in
 * `problem`, with what to do about it.
 */

#include "resp/reply.h"

struct remote_address {
	const char *host; /* borrowed */
	uint16_t port;
	const char *user;     /* NULL: the default one */
	const char *password; /* NULL: none is said */
};

struct remote {
	int fd;
	struct remote_address address;
	struct buf in;
	struct resp_reply reply;
	size_t taken; /* of `in`: the last reply */
};

/*
 * Connects and says the password. ERR_UNAVAILABLE: nobody answers; ERR_INVALID: somebody does, and
 * refuses. If it fails nothing needs to be closed.
 */
MUST_USE int remote_open(struct remote *r, const struct remote_address *address,
			 struct buf *problem);

void remote_close(struct remote *r);

/* Sends one request. ERR_UNAVAILABLE. */
MUST_USE int remote_send(struct remote *r, const struct slice *words, size_t count,
			 struct buf *problem);

/*
 * Its reply, valid until the next one is read. ERR_BUSY: it is not there within so many
 * milliseconds; what has come of it is kept. ERR_UNAVAILABLE: the connection has ended;
 * ERR_INVALID: the reply is an error.
 */
MUST_USE int remote_receive(struct remote *r, int timeout_ms, struct slice *reply,
			    struct buf *problem);

/* Both, with a patience that is beyond what any command takes; a member that hangs is an error. */
MUST_USE int remote_ask(struct remote *r, const struct slice *words, size_t count,
			struct slice *reply, struct buf *problem);

#endif
