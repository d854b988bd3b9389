#ifndef CONCLAVE_PEER_PEERS_INTERNAL_H
#define CONCLAVE_PEER_PEERS_INTERNAL_H

/*
 * What peers.c, peer_places.c, peer_link.c (to a peer) and peer_inlet.c (from one) have in common.
 *
 * A link, for each peer and channel:
 *
 *	WAITING ──time──► DIALLING ──► GREETING ──welcome──► UP
 *	   ▲                 │            │                  │
 *	   └─────────────────┴────────────┴──────────────────┘ failed, refused, closed
 *
 * The first try after UP comes at once: if it meets nobody, the peer's process is gone. It may also
 * meet a process that is just ending, so the next ones follow soon until that is known. Others come
 * after 20 ms. Each waits twice as long as the one before, up to a second.
 */

#include "base/hash.h"
#include "base/list.h"
#include "peer/gather.h"
#include "peer/peer_frame.h"
#include "peer/peer_timer.h"
#include "peer/peers.h"

#define PEER_BACKOFF_LOST_MS 2u
#define PEER_BACKOFF_MIN_MS  20u
#define PEER_BACKOFF_MAX_MS  1000u

/* A connection has so long to stand, its greeting and the host's name included. */
#define PEER_GREETING_MS 2000u

/* Connections from others that have not greeted yet. */
#define PEER_STRANGERS_MAX 64

/* So many complaints about connections from others are remembered, and not said again for so long.
 */
#define PEER_COMPLAINTS	   16
#define PEER_COMPLAINTS_MS 60000u

#define PEER_SCRATCH ((size_t)256 << 10)

struct peer;

enum link_state { LINK_WAITING, LINK_DIALLING, LINK_GREETING, LINK_UP };

struct peer_link {
	struct peer *peer;
	enum peer_channel channel;
	enum link_state state;
	struct wire *wire;
	struct peer_timer timer;   /* WAITING: the next try; DIALLING, GREETING: out of patience */
	struct peer_reader reader; /* of the greeting's answer */
	struct gather out;
	struct list dirty; /* in peers->dirty */
	uint32_t backoff_ms;
	uint64_t up_since_ms;
	uint64_t told; /* hash of the last complaint: it is not repeated */
	bool dropping; /* frames are dropped since the queue is full, and that was said */
};

/* Where somebody may be. */
struct peer_place {
	char *host; /* NULL: nowhere */
	uint16_t port;
};

/*
 * A guess is where somebody may be, beside where the membership says that it is: somewhere else by
 * the configuration, by what it says itself, or by what another member has heard. When many have
 * moved none of them can be elected, and so no membership says where they are, before they have
 * found each other. It is a peer of its own until either is reached.
 */
struct peer {
	struct peers *owner;
	char *name;
	char *host; /* empty: nobody knows where it is */
	uint16_t port;
	struct peer_place told; /* by a membership, and it is not dialled there */
	struct peer_place said; /* by itself, when it last connected */
	struct peer_place said_before;
	uint64_t said_ms;  /* when it said another one than before; 0: it never did */
	uint64_t twice_ms; /* when it was complained of that it seems to be there twice; 0: never */
	uint64_t id;	   /* 0: not known yet */
	bool fixed;	   /* the id is that of the membership */
	bool guess;	   /* looks for the one of this name where it may be, until it is reached */
	uint64_t leaves_ms; /* when it is forgotten; 0: it stays */
	bool lost;	    /* was connected, is not, and may be gone */
	struct peer_link links[PEER_CHANNELS];
};

struct peer_inlet {
	struct peers *owner;
	struct peer *peer; /* NULL: has not greeted yet */
	uint64_t id;
	enum peer_channel channel;
	struct wire *wire;
	struct peer_timer patience;
	struct peer_reader reader;
	struct list link; /* in peers->inlets or peers->strangers */
};

/* What was said of a connection from somebody. */
struct complaint {
	uint64_t hash;
	uint64_t said_ms;
};

struct peers {
	struct peers_options options;
	const struct peers_events *events;
	uint64_t token;
	bool leaderless;
	bool newcomer;
	struct peer **list; /* all but this member, and those who leave */
	size_t count;
	size_t cap;
	struct list dirty;     /* links with something to write */
	struct list inlets;    /* greeted */
	struct list strangers; /* oldest first */
	size_t stranger_count;
	struct complaint told[PEER_COMPLAINTS]; /* the last ones about connections from others */
	unsigned told_next;
	struct buf stranger; /* where the last one says it is whom nobody here knows */
	struct peer_timers timers;
	struct hash_stream *hash;
	uint8_t scratch[PEER_SCRATCH];
};

/* Whether it takes part, as far as is known. */
static inline bool peer_stays(const struct peer *peer)
{
	return !peer->guess && !peer->leaves_ms;
}

/* The peer of this name, or with this id, that stays; or NULL. */
struct peer *peers_find(struct peers *p, struct slice name);
struct peer *peers_find_id(const struct peers *p, uint64_t id);

struct peer *peer_add(struct peers *p, const struct peers_place *place);

/* ---- peer_places.c: where they are ----------------------------------------------------------- */

/* A peer, whose id is this one, says itself where it is. */
void peer_is_found(struct peer *peer, uint64_t id, struct slice address);

/* It answers there, so that is where it is. */
void peer_is_reached(struct peer *peer);

/* It does not, and is looked for wherever else it may be. */
void peer_is_missed(struct peer *peer);

void peer_place_forget(struct peer_place *at);

/* Somebody of this cluster, by its token, whom nobody here knows says where it is. */
void peers_met_stranger(struct peers *p, struct slice address);

/* ---- to a peer ------------------------------------------------------------------------------- */

void peer_link_init(struct peer_link *l, struct peer *peer, enum peer_channel channel);
void peer_link_close(struct peer_link *l);

/* The peer is known to be elsewhere: connects to there. */
void peer_link_aim(struct peer_link *l);
void peer_link_send(struct peer_link *l, const struct frame *frame);

/* Writes what is queued. */
void peer_link_flush(struct peer_link *l);

/* ---- from a peer ----------------------------------------------------------------------------- */

void peer_inlet_new(struct peers *owner, struct wire *wire);
void peer_inlet_free(struct peer_inlet *in);

/* One read into what is under way and the scratch behind it; returns as wire_read does. */
ssize_t peer_read(struct peers *p, struct peer_reader *r, struct wire *wire, struct slice *rest);

#endif
