#ifndef CONCLAVE_SERVER_SERVER_H
#define CONCLAVE_SERVER_SERVER_H

/*
 * One member with everything it needs of the world: the second implementation of struct node_io,
 * beside the simulator's. One thread owns all of it; see loop.h and threads.h.
 */

#include "server/options.h"

struct engine;
struct vault;
struct loop;
struct server;

/*
 * Starts the member in `options->log_dir` with the state of `engine`, which lives in `vault`,
 * listens, and begins to connect to the others. What is handed in outlives it; CONFIG SET changes
 * the options, and the logger's level with them. After an error
 * `problem` says what is wrong and what to do: ERR_UNAVAILABLE, or as member_new.
 */
MUST_USE int server_new(struct server **out, struct options *options, struct engine *engine,
			struct vault *vault, struct logger *logger, struct buf *problem);

/* NULL is nothing. */
void server_free(struct server *s);

/* Runs until server_end has come to its end (OK), or the member cannot go on (ERR_STOPPED). */
MUST_USE int server_run(struct server *s);

/*
 * The graceful end, from a callback of the loop: nobody is accepted and nothing read any more,
 * leadership is handed over, what was asked is answered, and server_run returns; after a bounded
 * time in any case.
 */
void server_end(struct server *s);

/* For whoever has events of his own. */
struct loop *server_loop(struct server *s);

/* Where it listens. */
uint16_t server_port(const struct server *s);
uint16_t server_peer_port(const struct server *s);

#endif
