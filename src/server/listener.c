#include "server/listener.h"

#include "base/error.h"
#include "base/mem.h"
#include "server/socket.h"

#include <errno.h>
#include <ev.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Accepted in one turn at most, from one address: those who are there already wait meanwhile. */
#define ACCEPTS_PER_TURN 128

/* Without a free file number: so long until it is tried again. */
#define PAUSE_S 0.1

struct listener {
	struct listener_options options;
	ev_io *sockets;
	size_t count;
	size_t cap;
	ev_timer pause;
	bool pause_told;
	char *path; /* of a local one, else NULL */
};

static void listener_pause(struct listener *l)
{
	for (size_t i = 0; i < l->count; i++)
		ev_io_stop(l->options.ev, &l->sockets[i]);
	ev_timer_set(&l->pause, PAUSE_S, 0.);
	ev_timer_start(l->options.ev, &l->pause);
	if (!l->pause_told)
		LOG(l->options.logger, LOG_WARNING, "cannot accept connections: %s",
		    socket_error_text(errno));
	l->pause_told = true;
}

static void listener_resume(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct listener *l = w->data;

	(void)revents;
	for (size_t i = 0; i < l->count; i++)
		ev_io_start(ev, &l->sockets[i]);
}

static bool is_passing(int failure)
{
	return failure == EMFILE || failure == ENFILE || failure == ENOBUFS || failure == ENOMEM;
}

static void listener_accept(struct ev_loop *ev, ev_io *w, int revents)
{
	struct listener *l = w->data;

	(void)ev;
	(void)revents;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && is_passing(errno))
			listener_pause(l);
		/* Any other failure is of one connection, or says that there is none. */
		if (fd < 0)
			return;
		l->pause_told = false;
		l->options.accepted(l->options.ctx, fd);
	}
}

static struct listener *listener_alloc(const struct listener_options *options)
{
	struct listener *l = MEM_NEW(struct listener);

	l->options = *options;
	ev_timer_init(&l->pause, listener_resume, PAUSE_S, 0.);
	l->pause.data = l;
	return l;
}

static void listener_take(struct listener *l, int fd)
{
	MEM_GROW(l->sockets, l->cap, l->count + 1);
	ev_io_init(&l->sockets[l->count], listener_accept, fd, EV_READ);
	l->sockets[l->count++].data = l;
}

/* When the array of them moves no more. */
static void listener_start(struct listener *l)
{
	for (size_t i = 0; i < l->count; i++)
		ev_io_start(l->options.ev, &l->sockets[i]);
}

/* A listening socket, or -1 with errno. */
static int listen_at(const struct addrinfo *at, unsigned backlog)
{
	int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
			at->ai_protocol);
	int on = 1, failure;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, (int)backlog) == 0)
		return fd;
	failure = errno;
	close(fd);
	errno = failure;
	return -1;
}

static int listener_add(struct listener *l, const struct addrinfo *at, bool optional,
			struct buf *problem)
{
	char name[SOCKET_NAME_MAX];
	int fd = listen_at(at, l->options.backlog);

	if (fd < 0 && (optional || errno == EAFNOSUPPORT))
		return OK;
	if (fd < 0) {
		buf_printf(problem, "cannot listen on %s: %s%s",
			   socket_name(at->ai_addr, at->ai_addrlen, name), socket_error_text(errno),
			   errno == EADDRINUSE
				   ? "; another process does. Give another port, or end it"
				   : "");
		return ERR_UNAVAILABLE;
	}
	listener_take(l, fd);
	return OK;
}

static int listener_bind(struct listener *l, const char *word, struct buf *problem)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	bool optional = word[0] == '-';
	const char *host = word + optional;
	char port[8];
	int rc;

	snprintf(port, sizeof(port), "%u", l->options.port);
	rc = getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, port, &hints, &found);
	if (rc != 0) {
		if (optional)
			return OK;
		buf_printf(problem, "bind: '%s' is no address of this machine: %s", host,
			   gai_strerror(rc));
		return ERR_UNAVAILABLE;
	}
	rc = OK;
	for (const struct addrinfo *at = found; at && rc == OK; at = at->ai_next)
		rc = listener_add(l, at, optional, problem);
	freeaddrinfo(found);
	return rc;
}

int listener_new(struct listener **out, const struct listener_options *options, struct buf *problem)
{
	struct listener *l = listener_alloc(options);
	int rc = OK;

	for (size_t i = 0; i < options->bind->count && rc == OK; i++)
		rc = listener_bind(l, options->bind->words[i], problem);
	if (rc == OK && l->count == 0) {
		buf_printf(problem, "bind: none of the addresses is one of this machine");
		rc = ERR_UNAVAILABLE;
	}
	if (rc != OK) {
		listener_free(l);
		return rc;
	}
	listener_start(l);
	*out = l;
	return OK;
}

/* ---- a file of this machine ------------------------------------------------------------------ */

/* Whether somebody answers there; if not, the file is what is left of somebody. */
static bool local_is_alive(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = fd < 0 || connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 ||
		     errno != ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return alive;
}

static int local_bind(int fd, const struct sockaddr_un *at, unsigned rights)
{
	struct stat st;

	if (lstat(at->sun_path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode) || local_is_alive(at))
			return EADDRINUSE;
		if (unlink(at->sun_path) != 0)
			return errno;
	}
	if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) != 0)
		return errno;
	/* Nobody gets in before it listens. */
	if (rights && chmod(at->sun_path, (mode_t)rights) != 0)
		return errno;
	return 0;
}

/* A listening socket, or -1 with errno. */
static int local_listen(const char *path, unsigned rights, unsigned backlog)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd, failure;

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(at.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	failure = local_bind(fd, &at, rights);
	if (failure == 0 && listen(fd, (int)backlog) != 0)
		failure = errno;
	if (failure == 0)
		return fd;
	close(fd);
	errno = failure;
	return -1;
}

int listener_new_local(struct listener **out, const struct listener_options *options,
		       const char *path, unsigned rights, struct buf *problem)
{
	int fd = local_listen(path, rights, options->backlog);
	struct listener *l;
	struct buf name = {0};

	if (fd < 0) {
		buf_printf(problem, "unixsocket: cannot listen at %s: %s", path,
			   socket_error_text(errno));
		return ERR_UNAVAILABLE;
	}
	l = listener_alloc(options);
	buf_printf(&name, "%s%c", path, '\0');
	l->path = (char *)name.data;
	listener_take(l, fd);
	listener_start(l);
	*out = l;
	return OK;
}

void listener_free(struct listener *l)
{
	if (!l)
		return;
	ev_timer_stop(l->options.ev, &l->pause);
	for (size_t i = 0; i < l->count; i++) {
		ev_io_stop(l->options.ev, &l->sockets[i]);
		close(l->sockets[i].fd);
	}
	if (l->path)
		(void)unlink(l->path);
	mem_free(l->path);
	mem_free(l->sockets);
	mem_free(l);
}

static socklen_t listener_address(const struct listener *l, size_t i,
				  struct sockaddr_storage *address)
{
	socklen_t len = sizeof(*address);

	*address = (struct sockaddr_storage){0};
	(void)getsockname(l->sockets[i].fd, (struct sockaddr *)address, &len);
	return len;
}

uint16_t listener_port(const struct listener *l)
{
	struct sockaddr_storage address;

	(void)listener_address(l, 0, &address);
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

void listener_describe(const struct listener *l, struct buf *out)
{
	char name[SOCKET_NAME_MAX];

	for (size_t i = 0; i < l->count; i++) {
		struct sockaddr_storage address;
		socklen_t len = listener_address(l, i, &address);

		buf_printf(out, "%s%s", i ? " " : "",
			   socket_name((struct sockaddr *)&address, len, name));
	}
}
