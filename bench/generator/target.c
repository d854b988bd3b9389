#include "target.h"

#include "base/error.h"
#include "base/mem.h"
#include "consensus/label.h"
#include "resp/reply.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PORT_DEFAULT 6379

static char *text_of(struct slice s)
{
	char *text = mem_alloc(s.len + 1);

	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	return text;
}

int target_find(struct target *t, const char *name, struct buf *problem)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	struct slice host = slice_of_text(name);
	uint16_t port = PORT_DEFAULT;
	char digits[8], *node;
	int failure;

	if (strchr(name, ':') && label_address(host, &host, &port) != OK) {
		buf_printf(problem, "'%s' is no host:port", name);
		return ERR_INVALID;
	}
	node = text_of(host);
	snprintf(digits, sizeof(digits), "%u", port);
	failure = getaddrinfo(node, digits, &hints, &found);
	mem_free(node);
	if (failure) {
		buf_printf(problem, "%s: %s", name, gai_strerror(failure));
		return ERR_INVALID;
	}
	*t = (struct target){.name = text_of(slice_of_text(name)),
			     .address_len = found->ai_addrlen};
	memcpy(&t->address, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return OK;
}

void target_free(struct target *t)
{
	mem_free(t->name);
}

static int say_why(const struct target *t, int errno_value, struct buf *problem)
{
	const char *text = errno_value ? strerrordesc_np(errno_value) : "it closed the connection";

	if (errno_value == EAGAIN || errno_value == EINPROGRESS)
		text = "no answer";
	buf_printf(problem, "%s: %s", t->name, text ? text : "unknown error");
	return ERR_IO;
}

static int read_replies(const struct target *t, int fd, size_t replies, struct buf *problem)
{
	struct resp_reply reply = {0};
	struct buf bytes = {0};
	int rc = OK;

	while (rc == OK && replies) {
		struct resp_item item;
		size_t size = 0;
		enum resp_reply_outcome outcome =
			resp_reply_next(&reply, bytes.data, bytes.len, &size);

		if (outcome == RESP_REPLY_MORE) {
			ssize_t n = recv(fd, buf_reserve(&bytes, 4096), 4096, 0);

			if (n <= 0)
				rc = say_why(t, n < 0 ? errno : 0, problem);
			else
				buf_commit(&bytes, (size_t)n);
		} else if (outcome == RESP_REPLY_BROKEN ||
			   resp_item_take(bytes.data, size, &item) != RESP_REPLY_WHOLE) {
			buf_printf(problem, "%s: who answers is no such server", t->name);
			rc = ERR_INVALID;
		} else if (resp_item_is_error(&item)) {
			buf_printf(problem, "%s: %.*s", t->name, (int)item.text.len,
				   (const char *)item.text.data);
			rc = ERR_INVALID;
		} else {
			buf_consume(&bytes, size);
			replies--;
		}
	}
	buf_free(&bytes);
	return rc;
}

int target_try(const struct target *t, struct slice greeting, size_t replies, unsigned timeout_s,
	       struct buf *problem)
{
	struct timeval timeout = {.tv_sec = timeout_s};
	int fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = OK;

	if (fd < 0)
		return say_why(t, errno, problem);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (const struct sockaddr *)&t->address, t->address_len) != 0 ||
	    send(fd, greeting.data, greeting.len, MSG_NOSIGNAL) != (ssize_t)greeting.len)
		rc = say_why(t, errno, problem);
	if (rc == OK)
		rc = read_replies(t, fd, replies, problem);
	close(fd);
	return rc;
}
