#include "ctl/playground.h"

#include "base/error.h"
#include "base/mem.h"
#include "ctl/playground_place.h"
#include "ctl/playground_state.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_DEFAULT	7001
#define PEER_PORTS	10000 /* above those of clients, as servers have it by themselves */
#define TURN_MS		50
#define READY_WITHIN_US ((uint64_t)30000000)
#define END_WITHIN_US	((uint64_t)10000000)

static uint64_t now_us(const struct playground *p)
{
	return clock_monotonic_us(&p->clock);
}

/* ---- members --------------------------------------------------------------------------------- */

struct node *playground_leader(struct playground *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->nodes[i].state == NODE_RUNS && p->nodes[i].view.answers &&
		    strcmp(p->nodes[i].view.role, "leader") == 0)
			return &p->nodes[i];
	return NULL;
}

static void say_ended(struct playground *p, const struct node *n)
{
	struct buf log = {0};

	node_put_log_end(n, &log);
	buf_append_byte(&log, '\0');
	if (WIFSIGNALED(n->status))
		show_say(&p->show, "%s has ended by itself, with signal %d; the end of %s:\n%s",
			 n->name, WTERMSIG(n->status), n->log, (const char *)log.data);
	else
		show_say(&p->show, "%s has ended by itself, with exit code %d; the end of %s:\n%s",
			 n->name, WEXITSTATUS(n->status), n->log, (const char *)log.data);
	buf_free(&log);
}

static bool all_are_down(const struct playground *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->nodes[i].state != NODE_DOWN)
			return false;
	return true;
}

void playground_start_node(struct playground *p, struct node *n)
{
	struct buf problem = {0};

	if (node_start(n, &p->world, &problem) != OK)
		show_say(&p->show, "%.*s", (int)problem.len, (const char *)problem.data);
	else
		show_say(&p->show, "%s starts", n->name);
	buf_free(&problem);
}

static void playground_reap(struct playground *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct node *n = &p->nodes[i];

		if (!node_has_ended(n))
			continue;
		if (n->end == NODE_ENDED)
			say_ended(p, n);
		else if (n->end == NODE_STOPPED && n->status != 0 && !p->ending)
			show_say(&p->show, "%s did not end well: its log is %s", n->name, n->log);
		if (n->again && !p->ending)
			playground_start_node(p, n);
	}
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* The lines that are whole; one that is too long is cut there. */
static void playground_run_lines(struct playground *p)
{
	while (!p->ending) {
		char *end = memchr(p->input, '\n', p->input_len);
		size_t used;

		if (!end && p->input_len < sizeof(p->input) - 1)
			return;
		used = end ? (size_t)(end - p->input) + 1 : p->input_len;
		p->input[end ? used - 1 : used] = '\0';
		show_typed(&p->show);
		playground_command(p, p->input);
		p->input_len -= used;
		memmove(p->input, p->input + used, p->input_len);
		if (!p->ending)
			show_prompt(&p->show);
	}
}

static void playground_read(struct playground *p)
{
	ssize_t n =
		read(STDIN_FILENO, p->input + p->input_len, sizeof(p->input) - 1 - p->input_len);

	if (n > 0) {
		p->input_len += (size_t)n;
		playground_run_lines(p);
	} else if (n == 0 || errno != EINTR) {
		p->ending = true;
	}
}

static void playground_hear_signal(struct playground *p)
{
	struct signalfd_siginfo info;

	if (read(p->signals, &info, sizeof(info)) != sizeof(info) || info.ssi_signo == SIGCHLD)
		return;
	if (info.ssi_signo == SIGWINCH) {
		show_resize(&p->show, p->count);
		return;
	}
	p->hurried = p->ending;
	p->ending = true;
}

/* Waits for whatever comes first, for a short while. */
static void playground_turn(struct playground *p)
{
	struct pollfd fds[] = {
		{.fd = p->signals, .events = POLLIN},
		{.fd = p->ready && !p->ending ? STDIN_FILENO : -1, .events = POLLIN}};

	if (poll(fds, 2, TURN_MS) > 0) {
		if (fds[0].revents)
			playground_hear_signal(p);
		if (fds[1].revents)
			playground_read(p);
	}
	playground_reap(p);
	for (size_t i = 0; i < p->count; i++)
		node_look(&p->nodes[i], now_us(p));
	show_nodes(&p->show, p->nodes, p->count);
}

static bool all_answer(const struct playground *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!p->nodes[i].view.answers)
			return false;
	return true;
}

/* Until all members answer and one leads. */
static int playground_await(struct playground *p, struct buf *problem)
{
	uint64_t give_up = now_us(p) + READY_WITHIN_US;

	while (!p->ending && !(all_answer(p) && playground_leader(p))) {
		playground_turn(p);
		for (size_t i = 0; i < p->count; i++) {
			if (p->nodes[i].state != NODE_DOWN)
				continue;
			buf_printf(problem, "%s does not start", p->nodes[i].name);
			return ERR_UNAVAILABLE;
		}
		if (now_us(p) < give_up)
			continue;
		for (size_t i = 0; i < p->count; i++)
			node_put_log_end(&p->nodes[i], problem);
		buf_printf(problem,
			   "the members are not ready after %u s; above stand the ends of "
			   "their logs",
			   (unsigned)(READY_WITHIN_US / 1000000));
		return ERR_UNAVAILABLE;
	}
	return OK;
}

static void say_ready(struct playground *p)
{
	show_say(&p->show, "%zu member%s, data and logs in %s%s", p->count, p->count > 1 ? "s" : "",
		 p->dir, p->temporary ? ", which goes at the end" : "");
	for (size_t i = 0; i < p->count; i++)
		show_say(&p->show, "  redis-cli -p %-5u    # %s", p->nodes[i].port,
			 p->nodes[i].name);
	show_say(&p->show,
		 "kill leader, start n1, pause n2 ...: help names all commands, quit ends it");
}

/* Nobody is left behind: who does not end in time is killed. */
static void playground_end(struct playground *p)
{
	uint64_t give_up = now_us(p) + END_WITHIN_US;

	p->ending = true;
	for (size_t i = 0; i < p->count; i++)
		if (p->nodes[i].state != NODE_DOWN)
			node_signal(&p->nodes[i], SIGTERM);
	while (!all_are_down(p)) {
		playground_turn(p);
		if (!p->hurried && now_us(p) < give_up)
			continue;
		for (size_t i = 0; i < p->count; i++)
			if (p->nodes[i].state != NODE_DOWN)
				node_signal(&p->nodes[i], SIGKILL);
	}
}

/* ---- life ------------------------------------------------------------------------------------ */

static int playground_take_signals(struct playground *p, struct buf *problem)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGWINCH};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		sigaddset(&set, numbers[i]);
	/* Whoever reads what is shown may go away first; the members are ended all the same. */
	if (signal(SIGPIPE, SIG_IGN) != SIG_ERR && pthread_sigmask(SIG_BLOCK, &set, NULL) == 0)
		p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals >= 0)
		return OK;
	buf_printf(problem, "signals cannot be taken");
	return ERR_UNAVAILABLE;
}

static void playground_make_nodes(struct playground *p, uint16_t port)
{
	struct buf cluster = {0};

	for (size_t i = 0; i < p->count; i++) {
		struct node *n = &p->nodes[i];
		uint16_t at = (uint16_t)(port + i);

		node_init(n, (unsigned)i + 1, at, (uint16_t)(at + PEER_PORTS), p->dir);
		buf_printf(&cluster, "%s%s=127.0.0.1:%u", i ? "," : "", n->name, n->peer_port);
	}
	buf_append_byte(&cluster, '\0');
	p->world.cluster = (char *)cluster.data;
}

/* A directory that was used before says by itself how many members there are. */
static int playground_count(struct playground *p, const struct arguments *a, struct buf *problem)
{
	size_t there = place_members(p->dir);

	p->count = a->nodes;
	if (there == 0 || there == p->count)
		return OK;
	if (a->given & ARGUMENT_NODES || there > PLAYGROUND_NODES_MAX) {
		buf_printf(problem, "%s holds %zu members, and %zu are asked for", p->dir, there,
			   p->count);
		return ERR_UNAVAILABLE;
	}
	p->count = there;
	return OK;
}

static int playground_check_ports(const struct playground *p, uint64_t port, struct buf *problem)
{
	int rc = OK;

	if (port + p->count - 1 + PEER_PORTS > UINT16_MAX) {
		buf_printf(problem,
			   "--port: the ports of members are %u above those of clients, "
			   "and there are %u",
			   PEER_PORTS, UINT16_MAX);
		return ERR_INVALID;
	}
	for (size_t i = 0; i < p->count && rc == OK; i++) {
		rc = place_check_port((uint16_t)(port + i), problem);
		if (rc == OK)
			rc = place_check_port((uint16_t)(port + i + PEER_PORTS), problem);
	}
	return rc;
}

static int playground_find_place(struct playground *p, const struct arguments *a,
				 struct buf *problem)
{
	uint64_t port = a->port ? a->port : PORT_DEFAULT;
	int rc = place_server(a, &p->server, problem);

	if (rc == OK)
		rc = place_directory(a, &p->dir, problem);
	if (rc != OK)
		return rc;
	p->temporary = !a->dir;
	rc = playground_count(p, a, problem);
	if (rc == OK)
		rc = playground_check_ports(p, port, problem);
	if (rc != OK)
		return rc;
	p->world.server = p->server;
	p->world.environment = place_environment(a);
	playground_make_nodes(p, (uint16_t)port);
	return OK;
}

static void playground_free(struct playground *p)
{
	for (size_t i = 0; i < p->count; i++)
		node_free(&p->nodes[i]);
	if (p->temporary)
		place_remove(p->dir);
	if (p->signals >= 0)
		close(p->signals);
	mem_free(p->world.cluster);
	mem_free(p->world.environment);
	mem_free(p->server);
	mem_free(p->dir);
}

static int playground_run(struct playground *p, struct buf *problem)
{
	int rc = OK;

	show_begin(&p->show, p->count);
	for (size_t i = 0; i < p->count && rc == OK; i++)
		rc = node_start(&p->nodes[i], &p->world, problem);
	if (rc == OK)
		rc = playground_await(p, problem);
	if (rc == OK && !p->ending) {
		p->ready = true;
		say_ready(p);
		show_prompt(&p->show);
		while (!p->ending)
			playground_turn(p);
	}
	playground_end(p);
	show_end(&p->show);
	return rc;
}

int ctl_playground(const struct arguments *a, const char *const *words, struct buf *problem)
{
	struct playground *p = MEM_NEW(struct playground);
	int rc;

	(void)words;
	p->signals = -1;
	p->clock = clock_system();
	rc = playground_find_place(p, a, problem);
	if (rc == OK)
		rc = playground_take_signals(p, problem);
	if (rc == OK)
		rc = playground_run(p, problem);
	playground_free(p);
	mem_free(p);
	return rc;
}
