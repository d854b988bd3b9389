#include "server/server.h"

#include "base/error.h"
#include "base/mem.h"
#include "command/host.h"
#include "consensus/label.h"
#include "node/member.h"
#include "server/clients.h"
#include "server/config.h"
#include "server/explain.h"
#include "server/files.h"
#include "server/join.h"
#include "server/listener.h"
#include "server/loop.h"
#include "server/member_file.h"
#include "server/peer_frame.h"
#include "server/peers.h"
#include "server/process_info.h"
#include "server/rewrite.h"
#include "server/socket.h"
#include "server/space.h"
#include "server/threads.h"
#include "storage/disk.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define READERS 2

/* Shorter than that, a busy machine would look like a broken connection. */
#define PEER_SILENCE_MIN_MS 1000u

/* Files beside the clients' sockets: the log's, the engine's, the members' connections. */
#define OWN_FILES 2048u

/* Beyond the time that requests have anyway: for clients to take the last replies. */
#define END_EXTRA_MS 2000u

/* Who takes part no more is still told so for this many election timeouts. */
#define LEAVE_TIMEOUTS 10u

struct server {
	struct options *options;
	struct logger *logger;
	struct clock clock;
	struct disk disk;
	struct random random;
	struct node_io io;
	struct slice *names;
	struct buf address; /* of this member, as its label has it; ends with a zero byte */
	struct resp_limits limits;

	struct loop_events loop_events;
	struct peers_events peers_events;
	struct member_events member_events;
	struct process_info process;
	struct config_events config_events;
	struct command_host host;

	struct loop *loop;
	struct threads *threads;
	struct member *member;
	struct clients *clients;
	struct peers *peers;
	struct join_events join_events;
	struct join *join;    /* asks to take part; NULL: not (any more) */
	uint64_t memberships; /* that the peers follow, by raft_status.memberships */
	bool born;
	struct listener *listener;
	struct listener *local_listener; /* NULL: nobody asked for one */
	struct listener *peer_listener;
	struct space *space;
	struct rewrite *rewrite;

	bool leads;
	bool ready_told;
	bool failed;
	bool ending;
	bool parting; /* everybody was answered */
	uint64_t hand_over_till_ms;
	uint64_t end_till_ms;
};

/* ---- what the member sees -------------------------------------------------------------------- */

static uint64_t io_random(void *ctx)
{
	struct server *s = ctx;

	return random_next(&s->random);
}

static void io_send(void *ctx, uint64_t to, const struct frame *frame)
{
	struct server *s = ctx;

	peers_send(s->peers, to, frame);
}

static void io_send_to_name(void *ctx, struct slice name, const struct frame *frame)
{
	struct server *s = ctx;

	peers_send_to_name(s->peers, name, frame);
}

static void io_run(void *ctx, enum job_lane lane, struct job *job)
{
	struct server *s = ctx;

	threads_run(s->threads, lane, job);
}

static void server_say_ready(struct server *s, const struct raft_status *status)
{
	const char *leader = peers_name_of(s->peers, status->leader);
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

/* Where a member is: as it says itself, or else as this one was told at its start. */
static struct peers_place server_place(const struct server *s, const struct participant *member)
{
	struct label label = label_of_member(member);
	const struct options_members *initial = &s->options->initial_cluster;
	struct peers_place place = {.id = member->id, .name = label.name};

	if (label_address(label.address, &place.host, &place.port) == OK)
		return place;
	place.host = (struct slice){0};
	place.port = 0;
	for (size_t i = 0; i < initial->count; i++) {
		if (!slice_equal(slice_of_text(initial->list[i].name), label.name))
			continue;
		place.host = slice_of_text(initial->list[i].host);
		place.port = initial->list[i].port;
	}
	return place;
}

static void server_follow(struct server *s, const struct membership *m)
{
	struct peers_place places[MEMBERSHIP_MAX];

	for (uint32_t i = 0; i < m->count; i++)
		places[i] = server_place(s, &m->members[i]);
	if (m->count)
		peers_follow(s->peers, places, m->count);
}

static bool server_takes_part(const struct server *s)
{
	const struct driver *d = member_driver(s->member);

	return membership_find(driver_membership(d), driver_id(d));
}

/* Before it is born a cluster has no membership that counts. */
static void server_follow_own(struct server *s, const struct raft_status *status)
{
	if (!status->born || (s->born && s->memberships == status->memberships))
		return;
	s->born = true;
	s->memberships = status->memberships;
	if (!s->join || server_takes_part(s))
		server_follow(s, driver_membership(member_driver(s->member)));
}

static void member_changed(void *ctx, const struct raft_status *status)
{
	struct server *s = ctx;

	s->leads = status->role == RAFT_LEADER;
	server_follow_own(s, status);
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

static void maintenance_run(void *ctx, struct job *job)
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

/* ---- what commands ask ----------------------------------------------------------------------- */

static void host_info(void *owner, struct info_process *out)
{
	const struct server *s = owner;
	const struct clients_stats *stats = clients_stats(s->clients);

	*out = (struct info_process){
		.version = CONCLAVE_VERSION,
		.port = (uint16_t)s->options->port,
		.clients = clients_count(s->clients),
		.clients_max = clients_max(s->clients),
		.accepted = stats->accepted,
		.rejected = stats->rejected,
		.bytes_in = stats->bytes_in,
		.bytes_out = stats->bytes_out,
		.disk_free = space_found(s->space)->free,
		.disk_used = space_found(s->space)->used,
		.disk_reserve = s->options->disk_reserve,
		.disk_quota = s->options->quota_bytes,
	};
	process_info_fill(&s->process, loop_now_ms(s->loop), out);
}

static void host_shutdown(void *owner, bool at_once)
{
	struct server *s = owner;

	server_end(s);
	if (at_once)
		s->hand_over_till_ms = loop_now_ms(s->loop);
}

/* ---- what connections and threads tell ------------------------------------------------------- */

static void peer_receive(void *ctx, uint64_t from, unsigned kind, struct blob *body)
{
	struct server *s = ctx;

	member_receive(s->member, from, (enum frame_kind)kind, body);
}

static void peer_connected(void *ctx, uint64_t id)
{
	struct server *s = ctx;

	member_peer_connected(s->member, id);
}

static void peer_gone(void *ctx, uint64_t id)
{
	struct server *s = ctx;

	member_peer_gone(s->member, id);
}

static bool peer_join(void *ctx, const struct peer_join *join, struct buf *answer, struct buf *why)
{
	struct server *s = ctx;
	const struct driver *d = member_driver(s->member);
	struct buf membership = {0};
	struct peer_joined joined;
	struct raft_status status;

	driver_status(d, &status);
	if (!status.born || driver_membership(d)->count == 0) {
		buf_printf(why, "%s is not in a cluster yet itself; ask again", s->options->name);
		return false;
	}
	if (!member_admit(s->member, join->id, join->name, join->address, join->rises, why))
		return false;
	membership_encode(driver_membership(d), &membership);
	joined =
		(struct peer_joined){.leader = status.leader, .membership = buf_slice(&membership)};
	peer_joined_encode(&joined, answer);
	buf_free(&membership);
	return true;
}

static void join_answered(void *ctx, uint64_t leader, struct slice bytes, struct buf *next)
{
	struct server *s = ctx;
	struct membership m = {0};
	const struct participant *leads;

	if (server_takes_part(s) || membership_decode(bytes, &m) != OK)
		return;
	server_follow(s, &m);
	leads = membership_find(&m, leader);
	if (leads)
		buf_append_slice(next, label_of_member(leads).address);
	membership_free(&m);
}

static void peer_resolve(void *ctx, struct job *job)
{
	struct server *s = ctx;

	threads_run(s->threads, LANE_RESOLVE, job);
}

static void accepted_client(void *ctx, int fd)
{
	struct server *s = ctx;

	clients_accept(s->clients, fd);
}

static void accepted_peer(void *ctx, int fd)
{
	struct server *s = ctx;

	peers_accept(s->peers, fd);
}

static void thread_wakes(void *ctx)
{
	struct server *s = ctx;

	loop_wake(s->loop);
}

static void loop_is_woken(void *ctx)
{
	struct server *s = ctx;

	threads_complete(s->threads);
}

/* ---- configuration --------------------------------------------------------------------------- */

static uint64_t allowed_clients(uint64_t wanted, uint64_t *files)
{
	*files = files_allow(wanted + OWN_FILES);
	if (*files >= wanted + OWN_FILES)
		return wanted;
	return *files / 2 > OWN_FILES ? *files - OWN_FILES : *files / 2;
}

static int server_check_options(void *ctx, const struct options *wanted, struct buf *problem)
{
	uint64_t files, allowed = allowed_clients(wanted->maxclients, &files);

	(void)ctx;
	if (allowed >= wanted->maxclients)
		return OK;
	buf_printf(problem,
		   "The operating system is not able to handle the specified number of clients, "
		   "try with %" PRIu64,
		   allowed);
	return ERR_INVALID;
}

/* What may wait for one connection to another member. */
static size_t server_queued_bytes(const struct server *s)
{
	uint64_t hard = s->options->output_limits.classes[OUTPUT_REPLICA].hard;

	return hard ? hard : SIZE_MAX;
}

static void server_set_limits(struct server *s)
{
	s->limits = RESP_LIMITS_DEFAULT;
	s->limits.max_request_bytes = s->options->max_request_bytes;
	s->limits.max_bulk_bytes = s->options->proto_max_bulk_len;
	s->limits.max_line_bytes = s->options->proto_inline_max_size;
}

static void server_set_member_limits(struct server *s)
{
	const struct options *o = s->options;
	struct member_limits limits = {
		.request_timeout_ms = (uint32_t)o->request_timeout_ms,
		.history_retention_ms = o->history_retention_ms,
		.history_max_bytes = o->history_max_bytes,
		.check_interval_ms = o->check_interval_ms,
		.share_bytes_per_s = o->snapshot_bandwidth,
	};

	member_set_limits(s->member, &limits);
}

/* Who may ask, and what is noted of it. */
static void server_set_records(struct server *s)
{
	const struct options *o = s->options;

	member_set_password(s->member, slice_of_text(o->requirepass ? o->requirepass : ""));
	member_set_slowlog(s->member, o->slowlog_log_slower_than, o->slowlog_max_len);
}

/* What is not asked for each time that it is needed. */
static void server_options_changed(void *ctx)
{
	struct server *s = ctx;

	logger_set_level(s->logger, (enum log_level)s->options->log_level);
	clients_settings_changed(s->clients);
	peers_set_queued_bytes(s->peers, server_queued_bytes(s));
	server_set_limits(s);
	server_set_member_limits(s);
	server_set_records(s);
	space_set_limits(s->space, &(struct space_limits){.reserve = s->options->disk_reserve,
							  .quota = s->options->quota_bytes});
}

static const char *host_config_name(void *owner, size_t i)
{
	(void)owner;
	return config_name(i);
}

static void host_config_value(void *owner, size_t i, struct buf *out)
{
	const struct server *s = owner;

	config_value(s->options, i, out);
}

static int host_config_set(void *owner, const struct slice *pairs, size_t count,
			   struct buf *problem)
{
	struct server *s = owner;

	return config_set(s->options, &s->config_events, pairs, count, problem);
}

static uint64_t host_config_rewrite(void *owner, struct buf *problem)
{
	struct server *s = owner;

	return rewrite_begin(s->rewrite, problem);
}

static int host_config_rewritten(void *owner, uint64_t number, struct buf *problem)
{
	const struct server *s = owner;

	return rewrite_ended(s->rewrite, number, problem);
}

static void host_config_reset_stats(void *owner)
{
	struct server *s = owner;

	clients_reset_stats(s->clients);
}

/* ---- the turn -------------------------------------------------------------------------------- */

static bool server_is_settled(const struct server *s, uint64_t now)
{
	if (s->leads && peers_count(s->peers) > 0 && now < s->hand_over_till_ms)
		return false;
	return member_is_idle(s->member) && clients_are_written(s->clients);
}

static uint64_t server_end_turn(struct server *s, uint64_t due)
{
	uint64_t now = loop_now_ms(s->loop);

	if (!s->parting && server_is_settled(s, now)) {
		s->parting = true;
		clients_part(s->clients, now);
		due = 0;
	}
	if (now >= s->end_till_ms || (s->parting && clients_count(s->clients) == 0))
		loop_end(s->loop);
	if (now < s->hand_over_till_ms)
		due = MIN(due, s->hand_over_till_ms);
	return MIN(due, s->end_till_ms);
}

static uint64_t server_turn(void *ctx)
{
	struct server *s = ctx;
	uint64_t due, clients_due, space_due;

	space_due = space_turn(s->space, loop_now_ms(s->loop));
	member_turn(s->member);
	peers_flush(s->peers);
	if (s->join && server_takes_part(s) && !join_is_looking(s->join)) {
		join_free(s->join);
		s->join = NULL;
	}
	clients_due = clients_turn(s->clients, loop_now_ms(s->loop));
	due = MIN(MIN(member_deadline_ms(s->member), clients_due), space_due);
	if (s->failed)
		loop_end(s->loop);
	return s->ending ? server_end_turn(s, due) : due;
}

/* ---- start ----------------------------------------------------------------------------------- */

static int server_seed(struct server *s, struct buf *problem)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		buf_printf(problem, "the system gives no random numbers: %s",
			   socket_error_text(errno));
		return ERR_UNAVAILABLE;
	}
	random_seed(&s->random, seed);
	return OK;
}

static int server_start_loop(struct server *s, struct buf *problem)
{
	struct threads_options threads = {.readers = READERS, .wake = thread_wakes, .ctx = s};
	int rc;

	s->loop_events =
		(struct loop_events){.ctx = s, .turn = server_turn, .woken = loop_is_woken};
	rc = loop_new(&s->loop, &s->clock, &s->loop_events);
	if (rc == OK)
		rc = threads_new(&s->threads, &threads);
	if (rc != OK)
		buf_printf(problem, "the system gives no %s", s->loop ? "threads" : "epoll");
	return rc;
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

static void server_start_host(struct server *s)
{
	s->rewrite = rewrite_new(s->options, s, maintenance_run);
	s->config_events = (struct config_events){
		.ctx = s, .check = server_check_options, .changed = server_options_changed};
	s->host = (struct command_host){
		.owner = s,
		.info_process = host_info,
		.shutdown = host_shutdown,
		.config_name = host_config_name,
		.config_value = host_config_value,
		.config_set = host_config_set,
		.config_rewrite = host_config_rewrite,
		.config_rewritten = host_config_rewritten,
		.config_reset_stats = host_config_reset_stats,
	};
}

static int server_start_member(struct server *s, struct engine *engine, struct vault *vault,
			       struct buf *problem)
{
	struct member_options options = server_member_options(s);
	const struct options *o = s->options;
	int rc = member_file_check(&s->disk, o->dir, o->log_dir, o->cluster_token, problem);

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

static void server_start_space(struct server *s)
{
	struct space_options options = {
		.disk = &s->disk,
		.dirs = {s->options->dir, s->options->log_dir},
		.is_nested = is_nested(s->options->log_dir, s->options->dir),
		.limits = {.reserve = s->options->disk_reserve, .quota = s->options->quota_bytes},
		.ctx = s,
		.run = maintenance_run,
		.told = space_told,
	};

	s->space = space_new(&options);
}

static void server_start_peers(struct server *s)
{
	const struct options *o = s->options;
	struct peers_options options = {
		.ev = loop_ev(s->loop),
		.logger = s->logger,
		.clock = &s->clock,
		.random = &s->random,
		.members = &o->initial_cluster,
		.name = o->name,
		.token = o->cluster_token,
		.id = driver_id(member_driver(s->member)),
		.silence_ms = MAX(2 * (uint32_t)o->election_timeout_ms, PEER_SILENCE_MIN_MS),
		.queued_bytes = server_queued_bytes(s),
		.leave_ms = LEAVE_TIMEOUTS * (uint32_t)o->election_timeout_ms,
	};

	s->peers_events = (struct peers_events){
		.ctx = s,
		.receive = peer_receive,
		.connected = peer_connected,
		.gone = peer_gone,
		.resolve = peer_resolve,
		.join = peer_join,
	};
	s->peers = peers_new(&options, &s->peers_events);
}

static void server_start_join(struct server *s)
{
	const struct options *o = s->options;
	struct join_options options;

	if (!o->join || driver_membership(member_driver(s->member))->count)
		return; /* it was there before */
	options = (struct join_options){
		.ev = loop_ev(s->loop),
		.logger = s->logger,
		.at = slice_of_text(o->join),
		.name = o->name,
		.address = (const char *)s->address.data,
		.token = o->cluster_token,
		.id = driver_id(member_driver(s->member)),
		.rises = o->auto_promote,
	};
	s->join_events =
		(struct join_events){.ctx = s, .answered = join_answered, .resolve = peer_resolve};
	LOG(s->logger, LOG_NOTICE, "%s (%016" PRIx64 ") asks at %s to join", o->name, options.id,
	    o->join);
	s->join = join_new(&options, &s->join_events);
}

/* So many clients as there can be files for. */
static void server_fit_clients(struct server *s)
{
	uint64_t files, wanted = s->options->maxclients, allowed = allowed_clients(wanted, &files);

	if (allowed < wanted)
		LOG(s->logger, LOG_WARNING,
		    "maxclients is %" PRIu64 " and not %" PRIu64 ": the system allows %" PRIu64
		    " open files; raise the limit (ulimit -n %" PRIu64 ") or lower maxclients",
		    allowed, wanted, files, wanted + OWN_FILES);
	s->options->maxclients = allowed;
}

static void server_start_clients(struct server *s)
{
	struct clients_options options = {
		.ev = loop_ev(s->loop),
		.member = s->member,
		.logger = s->logger,
		.limits = &s->limits,
		.settings = s->options,
		.max = s->options->maxclients,
	};

	server_set_limits(s);
	s->clients = clients_new(&options);
}

static int server_listen(struct server *s, struct buf *problem)
{
	struct listener_options options = {
		.ev = loop_ev(s->loop),
		.logger = s->logger,
		.bind = &s->options->bind,
		.backlog = (unsigned)s->options->tcp_backlog,
		.ctx = s,
		.port = (uint16_t)s->options->peer_port,
		.accepted = accepted_peer,
	};
	struct buf places = {0};
	int rc = listener_new(&s->peer_listener, &options, problem);

	options.port = (uint16_t)s->options->port;
	options.accepted = accepted_client;
	if (rc == OK)
		rc = listener_new(&s->listener, &options, problem);
	if (rc == OK && s->options->unixsocket)
		rc = listener_new_local(&s->local_listener, &options, s->options->unixsocket,
					(unsigned)s->options->unixsocketperm, problem);
	if (rc != OK)
		return rc;
	listener_describe(s->listener, &places);
	if (s->local_listener) {
		buf_append_byte(&places, ' ');
		listener_describe(s->local_listener, &places);
	}
	buf_append_slice(&places, SLICE_LITERAL(" for clients, "));
	listener_describe(s->peer_listener, &places);
	LOG(s->logger, LOG_NOTICE, "%s listens on %.*s for members; data in %s, log in %s",
	    s->options->name, (int)places.len, (const char *)places.data, s->options->dir,
	    s->options->log_dir);
	buf_free(&places);
	return OK;
}

int server_new(struct server **out, struct options *options, struct engine *engine,
	       struct vault *vault, struct logger *logger, struct buf *problem)
{
	struct server *s = MEM_NEW(struct server);
	int rc;

	s->options = options;
	options_put_address(options, &s->address);
	buf_append_byte(&s->address, '\0');
	s->logger = logger;
	s->clock = clock_system();
	s->disk = disk_posix();
	rc = server_seed(s, problem);
	if (rc == OK)
		rc = server_start_loop(s, problem);
	if (rc == OK) {
		server_start_host(s);
		rc = server_start_member(s, engine, vault, problem);
	}
	if (rc == OK) {
		server_start_space(s);
		server_start_peers(s);
		server_start_join(s);
		server_fit_clients(s);
		server_start_clients(s);
		rc = server_listen(s, problem);
	}
	if (rc != OK) {
		server_free(s);
		return rc;
	}
	*out = s;
	return OK;
}

/* ---- run and end ----------------------------------------------------------------------------- */

int server_run(struct server *s)
{
	loop_run(s->loop);
	return s->failed ? ERR_STOPPED : OK;
}

void server_end(struct server *s)
{
	uint64_t now = loop_now_ms(s->loop);

	if (s->ending)
		return;
	LOG(s->logger, LOG_NOTICE, "ends: hands over and answers what was asked");
	s->ending = true;
	s->hand_over_till_ms = now + s->options->election_timeout_ms;
	s->end_till_ms = now + s->options->request_timeout_ms + END_EXTRA_MS;
	listener_free(s->listener);
	listener_free(s->local_listener);
	s->listener = s->local_listener = NULL;
	clients_stop_reading(s->clients);
	member_hand_over(s->member);
}

/* Jobs refer to what they were made for: first the threads go, then the rest. */
void server_free(struct server *s)
{
	if (!s)
		return;
	threads_free(s->threads);
	listener_free(s->listener);
	listener_free(s->local_listener);
	listener_free(s->peer_listener);
	clients_free(s->clients);
	join_free(s->join);
	peers_free(s->peers);
	space_free(s->space);
	rewrite_free(s->rewrite);
	if (s->member)
		member_free(s->member);
	loop_free(s->loop);
	mem_free(s->names);
	buf_free(&s->address);
	mem_free(s);
}

struct loop *server_loop(struct server *s)
{
	return s->loop;
}

uint16_t server_port(const struct server *s)
{
	return listener_port(s->listener);
}

uint16_t server_peer_port(const struct server *s)
{
	return listener_port(s->peer_listener);
}
