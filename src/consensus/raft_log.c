#include "consensus/raft_log.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

void raft_log_init(struct raft_log *l, uint64_t base, uint64_t base_term)
{
	*l = (struct raft_log){0};
	raft_log_reset(l, base, base_term);
}

static size_t tail_count(const struct raft_log *l)
{
	return (size_t)(l->last + 1 - l->tail_first);
}

/* What an entry in memory costs. */
static size_t entry_cost(const struct entry *e)
{
	return sizeof(*e) + e->len;
}

static void tail_drop(struct raft_log *l, struct entry *e)
{
	l->tail_bytes -= entry_cost(e);
	blob_release(e->blob);
	e->blob = NULL;
}

static void tail_drop_all(struct raft_log *l)
{
	for (size_t i = 0, n = tail_count(l); i < n; i++)
		tail_drop(l, &l->tail[l->head + i]);
	l->head = 0;
}

void raft_log_close(struct raft_log *l)
{
	tail_drop_all(l);
	mem_free(l->tail);
	mem_free(l->runs);
	*l = (struct raft_log){0};
}

void raft_log_restore(struct raft_log *l, const struct term_run *runs, size_t run_count,
		      uint64_t last)
{
	CHECK(l->last == l->base && last >= l->base);
	MEM_GROW(l->runs, l->run_cap, run_count);
	if (run_count)
		memcpy(l->runs, runs, run_count * sizeof(*runs));
	l->run_count = run_count;
	l->last = last;
	l->handed = last;
	l->durable = last;
	l->tail_first = last + 1;
	CHECK_VALID(raft_log_broken(l));
}

/* The position of the run that holds `index`, which lies above the base. */
static size_t run_of(const struct raft_log *l, uint64_t index)
{
	size_t low = 0, high = l->run_count;

	/* Nearly every question is about the newest leader's entries. */
	if (l->runs[high - 1].first <= index)
		return high - 1;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (l->runs[middle].first <= index)
			low = middle;
		else
			high = middle;
	}
	return low;
}

uint64_t raft_log_term(const struct raft_log *l, uint64_t index)
{
	if (index == l->base)
		return l->base_term;
	if (index < l->base || index > l->last)
		return 0;
	return l->runs[run_of(l, index)].term;
}

bool raft_log_matches(const struct raft_log *l, uint64_t index, uint64_t term)
{
	return index >= l->base && index <= l->last && raft_log_term(l, index) == term;
}

uint64_t raft_log_last_at_most(const struct raft_log *l, uint64_t index, uint64_t term)
{
	size_t run;

	if (index <= l->base || l->run_count == 0)
		return l->base;
	index = MIN(index, l->last);
	for (run = run_of(l, index); l->runs[run].term > term; run--) {
		index = l->runs[run].first - 1;
		if (run == 0)
			return l->base;
	}
	return index;
}

/* Room for one more entry behind the tail; slides the tail to the front before it grows. */
static struct entry *tail_room(struct raft_log *l)
{
	size_t n = tail_count(l);

	if (l->head + n == l->cap) {
		if (l->head > 0 && l->head >= n) {
			memmove(l->tail, l->tail + l->head, n * sizeof(*l->tail));
			l->head = 0;
		} else {
			MEM_GROW(l->tail, l->cap, l->head + n + 1);
		}
	}
	return &l->tail[l->head + n];
}

void raft_log_append(struct raft_log *l, const struct entry *e)
{
	CHECK(e->term >= raft_log_last_term(l));
	*tail_room(l) = *e;
	blob_hold(e->blob);
	l->tail_bytes += entry_cost(e);
	l->last++;
	if (l->run_count == 0 || l->runs[l->run_count - 1].term != e->term) {
		MEM_GROW(l->runs, l->run_cap, l->run_count + 1);
		l->runs[l->run_count++] = (struct term_run){l->last, e->term};
	}
}

void raft_log_truncate(struct raft_log *l, uint64_t index)
{
	CHECK(index >= l->base && index <= l->last);
	while (l->last > index && l->last >= l->tail_first) {
		tail_drop(l, &l->tail[l->head + tail_count(l) - 1]);
		l->last--;
	}
	if (l->last > index) {
		l->last = index;
		l->tail_first = index + 1;
		l->head = 0;
	}
	while (l->run_count && l->runs[l->run_count - 1].first > index)
		l->run_count--;
	l->handed = MIN(l->handed, index);
	l->durable = MIN(l->durable, index);
}

const struct entry *raft_log_span(const struct raft_log *l, uint64_t first, uint64_t last,
				  size_t *count)
{
	*count = 0;
	if (first < l->tail_first || first > l->last)
		return NULL;
	if (last >= first)
		*count = (size_t)(MIN(last, l->last) - first + 1);
	return &l->tail[l->head + (size_t)(first - l->tail_first)];
}

void raft_log_persisted(struct raft_log *l, uint64_t index)
{
	CHECK(index <= l->handed);
	l->durable = MAX(l->durable, index);
}

void raft_log_trim(struct raft_log *l, uint64_t index, size_t keep_bytes)
{
	index = MIN(index, l->durable);
	while (l->tail_first <= index && l->tail_bytes > keep_bytes) {
		tail_drop(l, &l->tail[l->head]);
		l->head++;
		l->tail_first++;
	}
	if (l->tail_first > l->last)
		l->head = 0;
}

void raft_log_release(struct raft_log *l, uint64_t index)
{
	size_t run, gone = 0;

	if (index <= l->base)
		return;
	CHECK(index <= l->durable);
	run = run_of(l, index);
	l->base_term = l->runs[run].term;
	raft_log_trim(l, index, 0);
	l->tail_first = MAX(l->tail_first, index + 1);
	l->base = index;
	while (gone < l->run_count &&
	       (gone + 1 < l->run_count ? l->runs[gone + 1].first - 1 : l->last) <= index)
		gone++;
	memmove(l->runs, l->runs + gone, (l->run_count - gone) * sizeof(*l->runs));
	l->run_count -= gone;
	if (l->run_count)
		l->runs[0].first = MAX(l->runs[0].first, index + 1);
}

void raft_log_reset(struct raft_log *l, uint64_t base, uint64_t base_term)
{
	if (l->tail)
		tail_drop_all(l);
	l->base = base;
	l->base_term = base_term;
	l->last = base;
	l->handed = base;
	l->durable = base;
	l->tail_first = base + 1;
	l->head = 0;
	l->tail_bytes = 0;
	l->run_count = 0;
}

static const char *runs_broken(const struct raft_log *l)
{
	if ((l->run_count == 0) != (l->last == l->base))
		return "L4: there are runs exactly if there are entries";
	for (size_t i = 0; i < l->run_count; i++) {
		const struct term_run *run = &l->runs[i];

		if (i == 0 ? run->first != l->base + 1 || run->term < l->base_term
			   : run->first <= run[-1].first || run->term <= run[-1].term)
			return "L4: runs ascend";
		if (run->first > l->last)
			return "L4: runs begin inside the log";
	}
	return NULL;
}

const char *raft_log_broken(const struct raft_log *l)
{
	if (l->base > l->durable || l->durable > l->handed || l->handed > l->last)
		return "L1: base <= durable <= handed <= last";
	if (l->tail_first <= l->base || l->tail_first > l->last + 1 ||
	    l->head + tail_count(l) > l->cap)
		return "L2: the tail ends where the log ends";
	if (l->durable + 1 < l->tail_first)
		return "L3: what is not on disk is in memory";
	return runs_broken(l);
}
