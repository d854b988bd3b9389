/* The member within its process: what it is given, what it tells, and the room on its disks. */

#include "base/error.h"
#include "base/mem.h"
#include "server/explain.h"
#include "server/member_file.h"
#include "server/server_internal.h"
#include "storage/store.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static uint64_t io_random(void *ctx)
{
	struct server *s = ctx;

	return random_next(&s->random);
}

static void io_send(void *ctx, uint64_t to, const struct frame *frame)
{
	struct server *s = ctx;

	peers_send(company_peers(s->company), to, frame);
}

static void io_send_to_name(void *ctx, struct slice name, const struct frame *frame)
{
	struct server *s = ctx;

	peers_send_to_name(company_peers(s->company), name, frame);
}

static void io_run(void *ctx, enum job_lane lane, struct job *job)
{
	struct server *s = ctx;

	threads_run(s->threads, lane, job);
}

static void server_say_ready(struct server *s, const struct raft_status *status)
{
	const char *leader = peers_name_of(company_peers(s->company), status->leader);
	struct buf places = {0};

	listener_describe(s->listener, &places);
	if (status->leader == status->id)
		leader = s->options->name;
	LOG(s->logger, LOG_NOTICE, "ready: %.*s, data in %s, leader %s (%016" PRIx64 ")",
	    (int)places.len, (const char *)places.data, s->options->dir,
	    leader ? leader : "unknown", status->leader);
	buf_free(&places);
	s->ready_told = true;
}

static void member_changed(void *ctx, const struct raft_status *status)
{
	struct server *s = ctx;

	s->leads = status->role == RAFT_LEADER;
	company_changed(s->company, status);
	if (status->leader && !s->ready_told && s->listener)
		server_say_ready(s, status);
}

static void member_failed(void *ctx, int error)
{
	struct server *s = ctx;

	LOG(s->logger, LOG_ERROR,
	    "the member cannot go on: %s; its data is in %s, its log in %s: %s", error_text(error),
	    s->options->dir, s->options->log_dir, explain_remedy(error));
	s->failed = true;
}

void server_maintain(void *ctx, struct job *job)
{
	struct server *s = ctx;

	threads_run(s->threads, LANE_MAINTENANCE, job);
}

static void space_told(void *ctx, const struct space_found *found)
{
	struct server *s = ctx;
	const struct options *o = s->options;

	if (found->below_reserve)
		LOG(s->logger, LOG_ERROR,
		    "%" PRIu64
		    " bytes are free where %s and %s are, less than disk-reserve (%" PRIu64
		    "): free room there, or delete keys",
		    found->free, o->dir, o->log_dir, o->disk_reserve);
	if (found->above_quota)
		LOG(s->logger, LOG_ERROR,
		    "%" PRIu64 " bytes are taken in %s and %s, more than quota-bytes (%" PRIu64
		    "): delete keys, or raise it",
		    found->used, o->dir, o->log_dir, o->quota_bytes);
	member_note_space(s->member, found->low);
}

static struct member_options server_member_options(struct server *s)
{
	const struct options *o = s->options;
	size_t count = o->initial_cluster.count;
	struct member_options m = member_options_default();

	s->names = mem_zalloc(count + 1, sizeof(*s->names));
	for (size_t i = 0; i < count; i++)
		s->names[i] = slice_of_text(o->initial_cluster.list[i].name);
	if (count == 0 && !o->join)
		s->names[count++] = slice_of_text(o->name);
	m.driver.raft.heartbeat_ms = (uint32_t)o->heartbeat_interval_ms;
	m.driver.raft.election_ms = (uint32_t)o->election_timeout_ms;
	m.driver.raft.logger = s->logger;
	m.driver.dir = o->log_dir;
	m.driver.segment_bytes = o->log_segment_bytes;
	m.driver.log_max_bytes = o->log_max_bytes;
	m.driver.direct = true;
	m.driver.name = slice_of_text(o->name);
	m.driver.names = s->names;
	m.driver.name_count = count;
	m.driver.alone = o->alone;
	m.address = slice_of_text((const char *)s->address.data);
	m.announces_leader = o->announce_role;
	m.request_timeout_ms = (uint32_t)o->request_timeout_ms;
	m.overlay_bytes = o->overlay_bytes;
	m.header_cache_bytes = o->header_cache_bytes;
	m.value_cache_bytes = o->value_cache_bytes;
	m.history_retention_ms = o->history_retention_ms;
	m.history_max_bytes = o->history_max_bytes;
	m.check_interval_ms = o->check_interval_ms;
	m.share_bytes_per_s = o->snapshot_bandwidth;
	m.debug = (enum debug_access)o->enable_debug_command;
	m.host = &s->host;
	return m;
}

int server_start_member(struct server *s, struct engine *engine, struct vault *vault,
			struct buf *problem)
{
	struct member_options options = server_member_options(s);
	const struct options *o = s->options;
	uint64_t stored;
	int rc = store_stored_index(engine, &stored);

	if (rc == OK)
		rc = member_file_check(&s->disk, o->dir, o->log_dir, o->cluster_token, stored > 0,
				       &options.driver.id, problem);
	else
		explain_start(o, rc, problem);
	if (rc != OK)
		return rc;
	options.vault = vault;
	process_info_init(&s->process, &s->random, loop_now_ms(s->loop));
	s->io = (struct node_io){
		.ctx = s,
		.clock = s->clock,
		.disk = &s->disk,
		.logger = s->logger,
		.random = io_random,
		.send = io_send,
		.send_to_name = io_send_to_name,
		.run = io_run,
	};
	s->member_events = (struct member_events){
		.ctx = s, .changed = member_changed, .failed = member_failed};
	rc = member_new(&s->member, &options, &s->io, engine, &s->member_events);
	if (rc != OK) {
		explain_start(o, rc, problem);
		return rc;
	}
	server_set_records(s);
	rc = member_file_claim(&s->disk, o->dir, o->log_dir, o->cluster_token,
			       driver_id(member_driver(s->member)), problem);
	return rc == OK ? explain_damage(o, member_driver(s->member), problem) : rc;
}

/* By their true names: one may be a link. */
static bool is_nested(const char *inner, const char *outer)
{
	char in[PATH_MAX], out[PATH_MAX];
	size_t len;

	if (!realpath(inner, in) || !realpath(outer, out))
		return false;
	len = strlen(out);
	return strncmp(in, out, len) == 0 && (in[len] == '/' || in[len] == '\0' || len == 1);
}

void server_start_space(struct server *s)
{
	struct space_options options = {
		.disk = &s->disk,
		.dirs = {s->options->dir, s->options->log_dir},
		.is_nested = is_nested(s->options->log_dir, s->options->dir),
		.limits = {.reserve = s->options->disk_reserve, .quota = s->options->quota_bytes},
		.ctx = s,
		.run = server_maintain,
		.told = space_told,
	};

	s->space = space_new(&options);
}
