#include "server/server.h"

#include "base/error.h"
#include "base/mem.h"
#include "server/server_internal.h"
#include "server/socket.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/random.h>

#define READERS 2

/* Beyond the time that requests have anyway: for clients to take the last replies. */
#define END_EXTRA_MS 2000u

/* ---- what listeners and threads tell --------------------------------------------------------- */

static void accepted_client(void *ctx, int fd)
{
	struct server *s = ctx;

	clients_accept(s->clients, fd);
}

static void accepted_peer(void *ctx, int fd)
{
	struct server *s = ctx;

	peers_accept(company_peers(s->company), socket_wires_accept(s->wires, fd));
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

/* ---- the turn -------------------------------------------------------------------------------- */

static bool server_is_settled(const struct server *s, uint64_t now)
{
	if (s->leads && peers_count(company_peers(s->company)) > 0 && now < s->hand_over_till_ms)
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
	company_turn(s->company);
	member_turn(s->member);
	peers_flush(company_peers(s->company));
	clients_due = clients_turn(s->clients, loop_now_ms(s->loop));
	due = MIN(MIN(member_deadline_ms(s->member), clients_due), space_due);
	due = MIN(due, company_deadline_ms(s->company));
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
	if (rc == OK) {
		loop_set_busy_poll(s->loop, s->options->busy_poll_us);
		rc = threads_new(&s->threads, &threads);
	}
	if (rc != OK)
		buf_printf(problem, "the system gives no %s", s->loop ? "threads" : "epoll");
	return rc;
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
	LOG(s->logger, LOG_NOTICE,
	    "%s (%016" PRIx64 ") listens on %.*s for members; data in %s, log in %s",
	    s->options->name, driver_id(member_driver(s->member)), (int)places.len,
	    (const char *)places.data, s->options->dir, s->options->log_dir);
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
		server_start_company(s);
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
	company_free(s->company);
	socket_wires_free(s->wires);
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
