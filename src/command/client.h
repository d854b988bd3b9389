#ifndef CONCLAVE_COMMAND_CLIENT_H
#define CONCLAVE_COMMAND_CLIENT_H

/*
 * What a connection has said of itself: the part of a session that commands read and change. It
 * can be copied, so that what a transaction would make of it is known before it is true.
 */

#include "base/bytes.h"
#include "base/clock.h"

/* What becomes of the replies of a client. */
enum client_replies {
	REPLIES_ON = 0,
	REPLIES_SKIP_NEXT, /* the next one is left out */
	REPLIES_OFF,
};

struct client {
	uint64_t id; /* on this member */
	unsigned database;
	int protocol;
	bool authenticated;
	bool readonly;	  /* reads see this member's state as it is, without a barrier */
	bool no_evict;	  /* as CLIENT NO-EVICT said; nothing is evicted here */
	bool no_touch;	  /* as CLIENT NO-TOUCH said */
	bool wants_close; /* QUIT, or it was killed */
	enum client_replies replies;
	const struct clock *clock;
	struct buf name; /* owned, as the others */
	struct buf library;
	struct buf library_version;
};

/* As a new connection is: protocol 2, database 0. `c` is all zero before. */
void client_init(struct client *c, uint64_t id, const struct clock *clock);
void client_free(struct client *c);

/* `to` is all zero, or a client that was initialised; what it held is gone. */
void client_copy(struct client *to, const struct client *from);

/* As RESET leaves it. */
void client_reset(struct client *c);

#endif
