#include "command/replication.h"

#include "base/error.h"
#include "consensus/label.h"

#include <inttypes.h>

bool replication_is_master(const struct info_member *m)
{
	return !m->announces_leader || m->leads;
}

struct replication_place replication_place_of(const struct info_member *m, uint64_t id)
{
	const struct participant *p = membership_find(m->membership, id);
	struct replication_place place = {.host = SLICE_LITERAL("")};
	struct label label;

	if (!p)
		return place;
	label = label_of_member(p);
	if (label_address(label.client, &place.host, &place.port) == OK)
		return place;
	if (label_address(label.address, &place.host, &place.port) != OK)
		place.host = SLICE_LITERAL("");
	place.port = 0;
	return place;
}

size_t replication_slaves(const struct info_member *m)
{
	return m->announces_leader ? m->follower_count : 0;
}

const char *replication_link(const struct info_member *m)
{
	return m->leader ? "connected" : "connect";
}

static void put_slave(const struct info_member *m, size_t i, struct buf *out)
{
	const struct info_follower *f = &m->followers[i];
	struct replication_place place = replication_place_of(m, f->id);

	buf_printf(out, "slave%zu:ip=%.*s,port=%u,state=%s,offset=%" PRIu64 ",lag=%" PRIu64 "\r\n",
		   i, (int)place.host.len, (const char *)place.host.data, place.port,
		   f->is_fetching ? "send_bulk" : "online", f->index, f->lag_ms / 1000);
}

static void put_master(const struct info_member *m, struct buf *out)
{
	struct replication_place place = replication_place_of(m, m->leader);

	buf_printf(out, "master_host:%.*s\r\nmaster_port:%u\r\nmaster_link_status:%s\r\n",
		   (int)place.host.len, (const char *)place.host.data, place.port,
		   m->leader ? "up" : "down");
	buf_printf(out,
		   "master_sync_in_progress:0\r\nslave_read_repl_offset:%" PRIu64
		   "\r\nslave_repl_offset:%" PRIu64
		   "\r\nslave_priority:100\r\nslave_read_only:0\r\n"
		   "replica_announced:1\r\n",
		   m->position->index, m->position->index);
}

void replication_put_info(const struct info_member *m, struct buf *out)
{
	bool master = replication_is_master(m);
	size_t slaves = replication_slaves(m);

	buf_printf(out, "role:%s\r\n", master ? "master" : "slave");
	if (!master)
		put_master(m, out);
	buf_printf(out, "connected_slaves:%zu\r\n", slaves);
	for (size_t i = 0; i < slaves; i++)
		put_slave(m, i, out);
	buf_printf(out, "master_failover_state:no-failover\r\nmaster_repl_offset:%" PRIu64 "\r\n",
		   m->position->index);
}
