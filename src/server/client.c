#include "server/client.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "command/client_socket.h"
#include "server/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Memory for replies that a client keeps between two turns. */
#define OUTPUT_KEPT ((size_t)16 << 10)

/* Written bytes stay in front of the others until there are so many: moving is not free. */
#define WRITTEN_MAX ((size_t)64 << 10)

/* ---- input ----------------------------------------------------------------------------------- */

static bool client_takes_requests(const struct client *c)
{
	return c->state == CLIENT_OPEN || c->state == CLIENT_ENDED;
}

static void client_end_input(struct client *c, enum client_state state)
{
	c->state = state;
	ev_io_stop(c->owner->options.ev, &c->readable);
	list_remove(&c->end);
	list_push_back(&c->owner->ended, &c->end);
}

static void client_refuse_large(struct client *c, const struct resp_found *found)
{
	const struct resp_limits *limits = c->parser.limits;
	char text[256];
	int len = snprintf(text, sizeof(text),
			   "ERR request '%.*s' is too large: at most %zu bytes "
			   "(max-request-bytes) and %zu arguments",
			   (int)found->name.len, (const char *)found->name.data,
			   limits->max_request_bytes, limits->max_elements);

	session_refuse(c->session, slice_of(text, MIN((size_t)len, sizeof(text) - 1)));
}

/* Hands over the requests in these bytes as far as the session takes them; returns how far. */
static size_t client_parse(struct client *c, uint8_t *data, size_t len)
{
	size_t done = 0;

	c->missing = 1;
	while (!session_is_full(c->session) && !session_is_cut(c->session)) {
		struct resp_found found;
		enum resp_outcome outcome;

		c->parser.unauthenticated = !session_is_authenticated(c->session);
		outcome = resp_parser_next(&c->parser, data + done, len - done, &found);
		done += found.consumed;
		switch (outcome) {
		case RESP_REQUEST:
			session_request(c->session, found.argv, found.argc);
			break;
		case RESP_TOO_LARGE:
			client_refuse_large(c, &found);
			break;
		case RESP_BROKEN:
			session_refuse(c->session, found.error);
			client_end_input(c, CLIENT_ENDING);
			return len;
		case RESP_MORE:
			c->missing = found.missing;
			return done;
		}
	}
	if (session_is_cut(c->session))
		return len;
	ev_io_stop(c->owner->options.ev, &c->readable);
	return done;
}

/* Keeps what was not consumed, and no more memory than that needs. */
static void client_keep(struct client *c, const uint8_t *rest, size_t len)
{
	struct buf kept = {0};

	if (len > 0)
		buf_append(&kept, rest, len);
	buf_free(&c->in);
	c->in = kept;
}

static void client_parse_kept(struct client *c)
{
	size_t done = client_parse(c, c->in.data, c->in.len);

	if (c->in.len - done <= CLIENT_READ_MAX / 2)
		client_keep(c, c->in.data + done, c->in.len - done);
	else
		buf_consume(&c->in, done);
}

/* Whether another read makes sense: `n` is what the last one returned. May close the client. */
static bool client_has_read(struct client *c, ssize_t n)
{
	if (n > 0) {
		c->owner->stats.bytes_in += (size_t)n;
		c->spoke = true;
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n == 0)
		client_end_input(c, CLIENT_ENDED);
	else
		client_close(c);
	return false;
}

/* A large argument is read to where it stays. */
static void client_read_large(struct client *c)
{
	size_t want = MIN(c->missing, MAX(c->in.len, CLIENT_READ_MAX));
	uint8_t *to = buf_reserve(&c->in, MAX(want, CLIENT_READ_MAX / 4));
	ssize_t n = read(c->readable.fd, to, MIN(c->in.cap - c->in.len, CLIENT_LARGE_MAX));

	if (!client_has_read(c, n))
		return;
	buf_commit(&c->in, (size_t)n);
	if ((size_t)n < c->missing)
		c->missing -= (size_t)n;
	else
		client_parse_kept(c);
}

/*
 * Everything else passes through memory that all clients share: one whose requests come whole
 * holds none of its own.
 */
static void client_read_small(struct client *c)
{
	uint8_t *scratch = c->owner->scratch;
	size_t kept = c->in.len, len, done;
	ssize_t n = read(c->readable.fd, scratch + kept, CLIENT_READ_MAX - kept);

	if (!client_has_read(c, n))
		return;
	if (kept > 0)
		memcpy(scratch, c->in.data, kept);
	len = kept + (size_t)n;
	done = client_parse(c, scratch, len);
	buf_clear(&c->in);
	if (done == len)
		buf_free(&c->in);
	else
		buf_append(&c->in, scratch + done, len - done);
}

static void client_pass_over(struct client *c)
{
	ssize_t n = read(c->readable.fd, c->owner->scratch, sizeof(c->owner->scratch));

	if (n == 0 && c->state == CLIENT_OVERFULL)
		client_end_input(c, CLIENT_ENDED);
	else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		client_close(c);
}

static void client_readable(struct ev_loop *ev, ev_io *w, int revents)
{
	struct client *c = w->data;

	(void)ev;
	(void)revents;
	if (c->state == CLIENT_LINGERING || c->state == CLIENT_OVERFULL)
		client_pass_over(c);
	else if (c->in.len > CLIENT_READ_MAX / 2 || c->missing > CLIENT_READ_MAX - c->in.len)
		client_read_large(c);
	else
		client_read_small(c);
}

void client_resume(struct client *c)
{
	if (!client_takes_requests(c) || c->owner->reading_stopped)
		return;
	client_parse_kept(c);
	if (c->state == CLIENT_OPEN && !session_is_full(c->session))
		ev_io_start(c->owner->options.ev, &c->readable);
}

/* ---- output ---------------------------------------------------------------------------------- */

static void client_wait_writable(struct client *c, bool wait)
{
	if (wait == (ev_is_active(&c->writable) != 0))
		return;
	if (wait) {
		ev_io_start(c->owner->options.ev, &c->writable);
		c->owner->unwritten++;
	} else {
		ev_io_stop(c->owner->options.ev, &c->writable);
		c->owner->unwritten--;
	}
}

static void client_writable(struct ev_loop *ev, ev_io *w, int revents)
{
	struct client *c = w->data;

	(void)ev;
	(void)revents;
	list_remove(&c->dirty);
	list_push_back(&c->owner->dirty, &c->dirty);
}

static void client_output(void *ctx)
{
	struct client *c = ctx;

	list_remove(&c->dirty);
	list_push_back(&c->owner->dirty, &c->dirty);
}

static void client_has_room(void *ctx)
{
	struct client *c = ctx;

	list_remove(&c->paused);
	list_push_back(&c->owner->resumed, &c->paused);
}

static void output_drop_written(struct client *c, struct buf *out)
{
	if (c->written == out->len) {
		c->written = 0;
		buf_clear(out);
		if (out->cap > OUTPUT_KEPT)
			buf_free(out);
	} else if (c->written > WRITTEN_MAX && c->written > out->len / 2) {
		buf_consume(out, c->written);
		c->written = 0;
	}
}

void client_set_limit(struct client *c)
{
	uint64_t hard = c->owner->options.settings->output_limits.classes[OUTPUT_NORMAL].hard;

	if (c->session)
		session_limit_output(c->session, hard ? hard + c->written : 0);
}

static void client_become_overfull(struct client *c)
{
	char name[SOCKET_NAME_MAX];

	LOG(c->owner->options.logger, LOG_WARNING,
	    "%s takes its replies too slowly: %zu bytes wait; nothing more is run for it",
	    socket_peer_name(c->readable.fd, name), session_output(c->session)->len - c->written);
	client_end_input(c, CLIENT_OVERFULL);
	buf_free(&c->in);
	c->missing = 1;
	if (!c->owner->reading_stopped)
		ev_io_start(c->owner->options.ev, &c->readable);
}

void client_write(struct client *c)
{
	struct buf *out = session_output(c->session);
	ssize_t n;

	if (c->written < out->len) {
		do {
			n = write(c->readable.fd, out->data + c->written, out->len - c->written);
		} while (n < 0 && errno == EINTR);
		if (n < 0 && errno != EAGAIN) {
			client_close(c);
			return;
		}
		c->written += n > 0 ? (size_t)n : 0;
		c->owner->stats.bytes_out += n > 0 ? (size_t)n : 0;
	}
	client_wait_writable(c, c->written < out->len);
	output_drop_written(c, out);
	client_set_limit(c);
	if (session_is_cut(c->session) && c->state == CLIENT_OPEN)
		client_become_overfull(c);
	else if (session_wants_close(c->session) && client_takes_requests(c))
		client_end_input(c, c->state == CLIENT_OPEN ? CLIENT_ENDING : CLIENT_ENDED);
}

/* ---- the end --------------------------------------------------------------------------------- */

void client_linger(struct client *c, uint64_t now_ms)
{
	session_close(c->session);
	c->session = NULL;
	client_wait_writable(c, false);
	buf_free(&c->in);
	list_remove(&c->dirty);
	list_remove(&c->paused);
	if (shutdown(c->readable.fd, SHUT_WR) != 0) {
		client_close(c);
		return;
	}
	list_remove(&c->end);
	if (c->state != CLIENT_OVERFULL || c->owner->reading_stopped) {
		c->linger_till = now_ms + CLIENT_LINGER_MS;
		list_push_back(&c->owner->lingering, &c->end);
	}
	c->state = CLIENT_LINGERING;
	ev_io_start(c->owner->options.ev, &c->readable);
}

void client_settle(struct client *c, uint64_t now_ms)
{
	bool wants_close = session_wants_close(c->session);

	/* What was received and not handed over yet is still to be run. */
	if (c->state == CLIENT_ENDED && !wants_close && session_is_full(c->session))
		return;
	if (!session_is_idle(c->session) || !list_empty(&c->paused))
		return;
	if (session_output(c->session)->len > 0 && !session_is_killed(c->session))
		return;
	if (c->state == CLIENT_ENDED)
		client_close(c);
	else
		client_linger(c, now_ms);
}

static void client_describe(void *ctx, struct client_socket *out)
{
	const struct client *c = ctx;

	*out = (struct client_socket){
		.fd = c->readable.fd,
		.input_used = c->in.len,
		.input_free = c->in.cap - c->in.len,
		.written = c->written,
	};
	_Static_assert(CLIENT_ADDRESS_MAX >= SOCKET_NAME_MAX, "an address fits");
	socket_own_name(out->fd, out->local);
}

/* Whether it has waited for nothing, and asked nothing, since the last look but for so long. */
static bool client_is_idle(struct client *c, uint64_t now_ms)
{
	bool idle = c->state == CLIENT_OPEN && !c->spoke && session_is_idle(c->session) &&
		    !session_listens(c->session);

	c->spoke = false;
	if (!idle || c->idle_since == 0)
		c->idle_since = now_ms;
	return idle && now_ms - c->idle_since >= 1000 * c->owner->options.settings->timeout_s;
}

/* Whether more than the soft limit has waited for longer than it may. */
static bool client_is_slow(struct client *c, uint64_t now_ms)
{
	const struct options_limits *limits = &c->owner->options.settings->output_limits;
	const struct output_limit *limit = &limits->classes[OUTPUT_NORMAL];
	bool over = limit->soft && session_output(c->session)->len - c->written > limit->soft;

	if (!over || c->over_since == 0)
		c->over_since = over ? now_ms : 0;
	return over && now_ms - c->over_since >= 1000 * limit->soft_s;
}

void client_look(struct client *c, uint64_t now_ms)
{
	if (c->state == CLIENT_OPEN && client_is_slow(c, now_ms)) {
		session_cut(c->session);
		client_output(c);
		return;
	}
	if (c->owner->options.settings->timeout_s == 0 || !client_is_idle(c, now_ms))
		return;
	/* Who does not even take what was answered will not miss a farewell. */
	if (session_output(c->session)->len > 0)
		client_close(c);
	else
		client_linger(c, now_ms);
}

static const struct session_events *client_events(void)
{
	static const struct session_events events = {
		.output = client_output,
		.resume = client_has_room,
		.describe = client_describe,
	};

	return &events;
}

struct client *client_new(struct clients *owner, int fd)
{
	struct client *c = MEM_NEW(struct client);
	char name[SOCKET_NAME_MAX];

	c->owner = owner;
	c->missing = 1;
	socket_set_nodelay(fd);
	if (owner->options.settings->tcp_keepalive_s)
		socket_set_keepalive(fd, (unsigned)owner->options.settings->tcp_keepalive_s);
	ev_io_init(&c->readable, client_readable, fd, EV_READ);
	ev_io_init(&c->writable, client_writable, fd, EV_WRITE);
	c->readable.data = c->writable.data = c;
	list_init(&c->dirty);
	list_init(&c->paused);
	list_init(&c->end);
	list_push_back(&owner->all, &c->link);
	owner->count++;
	resp_parser_init(&c->parser, owner->options.limits);
	c->session = session_open(owner->options.member, client_events(), c);
	session_set_address(c->session, slice_of_text(socket_peer_name(fd, name)));
	client_set_limit(c);
	ev_io_start(owner->options.ev, &c->readable);
	return c;
}

void client_close(struct client *c)
{
	ev_io_stop(c->owner->options.ev, &c->readable);
	client_wait_writable(c, false);
	if (c->session)
		session_close(c->session);
	list_remove(&c->link);
	list_remove(&c->dirty);
	list_remove(&c->paused);
	list_remove(&c->end);
	c->owner->count--;
	close(c->readable.fd);
	resp_parser_close(&c->parser);
	buf_free(&c->in);
	mem_free(c);
}
