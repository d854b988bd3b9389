#include "server/join.h"

#include "base/error.h"
#include "base/mem.h"
#include "consensus/label.h"
#include "server/endpoint.h"
#include "server/peer_frame.h"
#include "server/socket.h"

#include <errno.h>
#include <ev.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define JOIN_AGAIN_MS	 300
#define JOIN_PATIENCE_MS 2000

struct join {
	struct join_options options;
	const struct join_events *events;
	struct buf next; /* whom to ask, as host:port; empty: as was given */
	char *host;
	struct endpoint endpoint;
	bool busy; /* an attempt is under way */
	ev_io ready;
	ev_timer timer;
	struct peer_reader reader;
	uint64_t told; /* hash of the last complaint: it is not repeated */
};

static void join_close_socket(struct join *j)
{
	if (j->ready.fd >= 0) {
		ev_io_stop(j->options.ev, &j->ready);
		close(j->ready.fd);
		ev_io_set(&j->ready, -1, 0);
	}
	peer_reader_close(&j->reader);
}

static void join_set_timer(struct join *j, unsigned ms)
{
	ev_timer_stop(j->options.ev, &j->timer);
	ev_now_update(j->options.ev);
	ev_timer_set(&j->timer, ms / 1e3, 0.);
	ev_timer_start(j->options.ev, &j->timer);
}

static void join_complain(struct join *j, const char *why)
{
	uint64_t hash = hash64(slice_of_text(why));

	if (j->told == hash)
		return;
	j->told = hash;
	LOG(j->options.logger, LOG_WARNING, "cannot join at %s:%u: %s", j->endpoint.host,
	    j->endpoint.port, why);
}

static void join_attempt_ends(struct join *j)
{
	join_close_socket(j);
	j->busy = false;
	join_set_timer(j, JOIN_AGAIN_MS);
}

/* Whoever was named by somebody else may be gone: the one that was given is asked again. */
static void join_fail(struct join *j, const char *why)
{
	join_complain(j, why);
	endpoint_failed(&j->endpoint);
	buf_clear(&j->next);
	join_attempt_ends(j);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void join_hear_joined(struct join *j, struct slice body)
{
	struct peer_joined joined;

	if (peer_joined_decode(body, &joined) != OK) {
		join_fail(j, "its answer cannot be read");
		return;
	}
	buf_clear(&j->next);
	j->events->answered(j->events->ctx, joined.leader, joined.membership, &j->next);
	join_attempt_ends(j);
}

static void join_hear_refuse(struct join *j, struct slice body)
{
	char why[PEER_GREETING_MAX + 16];
	struct slice reason;

	if (peer_refuse_decode(body, &reason) != OK)
		reason = SLICE_LITERAL("no reason given");
	snprintf(why, sizeof(why), "refused: %.*s", (int)reason.len, (const char *)reason.data);
	join_fail(j, why);
}

static void join_hear(struct join *j, struct slice bytes)
{
	struct blob *body = NULL;
	unsigned kind = 0;
	enum peer_outcome outcome = peer_reader_take(&j->reader, &bytes, &kind, &body);

	if (outcome == PEER_MORE)
		return;
	if (outcome == PEER_FRAME && kind == PEER_JOINED)
		join_hear_joined(j, slice_of(body->data, body->len));
	else if (outcome == PEER_FRAME && kind == PEER_REFUSE)
		join_hear_refuse(j, slice_of(body->data, body->len));
	else
		join_fail(j, "who answers is no member");
	blob_release(body);
}

static void join_readable(struct join *j)
{
	uint8_t bytes[16384];
	ssize_t n = read(j->ready.fd, bytes, sizeof(bytes));

	if (n > 0)
		join_hear(j, slice_of(bytes, (size_t)n));
	else if (n == 0)
		join_fail(j, "it closed the connection");
	else if (errno != EAGAIN && errno != EINTR)
		join_fail(j, socket_error_text(errno));
}

/* ---- the question ---------------------------------------------------------------------------- */

static void join_connected(struct join *j)
{
	int failure = 0, fd = j->ready.fd;
	socklen_t len = sizeof(failure);
	struct buf bytes = {0};
	struct peer_join join = {
		.token = peer_token(slice_of_text(j->options.token)),
		.id = j->options.id,
		.rises = j->options.rises,
		.name = slice_of_text(j->options.name),
		.address = slice_of_text(j->options.address),
	};

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
		failure = errno;
	peer_join_encode(&join, &bytes);
	if (!failure && write(fd, bytes.data, bytes.len) != (ssize_t)bytes.len)
		failure = errno;
	buf_free(&bytes);
	if (failure) {
		join_fail(j, socket_error_text(failure));
		return;
	}
	ev_io_stop(j->options.ev, &j->ready);
	ev_io_set(&j->ready, fd, EV_READ);
	ev_io_start(j->options.ev, &j->ready);
	peer_reader_init(&j->reader, PEER_JOINED_MAX);
}

static void join_ready(struct ev_loop *ev, ev_io *w, int revents)
{
	struct join *j = w->data;

	(void)ev;
	if (revents & EV_WRITE)
		join_connected(j);
	else
		join_readable(j);
}

static void join_connect(struct join *j);

static void join_resolved(struct job *job)
{
	struct join *j = job->owner;
	const char *failure = endpoint_found(&j->endpoint);

	if (failure)
		join_fail(j, failure);
	else
		join_connect(j);
}

static void join_connect(struct join *j)
{
	const struct addrinfo *at = endpoint_address(&j->endpoint);
	int fd;

	if (!at) {
		struct job *job = endpoint_lookup(&j->endpoint);

		job->owner = j;
		job->done = join_resolved;
		j->events->resolve(j->events->ctx, job);
		return;
	}
	fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		join_fail(j, socket_error_text(errno));
		return;
	}
	ev_io_set(&j->ready, fd, EV_WRITE);
	if (connect(fd, at->ai_addr, at->ai_addrlen) != 0 && errno != EINPROGRESS) {
		join_fail(j, socket_error_text(errno));
		return;
	}
	ev_io_start(j->options.ev, &j->ready);
	join_set_timer(j, JOIN_PATIENCE_MS);
}

/* A host with several addresses goes on to the next one with each attempt. */
static void join_aim(struct join *j, struct slice host, uint16_t port)
{
	if (j->host && j->endpoint.port == port && slice_equal(host, slice_of_text(j->host)))
		return;
	endpoint_close(&j->endpoint);
	mem_free(j->host);
	j->host = mem_alloc(host.len + 1);
	memcpy(j->host, host.data, host.len);
	j->host[host.len] = '\0';
	endpoint_init(&j->endpoint, j->host, port);
}

static void join_begin(struct join *j)
{
	struct slice host;
	uint16_t port;

	j->busy = true;
	if (label_address(buf_slice(&j->next), &host, &port) != OK &&
	    label_address(j->options.at, &host, &port) != OK) {
		join_fail(j, "nobody says where");
		return;
	}
	join_aim(j, host, port);
	join_connect(j);
}

static void join_timer(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct join *j = w->data;

	(void)ev;
	(void)revents;
	if (j->busy)
		join_fail(j, "no answer");
	else
		join_begin(j);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct join *join_new(const struct join_options *options, const struct join_events *events)
{
	struct join *j = MEM_NEW(struct join);

	j->options = *options;
	j->events = events;
	ev_io_init(&j->ready, join_ready, -1, 0);
	ev_timer_init(&j->timer, join_timer, 0., 0.);
	j->ready.data = j->timer.data = j;
	join_set_timer(j, 0);
	return j;
}

bool join_is_looking(const struct join *j)
{
	return j->endpoint.looking;
}

void join_free(struct join *j)
{
	if (!j)
		return;
	ev_timer_stop(j->options.ev, &j->timer);
	join_close_socket(j);
	endpoint_close(&j->endpoint);
	buf_free(&j->next);
	mem_free(j->host);
	mem_free(j);
}
