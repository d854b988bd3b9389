#include "wire.h"

#include "base/error.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 30000
#define WORDS_MAX   16

uint64_t wire_now_ms(void)
{
	struct clock clock = clock_system();

	return clock_monotonic_us(&clock) / 1000;
}

static void wire_write(void *ctx, enum log_level level, const char *text, size_t len)
{
	struct wire *w = ctx;

	(void)level;
	buf_append(&w->log, text, len);
	buf_append_byte(&w->log, '\n');
}

bool wire_said(const struct wire *w, const char *text)
{
	return w->log.len && memmem(w->log.data, w->log.len, text, strlen(text));
}

void wire_begin(struct wire *w, const char *line)
{
	char *argv[WORDS_MAX], *none[] = {NULL}, copy[512], *at = copy, directory[] = "--dir";
	struct buf problem = {0};
	int argc = 0, rc;

	*w = (struct wire){.dir = "/tmp/conclave-wire-XXXXXX"};
	assert_non_null(mkdtemp(w->dir));
	argv[argc++] = directory;
	argv[argc++] = w->dir;
	memcpy(copy, line, strlen(line) + 1);
	while (*at) {
		argv[argc++] = at;
		at += strcspn(at, " ");
		if (*at)
			*at++ = '\0';
	}
	w->logger = (struct logger){.level = LOG_DEBUG, .write = wire_write, .ctx = w};
	assert_int_equal(options_load(&w->options, argc, argv, none, &problem), OK);
	w->options.port = w->options.peer_port = 0;
	w->rows = engine_memory_new();
	w->engine = engine_memory_open(w->rows);
	rc = server_new(&w->server, &w->options, w->engine, NULL, &w->logger, &problem);
	if (rc != OK)
		fail_msg("%.*s", (int)problem.len, (const char *)problem.data);
	w->member = fake_member();
	buf_free(&problem);
}

void wire_end(struct wire *w)
{
	char path[64];

	server_free(w->server);
	engine_close(w->engine);
	engine_memory_free(w->rows);
	options_free(&w->options);
	buf_free(&w->log);
	snprintf(path, sizeof(path), "%s/MEMBER", w->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(w->dir), 0);
}

void wire_step(struct wire *w)
{
	loop_step(server_loop(w->server), true);
}

void wire_await_requests(struct wire *w, size_t requests)
{
	uint64_t till = wire_now_ms() + PATIENCE_MS;

	while (w->member->requests < requests && wire_now_ms() < till)
		wire_step(w);
	assert_int_equal(w->member->requests, requests);
}

int wire_connect(struct wire *w)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(server_port(w->server))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

void wire_send(struct wire *w, int fd, struct slice bytes)
{
	uint64_t till = wire_now_ms() + PATIENCE_MS;

	while (bytes.len > 0) {
		ssize_t n = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != ENOTCONN)
			fail_msg("the server does not take what is sent: %s", strerror(errno));
		if (n > 0)
			bytes = slice_of(bytes.data + n, bytes.len - (size_t)n);
		else
			wire_step(w);
		assert_true(wire_now_ms() < till);
	}
}

void wire_send_text(struct wire *w, int fd, const char *text)
{
	wire_send(w, fd, slice_of_text(text));
}

/* What recv returns, when there is something: data, the end (0) or an error (-1). */
static ssize_t wire_recv(struct wire *w, int fd, void *data, size_t len)
{
	uint64_t till = wire_now_ms() + PATIENCE_MS;

	for (;;) {
		ssize_t n = recv(fd, data, len, 0);

		if (n >= 0 || (errno != EAGAIN && errno != ENOTCONN))
			return n;
		assert_true(wire_now_ms() < till);
		wire_step(w);
	}
}

void wire_expect(struct wire *w, int fd, struct slice bytes)
{
	uint8_t *got = malloc(bytes.len + 1);
	size_t done = 0;

	while (done < bytes.len) {
		ssize_t n = wire_recv(w, fd, got + done, bytes.len - done);

		if (n <= 0)
			fail_msg("the connection ended after '%.*s'", (int)done, (char *)got);
		done += (size_t)n;
		if (memcmp(got, bytes.data, done) != 0)
			fail_msg("expected '%.*s', got '%.*s'", (int)MIN(bytes.len, (size_t)200),
				 (const char *)bytes.data, (int)MIN(done, (size_t)200),
				 (char *)got);
	}
	free(got);
}

void wire_expect_text(struct wire *w, int fd, const char *text)
{
	wire_expect(w, fd, slice_of_text(text));
}

void wire_expect_end(struct wire *w, int fd)
{
	char byte;

	assert_int_equal(wire_recv(w, fd, &byte, 1), 0);
}
