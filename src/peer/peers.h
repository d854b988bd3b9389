#ifndef CONCLAVE_PEER_PEERS_H
#define CONCLAVE_PEER_PEERS_H

/*
 * The connections to other members and from them. Each member connects to each other one, for each
 * enum peer_channel once, and frames go one way only: from the one that connected. What is sent
 * while there is no connection, or beyond what may wait, is dropped: consensus asks again.
 *
 * A peer is known by its name and place at the start, and its id comes with the greeting. Once
 * there is a membership that says who takes part, where and under which id, peers_follow hands it
 * on: who answers with another id is not that member, whatever it is called.
 */

#include "base/logging.h"
#include "base/random.h"
#include "node/node_io.h"
#include "peer/wire.h"

struct peers;

struct peer_join;

/* Where a member is, as a membership or the configuration says. */
struct peers_place {
	uint64_t id; /* 0: not known */
	struct slice name;
	struct slice host; /* empty: not known; it may come by itself */
	uint16_t port;
};

struct peers_events {
	void *ctx;
	/* A frame came; whoever keeps `body` holds it. */
	void (*receive)(void *ctx, uint64_t from, unsigned kind, struct blob *body);
	/* A connection to this peer stands anew. */
	void (*connected)(void *ctx, uint64_t id);
	/* Its connection closed, and where it listened nobody does. */
	void (*gone)(void *ctx, uint64_t id);
	/*
	 * Somebody asks to take part. True: `answer` takes the encoded answer; false: `why` says
	 * why not.
	 */
	bool (*join)(void *ctx, const struct peer_join *join, struct buf *answer, struct buf *why);
};

struct peers_options {
	struct wires *wires;
	const struct logger *logger; /* may be NULL */
	const struct clock *clock;
	struct random *random;
	const struct peers_place *places; /* this member may be among them; they are copied */
	size_t place_count;
	const char *name; /* of this member */
	const char *token;
	const char *address; /* of this member, for others who do not know it; may be empty */
	uint64_t id;	     /* of this member */
	size_t queued_bytes; /* that may wait for one connection */
	uint32_t leave_ms;   /* who takes part no more is still told so for this long */
};

/* Begins to connect. All that is handed in outlives it, but for the places. */
struct peers *peers_new(const struct peers_options *options, const struct peers_events *events);

/* Closes all connections. NULL is nothing. */
void peers_free(struct peers *p);

/*
 * From now on these are the peers, this member aside: new ones are connected to, others leave. What
 * is handed in is copied.
 */
void peers_follow(struct peers *p, const struct peers_place *places, size_t count);

/* The one with this id leaves, if there is one. */
void peers_send_away(struct peers *p, uint64_t id);

/* These are peers too; nobody leaves. */
void peers_follow_also(struct peers *p, const struct peers_place *places, size_t count);

/*
 * The peer with this id is there, as somebody has heard: it is looked for there, too, unless it is
 * connected.
 */
void peers_guess(struct peers *p, const struct peers_place *place);

/* Appends where the one with this id was reached, or said that it is; false: neither is known. */
bool peers_put_place(const struct peers *p, uint64_t id, struct buf *out);

/*
 * Whether this member knows no leader, as at its start: then it may have been away when somebody
 * came, and who is refused because nobody here knows it is told so. False before it is set.
 */
void peers_set_leaderless(struct peers *p, bool leaderless);

/*
 * Whether this member still asks to take part: that those refuse it who have not heard of it yet is
 * no news then. False before it is set.
 */
void peers_set_newcomer(struct peers *p, bool newcomer);

/* Somebody connected; the wire belongs to the callee. */
void peers_accept(struct peers *p, struct wire *wire);

/* Does what is due: tries that were put off, and patience that has come to its end. */
void peers_turn(struct peers *p);

/* When something is due next, in milliseconds of the monotonic clock; UINT64_MAX: nothing is. */
uint64_t peers_deadline_ms(const struct peers *p);

/* Queues a frame to the peer with this id or name; it goes out with peers_flush. */
void peers_send(struct peers *p, uint64_t to, const struct frame *frame);
void peers_send_to_name(struct peers *p, struct slice name, const struct frame *frame);

/* Writes what is queued: one gathered write for each connection. */
void peers_flush(struct peers *p);

/* What may wait for one connection from now on. */
void peers_set_queued_bytes(struct peers *p, size_t bytes);

/* The name of the peer with this id, or NULL. */
const char *peers_name_of(const struct peers *p, uint64_t id);

/*
 * Where one of the others is, any; or who was refused last since nobody here knows it: it may take
 * part since this member was away. False: nobody's place is known.
 */
bool peers_draw(const struct peers *p, struct buf *address);

/* How many others there are. */
size_t peers_count(const struct peers *p);

#endif
