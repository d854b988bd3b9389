#ifndef CONCLAVE_COMMAND_BIG_H
#define CONCLAVE_COMMAND_BIG_H

/* Inside command only: natural numbers as large as the largest fraction and its digits need. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for 10^10,500, and a word above it. */
#define BIG_WORDS 1100

/* The lowest word comes first, and the highest one is not 0. */
struct big {
	size_t len;
	uint32_t words[BIG_WORDS];
};

/* `b` is undefined before. */
void big_set(struct big *b, uint64_t value);

/* b = b * factor + more */
void big_multiply(struct big *b, uint32_t factor, uint32_t more);

/* b = b * 10^power */
void big_raise(struct big *b, unsigned power);

/* b = b / divisor; what is left over. */
uint32_t big_divide(struct big *b, uint32_t divisor);

/* How many bits it has, without zeros in front. */
size_t big_bits(const struct big *b);

void big_shift_left(struct big *b, size_t bits);

/* To the nearest; from the middle to the even one. */
void big_shift_right_rounded(struct big *b, size_t bits);

/* Below 0, 0, above 0. */
int big_compare(const struct big *a, const struct big *b);

/* a = a - b, which is not above it. */
void big_subtract(struct big *a, const struct big *b);

#endif
