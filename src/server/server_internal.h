#ifndef CONCLAVE_SERVER_SERVER_INTERNAL_H
#define CONCLAVE_SERVER_SERVER_INTERNAL_H

/* Inside server only: what the files of the process's one object share. */

#include "command/host.h"
#include "node/member.h"
#include "server/clients.h"
#include "server/config.h"
#include "server/join.h"
#include "server/listener.h"
#include "server/loop.h"
#include "server/peers.h"
#include "server/process_info.h"
#include "server/rewrite.h"
#include "server/server.h"
#include "server/space.h"
#include "server/threads.h"
struct server {
	struct options *options;
	struct logger *logger;
	struct clock clock;
	struct disk disk;
	struct random random;
	struct node_io io;
	struct slice *names;
	struct buf address; /* of this member, as its label has it; ends with a zero byte */
	struct resp_limits limits;

	struct loop_events loop_events;
	struct peers_events peers_events;
	struct member_events member_events;
	struct process_info process;
	struct config_events config_events;
	struct command_host host;

	struct loop *loop;
	struct threads *threads;
	struct member *member;
	struct clients *clients;
	struct peers *peers;
	struct join_events join_events;
	struct join *join;    /* asks to take part; NULL: not (any more) */
	uint64_t memberships; /* that the peers follow, by raft_status.memberships */
	bool born;
	struct listener *listener;
	struct listener *local_listener; /* NULL: nobody asked for one */
	struct listener *peer_listener;
	struct space *space;
	struct rewrite *rewrite;

	bool leads;
	bool ready_told;
	bool failed;
	bool ending;
	bool parting; /* everybody was answered */
	uint64_t hand_over_till_ms;
	uint64_t end_till_ms;
};

/* server_member.c: the member, its disks, and what it tells. */
MUST_USE int server_start_member(struct server *s, struct engine *engine, struct vault *vault,
				 struct buf *problem);
void server_start_space(struct server *s);

/* Runs a job on the lane for what has time; `ctx` is the server. */
void server_maintain(void *ctx, struct job *job);

/* Whether this member is in the membership. */
bool server_takes_part(const struct server *s);

/* From now on the peers are those of this membership. */
void server_follow(struct server *s, const struct membership *m);

/* server_peers.c: the other members, and coming to them. */
void server_start_peers(struct server *s);
void server_start_join(struct server *s);

/* server_host.c: the process as commands see it, and its options while it runs. */
void server_start_host(struct server *s);
void server_fit_clients(struct server *s); /* so many as there can be files for */
void server_set_limits(struct server *s);
void server_set_records(struct server *s);
size_t server_queued_bytes(const struct server *s);

#endif
