#ifndef CONCLAVE_UNIT_CONSENSUS_SUPPORT_SCENARIO_PARTS_H
#define CONCLAVE_UNIT_CONSENSUS_SUPPORT_SCENARIO_PARTS_H

/* Commands of scenarios that live in files of their own. */

#include "scenario_commands.h"
#include "scenario_words.h"

/* The running node that the next word names; NULL, said, if there is none. */
struct world_node *scenario_node(struct scenario *s, struct words *words);

/* scenario_cluster.c */
void scenario_nodes(struct scenario *s, struct words *words);
void scenario_cluster(struct scenario *s, struct words *words);
void scenario_unborn(struct scenario *s, struct words *words);
void scenario_join(struct scenario *s, struct words *words);
void scenario_given(struct scenario *s, struct words *words);
void scenario_start(struct scenario *s, struct words *words);
void scenario_crash(struct scenario *s, struct words *words);
void scenario_restart(struct scenario *s, struct words *words);
void scenario_damage(struct scenario *s, struct words *words);
void scenario_time(struct scenario *s, struct words *words);
void scenario_pause(struct scenario *s, struct words *words);
void scenario_tick(struct scenario *s, struct words *words);
void scenario_run(struct scenario *s, struct words *words);
void scenario_campaign(struct scenario *s, struct words *words);
void scenario_elect(struct scenario *s, struct words *words);
void scenario_beat(struct scenario *s, struct words *words);

/* scenario_network.c */
void scenario_deliver(struct scenario *s, struct words *words);
void scenario_drop(struct scenario *s, struct words *words);
void scenario_duplicate(struct scenario *s, struct words *words);
void scenario_hold(struct scenario *s, struct words *words);
void scenario_release(struct scenario *s, struct words *words);
void scenario_send(struct scenario *s, struct words *words);
void scenario_cut(struct scenario *s, struct words *words);
void scenario_isolate(struct scenario *s, struct words *words);
void scenario_heal(struct scenario *s, struct words *words);
void scenario_settle(struct scenario *s, struct words *words);
void scenario_network(struct scenario *s, struct words *words);

/* scenario_show.c */
void scenario_trace(struct scenario *s, struct words *words);
void scenario_status(struct scenario *s, struct words *words);
void scenario_peers(struct scenario *s, struct words *words);
void scenario_log(struct scenario *s, struct words *words);
void scenario_members(struct scenario *s, struct words *words);

#endif
