#ifndef CONCLAVE_CTL_MEMBER_H
#define CONCLAVE_CTL_MEMBER_H

/* MEMBER, said to a member: who takes part, and how that is changed. */

#include "ctl/arguments.h"

/* A reply to MEMBER LIST as a table, or as an array of JSON. ERR_MALFORMED: it is none. */
MUST_USE int member_list_put(struct slice reply, bool json, struct buf *out);

/* `member list`. */
MUST_USE int ctl_member_list(const struct arguments *a, const char *const *words,
			     struct buf *problem);

/* `member add` and all that change something: the words are those of MEMBER itself. */
MUST_USE int ctl_member_change(const struct arguments *a, const char *const *words,
			       struct buf *problem);

#endif
