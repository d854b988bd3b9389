#ifndef CONCLAVE_SERVER_LISTENER_H
#define CONCLAVE_SERVER_LISTENER_H

/* Listens on one port of several addresses and hands over the connections that come. */

#include "base/bytes.h"
#include "base/logging.h"
#include "server/options.h"

struct ev_loop;
struct listener;

struct listener_options {
	struct ev_loop *ev;
	const struct logger *logger; /* may be NULL */
	/*
	 * As in Redis: addresses or host names; "*" all; with a "-" in front it is no error if
	 * there is no such address here. NULL for listener_new_local.
	 */
	const struct options_words *bind;
	uint16_t port; /* 0: one that is free */
	unsigned backlog;
	void *ctx;
	/* A connection, not blocking; it belongs to the callee. */
	void (*accepted)(void *ctx, int fd);
};

/*
 * Listens at a file of this machine, in place of an address, with these rights (0: as the umask has
 * it); what a process left there that is gone is removed. Errors as listener_new.
 */
MUST_USE int listener_new_local(struct listener **out, const struct listener_options *options,
				const char *path, unsigned rights, struct buf *problem);

/* Listens. ERR_UNAVAILABLE: `problem` says where and why. */
MUST_USE int listener_new(struct listener **out, const struct listener_options *options,
			  struct buf *problem);

/* Nobody is accepted any more; the file goes. NULL is nothing. */
void listener_free(struct listener *l);

/* The port of the first address. */
uint16_t listener_port(const struct listener *l);

/* Appends all addresses, with blanks between. */
void listener_describe(const struct listener *l, struct buf *out);

#endif
