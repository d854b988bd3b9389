/* A host's member in company: over streams of bytes, as in the process. */

#include "sim/host.h"
#include "sim/streams.h"

#include "base/check.h"
#include "peer/company.h"

#include <stdio.h>

#define CLUSTER_TOKEN "conclave"

static void put_address(const struct host *h, char out[HOST_ADDRESS_MAX])
{
	snprintf(out, HOST_ADDRESS_MAX, "%s:%u", h->name, h->port);
}

/* Whether it takes part, as far as it knows, and as far as a leader does if there is one. */
bool host_may_be_asked(struct host *h)
{
	return h->state == HOST_UP && h->company && company_takes_part(h->company) &&
	       (host_takes_part(h) || !world_leader(h->world));
}

/* Another one, who takes part if anybody does. */
static struct host *host_to_ask(struct host *h)
{
	struct world *w = h->world;
	unsigned at = (unsigned)random_below(&w->random, w->host_count);
	struct host *found = &w->hosts[(h->index + 1) % w->host_count];

	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *other = &w->hosts[(at + i) % w->host_count];

		if (other != h && host_may_be_asked(other))
			return other;
	}
	return found;
}

void host_company_move(struct host *h)
{
	struct world *w = h->world;

	if (w->calm || !w->profile.move_ppm || !random_chance(&w->random, w->profile.move_ppm))
		return;
	COUNT(w, FAULT_MOVE);
	h->port++;
	put_address(h, h->address);
	TRACE(w, h, "is at %s now", h->address);
}

/*
 * How many of the hosts it is told about, where they are now. Who takes part, and may have been
 * left behind by all others, may be told of all of them instead of one that is to be asked.
 */
static unsigned hosts_to_tell(struct host *h)
{
	struct world *w = h->world;
	bool takes_part = membership_find(driver_membership(h->driver), driver_id(h->driver));

	if (takes_part && w->profile.move_ppm && (!h->joins || random_chance(&w->random, 500000)))
		return w->host_count;
	return h->joins ? 0 : w->profile.members;
}

void host_company_start(struct host *h)
{
	struct world *w = h->world;
	struct peers_place places[SIM_HOSTS_MAX];
	struct company_options options = {
		.wires = &h->wires,
		.logger = h->io.logger,
		.clock = &h->io.clock,
		.random = &w->random,
		.places = places,
		.place_count = hosts_to_tell(h),
		.name = h->name,
		.token = CLUSTER_TOKEN,
		.address = h->address,
		.rises = random_chance(&w->random, 500000),
		.queued_bytes = w->profile.queued_bytes,
		.leave_ms = w->profile.leave_ms,
	};

	for (size_t i = 0; i < options.place_count; i++)
		places[i] = (struct peers_place){
			.name = slice_of_text(w->hosts[i].name),
			.host = slice_of_text(w->hosts[i].name),
			.port = w->hosts[i].port,
		};
	h->asks = NULL;
	if (options.place_count == 0) {
		h->asks = host_to_ask(h);
		put_address(h->asks, h->ask_at);
		options.join = h->ask_at;
	}
	h->company = company_new(&options, h->member);
	watch_company_started(h);
}

void host_company_stop(struct host *h)
{
	company_free(h->company);
	h->company = NULL;
	h->asks = NULL;
}

void host_company_init(struct host *h)
{
	stream_wires_init(h);
	h->port = STREAM_PORT;
	put_address(h, h->address);
}

/* ---- frames ---------------------------------------------------------------------------------- */

void host_company_send(struct host *h, uint64_t to, const struct frame *frame)
{
	watch_company_says(h, to, frame);
	peers_send(company_peers(h->company), to, frame);
}

void host_company_send_to_name(struct host *h, struct slice name, const struct frame *frame)
{
	watch_company_says(h, 0, frame);
	peers_send_to_name(company_peers(h->company), name, frame);
}
