#ifndef CONCLAVE_SERVER_CLIENT_H
#define CONCLAVE_SERVER_CLIENT_H

/*
 * One client's connection.
 *
 *	OPEN ──end of input──► ENDED ──all answered and written──► closed
 *	  │ no protocol, or QUIT was answered
 *	  ├──► ENDING ──all answered and written──► LINGERING ──end of input or time──► closed
 *	  │ too much waits to be written                │
 *	  └──► OVERFULL ──what was handed out is────────┘ with no limit in time
 *	                  answered and written
 *	any ──reset──► closed
 *
 * A socket that is closed while bytes are still coming in resets the connection, and the last
 * replies may be lost to the client. So one that ends from this side says that nothing more comes,
 * and passes over what it still gets. Whoever is OVERFULL may be one that reads nothing before all
 * is sent: what it sends is passed over all the time, until it has come to its end.
 */

#include "base/list.h"
#include "node/session.h"
#include "resp/parser.h"
#include "server/clients.h"

#include <ev.h>

/* Read from one client in one turn; more only into an argument that is larger itself. */
#define CLIENT_READ_MAX	 ((size_t)64 << 10)
#define CLIENT_LARGE_MAX ((size_t)1 << 20)

#define CLIENT_LINGER_MS 1000

enum client_state {
	CLIENT_OPEN,
	CLIENT_ENDED,
	CLIENT_ENDING,
	CLIENT_OVERFULL,
	CLIENT_LINGERING,
};

struct client {
	struct clients *owner;
	enum client_state state;
	ev_io readable;
	ev_io writable;
	struct session *session; /* NULL: LINGERING */
	struct resp_parser parser;
	struct buf in;	      /* read and not consumed */
	size_t missing;	      /* bytes without which the parser has no use for those */
	size_t written;	      /* bytes at the front of the session's output */
	uint64_t linger_till; /* LINGERING */
	uint64_t idle_since;  /* at a look, while `timeout` holds; 0: not looked at yet */
	uint64_t over_since;  /* at a look: more than the soft limit waits; 0: not */
	bool spoke;	      /* since the last look */

	struct list link;   /* in owner->all */
	struct list dirty;  /* in owner->dirty: there is something to write */
	struct list paused; /* in owner->resumed: the session takes requests again */
	struct list end;    /* in owner->ended or owner->lingering */
};

struct clients {
	struct clients_options options;
	struct list all;
	struct list dirty;
	struct list resumed;
	struct list ended;     /* ENDED, ENDING and OVERFULL */
	struct list lingering; /* oldest first */
	size_t count;
	size_t unwritten; /* clients whose socket took not all that there was */
	bool reading_stopped;
	struct clients_stats stats;
	uint64_t look_due; /* at all of them; once a second, if anything is to be seen */
	uint8_t scratch[CLIENT_READ_MAX]; /* what is read passes through here */
};

/* A client for this socket. */
struct client *client_new(struct clients *owner, int fd);

/* Closes and frees; nobody may refer to it. */
void client_close(struct client *c);

/* The session takes requests again: hands over what was kept. */
void client_resume(struct client *c);

/* Writes what the socket takes. May close the client. */
void client_write(struct client *c);

/* Nothing more is written: waits for the other side to close. May close the client. */
void client_linger(struct client *c, uint64_t now_ms);

/*
 * Once a second while that is asked for: ends what is idle, or holds too many replies, for too
 * long. May close the client.
 */
void client_look(struct client *c, uint64_t now_ms);

/* What may wait to be written is another number of bytes now. */
void client_set_limit(struct client *c);

/* Ends or closes the client if all is answered and written. May close the client. */
void client_settle(struct client *c, uint64_t now_ms);

#endif
