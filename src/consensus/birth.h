#ifndef CONCLAVE_CONSENSUS_BIRTH_H
#define CONCLAVE_CONSENSUS_BIRTH_H

/*
 * How a cluster comes to be. Each directory mints an id; each member is started with the names of
 * all. Members tell each other (name, id, what I hold on disk) until everybody has said the same:
 *
 *	COLLECTING     not every name has told its id
 *	HOLDING        all ids are known; the first membership is being written to disk
 *	CONFIRMING     it is on disk here; not everybody has said so of his own
 *	BORN           all hold the same set: from now on a vote may be given
 *
 * A member that lost its disk comes back with another id. The others hold the old one, so it
 * hears no ids from them, never gets past COLLECTING and cannot vote away what its old self
 * acknowledged. It has to be replaced, by a change of membership.
 *
 * An id may be told only when it is on disk itself: whoever calls this sees to that.
 */

#include "consensus/membership.h"

enum birth_state { BIRTH_COLLECTING, BIRTH_HOLDING, BIRTH_CONFIRMING, BIRTH_BORN };

struct birth_member {
	struct slice name; /* borrowed from the start parameters */
	uint64_t id;	   /* 0: not known yet */
	bool confirmed;	   /* said that it holds the same membership on disk */
};

struct birth {
	enum birth_state state;
	uint64_t self;
	uint64_t digest; /* of the membership held; 0 while COLLECTING */
	uint32_t count;
	struct birth_member members[MEMBERSHIP_MAX];
};

/* What one member says of itself. */
struct birth_hello {
	struct slice name;
	uint64_t id;
	uint64_t digest;  /* of the membership it holds on disk; 0: none yet */
	bool born;	  /* it knows that all hold that one */
	uint64_t wall_ms; /* its wall clock, for whoever judges clocks; carried, not looked at */
};

/*
 * A member called `name` with this id, started with these names. ERR_INVALID: no names, one twice
 * or too long, or `name` is not among them; ERR_TOO_LARGE: too many.
 */
MUST_USE int birth_init(struct birth *b, struct slice name, uint64_t id, const struct slice *names,
			size_t count);

/* After a restart: the membership found on disk was written by an earlier HOLDING. ERR_INVALID. */
MUST_USE int birth_resume(struct birth *b, const struct membership *held);

/*
 * Somebody said hello. ERR_NOT_FOUND: a name nobody was started with; ERR_EXISTS: the name is
 * known with another id, or the id under another name: it must not be answered.
 */
MUST_USE int birth_hear(struct birth *b, const struct birth_hello *hello);

/* HOLDING: the membership to be written to disk. `out` is empty before. */
void birth_membership(const struct birth *b, struct membership *out);

/* It is on disk. */
void birth_stored(struct birth *b);

/* What this member says of itself now, but for its clock. */
struct birth_hello birth_hello(const struct birth *b);

/* The names that are still awaited, separated by spaces, for the log line. */
void birth_awaited(const struct birth *b, struct buf *out);

void birth_hello_encode(const struct birth_hello *hello, struct buf *out);

/*
 * What a member that was born long ago answers, but for its clock: the set it was born from may be
 * history by then.
 */
struct birth_hello birth_echo(struct slice name, uint64_t id, const struct birth_hello *asked);

/* The name is borrowed from `bytes`. ERR_MALFORMED. */
MUST_USE int birth_hello_decode(struct slice bytes, struct birth_hello *hello);

#endif
