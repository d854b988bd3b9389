#include "link.h"

#include "base/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 << 10)

bool link_open(struct link *l, const struct target *t, int epoll_fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				    .data.ptr = l};
	int on = 1;

	l->fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return false;
	l->state = LINK_CONNECTING;
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if ((connect(l->fd, (const struct sockaddr *)&t->address, t->address_len) == 0 ||
	     errno == EINPROGRESS) &&
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, l->fd, &event) == 0)
		return true;
	link_close(l);
	return false;
}

void link_close(struct link *l)
{
	if (l->state != LINK_DOWN)
		close(l->fd);
	l->state = LINK_DOWN;
	l->sent = l->taken = 0;
	l->reply = (struct resp_reply){0};
	buf_clear(&l->out);
	buf_clear(&l->in);
}

void link_free(struct link *l)
{
	link_close(l);
	buf_free(&l->out);
	buf_free(&l->in);
	mem_free(l->requests);
}

bool link_connected(const struct link *l)
{
	int failure = 0;
	socklen_t len = sizeof(failure);

	return getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &failure, &len) == 0 && failure == 0;
}

bool link_send(struct link *l)
{
	while (l->sent < l->out.len) {
		ssize_t n = send(l->fd, l->out.data + l->sent, l->out.len - l->sent, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		l->sent += (size_t)n;
	}
	l->sent = 0;
	buf_clear(&l->out);
	return true;
}

bool link_receive(struct link *l, bool ended)
{
	if (l->taken) {
		buf_consume(&l->in, l->taken);
		l->taken = 0;
	}
	for (;;) {
		ssize_t n = recv(l->fd, buf_reserve(&l->in, READ_BYTES), READ_BYTES, 0);

		if (n == 0)
			return false;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		buf_commit(&l->in, (size_t)n);
		/* A read that was not filled took all; what comes later is another event. */
		if ((size_t)n < READ_BYTES && !ended)
			return true;
	}
}

enum resp_reply_outcome link_take(struct link *l, struct resp_item *item)
{
	for (;;) {
		const uint8_t *at = l->in.data + l->taken;
		size_t size = 0;
		enum resp_reply_outcome outcome =
			l->in.len == l->taken
				? RESP_REPLY_MORE
				: resp_reply_next(&l->reply, at, l->in.len - l->taken, &size);

		if (outcome != RESP_REPLY_WHOLE)
			return outcome;
		l->taken += size;
		outcome = resp_item_take(at, size, item);
		/* What the server says unasked answers nothing. */
		if (outcome != RESP_REPLY_WHOLE || item->type != '>')
			return outcome;
	}
}
