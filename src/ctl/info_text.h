#ifndef CONCLAVE_CTL_INFO_TEXT_H
#define CONCLAVE_CTL_INFO_TEXT_H

/* What INFO answers: lines of name:value. */

#include "base/bytes.h"

/* The text in a reply to INFO; empty if it is none. */
struct slice info_text(struct slice reply);

/* The value of a field; empty: it is not there. */
struct slice info_field(struct slice text, const char *name);

/* The same as a number; 0 if it is none. */
uint64_t info_number(struct slice text, const char *name);

#endif
