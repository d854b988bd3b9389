#ifndef CONCLAVE_SERVER_SERVER_INTERNAL_H
#define CONCLAVE_SERVER_SERVER_INTERNAL_H

/* Inside server only: what the files of the process's one object share. */

#include "command/host.h"
#include "node/member.h"
#include "peer/company.h"
#include "server/clients.h"
#include "server/config.h"
#include "server/listener.h"
#include "server/loop.h"
#include "server/process_info.h"
#include "server/rewrite.h"
#include "server/server.h"
#include "server/socket_wires.h"
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
	struct member_events member_events;
	struct process_info process;
	struct config_events config_events;
	struct command_host host;

	struct loop *loop;
	struct threads *threads;
	struct member *member;
	struct clients *clients;
	struct socket_wires *wires;
	struct company *company;
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

/* server_company.c: the other members. */
void server_start_company(struct server *s);

/* server_host.c: the process as commands see it, and its options while it runs. */
void server_start_host(struct server *s);
void server_fit_clients(struct server *s); /* so many as there can be files for */
void server_set_limits(struct server *s);
void server_set_records(struct server *s);
size_t server_queued_bytes(const struct server *s);

#endif
