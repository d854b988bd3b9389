#include "server/socket_wires.h"

#include "base/list.h"
#include "base/mem.h"
#include "server/endpoint.h"
#include "server/socket.h"

#include <errno.h>
#include <ev.h>
#include <netdb.h>
#include <unistd.h>

#define KEEPALIVE_S 10

struct socket_wires {
	struct wires wires;
	struct socket_wires_options options;
	struct list all;
};

struct socket_wire {
	struct wire wire;
	struct list link; /* in all */
	char *host;	  /* NULL: it was accepted */
	struct endpoint endpoint;
	ev_io readable; /* its fd is -1 while there is no socket */
	ev_io writable;
	bool dialling;
	bool freed; /* and a name is still being looked up: it goes when that is done */
};

static struct socket_wire *socket_of(struct wire *w)
{
	return CONTAINER_OF(w, struct socket_wire, wire);
}

static const struct socket_wires_options *options_of(const struct socket_wire *s)
{
	return &CONTAINER_OF(s->wire.wires, struct socket_wires, wires)->options;
}

static void socket_destroy(struct socket_wire *s)
{
	if (s->host)
		endpoint_close(&s->endpoint);
	list_remove(&s->link);
	mem_free(s->host);
	mem_free(s);
}

static void socket_close(struct wire *w)
{
	struct socket_wire *s = socket_of(w);
	struct ev_loop *ev = options_of(s)->ev;

	s->dialling = false;
	if (s->readable.fd < 0)
		return;
	ev_io_stop(ev, &s->readable);
	ev_io_stop(ev, &s->writable);
	close(s->readable.fd);
	s->readable.fd = -1;
}

static void socket_free(struct wire *w)
{
	struct socket_wire *s = socket_of(w);

	socket_close(w);
	if (s->endpoint.looking)
		s->freed = true;
	else
		socket_destroy(s);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* What read and write return, as wires have it. */
static ssize_t socket_outcome(struct socket_wire *s, ssize_t n)
{
	if (n >= 0)
		return n;
	if (errno == EAGAIN)
		return 0;
	s->wire.problem = socket_error_text(errno);
	return -1;
}

static ssize_t socket_read(struct wire *w, const struct iovec *to, int count)
{
	struct socket_wire *s = socket_of(w);
	ssize_t n;

	do {
		n = readv(s->readable.fd, to, count);
	} while (n < 0 && errno == EINTR);
	if (n != 0)
		return socket_outcome(s, n);
	w->problem = "it closed the connection";
	return -1;
}

static ssize_t socket_write(struct wire *w, const struct iovec *from, int count)
{
	struct socket_wire *s = socket_of(w);
	size_t wanted = 0;
	ssize_t n;

	for (int i = 0; i < count; i++)
		wanted += from[i].iov_len;
	do {
		n = writev(s->readable.fd, from, count);
	} while (n < 0 && errno == EINTR);
	n = socket_outcome(s, n);
	if (n >= 0 && (size_t)n < wanted)
		ev_io_start(options_of(s)->ev, &s->writable);
	else
		ev_io_stop(options_of(s)->ev, &s->writable);
	return n;
}

static void socket_describe(struct wire *w, struct buf *out)
{
	char name[SOCKET_NAME_MAX];

	buf_printf(out, "%s", socket_peer_name(socket_of(w)->readable.fd, name));
}

/* ---- dialling -------------------------------------------------------------------------------- */

static void socket_fail(struct socket_wire *s, const char *why, bool refused)
{
	socket_close(&s->wire);
	s->wire.events->failed(s->wire.ctx, why, refused);
}

static void socket_fail_errno(struct socket_wire *s, int failure)
{
	socket_fail(s, socket_error_text(failure), failure == ECONNREFUSED);
}

static void socket_set(struct socket_wire *s, int fd)
{
	socket_set_nodelay(fd);
	socket_set_keepalive(fd, KEEPALIVE_S);
	socket_set_timeout(fd, options_of(s)->silence_ms);
	ev_io_set(&s->readable, fd, EV_READ);
	ev_io_set(&s->writable, fd, EV_WRITE);
}

static void socket_connect(struct socket_wire *s, const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		socket_fail_errno(s, errno);
		return;
	}
	socket_set(s, fd);
	if (connect(fd, at->ai_addr, at->ai_addrlen) != 0 && errno != EINPROGRESS)
		socket_fail_errno(s, errno);
	else
		ev_io_start(options_of(s)->ev, &s->writable);
}

static void socket_found(struct job *job)
{
	struct socket_wire *s = job->owner;
	const char *failure = endpoint_found(&s->endpoint);

	if (s->freed)
		socket_destroy(s);
	else if (s->dialling && failure)
		socket_fail(s, failure, false);
	else if (s->dialling)
		socket_connect(s, endpoint_address(&s->endpoint));
}

static void socket_dial(struct wire *w)
{
	struct socket_wire *s = socket_of(w);
	const struct addrinfo *at = endpoint_address(&s->endpoint);
	struct job *job;

	s->dialling = true;
	if (at) {
		socket_connect(s, at);
	} else if (!s->endpoint.looking) {
		job = endpoint_lookup(&s->endpoint);
		job->owner = s;
		job->done = socket_found;
		options_of(s)->resolve(options_of(s)->ctx, job);
	}
}

static void socket_move_on(struct wire *w)
{
	endpoint_failed(&socket_of(w)->endpoint);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void socket_readable(struct ev_loop *ev, ev_io *w, int revents)
{
	struct socket_wire *s = w->data;

	(void)ev;
	(void)revents;
	s->wire.events->readable(s->wire.ctx);
}

static void socket_connected(struct socket_wire *s)
{
	int failure = 0, fd = s->readable.fd;
	socklen_t len = sizeof(failure);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
		failure = errno;
	if (failure) {
		socket_fail_errno(s, failure);
		return;
	}
	s->dialling = false;
	ev_io_stop(options_of(s)->ev, &s->writable);
	ev_io_start(options_of(s)->ev, &s->readable);
	s->wire.events->opened(s->wire.ctx);
}

static void socket_writable(struct ev_loop *ev, ev_io *w, int revents)
{
	struct socket_wire *s = w->data;

	(void)ev;
	(void)revents;
	if (s->dialling)
		socket_connected(s);
	else
		s->wire.events->writable(s->wire.ctx);
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct socket_wire *socket_new(struct socket_wires *ws)
{
	struct socket_wire *s = MEM_NEW(struct socket_wire);

	s->wire.wires = &ws->wires;
	ev_io_init(&s->readable, socket_readable, -1, EV_READ);
	ev_io_init(&s->writable, socket_writable, -1, EV_WRITE);
	s->readable.data = s->writable.data = s;
	list_push_back(&ws->all, &s->link);
	return s;
}

static struct wire *socket_make(struct wires *wires, struct slice host, uint16_t port)
{
	struct socket_wire *s = socket_new(CONTAINER_OF(wires, struct socket_wires, wires));

	s->host = slice_to_text(host);
	endpoint_init(&s->endpoint, s->host, port);
	return &s->wire;
}

struct wire *socket_wires_accept(struct socket_wires *ws, int fd)
{
	struct socket_wire *s = socket_new(ws);

	socket_set(s, fd);
	ev_io_start(ws->options.ev, &s->readable);
	return &s->wire;
}

static const struct wires_ops socket_ops = {
	.make = socket_make,
	.dial = socket_dial,
	.move_on = socket_move_on,
	.read = socket_read,
	.write = socket_write,
	.close = socket_close,
	.free = socket_free,
	.describe = socket_describe,
};

struct socket_wires *socket_wires_new(const struct socket_wires_options *options)
{
	struct socket_wires *ws = MEM_NEW(struct socket_wires);

	ws->wires.ops = &socket_ops;
	ws->options = *options;
	list_init(&ws->all);
	return ws;
}

void socket_wires_free(struct socket_wires *ws)
{
	if (!ws)
		return;
	/* Those that are left wait for a lookup that nobody completes any more. */
	list_for_each_safe (it, &ws->all)
		socket_destroy(LIST_ITEM(it, struct socket_wire, link));
	mem_free(ws);
}

struct wires *socket_wires_interface(struct socket_wires *ws)
{
	return &ws->wires;
}
