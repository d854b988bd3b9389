#ifndef CONCLAVE_PEER_WIRE_H
#define CONCLAVE_PEER_WIRE_H

/*
 * What lies beneath the connections between members: streams of bytes between processes. They are
 * slow, end at any byte, and are made anew. The process has them of sockets
 * (server/socket_wires.h), the simulator of bytes in memory, which it holds up, cuts and damages
 * (tests/sim/streams.h); what is above runs the same object code on both.
 *
 * A wire is one end of a connection, or of none. One that was accepted is open from the beginning
 * and is never dialled:
 *
 *	CLOSED ──wire_dial──► DIALLING ──opened──► OPEN
 *	   ▲                      │                  │
 *	   └──────────────────────┴──────────────────┘ failed, or wire_close
 *
 * What is written arrives in order and in pieces of any length, all of it or a beginning. Nobody
 * is told how much did. All calls return at once; what happens meanwhile is told by events, from
 * the loop and not from within a call, except that `failed` may come while wire_dial still runs.
 * In an event, the wire may be closed, dialled and freed.
 */

#include "base/bytes.h"

#include <sys/types.h>
#include <sys/uio.h>

struct wire;
struct wires;

struct wire_events {
	/* Dialling has come to a connection. */
	void (*opened)(void *ctx);
	/* Dialling has come to nothing. `refused`: the host is there, and nobody listens. */
	void (*failed)(void *ctx, const char *why, bool refused);
	/* It can be read, or has ended; told again and again until that is not so. */
	void (*readable)(void *ctx);
	/* After a write that took less than it was given: more can be written, or it has ended. */
	void (*writable)(void *ctx);
};

/* Implementations put more behind it. */
struct wire {
	struct wires *wires;
	const struct wire_events *events;
	void *ctx;
	const char *problem; /* after a read or write that failed: why, for people */
};

struct wires_ops {
	struct wire *(*make)(struct wires *wires, struct slice host, uint16_t port);
	void (*dial)(struct wire *w);
	void (*move_on)(struct wire *w);
	ssize_t (*read)(struct wire *w, const struct iovec *to, int count);
	ssize_t (*write)(struct wire *w, const struct iovec *from, int count);
	void (*close)(struct wire *w);
	void (*free)(struct wire *w);
	void (*describe)(struct wire *w, struct buf *out);
};

struct wires {
	const struct wires_ops *ops;
};

/* A closed wire to this place. The host is a name or an address, and is copied. */
static inline struct wire *wire_new(struct wires *wires, struct slice host, uint16_t port,
				    const struct wire_events *events, void *ctx)
{
	struct wire *w = wires->ops->make(wires, host, port);

	w->events = events;
	w->ctx = ctx;
	return w;
}

/* Who is told of what happens on a wire that was accepted. */
static inline void wire_tell(struct wire *w, const struct wire_events *events, void *ctx)
{
	w->events = events;
	w->ctx = ctx;
}

/* Looks the host up where that is needed, and connects; the wire is closed. */
static inline void wire_dial(struct wire *w)
{
	w->wires->ops->dial(w);
}

/* Whoever answers there is not the one: the next dial tries the host's next address. */
static inline void wire_move_on(struct wire *w)
{
	w->wires->ops->move_on(w);
}

/* Bytes that were read; 0: none now; -1: it has ended, as `problem` says. The wire is open. */
static inline MUST_USE ssize_t wire_read(struct wire *w, const struct iovec *to, int count)
{
	return w->wires->ops->read(w, to, count);
}

/* Bytes that were taken, perhaps not all; 0: none now; -1: it has ended. The wire is open. */
static inline MUST_USE ssize_t wire_write(struct wire *w, const struct iovec *from, int count)
{
	return w->wires->ops->write(w, from, count);
}

/* Ends what is dialled or open; what was taken may still arrive. Nothing is told any more. */
static inline void wire_close(struct wire *w)
{
	w->wires->ops->close(w);
}

/* Closes it and gives its memory back. */
static inline void wire_free(struct wire *w)
{
	w->wires->ops->free(w);
}

/* Appends who is at the other end, for people; the wire is open. */
static inline void wire_describe(struct wire *w, struct buf *out)
{
	w->wires->ops->describe(w, out);
}

#endif
