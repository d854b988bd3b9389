#ifndef CONCLAVE_NODE_BATCH_H
#define CONCLAVE_NODE_BATCH_H

/*
 * What members put into the log beside consensus' own entries, and how it is spelled.
 *
 * A batch carries the writes that one member collected in one turn. It is the payload of an entry
 * and, unchanged, the body of the frame that brings it to the leader. Its commands have consecutive
 * numbers, so that each of them is applied once, however often the batch is sent.
 *
 *	fixed8   version, 1
 *	fixed64  member           whose clients they are
 *	fixed64  incarnation      index of the entry that registered that member's present run
 *	fixed64  seq              number of the first command
 *	fixed64  term             of the leader that it was meant for: another one drops it
 *	fixed32  level            feature level of the cluster, as the sender knew it
 *	fixed32  count
 *	         commands, `count` times
 *
 * A command: varint flags, varint database, varint author (a number of that incarnation, 0:
 *nobody), varint users version, varint argc, then each argument as a string.
 */

#include "base/codec.h"
#include "base/entry.h"

/* Kinds of entries; numbers never change meaning. */
enum node_entry_kind {
	ENTRY_BATCH = ENTRY_COMMAND + 0,
	ENTRY_REGISTER = ENTRY_COMMAND + 1,
	ENTRY_EXPIRE = ENTRY_COMMAND + 2,
	ENTRY_HORIZON = ENTRY_COMMAND + 3, /* node/horizon_entry.h */
	ENTRY_LEVEL = ENTRY_COMMAND + 4,
	ENTRY_CHECK = ENTRY_COMMAND + 5,
	ENTRY_VERDICT = ENTRY_COMMAND + 6,
	ENTRY_ALARM = ENTRY_COMMAND + 7,
};

#define BATCH_HEADER_BYTES 41

struct batch_header {
	uint64_t member;
	uint64_t incarnation;
	uint64_t seq;
	uint64_t term;
	uint32_t level;
	uint32_t count;
};

enum batch_flag {
	BATCH_CANCELLED = 1,   /* the client was told that its outcome is not known: do nothing */
	BATCH_TRANSACTION = 2, /* the arguments are those of transaction_command */
	BATCH_ONCE = 4,	       /* reserved: no level knows it yet */
	/* No command: user, address and client's name of an author whose number is new; or one
	 * argument: nothing behind it names that author any more. */
	BATCH_AUTHOR = 8,
};

/* A command with any other flag means something that this version cannot do: it is refused. */
#define BATCH_FLAGS_KNOWN ((uint64_t)(BATCH_CANCELLED | BATCH_TRANSACTION))

/* One command in a batch. The arguments are borrowed from the payload. */
struct batch_command {
	uint64_t flags;
	uint64_t database;
	uint64_t author;
	uint64_t users_version;
	size_t argc;
	const struct slice *argv;
};

/* Writes the header at `at`, which has BATCH_HEADER_BYTES bytes. */
void batch_header_put(uint8_t *at, const struct batch_header *h);

/* Reads it; the cursor stands at the first command then. ERR_MALFORMED, ERR_VERSION. */
MUST_USE int batch_header_decode(struct cursor *c, struct batch_header *h);

/* Appends one command. */
void batch_command_encode(const struct batch_command *command, struct buf *out);

/*
 * Reads the next command. The arguments go to the growing array `*argv`, which stays the caller's.
 * ERR_MALFORMED.
 */
MUST_USE int batch_command_decode(struct cursor *c, struct batch_command *command,
				  struct slice **argv, size_t *argv_cap);

/*
 * A member begins to take writes: it names its last run, a number by which it knows itself, and the
 * highest feature level that it supports (storage/level.h), not 0. Three times fixed64, and
 * fixed32.
 */
struct registration {
	uint64_t member;
	uint64_t replaces; /* the incarnation it has now; 0: none */
	uint64_t nonce;
	uint32_t level;
};

void registration_encode(const struct registration *r, struct buf *out);
MUST_USE int registration_decode(struct slice bytes, struct registration *r);

#endif
