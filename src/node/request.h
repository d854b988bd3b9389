#ifndef CONCLAVE_NODE_REQUEST_H
#define CONCLAVE_NODE_REQUEST_H

/* Inside node only: one request of a session, from its arrival to its reply. */

#include "base/list.h"
#include "command/desk.h"
#include "command/scan_names.h"
#include "command/transaction.h"

struct copy_wait;
struct session;

/*
 *	            barrier met          missed a row
 *	WAITS ------------------> DUE ------------------> RUNNING
 *	  |                        |                         |
 *	  | right before the next  | run                     | run in the pool
 *	  | write of its session   v                         v
 *	  +---------------------> DONE <---------------------+
 *	                           ^
 *	WRITES --------------------+   applied, or given up
 */
enum request_state {
	REQUEST_WAITS,	 /* a read whose barrier is not met */
	REQUEST_DUE,	 /* a read that may run when what its session wrote before it is applied */
	REQUEST_RUNNING, /* a read in the pool; its reply belongs to another thread */
	REQUEST_WRITES,	 /* a write that is not applied yet */
	REQUEST_LATER,	 /* about the member or the connection, and its answer takes time */
	REQUEST_ASKS,	 /* a change of the membership; the leader has not answered */
	REQUEST_DONE,	 /* its reply waits for those before it */
};

struct request {
	struct list link;	 /* in the session, in order of arrival */
	struct list waiting;	 /* in the member: for a barrier, or for a turn in the pool */
	struct list ageing;	 /* in the member, in order of arrival */
	struct session *session; /* NULL: nobody wants the reply any more */
	const struct command *command;
	enum request_state state;
	uint64_t seq;	     /* of a write, or of a change: its number, 0 as long as it has none */
	struct later *later; /* LATER: what it waits for; owned */
	struct copy_wait *copies; /* of a WAIT; owned */
	uint64_t due_ms;
	uint64_t row_hash; /* of a read: of the key of the first record it looks for */
	unsigned database;
	int protocol;
	bool quiet;    /* its client wants no reply */
	bool failed;   /* it was run, and answered with an error */
	uint64_t usec; /* that running it took in the pool */
	struct buf reply;
	uint64_t changed_at;		 /* of a read: as its session's when it ran */
	struct buf watches;		 /* what a WATCH noted */
	struct scan_page page;		 /* of a SCAN */
	struct buf change;		 /* of the membership, as it is asked for */
	uint64_t watching;		 /* of a WATCH: the transaction it is meant for */
	struct transaction_local *local; /* of an EXEC: owned; NULL: none */
	size_t argc;
	struct slice *argv; /* behind this struct, with the bytes; a write keeps none */
	size_t bytes;	    /* of these */
	struct request_pool *pool;
	size_t room; /* behind this struct */
};

/*
 * Memory of requests that are over, for the next ones: those with few and short arguments, and no
 * more of them than are worth keeping.
 */
struct request_pool {
	struct list spare; /* by their `link` */
	size_t count;
};

void request_pool_init(struct request_pool *p);
void request_pool_close(struct request_pool *p);

/* A request with a copy of these arguments. The pool must outlive it. */
struct request *request_new(struct request_pool *p, const struct command *command,
			    const struct slice *argv, size_t argc);
void request_free(struct request *r);

/* A writer into its reply. */
struct resp_writer request_writer(struct request *r);

#endif
