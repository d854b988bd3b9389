#ifndef CONCLAVE_UNIT_SERVER_SUPPORT_PEER_WORLD_H
#define CONCLAVE_UNIT_SERVER_SUPPORT_PEER_WORLD_H

/* Two members' connections to each other on one loop, without the members. */

#include "peer/peers_internal.h"
#include "server/listener.h"
#include "server/loop.h"
#include "server/options.h"
#include "server/socket_wires.h"

/* Frames say their number, so that what arrives can be told to be whole and in order. */
#define FRAMES_MAX 4000

struct accepted {
	const struct wire *wire;
	int fd;
};

struct node {
	struct world *world;
	char name[8];
	char address[40]; /* that it tells the others */
	uint64_t id;
	struct listener *listener;
	struct socket_wires *wires;
	struct peers *peers;
	struct random random;
	struct logger logger;
	struct buf log;
	struct peers_events events;
	uint32_t received[FRAMES_MAX];
	size_t received_count;
	size_t bulk_count;
	size_t connected;
	size_t gone;
	uint64_t gone_id;
	struct accepted *accepted; /* the newest last */
	size_t accepted_count;
	size_t accepted_cap;
};

/* Two nodes on one loop. */
struct world {
	struct clock clock;
	struct loop *loop;
	struct loop_events loop_events;
	struct peers_place places[2];
	struct options_words bind;
	char *bind_word;
	struct node nodes[2];
	size_t queued_bytes;
	uint32_t leave_ms;
};

uint64_t now_ms(const struct world *w);

/* Set-up and tear-down of a test: both listen, nobody connects yet. */
int world_begin(void **state);
int world_end(void **state);

/* Begins to connect. */
void node_start(struct node *n, const char *token);

/* Closes its connections, and still listens. */
void node_end(struct node *n);

/* As if its process had ended. */
void node_stop(struct node *n);

void node_listen(struct node *n, uint16_t port);
bool node_said(const struct node *n, const char *text);
unsigned node_said_times(const struct node *n, const char *text);

/* Shuts down a connection that was accepted on this channel, as shutdown does with `how`. */
void node_shut_down(struct node *n, enum peer_channel channel, int how);

/* Connects both with each other. */
void connect_both(struct world *w);

/* Sends the frame with this number: an even one alone, an odd one with two entries. */
void send_frame(struct node *from, uint64_t to, uint32_t number);

/* Runs until `*count` has reached `at_least`. */
void await(struct world *w, const size_t *count, size_t at_least);

/* Runs for so long, in milliseconds. */
void step_for(struct world *w, uint64_t ms);

#endif
