#include "ctl/playground_node.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "ctl/info_text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASK_EVERY_US ((uint64_t)100000)
#define PATIENCE_US  ((uint64_t)1000000)
#define LOG_END	     2000 /* bytes, */
#define LOG_LINES    8	  /* and lines of them */

static char *text_of(const char *fmt, const char *a, const char *b)
{
	size_t size = strlen(fmt) + strlen(a) + strlen(b) + 1;
	char *text = mem_alloc(size);

	snprintf(text, size, "%s%s%s", a, fmt, b);
	return text;
}

void node_init(struct node *n, unsigned number, uint16_t port, uint16_t peer_port, const char *dir)
{
	*n = (struct node){.port = port, .peer_port = peer_port};
	snprintf(n->name, sizeof(n->name), "n%u", number);
	n->dir = text_of("/", dir, n->name);
	n->log = text_of("", n->dir, ".log");
}

static void node_disconnect(struct node *n)
{
	if (n->connected)
		remote_close(&n->remote);
	n->connected = n->asked = false;
}

void node_free(struct node *n)
{
	node_disconnect(n);
	mem_free(n->dir);
	mem_free(n->log);
}

/* ---- the process ----------------------------------------------------------------------------- */

/*
 * In the child. A session of its own: what is typed at the terminal is for the playground alone. It
 * dies with the playground, however that ends.
 */
static _Noreturn void node_become(const struct node *n, const struct node_world *world,
				  pid_t parent)
{
	char port[8], peer_port[8];
	const char *const argv[] = {world->server,  "--name", n->name, "--bind",
				    "127.0.0.1",    "--port", port,    "--peer-port",
				    peer_port,	    "--dir",  n->dir,  "--initial-cluster",
				    world->cluster, NULL};
	sigset_t none;
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log = open(n->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	snprintf(port, sizeof(port), "%u", n->port);
	snprintf(peer_port, sizeof(peer_port), "%u", n->peer_port);
	sigemptyset(&none);
	setsid();
	if (in < 0 || log < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    dup2(in, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
	    dup2(log, STDERR_FILENO) < 0 || pthread_sigmask(SIG_SETMASK, &none, NULL) != 0)
		_exit(126);
	execve(world->server, (char *const *)(uintptr_t)argv, world->environment);
	_exit(127);
}

int node_start(struct node *n, const struct node_world *world, struct buf *problem)
{
	pid_t parent = getpid(), pid;

	CHECK(n->state == NODE_DOWN);
	pid = fork();
	if (pid == 0)
		node_become(n, world, parent);
	if (pid < 0) {
		buf_printf(problem, "%s: there is no process to be had: %s", n->name,
			   error_text(error_from_errno(errno)));
		return ERR_UNAVAILABLE;
	}
	n->pid = pid;
	n->state = NODE_RUNS;
	n->end = NODE_ENDED;
	n->again = false;
	n->view = (struct node_view){0};
	return OK;
}

void node_signal(struct node *n, int signal)
{
	CHECK(n->state != NODE_DOWN);
	if (signal == SIGKILL)
		n->end = NODE_KILLED;
	else if (signal == SIGTERM && n->end == NODE_ENDED)
		n->end = NODE_STOPPED;
	(void)kill(n->pid, signal);
	/* Who is held hears nothing else than that it may go on. */
	if (signal == SIGTERM)
		(void)kill(n->pid, SIGCONT);
	n->state = signal == SIGSTOP ? NODE_PAUSED : NODE_RUNS;
}

bool node_has_ended(struct node *n)
{
	if (n->state == NODE_DOWN || waitpid(n->pid, &n->status, WNOHANG) != n->pid)
		return false;
	node_disconnect(n);
	n->state = NODE_DOWN;
	n->view = (struct node_view){0};
	return true;
}

/* ---- what it says ---------------------------------------------------------------------------- */

static void copy_field(struct slice info, const char *name, char out[PLAYGROUND_NAME_MAX])
{
	struct slice field = info_field(info, name);

	snprintf(out, PLAYGROUND_NAME_MAX, "%.*s", (int)field.len, (const char *)field.data);
}

static void node_hear(struct node *n, struct slice reply)
{
	struct slice info = info_text(reply);

	n->asked = false;
	n->view.heard = n->view.answers = true;
	copy_field(info, "raft_role", n->view.role);
	copy_field(info, "raft_leader", n->view.leader);
	n->view.term = info_number(info, "raft_term");
	n->view.applied = info_number(info, "raft_applied_index");
	n->view.revision = info_number(info, "revision");
}

static int node_ask(struct node *n, struct buf *problem)
{
	static const struct slice words[] = {{(const uint8_t *)"INFO", 4},
					     {(const uint8_t *)"raft", 4}};
	const struct remote_address address = {.host = "127.0.0.1", .port = n->port};
	int rc = OK;

	if (!n->connected) {
		rc = remote_open(&n->remote, &address, problem);
		n->connected = rc == OK;
	}
	if (rc == OK)
		rc = remote_send(&n->remote, words, ARRAY_LEN(words), problem);
	n->asked = rc == OK;
	return rc;
}

void node_look(struct node *n, uint64_t now_us)
{
	struct buf problem = {0};
	struct slice reply;
	int rc = OK;

	if (n->state == NODE_DOWN)
		return;
	if (n->asked) {
		rc = remote_receive(&n->remote, 0, &reply, &problem);
		if (rc == OK)
			node_hear(n, reply);
		else if (rc == ERR_BUSY && now_us - n->asked_us > PATIENCE_US)
			n->view.answers = false;
	}
	if (!n->asked && n->state == NODE_RUNS && now_us - n->asked_us >= ASK_EVERY_US) {
		n->asked_us = now_us;
		rc = node_ask(n, &problem);
	}
	if (rc != OK && rc != ERR_BUSY) {
		node_disconnect(n);
		n->view.answers = false;
	}
	buf_free(&problem);
}

void node_put_log_end(const struct node *n, struct buf *out)
{
	char text[LOG_END + 1];
	int fd = open(n->log, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	ssize_t len = 0;
	unsigned lines = 0;
	const char *at;

	if (fd >= 0) {
		len = pread(fd, text, LOG_END, MAX(size - LOG_END, (off_t)0));
		close(fd);
	}
	text[MAX(len, (ssize_t)0)] = '\0';
	for (at = text + MAX(len, (ssize_t)0); at > text; at--)
		if (at[-1] == '\n' && lines++ == LOG_LINES)
			break;
	while (*at) {
		size_t line = strcspn(at, "\n");

		buf_printf(out, "    %.*s\n", (int)line, at);
		at += line + (at[line] == '\n');
	}
}
