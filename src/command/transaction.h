#ifndef CONCLAVE_COMMAND_TRANSACTION_H
#define CONCLAVE_COMMAND_TRANSACTION_H

/*
 * A whole transaction as one command: what WATCH noted, and the commands that were queued. The
 * session puts it together, the log carries it, and applying it is running one handler in one txn.
 *
 *	EXEC <bytes>
 *	  varint   number of watches
 *	           watches: varint database, varint mod main, varint mod sub, varint revision of the
 *	           store, key as a string
 *	           elements, to the end: each a string that holds
 *	  fixed8   kind: 1 of the session alone, 2 reads, 3 writes (as enum command_class)
 *	  varint   database            and from here on nothing if it is of the session alone
 *	  varint   number of arguments
 *	           the arguments, strings
 *
 * Watches are compared before anything runs: if one key is not what it was, the reply is a null
 * array and nothing happens. An element's error is its own; the others go on.
 */

#include "base/codec.h"
#include "command/command.h"

/* A transaction is one command of the log; beyond this it is refused while it is queued. */
#define TRANSACTION_BYTES_MAX ((size_t)16 << 20)

/* What is known of a key since a WATCH. */
struct watch {
	unsigned database;
	struct revision mod; /* of its newest change; main 0: there was no key */
	uint64_t revision;   /* main revision of the store then */
	struct slice key;
};

void watch_encode(const struct watch *w, struct buf *out);

/* ERR_MALFORMED. The key is borrowed. */
MUST_USE int watch_decode(struct cursor *c, struct watch *w);

/* Appends an element: an ordinary command, or the place of one of the session alone. */
void transaction_add(struct buf *out, const struct command *command, unsigned database,
		     const struct slice *argv, size_t argc);
void transaction_add_local(struct buf *out);

/*
 * Tells of the keys that a transaction watches, and of those that its writes name by the table.
 * Bytes that are none end it. `*argv` is a growing array of the caller's, used meanwhile.
 */
void transaction_tell_keys(struct slice bytes, struct slice **argv, size_t *argv_cap,
			   void (*tell)(void *ctx, unsigned database, struct slice key), void *ctx);

/* The replies of the elements that were the session's alone, in order. */
struct transaction_reply {
	size_t end;   /* where it ends in `bytes` */
	int protocol; /* of the replies behind it */
};

struct transaction_local {
	struct buf bytes;
	struct transaction_reply *replies; /* owned */
	size_t count;
	size_t cap;
	bool ran; /* set: no watch stood in the way */
};

void transaction_local_free(struct transaction_local *l);

/*
 * The row that runs a transaction: argv is EXEC and the bytes. In a call without a reply, elements
 * that read are left out. ERR_MALFORMED: these are no such bytes, or a command that is not known.
 */
extern const struct command transaction_command;

#endif
