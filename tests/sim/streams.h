#ifndef CONCLAVE_SIM_STREAMS_H
#define CONCLAVE_SIM_STREAMS_H

/*
 * Connections of bytes between hosts, as kernels make them: the wires (peer/wire.h) of members.
 *
 * What one end writes arrives at the other one in order, late, as fast as the line is, and in
 * pieces; what does not get through is sent again until it does, or until it has been silent for
 * too long. A process that ends has its connections closed by its kernel; a machine that loses
 * power says nothing, and answers nothing until it runs again. Beside that a connection may be
 * reset at any byte, and a byte may arrive as another one.
 */

#include "peer/wire.h"
#include "sim/world.h"

/* Where processes listen that have not moved yet. */
#define STREAM_PORT 16379

/* What a connection takes at once when nothing is under way. */
#define STREAM_WINDOW_MIN  4096u
#define STREAM_WINDOW_WIDE ((size_t)1 << 20)

/* A connection that moves nothing for so long has failed. */
#define STREAM_SILENCE_US 2000000u

struct stream;
struct stream_wire;

/* Bytes on their way, or the news that no more come. */
struct segment {
	struct list link;
	uint64_t at_us;	  /* when they arrive, if they do */
	uint64_t sent_us; /* when they were written */
	bool arrived;	  /* and nobody could say so */
	enum segment_kind { SEGMENT_DATA, SEGMENT_END, SEGMENT_RESET } kind;
	size_t len;
	uint8_t data[];
};

enum end_state {
	END_OPENING, /* dials, or is being dialled */
	END_OPEN,
	END_FAILED, /* its process has still to be told, or to close it */
	END_CLOSED, /* by its process; what it wrote is still under way */
	END_LOST,   /* its machine knows nothing of it any more */
};

struct stream_end {
	struct stream *stream;
	struct host *host;
	struct stream_wire *wire; /* NULL: not accepted yet, or closed */
	enum end_state state;
	const char *problem; /* why it failed */
	bool refused;	     /* because nobody listened */
	bool told_open;	     /* its process knows that it is open */
	struct buf in;	     /* arrived */
	size_t in_at;	     /* of it, was read */
	bool in_over;
	struct list out; /* segments on their way */
	size_t out_bytes;
	struct event arrives; /* the first of them */
	unsigned tries;	      /* to get that one through */
	uint64_t busy_us;     /* until when the line is taken by what was written */
	uint64_t last_us;     /* when the newest arrives */
	bool wants_room;
	struct event ready;  /* its process will be told something */
	struct list backlog; /* in host->backlog, while it is not accepted */
};

struct stream {
	struct world *world;
	struct list link; /* in world->streams */
	uint64_t number;
	struct stream_end ends[2]; /* the one that dialled first */
	uint16_t port;		   /* that is dialled */
	struct event opens;	   /* the question, or its answer, arrives */
	struct event forgets;	   /* whoever hears nothing any more finds out */
	unsigned tries;

	/* what its greeting says */
	uint64_t id;
	unsigned channel;
	bool greeted;
};

struct stream_wire {
	struct wire wire;
	struct host *host;
	struct host *target;	/* whom it dials; NULL: it was accepted */
	uint16_t port;		/* where it dials */
	struct stream_end *end; /* NULL: closed */
};

/* ---- streams.c: between the two ends --------------------------------------------------------- */

static inline struct stream_end *stream_other(struct stream_end *e)
{
	return &e->stream->ends[e == &e->stream->ends[0]];
}

struct stream *stream_new(struct host *from, struct host *to, uint16_t port);

/* Bytes that may be written now. */
size_t stream_room(struct stream_end *e);
void stream_put(struct stream_end *e, enum segment_kind kind, struct slice bytes);

/* The connection breaks behind what was put last. */
void stream_break(struct stream_end *e);

/* The machine of this end has lost power. */
void stream_lose(struct stream_end *e);

/* The process closes this end, and has no wire to it any more. */
void stream_close(struct stream_end *e);

/* Frees the stream if nobody has to do with it any more. */
void stream_settle(struct stream *s);
void streams_close(struct world *w);

/* ---- stream_wires.c: the processes' side ----------------------------------------------------- */

/* For a process on this host. */
void stream_wires_init(struct host *h);

/* Tells the process at this end, soon, what there is to tell. */
void stream_tell(struct stream_end *e, uint64_t after_us);

/* Somebody has reached this host, on which a process listens. */
void stream_accept(struct stream_end *e);

/* The process goes on after a pause: what has come meanwhile is told. */
void streams_resume(struct host *h);

/* All that leads to this host breaks. */
void streams_break(struct host *h);

/* The process ends; with `power` its machine knows nothing of its connections any more. */
void streams_drop(struct host *h, bool power);

#endif
