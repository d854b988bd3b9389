#ifndef CONCLAVE_BENCH_GENERATOR_LINK_H
#define CONCLAVE_BENCH_GENERATOR_LINK_H

/*
 * One connection to a server: bytes out, replies in. What is asked on it and when, says the worker.
 *
 *	DOWN --open--> CONNECTING --> GREETING --> READY
 *	  ^                |             |           |
 *	  +----------------+-------------+-----------+  link_close
 */

#include "resp/reply.h"
#include "target.h"

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_GREETING, LINK_READY };

struct link_request {
	uint64_t since; /* it was sent, or should have been; ns */
	size_t command;
	bool counts;
};

struct link {
	enum link_state state;
	int fd;
	size_t target;	   /* place among the addresses */
	uint64_t heard;	   /* ns: when it was opened, asked, or said something, last */
	uint64_t retry_at; /* DOWN */
	unsigned refused;  /* attempts since it was last up */
	size_t greetings;  /* GREETING: replies that are to come */

	struct buf out;
	size_t sent; /* bytes of `out` */
	struct buf in;
	size_t taken; /* bytes of `in` */
	struct resp_reply reply;

	struct link_request *requests; /* the pipeline, oldest first */
	size_t request_count;
	size_t answered; /* of these */
	struct link *next_idle;
};

/* Begins to connect; epoll's events come with `l`. False: the system does not let it. */
bool link_open(struct link *l, const struct target *t, int epoll_fd);

/* DOWN afterwards; whatever was to be sent or read is forgotten. */
void link_close(struct link *l);

/* DOWN, and without memory. */
void link_free(struct link *l);

/* Whether the connection that was begun is made. False: it failed. */
bool link_connected(const struct link *l);

/* Sends as much as there is room for. False: the connection is gone. */
bool link_send(struct link *l);

/*
 * Reads what has come, to the very end if it `ended`: nothing else would tell of that. False: the
 * connection is gone; what came before that stands in `in`.
 */
bool link_receive(struct link *l, bool ended);

/* Takes the next reply; `item` is its first item, and points into `in` until the next call. */
enum resp_reply_outcome link_take(struct link *l, struct resp_item *item);

#endif
