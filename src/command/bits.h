#ifndef CONCLAVE_COMMAND_BITS_H
#define CONCLAVE_COMMAND_BITS_H

/* Inside command only: places of bits. Bit 0 is the upper one of the first byte. */

#include "command/command.h"

/*
 * The argument as a place that a string may have. With `bits`, that of a field of so many: `#n` is
 * the n-th of a row of such. CALL_REFUSED.
 */
MUST_USE int call_bit_offset(struct call *c, size_t at, unsigned bits, uint64_t *offset);

#endif
