#ifndef CONCLAVE_CONSENSUS_LABEL_H
#define CONCLAVE_CONSENSUS_LABEL_H

/*
 * How the label of a member is spelled: its name and, once it has told it, where other members
 * reach it, as in `initial-cluster`, and where clients do:
 *
 *	n1
 *	n1=127.0.0.1:16379
 *	n1=[::1]:16379/[::1]:6379
 */

#include "consensus/membership.h"

struct label {
	struct slice name;
	struct slice address; /* host:port; empty: not known */
	struct slice client;  /* the same for clients */
};

/* Points into `text`. */
struct label label_of(struct slice text);

/* The label of a member. Points into it. */
struct label label_of_member(const struct participant *member);

/* Appends the label with this name and address, with that of clients behind it or without. */
void label_put(struct slice name, struct slice address, struct buf *out);

/* Where members are, of what a member says of itself: behind it may stand where clients are. */
struct slice label_place(struct slice addresses);

/* Appends host:port; a host that has colons of its own in brackets. */
void label_put_address(struct slice host, uint16_t port, struct buf *out);

/* Host and port of an address; an IPv6 host without its brackets. ERR_INVALID: it is none. */
MUST_USE int label_address(struct slice address, struct slice *host, uint16_t *port);

/* ERR_INVALID: no name, or one that a label cannot hold, or an address that is none. */
MUST_USE int label_check(struct slice text);

/* An id of 16 hexadecimal digits; 0: it is none. */
uint64_t label_id(struct slice text);

/* The member of this name, or, if there is none, with this id as 16 hexadecimal digits. NULL. */
const struct participant *label_find(const struct membership *m, struct slice who);

#endif
