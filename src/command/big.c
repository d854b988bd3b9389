#include "command/big.h"

#include "base/check.h"

#include <string.h>

#define WORD_BITS 32

static void big_trim(struct big *b)
{
	while (b->len > 0 && b->words[b->len - 1] == 0)
		b->len--;
}

static void big_push(struct big *b, uint32_t word)
{
	if (word == 0)
		return;
	CHECK(b->len < BIG_WORDS);
	b->words[b->len++] = word;
}

void big_set(struct big *b, uint64_t value)
{
	b->words[0] = (uint32_t)value;
	b->words[1] = (uint32_t)(value >> WORD_BITS);
	b->len = 2;
	big_trim(b);
}

void big_multiply(struct big *b, uint32_t factor, uint32_t more)
{
	uint64_t carry = more;

	CHECK(factor > 0);
	for (size_t i = 0; i < b->len; i++) {
		carry += (uint64_t)b->words[i] * factor;
		b->words[i] = (uint32_t)carry;
		carry >>= WORD_BITS;
	}
	big_push(b, (uint32_t)carry);
}

void big_raise(struct big *b, unsigned power)
{
	for (; power >= 9; power -= 9)
		big_multiply(b, 1000000000, 0);
	for (; power > 0; power--)
		big_multiply(b, 10, 0);
}

uint32_t big_divide(struct big *b, uint32_t divisor)
{
	uint64_t left = 0;

	for (size_t i = b->len; i-- > 0;) {
		left = left << WORD_BITS | b->words[i];
		b->words[i] = (uint32_t)(left / divisor);
		left %= divisor;
	}
	big_trim(b);
	return (uint32_t)left;
}

size_t big_bits(const struct big *b)
{
	if (b->len == 0)
		return 0;
	return b->len * WORD_BITS - (size_t)__builtin_clz(b->words[b->len - 1]);
}

void big_shift_left(struct big *b, size_t bits)
{
	size_t words = bits / WORD_BITS;

	if (b->len == 0)
		return;
	if (bits % WORD_BITS)
		big_multiply(b, UINT32_C(1) << bits % WORD_BITS, 0);
	if (words == 0)
		return;
	CHECK(b->len + words <= BIG_WORDS);
	memmove(b->words + words, b->words, b->len * sizeof(*b->words));
	memset(b->words, 0, words * sizeof(*b->words));
	b->len += words;
}

static bool big_bit(const struct big *b, size_t at)
{
	return at / WORD_BITS < b->len && b->words[at / WORD_BITS] >> at % WORD_BITS & 1;
}

static bool big_any_below(const struct big *b, size_t bits)
{
	for (size_t i = 0; i < bits / WORD_BITS && i < b->len; i++)
		if (b->words[i])
			return true;
	return bits / WORD_BITS < b->len &&
	       b->words[bits / WORD_BITS] & ((UINT32_C(1) << bits % WORD_BITS) - 1);
}

static void big_shift_right(struct big *b, size_t bits)
{
	size_t words = bits / WORD_BITS;

	if (words >= b->len) {
		b->len = 0;
		return;
	}
	b->len -= words;
	memmove(b->words, b->words + words, b->len * sizeof(*b->words));
	if (bits % WORD_BITS)
		(void)big_divide(b, UINT32_C(1) << bits % WORD_BITS);
}

void big_shift_right_rounded(struct big *b, size_t bits)
{
	bool half, more;

	if (bits == 0)
		return;
	half = big_bit(b, bits - 1);
	more = big_any_below(b, bits - 1);
	big_shift_right(b, bits);
	if (half && (more || big_bit(b, 0)))
		big_multiply(b, 1, 1);
}

int big_compare(const struct big *a, const struct big *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	for (size_t i = a->len; i-- > 0;)
		if (a->words[i] != b->words[i])
			return a->words[i] < b->words[i] ? -1 : 1;
	return 0;
}

void big_subtract(struct big *a, const struct big *b)
{
	uint64_t borrow = 0;

	for (size_t i = 0; i < a->len; i++) {
		uint64_t less = (i < b->len ? b->words[i] : 0) + borrow;

		borrow = a->words[i] < less;
		a->words[i] = (uint32_t)(a->words[i] - less);
	}
	CHECK(borrow == 0);
	big_trim(a);
}
