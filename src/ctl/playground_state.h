#ifndef CONCLAVE_CTL_PLAYGROUND_STATE_H
#define CONCLAVE_CTL_PLAYGROUND_STATE_H

/* What the files of the playground have in common. */

#include "base/clock.h"
#include "ctl/playground_show.h"

/* A command that is longer is cut. */
#define PLAYGROUND_INPUT_MAX 256

struct playground {
	struct node nodes[PLAYGROUND_NODES_MAX];
	size_t count;
	char *dir;
	bool temporary;
	char *server;
	struct node_world world;
	struct clock clock;
	struct show show;
	int signals;
	char input[PLAYGROUND_INPUT_MAX];
	size_t input_len;
	bool ready;   /* all have answered, and one led */
	bool ending;  /* it was asked to end */
	bool hurried; /* and once more */
};

/* Whoever says that it leads; NULL: nobody does. */
struct node *playground_leader(struct playground *p);

/* Starts a member that is DOWN, and says so, or why not. */
void playground_start_node(struct playground *p, struct node *n);

/* Does what a line of the input asks for. */
void playground_command(struct playground *p, const char *line);

#endif
