#ifndef CONCLAVE_UNIT_CONSENSUS_SUPPORT_SCENARIO_COMMANDS_H
#define CONCLAVE_UNIT_CONSENSUS_SUPPORT_SCENARIO_COMMANDS_H

/* The language of tests/data/raft: what scenario_test.c lists, done to a world. */

#include "world.h"

struct scenario {
	struct world *world;
	struct raft_options options; /* of nodes added from now on */
	struct frame_list shelf;     /* messages held back */
};

void scenario_init(struct scenario *s);
void scenario_close(struct scenario *s);

/* Runs one line. What it says, errors too, is added to the world's trace. */
void scenario_line(struct scenario *s, struct slice line);

#endif
