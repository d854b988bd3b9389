#ifndef CONCLAVE_SERVER_CLIENTS_H
#define CONCLAVE_SERVER_CLIENTS_H

/*
 * The connections of clients: bytes in, requests to their sessions, replies out. What is read of a
 * turn is handed over at once; what is to be written waits for clients_turn, which follows the
 * member's, so that all replies to one client go out in one write.
 */

#include "base/bytes.h"
#include "base/logging.h"
#include "resp/parser.h"
#include "server/options.h"

struct clients;
struct ev_loop;
struct member;

struct clients_options {
	struct ev_loop *ev;
	struct member *member;
	const struct logger *logger;	  /* may be NULL */
	const struct resp_limits *limits; /* outlive the clients; may change */
	const struct options *settings;	  /* the same */
	size_t max;			  /* connections; beyond it they get an error */
};

struct clients *clients_new(const struct clients_options *options);

/* Closes all of them. NULL is nothing. */
void clients_free(struct clients *c);

/* A new connection, not blocking; it belongs to the callee. */
void clients_accept(struct clients *c, int fd);

/*
 * After the member's turn: writes replies, takes up reading where sessions have room again, ends
 * what has ended. Returns when the next one is due at the latest; 0: requests came out of this.
 */
uint64_t clients_turn(struct clients *c, uint64_t now_ms);

/* No request is taken from now on; those that were are still answered. */
void clients_stop_reading(struct clients *c);

/*
 * All is answered and written: tells everybody that nothing more comes, and passes over what they
 * still say. They are gone when they have closed their side, or after a second.
 */
void clients_part(struct clients *c, uint64_t now_ms);

/* Whether all replies that exist are written. */
bool clients_are_written(const struct clients *c);

/* The settings say something else: how many there may be, what may wait. Those there are stay. */
void clients_settings_changed(struct clients *c);

size_t clients_count(const struct clients *c);

/* Since the start. */
struct clients_stats {
	uint64_t accepted;
	uint64_t rejected; /* one too many */
	uint64_t bytes_in;
	uint64_t bytes_out;
};

const struct clients_stats *clients_stats(const struct clients *c);

/* As if they had begun only now. */
void clients_reset_stats(struct clients *c);

/* How many there may be. */
size_t clients_max(const struct clients *c);

#endif
