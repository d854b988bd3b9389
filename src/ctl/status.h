#ifndef CONCLAVE_CTL_STATUS_H
#define CONCLAVE_CTL_STATUS_H

/* What a member says of itself and of the others. */

#include "ctl/arguments.h"
#include "ctl/remote.h"

/* The address that the arguments name. */
struct remote_address remote_address_of(const struct arguments *a);

/* `status`: ERR_UNAVAILABLE also if it knows no leader. */
MUST_USE int ctl_status(const struct arguments *a, const char *const *words, struct buf *problem);

#endif
