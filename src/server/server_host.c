/* The process as commands see it (command/host.h), and options that change while it runs. */

#include "base/error.h"
#include "server/files.h"
#include "server/server_internal.h"

#include <inttypes.h>

/* Files beside the clients' sockets: the log's, the engine's, the members' connections. */
#define OWN_FILES 2048u

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
size_t server_queued_bytes(const struct server *s)
{
	uint64_t hard = s->options->output_limits.classes[OUTPUT_REPLICA].hard;

	return hard ? hard : SIZE_MAX;
}

void server_set_limits(struct server *s)
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
void server_set_records(struct server *s)
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
	peers_set_queued_bytes(company_peers(s->company), server_queued_bytes(s));
	server_set_limits(s);
	server_set_member_limits(s);
	server_set_records(s);
	loop_set_busy_poll(s->loop, s->options->busy_poll_us);
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

void server_start_host(struct server *s)
{
	s->rewrite = rewrite_new(s->options, s, server_maintain);
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

/* So many clients as there can be files for. */
void server_fit_clients(struct server *s)
{
	uint64_t files, wanted = s->options->maxclients, allowed = allowed_clients(wanted, &files);

	if (allowed < wanted)
		LOG(s->logger, LOG_WARNING,
		    "maxclients is %" PRIu64 " and not %" PRIu64 ": the system allows %" PRIu64
		    " open files; raise the limit (ulimit -n %" PRIu64 ") or lower maxclients",
		    allowed, wanted, files, wanted + OWN_FILES);
	s->options->maxclients = allowed;
}
