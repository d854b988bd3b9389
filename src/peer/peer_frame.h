#ifndef CONCLAVE_PEER_PEER_FRAME_H
#define CONCLAVE_PEER_PEER_FRAME_H

/*
 * The bytes between members: frames, and the greeting that comes before any other.
 *
 *	length u32 | kind u8 | check u24 | hash u64 | body         numbers little-endian
 *
 * The check is a hash over length and kind, so that a wrong length is noticed before a body of that
 * length is waited for. The hash is XXH3 over the body, salted with length and kind. Whoever
 * connects says HELLO; the answer is WELCOME or REFUSE, and then frames go one way only, from the
 * one that connected. Kinds from PEER_HELLO on are of this file, those below it belong to node
 * (node/node_io.h).
 *
 * A greeting begins with a magic number and the version of the protocol, in every version, and what
 * is told of a refusal is readable in every version; of another version nothing else is read.
 * The token keeps members of different clusters apart. It is no secret and protects from nobody.
 */

#include "base/hash.h"

#define PEER_VERSION 2

#define PEER_FRAME_HEAD 16

/* The largest entry is a request of 16 MiB, and an append takes one more entry than it has room. */
#define PEER_FRAME_MAX ((size_t)64 << 20)

/* Before the greeting is over nobody may make this member hold more than that. */
#define PEER_GREETING_MAX ((size_t)2048)

enum peer_kind {
	PEER_HELLO = 0xf0,
	PEER_WELCOME = 0xf1,
	PEER_REFUSE = 0xf2,
	PEER_JOIN = 0xf3,   /* in place of HELLO: somebody wants to take part */
	PEER_JOINED = 0xf4, /* the answer, if it is not REFUSE; then the connection ends */
};

/* Three connections lead to each peer, so that what is small never waits behind what is large. */
enum peer_channel {
	PEER_PROMPT = 0, /* heartbeats, votes, acknowledgements */
	PEER_BULK = 1,	 /* entries and all else, in order */
	PEER_STATE = 2,	 /* rows of a state for who takes it over */
};

#define PEER_CHANNELS 3

struct peer_hello {
	uint8_t channel;
	uint64_t token; /* peer_token of the cluster's token */
	uint64_t id;
	struct slice name;     /* of the one that says it */
	struct slice expected; /* of the one it wants to reach */
	struct slice address;  /* host:port where it is reached; empty: it does not know */
};

struct peer_welcome {
	uint64_t id;
	struct slice name;
};

struct peer_join {
	uint64_t token;
	uint64_t id;
	uint8_t rises; /* it wants a vote when it has caught up */
	struct slice name;
	struct slice address; /* host:port where it is reached */
};

/* Who is not in the membership by now asks again, whoever leads. */
struct peer_joined {
	uint64_t leader; /* 0: not known */
	struct slice membership;
};

/* A membership, with all that were ever removed. */
#define PEER_JOINED_MAX ((size_t)1 << 20)

uint64_t peer_token(struct slice text);

/* ---- writing --------------------------------------------------------------------------------- */

/* The salt of a body's hash. */
uint64_t peer_frame_salt(unsigned kind, size_t len);

/* Writes the head of a frame, PEER_FRAME_HEAD bytes. */
void peer_frame_put_head(uint8_t *at, unsigned kind, size_t len, uint64_t hash);

/* Each appends a whole frame. */
void peer_hello_encode(const struct peer_hello *hello, struct buf *out);
void peer_welcome_encode(const struct peer_welcome *welcome, struct buf *out);
void peer_refuse_encode(struct slice reason, struct buf *out);
void peer_join_encode(const struct peer_join *join, struct buf *out);
void peer_joined_encode(const struct peer_joined *joined, struct buf *out);

/* ---- reading --------------------------------------------------------------------------------- */

/*
 * Bodies of greetings; what is found points into them. ERR_MALFORMED: no greeting of ours;
 * ERR_VERSION: one of another version, `*version` says which.
 */
MUST_USE int peer_hello_decode(struct slice body, struct peer_hello *out, uint16_t *version);
MUST_USE int peer_welcome_decode(struct slice body, struct peer_welcome *out, uint16_t *version);
MUST_USE int peer_refuse_decode(struct slice body, struct slice *reason);
MUST_USE int peer_join_decode(struct slice body, struct peer_join *out, uint16_t *version);
MUST_USE int peer_joined_decode(struct slice body, struct peer_joined *out);

enum peer_outcome {
	PEER_MORE,   /* all bytes are taken, no further frame is whole */
	PEER_FRAME,  /* one frame */
	PEER_BROKEN, /* too large, or not what was sent: nothing behind it can be read */
};

/* Frames out of a stream of bytes. */
struct peer_reader {
	size_t max; /* bytes of a body */
	uint8_t head[PEER_FRAME_HEAD];
	size_t head_len;
	struct blob *body; /* of the frame under way, when its head is whole */
	size_t body_len;
	const char *broken; /* why, for people */
};

void peer_reader_init(struct peer_reader *r, size_t max);
void peer_reader_close(struct peer_reader *r);

/*
 * Takes bytes from the front of `*in`. PEER_FRAME: one frame is whole; the caller holds `*body`.
 * After a peer_reader_filled it is called once more also with nothing in `*in`.
 */
MUST_USE enum peer_outcome peer_reader_take(struct peer_reader *r, struct slice *in, unsigned *kind,
					    struct blob **body);

/*
 * Where the next `*len` bytes of the stream may be put, instead of handing them in: they need no
 * copy then. 0 when no body is under way.
 */
uint8_t *peer_reader_room(struct peer_reader *r, size_t *len);

/* `len` bytes were put there. */
void peer_reader_filled(struct peer_reader *r, size_t len);

#endif
