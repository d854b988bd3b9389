#include "sim/counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	unsigned in;
	const char *group;
	const char *name;
} kinds[] = {
#define SIM_COUNT_NAME(id, in, group, name) {COUNT_IN_##in, group, name},
	SIM_COUNTS(SIM_COUNT_NAME)
#undef SIM_COUNT_NAME
};

const char *sim_count_name(enum sim_count c)
{
	return kinds[c].name;
}

void sim_counts_add(struct sim_counts *to, const struct sim_counts *from)
{
	for (size_t i = 0; i < SIM_COUNT_KINDS; i++)
		to->n[i] += from->n[i];
	for (size_t i = 0; i < CRASH_POINT_COUNT; i++)
		to->crash_point[i] += from->crash_point[i];
	for (size_t i = 0; i <= RAFT_MESSAGE_TYPE_MAX; i++)
		to->message[i] += from->message[i];
	to->virtual_us += from->virtual_us;
	to->client_ops += from->client_ops;
	to->seeds += from->seeds;
}

static unsigned print_count(const char *group, const char *name, uint64_t n)
{
	printf("  %-12s %-36s %12" PRIu64 "%s\n", group, name, n, n ? "" : "   <-- never");
	return n == 0;
}

unsigned sim_counts_print(const struct sim_counts *c, unsigned in)
{
	unsigned zeros = 0;
	double seeds = c->seeds ? (double)c->seeds : 1;

	for (size_t i = 0; i < SIM_COUNT_KINDS; i++)
		if (kinds[i].in & in)
			zeros += print_count(kinds[i].group, kinds[i].name, c->n[i]);
	for (size_t i = 0; i < CRASH_POINT_COUNT; i++)
		zeros += print_count("crash point", crash_point_name((enum crash_point)i),
				     c->crash_point[i]);
	for (unsigned i = 1; i <= RAFT_MESSAGE_TYPE_MAX; i++)
		zeros += print_count("message", raft_message_name(i), c->message[i]);
	printf("%" PRIu64 " seeds, %.1f virtual hours; a seed: %.1f virtual s, %.0f operations, "
	       "%.1f leaders\n",
	       c->seeds, (double)c->virtual_us / 3.6e9, (double)c->virtual_us / 1e6 / seeds,
	       (double)c->client_ops / seeds, (double)c->n[COUNT_LEADER] / seeds);
	return zeros;
}
