#ifndef CONCLAVE_UNIT_SERVER_SUPPORT_FAKE_MEMBER_H
#define CONCLAVE_UNIT_SERVER_SUPPORT_FAKE_MEMBER_H

/*
 * What plays the member for the server: everything of node/member.h and node/session.h, and nothing
 * behind it. Requests are answered with the next turn, unless they are held:
 *
 *	MONITOR (and tells nothing);
 *	PING, ECHO text, COUNT (its arguments), AUTH, QUIT; JOB (answered by a reader's thread);
 *	anything else: an error
 */

#include "node/member.h"

struct fake_settings {
	size_t session_requests;
	uint32_t deadline_ms; /* a turn is due so long after the last one */
};

/* What members made from now on are like. */
extern struct fake_settings fake_settings;

/* What stands behind the struct member of session and server. */
struct fake_member {
	const struct node_io *io;
	const struct member_events *events;
	struct fake_settings settings;
	struct list sessions;
	bool held;  /* nothing is answered */
	bool leads; /* and says so with the first turn */
	bool said;  /* that */
	bool handed_over;
	bool password_needed;
	size_t session_count;
	size_t requests; /* that were ever made */
	size_t turns;
	uint64_t due_ms;
};

/* The one that was made last. */
struct fake_member *fake_member(void);

/* What is held is answered with the next turn. */
void fake_release(struct fake_member *m);

/* The end of all its sessions is asked for, as by CLIENT KILL. */
void fake_kill(struct fake_member *m);

#endif
