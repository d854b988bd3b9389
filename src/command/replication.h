#ifndef CONCLAVE_COMMAND_REPLICATION_H
#define CONCLAVE_COMMAND_REPLICATION_H

/*
 * Which part a member plays, in the words of Redis, for HELLO, ROLE and INFO. Every member takes
 * every command, so each is a master without slaves; where it was asked for (announce-role raft),
 * the leader is the master, and the others are its slaves.
 */

#include "command/desk.h"

/* Whether the member calls itself master. */
bool replication_is_master(const struct info_member *m);

/* Where clients reach a member; the host of its address and port 0 if it has not said. */
struct replication_place {
	struct slice host;
	uint16_t port;
};

struct replication_place replication_place_of(const struct info_member *m, uint64_t id);

/* The slaves of a master. */
size_t replication_slaves(const struct info_member *m);

/* As ROLE and INFO call the state of a slave's connection to its master. */
const char *replication_link(const struct info_member *m);

/* Appends the lines of INFO's section. */
void replication_put_info(const struct info_member *m, struct buf *out);

#endif
