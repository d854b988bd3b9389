#include "consensus/peer.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/mutant.h"

void peer_init(struct peer *p, uint64_t id, uint64_t next, size_t inflight_cap, uint64_t now_ms)
{
	*p = (struct peer){.id = id, .inflight_cap = inflight_cap};
	p->inflight = mem_resize(NULL, inflight_cap, sizeof(*p->inflight));
	peer_reset(p, next, now_ms);
}

void peer_close(struct peer *p)
{
	mem_free(p->inflight);
	p->inflight = NULL;
}

static void peer_forget_inflight(struct peer *p)
{
	p->inflight_head = 0;
	p->inflight_count = 0;
	p->inflight_sum = 0;
}

void peer_reset(struct peer *p, uint64_t next, uint64_t now_ms)
{
	*p = (struct peer){
		.id = p->id,
		.state = PEER_PROBE,
		.next = next,
		.heard_ms = now_ms,
		.inflight = p->inflight,
		.inflight_cap = p->inflight_cap,
	};
}

void peer_heard(struct peer *p, uint64_t now_ms)
{
	p->heard_ms = now_ms;
	p->gone = false;
}

void peer_become_probe(struct peer *p)
{
	/* After a snapshot the logs meet behind it, if the follower has put it in place. */
	if (p->state == PEER_SNAPSHOT)
		p->next = (p->snapshot > p->match ? p->snapshot : p->match) + 1;
	else
		p->next = p->match + 1;
	p->state = PEER_PROBE;
	p->paused = false;
	p->loading = false;
	p->snapshot = 0;
	peer_forget_inflight(p);
}

void peer_become_replicate(struct peer *p)
{
	p->state = PEER_REPLICATE;
	p->next = p->match + 1;
	p->paused = false;
	p->snapshot = 0;
	peer_forget_inflight(p);
}

void peer_become_snapshot(struct peer *p, uint64_t index)
{
	p->state = PEER_SNAPSHOT;
	p->snapshot = index;
	p->refilled = true;
	p->quiet = 0;
	p->paused = false;
	peer_forget_inflight(p);
}

void peer_sent(struct peer *p, uint64_t last, uint64_t bytes)
{
	size_t at = (p->inflight_head + p->inflight_count) % p->inflight_cap;

	CHECK(p->state == PEER_REPLICATE && p->inflight_count < p->inflight_cap);
	p->inflight[at] = (struct inflight){last, bytes};
	p->inflight_count++;
	p->inflight_sum += bytes;
	p->next = last + 1;
}

bool peer_acknowledged(struct peer *p, uint64_t index)
{
	bool news = index > p->match;

	while (p->inflight_count && p->inflight[p->inflight_head].last <= index) {
		p->inflight_sum -= p->inflight[p->inflight_head].bytes;
		p->inflight_head = (p->inflight_head + 1) % p->inflight_cap;
		p->inflight_count--;
	}
	if (news)
		p->match = index;
	if (p->next <= p->match)
		p->next = p->match + 1;
	return news;
}

bool peer_full(const struct peer *p, uint64_t bytes_max)
{
	return p->inflight_count == p->inflight_cap || p->inflight_sum >= bytes_max;
}

void peer_become_damaged(struct peer *p, uint64_t nonce, uint64_t next)
{
	p->damaged = true;
	if (MUTANT(damaged_acks_kept))
		return;
	p->nonce = nonce;
	p->match = 0;
	p->match_seen = 0;
	p->round = 0;
	if (p->state == PEER_SNAPSHOT)
		return;
	peer_become_probe(p);
	p->next = next;
}

const char *peer_state_name(enum peer_state state)
{
	switch (state) {
	case PEER_PROBE:
		return "probe";
	case PEER_REPLICATE:
		return "replicate";
	case PEER_SNAPSHOT:
		return "snapshot";
	}
	return "unknown";
}

const char *peer_broken(const struct peer *p)
{
	uint64_t sum = 0;

	if (p->match >= p->next)
		return "P1: match < next";
	if (p->inflight_count && p->state != PEER_REPLICATE)
		return "P2: only a replicating peer has messages in flight";
	for (size_t i = 0; i < p->inflight_count; i++)
		sum += p->inflight[(p->inflight_head + i) % p->inflight_cap].bytes;
	if (sum != p->inflight_sum)
		return "P3: the bytes in flight add up";
	return NULL;
}
