#ifndef CONCLAVE_UNIT_SERVER_SUPPORT_WIRE_H
#define CONCLAVE_UNIT_SERVER_SUPPORT_WIRE_H

/*
 * A server around the member that is played, and clients of it, in one thread: nothing here waits
 * for the other side without letting it run.
 */

#include "fake_member.h"
#include "server/loop.h"
#include "server/server.h"
#include "storage/engine_memory.h"

struct wire {
	struct options options;
	struct logger logger;
	struct server *server;
	struct fake_member *member;
	struct engine_memory *rows; /* none */
	struct engine *engine;
	struct buf log; /* what the server said, a line each */
	char dir[32];
};

/* A server with this command line on free ports. */
void wire_begin(struct wire *w, const char *line);
void wire_end(struct wire *w);

/* Lets the server run for a turn; waits for an event if it has nothing to do. */
void wire_step(struct wire *w);

/* Lets it run until this many requests came in. */
void wire_await_requests(struct wire *w, size_t requests);

/* A connection to the clients' port, not blocking. */
int wire_connect(struct wire *w);

/* Sends everything. */
void wire_send(struct wire *w, int fd, struct slice bytes);
void wire_send_text(struct wire *w, int fd, const char *text);

/* Receives exactly this. */
void wire_expect(struct wire *w, int fd, struct slice bytes);
void wire_expect_text(struct wire *w, int fd, const char *text);

/* The server closes its side, with nothing more to say. */
void wire_expect_end(struct wire *w, int fd);

/* Milliseconds of the monotonic clock. */
uint64_t wire_now_ms(void);

/* Whether this was said. */
bool wire_said(const struct wire *w, const char *text);

#endif
