#include "ctl/remote.h"

#include "base/error.h"
#include "resp/writer.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define READ_BYTES  16384
#define PATIENCE_MS 30000
#define CONNECT_S   5

static const char *text_of_errno(int errno_value)
{
	const char *text = strerrordesc_np(errno_value);

	return text ? text : "unknown error";
}

/* ---- what to do about it --------------------------------------------------------------------- */

static int say_unreachable(const struct remote_address *a, const char *why, struct buf *problem)
{
	buf_printf(problem,
		   "%s:%u: %s; --host and --port say where a member listens for its clients",
		   a->host, a->port, why);
	return ERR_UNAVAILABLE;
}

static int say_ended(const struct remote *r, const char *why, struct buf *problem)
{
	buf_printf(problem, "%s:%u: %s; its log says more", r->address.host, r->address.port, why);
	return ERR_UNAVAILABLE;
}

/* Behind the error of a member, by its first word. */
static const struct {
	const char *code;
	const char *advice;
} advices[] = {
	{"NOAUTH", "the password is said by CONCLAVE_PASSWORD in the environment, or --password"},
	{"WRONGPASS",
	 "the password is said by CONCLAVE_PASSWORD in the environment, or --password"},
	{"TRYAGAIN", "say it again in a moment"},
	{"UNCERTAIN", "see by `conclave-ctl member list` whether it was done"},
	{"CLUSTERDOWN", "see by `conclave-ctl status`, also of other members, who is missing"},
};

static int say_error(struct slice error, struct buf *problem)
{
	bool ends_with_dot = error.len && error.data[error.len - 1] == '.';

	buf_append_slice(problem, slice_of(error.data, error.len - ends_with_dot));
	for (size_t i = 0; i < ARRAY_LEN(advices); i++) {
		size_t len = strlen(advices[i].code);

		if (error.len >= len && memcmp(error.data, advices[i].code, len) == 0)
			buf_printf(problem, "; %s", advices[i].advice);
	}
	return ERR_INVALID;
}

/* ---- the connection -------------------------------------------------------------------------- */

static int connect_to(const struct addrinfo *at, int *fd)
{
	struct timeval patience = {.tv_sec = CONNECT_S};

	*fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return errno;
	/* Bounds the connecting, too. */
	(void)setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(*fd, at->ai_addr, at->ai_addrlen) != 0) {
		int failure = errno;

		close(*fd);
		return failure == EINPROGRESS ? ETIMEDOUT : failure;
	}
	return 0;
}

static int remote_connect(struct remote *r, struct buf *problem)
{
	const struct remote_address *a = &r->address;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	char port[8];
	int failure;

	snprintf(port, sizeof(port), "%u", a->port);
	failure = getaddrinfo(a->host, port, &hints, &found);
	if (failure)
		return say_unreachable(a, gai_strerror(failure), problem);
	failure = EHOSTUNREACH;
	for (const struct addrinfo *at = found; at && failure; at = at->ai_next)
		failure = connect_to(at, &r->fd);
	freeaddrinfo(found);
	return failure ? say_unreachable(a, text_of_errno(failure), problem) : OK;
}

static int remote_authenticate(struct remote *r, struct buf *problem)
{
	const struct remote_address *a = &r->address;
	struct slice words[3] = {SLICE_LITERAL("AUTH")}, reply;
	size_t count = 1;

	if (!a->password)
		return OK;
	if (a->user)
		words[count++] = slice_of_text(a->user);
	words[count++] = slice_of_text(a->password);
	return remote_ask(r, words, count, &reply, problem);
}

int remote_open(struct remote *r, const struct remote_address *address, struct buf *problem)
{
	int rc;

	*r = (struct remote){.fd = -1, .address = *address};
	rc = remote_connect(r, problem);
	if (rc != OK)
		return rc;
	rc = remote_authenticate(r, problem);
	if (rc != OK)
		remote_close(r);
	return rc;
}

void remote_close(struct remote *r)
{
	close(r->fd);
	buf_free(&r->in);
}

int remote_send(struct remote *r, const struct slice *words, size_t count, struct buf *problem)
{
	struct buf bytes = {0};
	struct resp_writer w = {.out = &bytes, .protocol = 2};
	ssize_t sent;

	resp_write_array(&w, count);
	for (size_t i = 0; i < count; i++)
		resp_write_bulk(&w, words[i]);
	sent = send(r->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
	count = bytes.len;
	buf_free(&bytes);
	return sent == (ssize_t)count ? OK : say_ended(r, "it takes no request", problem);
}

/* Waits for bytes, and reads them. */
static int remote_read(struct remote *r, int timeout_ms, struct buf *problem)
{
	struct pollfd fd = {.fd = r->fd, .events = POLLIN};
	ssize_t n;

	if (poll(&fd, 1, timeout_ms) == 0)
		return ERR_BUSY;
	n = recv(r->fd, buf_reserve(&r->in, READ_BYTES), READ_BYTES, MSG_DONTWAIT);
	if (n > 0) {
		buf_commit(&r->in, (size_t)n);
		return OK;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return ERR_BUSY;
	return say_ended(r, n == 0 ? "it closed the connection" : text_of_errno(errno), problem);
}

int remote_receive(struct remote *r, int timeout_ms, struct slice *reply, struct buf *problem)
{
	buf_consume(&r->in, r->taken);
	r->taken = 0;
	for (;;) {
		struct resp_item item;
		size_t size = 0;
		enum resp_reply_outcome outcome =
			r->in.len ? resp_reply_next(&r->reply, r->in.data, r->in.len, &size)
				  : RESP_REPLY_MORE;
		int rc = OK;

		if (outcome == RESP_REPLY_WHOLE)
			outcome = resp_item_take(r->in.data, size, &item);
		if (outcome == RESP_REPLY_BROKEN)
			return say_unreachable(&r->address, "who answers there is no such server",
					       problem);
		if (outcome == RESP_REPLY_WHOLE) {
			r->taken = size;
			*reply = slice_of(r->in.data, size);
			return resp_item_is_error(&item) ? say_error(item.text, problem) : OK;
		}
		rc = remote_read(r, timeout_ms, problem);
		if (rc != OK)
			return rc;
	}
}

int remote_ask(struct remote *r, const struct slice *words, size_t count, struct slice *reply,
	       struct buf *problem)
{
	int rc = remote_send(r, words, count, problem);

	if (rc == OK)
		rc = remote_receive(r, PATIENCE_MS, reply, problem);
	return rc == ERR_BUSY ? say_ended(r, "it does not answer", problem) : rc;
}
