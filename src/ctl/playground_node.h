#ifndef CONCLAVE_CTL_PLAYGROUND_NODE_H
#define CONCLAVE_CTL_PLAYGROUND_NODE_H

/*
 * One member of a playground: its process, and what that says of itself when it is asked.
 *
 *	         start                kill, stop, by itself
 *	DOWN ------------> RUNS <--------------------------------> DOWN
 *	                   RUNS <--- pause, resume ---> PAUSED
 */

#include "ctl/remote.h"

#include <sys/types.h>

#define PLAYGROUND_NODES_MAX 9
#define PLAYGROUND_NAME_MAX  16

enum node_state { NODE_DOWN, NODE_RUNS, NODE_PAUSED };

/* How it came to be down. */
enum node_end { NODE_NEVER, NODE_STOPPED, NODE_KILLED, NODE_ENDED };

/* What INFO said last. */
struct node_view {
	bool heard;   /* it has answered since it was started, */
	bool answers; /* and does so still */
	char role[PLAYGROUND_NAME_MAX];
	char leader[PLAYGROUND_NAME_MAX]; /* empty: it knows none */
	uint64_t term;
	uint64_t applied;
	uint64_t revision;
};

struct node {
	char name[PLAYGROUND_NAME_MAX];
	uint16_t port;
	uint16_t peer_port;
	char *dir;
	char *log;

	enum node_state state;
	enum node_end end; /* DOWN: how; else how it is about to be, NODE_ENDED: by itself */
	int status;	   /* DOWN: of waitpid */
	pid_t pid;	   /* not DOWN */
	bool again;	   /* not DOWN: to be started as soon as it is */
	bool connected;	   /* `remote` is open */
	bool asked;	   /* a reply is awaited */
	uint64_t asked_us; /* since then */
	struct remote remote;
	struct node_view view;
};

/* What all members are started with. */
struct node_world {
	const char *server; /* the program */
	char *cluster;	    /* for --initial-cluster */
	char **environment;
};

/* The n-th of a playground, with its files in `dir`. */
void node_init(struct node *n, unsigned number, uint16_t port, uint16_t peer_port, const char *dir);

/* It does not run any more. */
void node_free(struct node *n);

/* DOWN only. ERR_UNAVAILABLE: the system gives no process. */
MUST_USE int node_start(struct node *n, const struct node_world *world, struct buf *problem);

/* SIGKILL, SIGTERM, SIGSTOP or SIGCONT, to one that is not DOWN. */
void node_signal(struct node *n, int signal);

/* Whether its process has ended; DOWN then. */
bool node_has_ended(struct node *n);

/* Reads what it said, and asks again. Never waits. */
void node_look(struct node *n, uint64_t now_us);

/* Appends the last lines of its log. */
void node_put_log_end(const struct node *n, struct buf *out);

#endif
