/*
 * INFO: what clients, dashboards and operators read of a member. Every figure is true of this
 * member, now; what Redis tells and a member has not is left out, unless clients count on it.
 */

#include "base/error.h"
#include "command/cluster.h"
#include "command/desk.h"
#include "command/family.h"
#include "command/host.h"
#include "command/replication.h"
#include "consensus/label.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* What a section is made of. */
struct info {
	struct buf out;
	struct info_member member;
	struct info_process process;
	bool has_process;
	uint64_t now_ms; /* since 1970 */
	const struct command_stats *stats;
};

static void put(struct info *i, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A line. */
static void put(struct info *i, const char *fmt, ...)
{
	va_list args;
	char line[512];
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	buf_append(&i->out, line, MIN((size_t)MAX(len, 0), sizeof(line) - 1));
	buf_append_slice(&i->out, SLICE_LITERAL("\r\n"));
}

static void put_bytes(struct info *i, const char *name, uint64_t bytes)
{
	static const char units[] = "BKMGTP";
	double shown = (double)bytes;
	size_t unit = 0;

	put(i, "%s:%" PRIu64, name, bytes);
	for (; shown >= 1024 && unit + 2 < sizeof(units); unit++)
		shown /= 1024;
	put(i, unit ? "%s_human:%.2f%c" : "%s_human:%.0f%c", name, shown, units[unit]);
}

static void put_server(struct info *i)
{
	const struct info_process *p = &i->process;

	put(i, "redis_version:" REDIS_VERSION);
	put(i, "redis_mode:standalone");
	put(i, "arch_bits:%zu", 8 * sizeof(void *));
	put(i, "server_time_usec:%" PRIu64, i->now_ms * 1000);
	if (!i->has_process)
		return;
	put(i, "conclave_version:%s", p->version);
	put(i, "os:%s", p->os);
	put(i, "multiplexing_api:epoll");
	put(i, "process_id:%" PRId64, p->pid);
	put(i, "run_id:%s", p->run_id);
	put(i, "tcp_port:%u", p->port);
	put(i, "uptime_in_seconds:%" PRIu64, p->uptime_s);
	put(i, "uptime_in_days:%" PRIu64, p->uptime_s / 86400);
	put(i, "executable:%s", p->executable);
}

/* Nothing blocks and nothing is tracked: then these are true, and clients count on them. */
static void put_clients(struct info *i)
{
	put(i, "connected_clients:%" PRIu64,
	    i->has_process ? i->process.clients : i->member.sessions);
	put(i, "cluster_connections:0");
	if (i->has_process)
		put(i, "maxclients:%" PRIu64, i->process.clients_max);
	put(i, "blocked_clients:0");
	put(i, "tracking_clients:0");
	put(i, "clients_in_timeout_table:0");
}

/* Memory is what the whole process holds: engine, caches and all. */
static void put_memory(struct info *i)
{
	const struct store_stats *store = &i->member.store;
	const struct info_process *p = &i->process;

	if (i->has_process) {
		put_bytes(i, "used_memory", p->resident_bytes);
		put_bytes(i, "used_memory_rss", p->resident_bytes);
		put_bytes(i, "used_memory_peak", p->resident_peak_bytes);
		put_bytes(i, "total_system_memory", p->machine_bytes);
	}
	put(i, "maxmemory:0");
	put(i, "maxmemory_human:0B");
	put(i, "maxmemory_policy:noeviction");
	put(i, "mem_allocator:libc");
	put(i, "overlay_bytes:%zu", store->live_bytes + store->frozen_bytes);
	put(i, "header_cache_bytes:%zu", store->header_bytes);
	put(i, "value_cache_bytes:%zu", store->value_bytes);
}

/* What is not known or not limited is left out. */
static void put_disk(struct info *i)
{
	const struct info_process *p = &i->process;

	if (p->disk_free != UINT64_MAX)
		put(i, "disk_free_bytes:%" PRIu64, p->disk_free);
	put(i, "disk_reserve_bytes:%" PRIu64, p->disk_reserve);
	if (p->disk_quota)
		put(i, "disk_used_bytes:%" PRIu64, p->disk_used);
	put(i, "disk_quota_bytes:%" PRIu64, p->disk_quota);
}

/* The log is what Redis calls the append-only file; the state in the engine is its dump. */
static void put_persistence(struct info *i)
{
	const struct info_member *m = &i->member;

	put(i, "loading:0");
	put(i, "async_loading:0");
	put(i, "rdb_changes_since_last_save:%" PRIu64, m->unsaved);
	put(i, "rdb_bgsave_in_progress:%d", m->saving);
	put(i, "rdb_last_save_time:%" PRIu64, m->saved_s);
	put(i, "rdb_last_bgsave_status:%s", m->save_failed ? "err" : "ok");
	put(i, "rdb_saves:%" PRIu64, m->store.flushes);
	put(i, "aof_enabled:1");
	put(i, "aof_rewrite_in_progress:0");
	put(i, "aof_rewrite_scheduled:0");
	put(i, "aof_last_bgrewrite_status:%s", m->save_failed ? "err" : "ok");
	put(i, "aof_last_write_status:ok");
	if (i->has_process)
		put_disk(i);
}

static void put_stats(struct info *i)
{
	const struct info_process *p = &i->process;
	const struct store_stats *store = &i->member.store;

	if (i->has_process)
		put(i, "total_connections_received:%" PRIu64, p->accepted);
	put(i, "total_commands_processed:%" PRIu64, i->stats->calls);
	put(i, "instantaneous_ops_per_sec:%" PRIu64, i->member.ops_per_second);
	if (i->has_process) {
		put(i, "total_net_input_bytes:%" PRIu64, p->bytes_in);
		put(i, "total_net_output_bytes:%" PRIu64, p->bytes_out);
		put(i, "rejected_connections:%" PRIu64, p->rejected);
	}
	put(i, "total_error_replies:%" PRIu64, i->stats->error_replies);
	put(i, "evicted_keys:0");
	put(i, "evicted_clients:0");
	put(i, "latest_fork_usec:0");
	put(i, "total_forks:0");
	put(i, "header_cache_hits:%" PRIu64, store->header_hits);
	put(i, "header_cache_misses:%" PRIu64, store->header_misses);
	put(i, "value_cache_hits:%" PRIu64, store->value_hits);
	put(i, "value_cache_misses:%" PRIu64, store->value_misses);
}

static void put_replication(struct info *i)
{
	replication_put_info(&i->member, &i->out);
}

static void put_cpu(struct info *i)
{
	const struct info_process *p = &i->process;

	if (!i->has_process)
		return;
	put(i, "used_cpu_sys:%.6f", (double)p->cpu_system_us / 1e6);
	put(i, "used_cpu_user:%.6f", (double)p->cpu_user_us / 1e6);
	put(i, "used_cpu_sys_children:0.000000");
	put(i, "used_cpu_user_children:0.000000");
}

static void put_nothing(struct info *i)
{
	(void)i;
}

static void put_count(struct info *i, const struct command *command)
{
	const struct command_count *n = command_stats_of(i->stats, command);
	struct buf name = {0};

	if (!n)
		return;
	command_append_name(command, &name);
	put(i,
	    "cmdstat_%.*s:calls=%" PRIu64 ",usec=%" PRIu64
	    ",usec_per_call=%.2f,rejected_calls=%" PRIu64 ",failed_calls=%" PRIu64,
	    (int)name.len, (const char *)name.data, n->calls, n->usec,
	    n->calls ? (double)n->usec / (double)n->calls : 0, n->rejected, n->failed);
	buf_free(&name);
}

static void put_commandstats(struct info *i)
{
	const struct command *c, *sub;

	for (size_t at = 0; (c = command_at(at)) != NULL; at++) {
		put_count(i, c);
		for (size_t j = 0; (sub = command_subcommand_at(c, j)) != NULL; j++)
			put_count(i, sub);
	}
}

static void put_errorstats(struct info *i)
{
	for (size_t at = 0; at < i->stats->error_codes; at++)
		put(i, "errorstat_%s:count=%" PRIu64, i->stats->errors[at].code,
		    i->stats->errors[at].count);
}

static void put_cluster(struct info *i)
{
	put(i, "cluster_enabled:0");
}

static void put_keyspace(struct info *i)
{
	const struct position *p = i->member.position;

	for (unsigned db = 0; db < DATABASE_COUNT; db++) {
		const struct keyspace_row *row = position_keyspace(p, p->databases[db]);

		if (row && row->keys)
			put(i, "db%u:keys=%" PRIu64 ",expires=%" PRIu64 ",avg_ttl=0", db, row->keys,
			    row->deadlines);
	}
}

static void put_raft_member(struct info *i, uint32_t at, const struct participant *p)
{
	struct label label = label_of_member(p);
	const char *role = p->roles & MEMBER_VOTER     ? "voter"
			   : p->roles & MEMBER_LEARNER ? "learner"
						       : "leaving";

	put(i, "member%" PRIu32 ":id=%016" PRIx64 ",name=%.*s,address=%.*s,role=%s", at, p->id,
	    (int)label.name.len, (const char *)label.name.data, (int)label.address.len,
	    (const char *)label.address.data, role);
}

/* The name of a member, as all know it; else what it is called here. */
static void put_raft_name(struct info *i, const char *field, uint64_t id, struct slice name)
{
	const struct participant *p = membership_find(i->member.membership, id);

	if (p)
		name = label_of_member(p).name;

	put(i, "%s:%.*s", field, (int)name.len, (const char *)name.data);
}

static void put_raft(struct info *i)
{
	const struct info_member *m = &i->member;
	const struct position *p = m->position;

	put(i, "raft_role:%s", m->raft_role);
	put_raft_name(i, "raft_name", m->id, m->name);
	put(i, "raft_term:%" PRIu64, m->term);
	put_raft_name(i, "raft_leader", m->leader, SLICE_LITERAL(""));
	put(i, "raft_commit_index:%" PRIu64, m->commit);
	put(i, "raft_applied_index:%" PRIu64, p->index);
	put(i, "raft_members:%" PRIu32, m->membership->count);
	for (uint32_t at = 0; at < m->membership->count; at++)
		put_raft_member(i, at, &m->membership->members[at]);
	put(i, "revision:%" PRIu64, p->revision);
	put(i, "horizon:%" PRIu64, p->horizon);
	put(i, "feature_level:%" PRIu32, p->level);
	put(i, "removed:%d", m->removed);
	put(i, "quarantined:%d", m->quarantined);
	put(i, "no_space:%d", m->no_space);
	put(i, "checks:%" PRIu64, m->checks);
	put(i, "verdicts:%" PRIu64, m->verdicts);
}

/* ---- sections -------------------------------------------------------------------------------- */

/* In the order in which they are told. */
static const struct section {
	const char *title;
	void (*put)(struct info *i);
	bool by_default;
} sections[] = {
	{"Server", put_server, true},
	{"Clients", put_clients, true},
	{"Memory", put_memory, true},
	{"Persistence", put_persistence, true},
	{"Stats", put_stats, true},
	{"Replication", put_replication, true},
	{"CPU", put_cpu, true},
	{"Modules", put_nothing, true},
	{"Commandstats", put_commandstats, false},
	{"Errorstats", put_errorstats, true},
	{"Cluster", put_cluster, true},
	{"Keyspace", put_keyspace, true},
	{"Raft", put_raft, true},
};

static bool is_asked(const struct call *c, const struct section *s)
{
	if (c->argc == 1)
		return s->by_default;
	for (size_t i = 1; i < c->argc; i++) {
		if (argument_is(c->argv[i], s->title) || argument_is(c->argv[i], "everything") ||
		    (argument_is(c->argv[i], "all") && s->put != put_nothing) ||
		    (s->by_default && argument_is(c->argv[i], "default")))
			return true;
	}
	return false;
}

static int info_run(struct call *c)
{
	struct info i = {.stats = c->desk->stats};

	c->desk->info(c->desk->self, &i.member);
	i.now_ms = clock_wall_ms(c->client->clock);
	if (c->host) {
		i.has_process = true;
		c->host->info_process(c->host->owner, &i.process);
	}
	for (size_t at = 0; at < ARRAY_LEN(sections); at++) {
		if (!is_asked(c, &sections[at]))
			continue;
		if (i.out.len)
			buf_append_slice(&i.out, SLICE_LITERAL("\r\n"));
		put(&i, "# %s", sections[at].title);
		sections[at].put(&i);
	}
	resp_write_verbatim(c->reply, "txt", buf_slice(&i.out));
	buf_free(&i.out);
	return OK;
}

static const struct command rows[] = {
	COMMAND_ROW("INFO", -1, COMMAND_LOCAL, COMMAND_FLAG_LOADING | COMMAND_FLAG_STALE, info_run,
		    .categories = CATEGORY_DANGEROUS,
		    COMMAND_DOC(GROUP_SERVER, "1.0.0", "O(1)", "[section [section ...]]",
				"Tells figures of this member",
				.tips = "nondeterministic_output request_policy:all_shards "
					"response_policy:special")),
};

const struct command_family info_family = COMMAND_FAMILY(rows);
