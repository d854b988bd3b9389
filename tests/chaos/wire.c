/*
 * A network of machines that are no machines: so many network namespaces, each with one interface,
 * and this process between them. It carries every packet by itself, so each direction of each pair
 * can be cut, slow, lossy or late, whatever the kernel has been built with. A namespace is this
 * process' file descriptor: all are gone when it ends, however it ends.
 *
 *	conclave-wire 3
 *
 * prints `ready`, its process id, and for each machine, the first of which is 10.73.0.1, the
 * number of the descriptor that is its namespace:
 *
 *	nsenter --net=/proc/PID/fd/NUMBER command ...
 *
 * It reads lines from its standard input, and ends where that ends:
 *
 *	FROM TO CUT LOSS DELAY RATE
 *
 * From now on packets from one machine to the other are dropped if CUT is 1, are lost with a
 * probability of LOSS in a thousand, arrive DELAY microseconds later, and at no more than RATE
 * bytes a second (0: no limit); what does not fit into a queue of QUEUE_BYTES is lost as well.
 */

#include "base/clock.h"
#include "base/compiler.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MACHINES_MAX 16
#define PACKET_BYTES 9000
#define QUEUE_BYTES  (512 << 10)
#define NETWORK	     0x0a490000 /* 10.73.0.0 */
#define LINE_BYTES   256
#define READS_A_TURN 64

struct packet {
	struct packet *next;
	uint64_t due_us;
	size_t len;
	uint8_t data[];
};

/* One direction between two machines: what it does to packets, and those that are on their way. */
struct path {
	bool cut;
	uint32_t loss;
	uint64_t delay_us;
	uint64_t rate;
	uint64_t free_us; /* the line is busy until then */
	size_t queued;
	struct packet *first;
	struct packet **last;
};

struct wire {
	unsigned machines;
	int tuns[MACHINES_MAX];
	int spaces[MACHINES_MAX];
	struct path paths[MACHINES_MAX][MACHINES_MAX];
	struct clock clock;
	uint64_t random;
	char line[LINE_BYTES];
	size_t line_len;
};

static void die(const char *what)
{
	fprintf(stderr, "conclave-wire: %s: %s\n", what, strerrordesc_np(errno));
	_exit(1);
}

/* Xorshift: which packets are lost is no more repeatable than when they come. */
static uint32_t draw(struct wire *w, uint32_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (uint32_t)(w->random >> 32) % below;
}

static void interface_up(int s, const char *name)
{
	struct ifreq r = {0};

	snprintf(r.ifr_name, IFNAMSIZ, "%s", name);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &r) < 0)
		die("an interface cannot be started");
}

static void interface_address(int s, const char *name, unsigned long request, uint32_t address)
{
	struct ifreq r = {0};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};

	snprintf(r.ifr_name, IFNAMSIZ, "%s", name);
	memcpy(&r.ifr_addr, &in, sizeof(in));
	if (ioctl(s, request, &r) < 0)
		die("an interface cannot be given an address");
}

static void interface_mtu(int s, const char *name)
{
	struct ifreq r = {.ifr_mtu = PACKET_BYTES};

	snprintf(r.ifr_name, IFNAMSIZ, "%s", name);
	if (ioctl(s, SIOCSIFMTU, &r) < 0)
		die("an interface cannot be given its size of packets");
}

/* A namespace with an interface; this process is in it afterwards. */
static void machine_make(struct wire *w, unsigned at)
{
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int s;

	if (unshare(CLONE_NEWNET) < 0)
		die("no network namespaces");
	w->spaces[at] = open("/proc/self/ns/net", O_RDONLY);
	w->tuns[at] = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (w->spaces[at] < 0 || w->tuns[at] < 0)
		die("/dev/net/tun");
	snprintf(r.ifr_name, IFNAMSIZ, "wire");
	if (ioctl(w->tuns[at], TUNSETIFF, &r) < 0)
		die("no interface");
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		die("socket");
	interface_up(s, "lo");
	interface_address(s, "wire", SIOCSIFADDR, NETWORK + at + 1);
	interface_address(s, "wire", SIOCSIFNETMASK, 0xffffff00);
	interface_mtu(s, "wire");
	interface_up(s, "wire");
	close(s);
}

static void path_init(struct path *p)
{
	*p = (struct path){0};
	p->last = &p->first;
}

/* Gives a packet to its machine. One that it does not take at once is lost, as on any network. */
static void deliver(const struct wire *w, unsigned to, const uint8_t *data, size_t len)
{
	if (write(w->tuns[to], data, len) < 0 && errno != EAGAIN && errno != EIO && errno != EINVAL)
		die("a packet cannot be delivered");
}

static void path_put(struct path *p, const uint8_t *data, size_t len, uint64_t now)
{
	struct packet *packet;

	if (p->queued + len > QUEUE_BYTES)
		return;
	packet = mem_alloc(sizeof(*packet) + len);
	if (p->free_us < now)
		p->free_us = now;
	if (p->rate > 0)
		p->free_us += len * 1000000 / p->rate;
	*packet = (struct packet){.due_us = p->free_us + p->delay_us, .len = len};
	memcpy(packet->data, data, len);
	*p->last = packet;
	p->last = &packet->next;
	p->queued += len;
}

/* To which machine a packet goes; false: to none. */
static bool destination(const struct wire *w, const uint8_t *data, size_t len, unsigned *to)
{
	uint32_t address;

	if (len < 20 || data[0] >> 4 != 4)
		return false;
	memcpy(&address, data + 16, sizeof(address));
	*to = ntohl(address) - NETWORK - 1;
	return *to < w->machines;
}

static void carry(struct wire *w, unsigned from, const uint8_t *data, size_t len, uint64_t now)
{
	struct path *p;
	unsigned to;

	if (!destination(w, data, len, &to))
		return;
	p = &w->paths[from][to];
	if (p->cut || (p->loss > 0 && draw(w, 1000) < p->loss))
		return;
	if (!p->first && p->delay_us == 0 && p->rate == 0)
		deliver(w, to, data, len);
	else
		path_put(p, data, len, now);
}

static void read_machine(struct wire *w, unsigned from, uint64_t now)
{
	uint8_t data[PACKET_BYTES + 64];

	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t len = read(w->tuns[from], data, sizeof(data));

		if (len <= 0)
			return;
		carry(w, from, data, (size_t)len, now);
	}
}

/* Delivers what is due on one path, or drops it if it was cut meanwhile; when the next one is. */
static uint64_t path_run(const struct wire *w, struct path *p, unsigned to, uint64_t now)
{
	struct packet *packet;

	while ((packet = p->first) && packet->due_us <= now) {
		p->first = packet->next;
		if (!p->first)
			p->last = &p->first;
		p->queued -= packet->len;
		if (!p->cut)
			deliver(w, to, packet->data, packet->len);
		mem_free(packet);
	}
	return packet ? packet->due_us : UINT64_MAX;
}

/* The same on all paths. */
static uint64_t paths_run(struct wire *w, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (unsigned from = 0; from < w->machines; from++)
		for (unsigned to = 0; to < w->machines; to++) {
			uint64_t due = path_run(w, &w->paths[from][to], to, now);

			next = due < next ? due : next;
		}
	return next;
}

/* The numbers of a line, as many as it has; false: it has something else, or not so many. */
static bool numbers_of(const char *line, uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *end;

		numbers[i] = strtoull(line, &end, 10);
		if (end == line)
			return false;
		line = end;
	}
	return true;
}

static void obey(struct wire *w, const char *line)
{
	uint64_t n[6];
	struct path *p;

	if (!numbers_of(line, n, ARRAY_LEN(n)) || n[0] - 1 >= w->machines ||
	    n[1] - 1 >= w->machines) {
		fprintf(stderr, "conclave-wire: what is '%s'?\n", line);
		_exit(1);
	}
	p = &w->paths[n[0] - 1][n[1] - 1];
	p->cut = n[2];
	p->loss = (uint32_t)n[3];
	p->delay_us = n[4];
	p->rate = n[5];
}

/* False: nobody needs this network any more. */
static bool read_orders(struct wire *w)
{
	ssize_t len = read(STDIN_FILENO, w->line + w->line_len, LINE_BYTES - w->line_len);
	char *end;

	if (len <= 0)
		return false;
	w->line_len += (size_t)len;
	while ((end = memchr(w->line, '\n', w->line_len))) {
		size_t used = (size_t)(end - w->line) + 1;

		*end = '\0';
		obey(w, w->line);
		w->line_len -= used;
		memmove(w->line, w->line + used, w->line_len);
	}
	return w->line_len < LINE_BYTES;
}

static void wait_for(const struct wire *w, struct pollfd *fds, uint64_t next)
{
	struct timespec *timeout = NULL, t;
	uint64_t now = clock_monotonic_us(&w->clock);

	if (next != UINT64_MAX) {
		uint64_t us = next > now ? next - now : 0;

		t = (struct timespec){(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
		timeout = &t;
	}
	if (ppoll(fds, w->machines + 1, timeout, NULL) < 0 && errno != EINTR)
		die("poll");
}

static void run(struct wire *w)
{
	struct pollfd fds[MACHINES_MAX + 1] = {0};
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < w->machines; i++)
		fds[i] = (struct pollfd){.fd = w->tuns[i], .events = POLLIN};
	fds[w->machines] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	for (;;) {
		uint64_t now;

		wait_for(w, fds, next);
		now = clock_monotonic_us(&w->clock);
		if (fds[w->machines].revents && !read_orders(w))
			return;
		for (unsigned i = 0; i < w->machines; i++)
			if (fds[i].revents)
				read_machine(w, i, now);
		next = paths_run(w, now);
	}
}

int main(int argc, char **argv)
{
	struct wire *w = MEM_NEW(struct wire);

	w->clock = clock_system();
	w->machines = argc == 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	if (w->machines < 1 || w->machines > MACHINES_MAX) {
		fprintf(stderr, "usage: conclave-wire machines (1 to %d)\n", MACHINES_MAX);
		return 2;
	}
	w->random = clock_monotonic_us(&w->clock) | 1;
	for (unsigned from = 0; from < w->machines; from++)
		for (unsigned to = 0; to < w->machines; to++)
			path_init(&w->paths[from][to]);
	for (unsigned i = 0; i < w->machines; i++)
		machine_make(w, i);
	printf("ready %d", getpid());
	for (unsigned i = 0; i < w->machines; i++)
		printf(" %d", w->spaces[i]);
	printf("\n");
	fflush(stdout);
	run(w);
	mem_free(w);
	return 0;
}
