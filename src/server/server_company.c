/* The other members: over which wires, and how long something may take. */

#include "base/mem.h"
#include "server/server_internal.h"

/* Shorter than that, a busy machine would look like a broken connection. */
#define PEER_SILENCE_MIN_MS 1000u

/* Who takes part no more is still told so for this many election timeouts. */
#define LEAVE_TIMEOUTS 10u

static void server_resolve(void *ctx, struct job *job)
{
	struct server *s = ctx;

	threads_run(s->threads, LANE_RESOLVE, job);
}

static void server_start_wires(struct server *s)
{
	uint32_t election_ms = (uint32_t)s->options->election_timeout_ms;
	struct socket_wires_options options = {
		.ev = loop_ev(s->loop),
		.silence_ms = MAX(2 * election_ms, PEER_SILENCE_MIN_MS),
		.ctx = s,
		.resolve = server_resolve,
	};

	s->wires = socket_wires_new(&options);
}

void server_start_company(struct server *s)
{
	const struct options *o = s->options;
	const struct options_members *initial = &o->initial_cluster;
	struct peers_place *places = mem_zalloc(initial->count + 1, sizeof(*places));
	struct company_options options;

	for (size_t i = 0; i < initial->count; i++)
		places[i] = (struct peers_place){
			.name = slice_of_text(initial->list[i].name),
			.host = slice_of_text(initial->list[i].host),
			.port = initial->list[i].port,
		};
	server_start_wires(s);
	options = (struct company_options){
		.wires = socket_wires_interface(s->wires),
		.logger = s->logger,
		.clock = &s->clock,
		.random = &s->random,
		.places = places,
		.place_count = initial->count,
		.name = o->name,
		.token = o->cluster_token,
		.address = (const char *)s->address.data,
		.join = o->join,
		.rises = o->auto_promote,
		.queued_bytes = server_queued_bytes(s),
		.leave_ms = LEAVE_TIMEOUTS * (uint32_t)o->election_timeout_ms,
	};
	s->company = company_new(&options, s->member);
	mem_free(places);
}
