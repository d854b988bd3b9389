#include "server/linger.h"

#include "base/compiler.h"

/* Longer than a look of another loop takes, shorter than what one does that has work. */
#define KEPT_US 80

#define REST_MIN_US 200
#define REST_MAX_US 100000

void linger_init(struct linger *l, uint64_t span_us)
{
	*l = (struct linger){.span_us = span_us, .rest_us = REST_MIN_US};
}

bool linger_wanted(const struct linger *l, uint64_t now_us)
{
	return now_us - l->came_us < l->span_us && now_us >= l->rest_until_us;
}

void linger_came(struct linger *l, uint64_t now_us, bool looking)
{
	l->came_us = now_us;
	if (looking)
		l->rest_us = MAX(l->rest_us / 4, (uint64_t)REST_MIN_US);
}

void linger_yielded(struct linger *l, uint64_t from_us, uint64_t to_us)
{
	if (to_us - from_us < KEPT_US)
		return;
	l->rest_until_us = to_us + l->rest_us;
	l->rest_us = MIN(l->rest_us * 2, (uint64_t)REST_MAX_US);
}
