#include "command/fraction.h"

#include "base/check.h"
#include "command/big.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MANTISSA_BITS 64

/* Of the lowest bit that there is, and of the highest one. */
#define EXPONENT_MIN (-16445)
#define EXPONENT_MAX 16383

/* Beyond these powers of ten nothing is told from infinity, or from 0. */
#define POWER_MAX 4940
#define POWER_MIN (-4960)

/* Exponents in a text are counted up to here: it is beyond all that mean something. */
#define TEXT_EXPONENT_MAX 1000000

#define DIGITS_BEHIND 17

/* ---- rounding -------------------------------------------------------------------------------- */

/* How many bits a number keeps whose highest one is this; not above 0: at most the rounding. */
static int bits_kept(int64_t highest)
{
	return (int)MIN(highest - EXPONENT_MIN + 1, (int64_t)MANTISSA_BITS);
}

/* The kept bits, the exponent of the highest one, and whether they are rounded up. */
static bool fraction_make(uint64_t mantissa, int64_t highest, bool up, struct fraction *f)
{
	int kept = bits_kept(highest);

	mantissa += up;
	if (up && mantissa == 0) { /* 64 ones */
		mantissa = UINT64_C(1) << 63;
		highest++;
	}
	if (highest > EXPONENT_MAX)
		return false;
	f->mantissa = mantissa;
	f->exponent = (int)(highest - kept + 1);
	return true;
}

/* dividend / divisor * 2^exponent. False: too large, or too small. Both are changed. */
static bool fraction_of_ratio(struct big *dividend, struct big *divisor, int64_t exponent,
			      struct fraction *f)
{
	size_t a = big_bits(dividend), b = big_bits(divisor);
	int64_t highest = exponent + (int64_t)a - (int64_t)b;
	uint64_t mantissa = 0;
	int half;

	big_shift_left(a > b ? divisor : dividend, a > b ? a - b : b - a);
	if (big_compare(dividend, divisor) < 0) {
		big_shift_left(dividend, 1);
		highest--;
	}
	if (highest > EXPONENT_MAX || bits_kept(highest) < 0)
		return false;
	for (int i = bits_kept(highest); i > 0; i--) {
		bool one = big_compare(dividend, divisor) >= 0;

		mantissa = mantissa << 1 | one;
		if (one)
			big_subtract(dividend, divisor);
		big_shift_left(dividend, 1);
	}
	half = big_compare(dividend, divisor);
	return fraction_make(mantissa, highest, half > 0 || (half == 0 && mantissa & 1), f) &&
	       f->mantissa > 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct text {
	const uint8_t *at;
	const uint8_t *end;
};

static int text_peek(const struct text *t)
{
	return t->at < t->end ? *t->at : -1;
}

static bool text_skip(struct text *t, const char *bytes)
{
	if (t->at == t->end || !strchr(bytes, *t->at) || !*t->at)
		return false;
	t->at++;
	return true;
}

static bool text_rest_is(const struct text *t, const char *word)
{
	size_t len = (size_t)(t->end - t->at);

	return len == strlen(word) && strncasecmp((const char *)t->at, word, len) == 0;
}

static int digit_value(int byte, unsigned base)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (base == 16 && byte >= 0 && isxdigit(byte))
		return (byte | 0x20) - 'a' + 10;
	return -1;
}

struct digits {
	struct big number;
	int64_t all;	 /* digits that were read */
	int64_t behind;	 /* of these, behind the point */
	int64_t counted; /* from the first one on that is not 0 */
};

/* Several digits at a time go into the number. */
static void read_digits(struct text *t, unsigned base, struct digits *d)
{
	uint32_t factor = 1, part = 0;
	bool point = false;

	d->all = d->behind = d->counted = 0;
	big_set(&d->number, 0);
	for (;; t->at++) {
		int value = digit_value(text_peek(t), base);

		if (value < 0 && (point || text_peek(t) != '.'))
			break;
		point = point || value < 0;
		if (value < 0)
			continue;
		d->all++;
		d->behind += point;
		d->counted += d->counted > 0 || value > 0;
		part = part * base + (uint32_t)value;
		factor *= base;
		if (factor >= 100000000) {
			big_multiply(&d->number, factor, part);
			factor = 1;
			part = 0;
		}
	}
	if (factor > 1)
		big_multiply(&d->number, factor, part);
}

/* Nothing, or one of the letters with a number behind it; false: without. */
static bool read_exponent(struct text *t, const char *letters, int64_t *exponent)
{
	bool negative, any = false;

	*exponent = 0;
	if (!text_skip(t, letters))
		return true;
	negative = text_peek(t) == '-';
	(void)text_skip(t, "+-");
	for (; digit_value(text_peek(t), 10) >= 0; t->at++) {
		*exponent = MIN(*exponent * 10 + *t->at - '0', (int64_t)TEXT_EXPONENT_MAX);
		any = true;
	}
	*exponent = negative ? -*exponent : *exponent;
	return any;
}

static bool read_decimal(struct text *t, struct fraction *f)
{
	struct digits d;
	struct big divisor;
	int64_t exponent;

	read_digits(t, 10, &d);
	if (d.all == 0 || !read_exponent(t, "eE", &exponent) || t->at != t->end)
		return false;
	if (d.counted == 0)
		return true;
	exponent -= d.behind;
	if (d.counted + exponent > POWER_MAX || d.counted + exponent < POWER_MIN)
		return false;
	big_set(&divisor, 1);
	big_raise(exponent < 0 ? &divisor : &d.number, (unsigned)llabs(exponent));
	return fraction_of_ratio(&d.number, &divisor, 0, f);
}

static bool read_hexadecimal(struct text *t, struct fraction *f)
{
	struct digits d;
	struct big divisor;
	int64_t exponent;

	read_digits(t, 16, &d);
	if (d.all == 0 || !read_exponent(t, "pP", &exponent) || t->at != t->end)
		return false;
	if (d.counted == 0)
		return true;
	big_set(&divisor, 1);
	return fraction_of_ratio(&d.number, &divisor, exponent - 4 * d.behind, f);
}

bool fraction_parse(struct slice s, struct fraction *value)
{
	struct text t = {.at = s.data, .end = s.data + s.len};

	*value = (struct fraction){0};
	if (s.len == 0 || s.len >= FRACTION_TEXT_MAX)
		return false;
	value->negative = *t.at == '-';
	(void)text_skip(&t, "+-");
	if (text_rest_is(&t, "inf") || text_rest_is(&t, "infinity")) {
		value->infinite = true;
		return true;
	}
	if (t.end - t.at > 2 && t.at[0] == '0' && (t.at[1] | 0x20) == 'x') {
		t.at += 2;
		return read_hexadecimal(&t, value);
	}
	return read_decimal(&t, value);
}

/* ---- adding ---------------------------------------------------------------------------------- */

typedef __uint128_t wide;

/* Bits below the mantissa while numbers are added: what comes below those is one bit for all. */
#define EXTRA_BITS 62

static int wide_bits(wide w)
{
	uint64_t high = (uint64_t)(w >> 64), low = (uint64_t)w;

	if (high)
		return 128 - __builtin_clzll(high);
	return low ? 64 - __builtin_clzll(low) : 0;
}

/* Of a number that is shifted out some bit stays, if it had any. */
static wide wide_shift_right(wide w, int bits)
{
	if (bits == 0)
		return w;
	if (bits >= 128)
		return w != 0;
	return w >> bits | ((w & (((wide)1 << bits) - 1)) != 0);
}

static bool fraction_of_wide(wide w, int64_t exponent, struct fraction *f)
{
	int bits = wide_bits(w), drop;
	int64_t highest = exponent + bits - 1;
	wide rest, half;

	if (bits == 0)
		return true;
	drop = bits - bits_kept(highest);
	if (drop <= 0)
		return fraction_make((uint64_t)(w << -drop), highest, false, f);
	half = (wide)1 << (drop - 1);
	rest = w & (half + half - 1);
	w >>= drop;
	return fraction_make((uint64_t)w, highest, rest > half || (rest == half && w & 1), f);
}

bool fraction_add(const struct fraction *a, const struct fraction *b, struct fraction *sum)
{
	bool swap = a->mantissa == 0 || (b->mantissa && a->exponent < b->exponent);
	struct fraction high = swap ? *b : *a, low = swap ? *a : *b;
	wide x, y;

	if (a->infinite || b->infinite)
		return false;
	x = (wide)high.mantissa << EXTRA_BITS;
	y = wide_shift_right((wide)low.mantissa << EXTRA_BITS,
			     low.mantissa ? high.exponent - low.exponent : 0);
	*sum = (struct fraction){.negative = high.negative};
	if (high.negative == low.negative) {
		x += y;
	} else if (x >= y) {
		x -= y;
	} else {
		x = y - x;
		sum->negative = low.negative;
	}
	return fraction_of_wide(x, (int64_t)high.exponent - EXTRA_BITS, sum);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The digits of a number, the last one before `end`; at least `least`. How many. */
static size_t put_digits(struct big *number, char *end, size_t least)
{
	size_t count = 0;

	while (number->len > 0) {
		uint32_t part = big_divide(number, 1000000000);

		for (int i = 0; i < 9 && (part || number->len > 0); i++, part /= 10)
			end[-(ptrdiff_t)++count] = (char)('0' + part % 10);
	}
	while (count < least)
		end[-(ptrdiff_t)++count] = '0';
	return count;
}

size_t fraction_format(char text[static FRACTION_TEXT_MAX], const struct fraction *value)
{
	char digits[FRACTION_TEXT_MAX];
	struct big number;
	size_t count, before, len = 0;

	CHECK(!value->infinite);
	big_set(&number, value->mantissa);
	big_raise(&number, DIGITS_BEHIND);
	if (value->exponent >= 0)
		big_shift_left(&number, (size_t)value->exponent);
	else
		big_shift_right_rounded(&number, (size_t)-value->exponent);
	if (value->negative && number.len > 0)
		text[len++] = '-';
	count = put_digits(&number, digits + sizeof(digits), DIGITS_BEHIND + 1);
	before = count - DIGITS_BEHIND;
	memcpy(text + len, digits + sizeof(digits) - count, before);
	len += before;
	text[len++] = '.';
	memcpy(text + len, digits + sizeof(digits) - DIGITS_BEHIND, DIGITS_BEHIND);
	len += DIGITS_BEHIND;
	while (text[len - 1] == '0')
		len--;
	return text[len - 1] == '.' ? len - 1 : len;
}
