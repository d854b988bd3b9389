#ifndef CONCLAVE_NODE_SESSION_H
#define CONCLAVE_NODE_SESSION_H

/*
 * One client's conversation with its member: requests go in one after the other, replies come out
 * in the same order, as bytes of the protocol. The session knows no socket: the process reads
 * requests from wherever they come from and writes what session_output holds.
 *
 * What needs the state is not answered from within session_request: it is collected, and the next
 * member_turn runs it together with what the other sessions asked for.
 */

#include "base/bytes.h"

struct client_socket;
struct member;
struct session;

/* What a session tells its owner, and asks it. */
struct session_events {
	/* From within member_turn: session_output holds bytes, where it held none, or the
	 * connection is to be closed. */
	void (*output)(void *ctx);
	/* From within member_turn: a session that was full takes requests again. */
	void (*resume)(void *ctx);
	/* What stands behind the session, for CLIENT LIST; NULL: nothing does. */
	void (*describe)(void *ctx, struct client_socket *out);
};

/* A session of `m`. `events` must outlive it. */
struct session *session_open(struct member *m, const struct session_events *events, void *ctx);

/* Where its client is, for the records of who changed what; copied. Before the first request. */
void session_set_address(struct session *s, struct slice address);

/*
 * Its owner is gone: it answers nobody any more. Writes that were handed out are seen through,
 * reads are forgotten.
 */
void session_close(struct session *s);

/* A request, at least one argument; the bytes are copied as far as they are needed later. */
void session_request(struct session *s, const struct slice *argv, size_t argc);

/*
 * In place of a request that could not be read: the error is its reply, in its turn. `error` as in
 * resp_write_error.
 */
void session_refuse(struct session *s, struct slice error);

/* Whether it holds as many unanswered requests as it should: stop reading until events.resume. */
bool session_is_full(struct session *s);

/* Whether everything that was asked is answered. */
bool session_is_idle(const struct session *s);

/*
 * Whether the client asked for its connection to end and all it asked before is answered: close it
 * when the output is written.
 */
bool session_wants_close(const struct session *s);

/* Whether its client has said the password, if one is needed. */
bool session_is_authenticated(const struct session *s);

/* Whether its end was asked for by somebody else: then nobody waits for its client to read. */
bool session_is_killed(const struct session *s);

/* Whether its client is told of what others do (MONITOR): it need not ask for anything. */
bool session_listens(const struct session *s);

/*
 * How much session_output and what is to follow it may hold; 0: any number of bytes. Beyond that
 * the session is cut: of what was asked, what is not handed out yet is answered with an error, and
 * nothing more is taken.
 */
void session_limit_output(struct session *s, size_t bytes);

/* Cuts it, whatever its output holds. */
void session_cut(struct session *s);

/* Whether it was cut: its connection ends when it is idle and its output is written. */
bool session_is_cut(const struct session *s);

/* The replies that were not taken yet; the owner takes from the front (buf_consume, buf_clear). */
struct buf *session_output(struct session *s);

#endif
