#ifndef CONCLAVE_UNIT_NODE_SUPPORT_REPLIES_H
#define CONCLAVE_UNIT_NODE_SUPPORT_REPLIES_H

/* Replies as bytes: where one ends and the next one begins. */

#include "base/bytes.h"

/* The length of the reply that begins here, with all that is in it; 0: it is none, or not whole. */
size_t reply_len(const uint8_t *data, size_t len);

#endif
