/* Clients: one operation at a time each, on any member; what they saw is the history. */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "sim/world.h"

#include <inttypes.h>
#include <string.h>

#define CLIENT_PATIENCE_US 2500000

enum client_state { CLIENT_THINKS, CLIENT_ASKS, CLIENT_WAITS, CLIENT_HEARS };

/*
 * THINKS --> ASKS (request on its way) --> WAITS (a member has it) --> HEARS (answer on its way)
 *   ^                                          |                          |
 *   +------------------ out of patience -------+--------------------------+
 */
struct client {
	struct event event;    /* thinks, asks, hears */
	struct event patience; /* runs out */
	struct list link;      /* WAITS: in the host's pending list */
	struct world *world;
	uint32_t number;
	enum client_state state;
	struct host *host;
	struct host *favourite; /* answered last time */
	struct kv_command command;
	uint64_t index; /* WAITS, a write: its entry */
	uint64_t term;
	uint64_t request;	      /* WAITS, a read */
	enum history_outcome outcome; /* HEARS */
	struct kv_result result;
	struct buf list; /* HEARS, a read list: the elements */
};

static void client_think(struct client *c);

static bool kind_reads(enum history_kind kind)
{
	return kind == HISTORY_READ || kind == HISTORY_READ_LIST;
}

static void client_end(struct client *c)
{
	world_cancel(c->world, &c->event);
	world_cancel(c->world, &c->patience);
	list_remove(&c->link);
	client_think(c);
}

static void client_gives_up(struct world *w, struct event *e)
{
	struct client *c = CONTAINER_OF(e, struct client, patience);

	COUNT(w, ANSWER_UNKNOWN);
	TRACE(w, NULL, "client %u gives up on #%" PRIu64, c->number, c->command.op);
	c->favourite = NULL;
	client_end(c);
}

static void client_hears(struct world *w, struct event *e)
{
	struct client *c = CONTAINER_OF(e, struct client, event);

	TRACE(w, NULL, "client %u: #%" PRIu64 " %s %" PRIu64, c->number, c->command.op,
	      c->outcome == HISTORY_REFUSED ? "refused" : "answered", c->result.value);
	if (c->outcome == HISTORY_REFUSED) {
		COUNT(w, ANSWER_REFUSED);
		history_return_refused(&w->history, w->tick++, c->command.op);
		c->favourite = NULL;
	} else {
		COUNT(w, ANSWER_OK);
		w->ops_in_calm += w->calm;
		if (c->command.kind == HISTORY_READ_LIST)
			history_return_list(&w->history, w->tick++, c->command.op,
					    (const uint64_t *)(const void *)c->list.data,
					    c->list.len / sizeof(uint64_t));
		else
			history_return(&w->history, w->tick++, c->command.op, c->result.value);
		c->favourite = c->host;
	}
	client_end(c);
}

static void client_answer(struct client *c, enum history_outcome outcome, uint64_t value)
{
	struct world *w = c->world;

	list_remove(&c->link);
	c->state = CLIENT_HEARS;
	c->outcome = outcome;
	c->result.value = value;
	world_cancel(w, &c->event);
	world_at(w, &c->event, w->now_us + 50 + random_below(&w->random, 500), client_hears);
}

static int client_hand_write(struct client *c)
{
	struct world *w = c->world;
	struct buf bytes = {0};
	uint8_t ballast[2048] = {0};
	struct entry e = {.kind = ENTRY_COMMAND, .stamp = clock_wall_ms(&c->host->io.clock)};
	struct raft_status s;
	int rc;

	kv_command_encode(&c->command, &bytes);
	buf_append(&bytes, ballast,
		   random_below(&w->random, random_chance(&w->random, 100000) ? 2048 : 200));
	e.blob = blob_copy(buf_slice(&bytes));
	e.data = e.blob->data;
	e.len = (uint32_t)e.blob->len;
	e.waiter = w->hosts[random_below(&w->random, w->host_count)].id;
	rc = driver_propose(c->host->driver, &e, 1, &c->index);
	driver_status(c->host->driver, &s);
	c->term = s.term;
	blob_release(e.blob);
	buf_free(&bytes);
	return rc;
}

static void client_asks(struct world *w, struct event *e)
{
	struct client *c = CONTAINER_OF(e, struct client, event);
	struct host *h = c->host;
	int rc;

	if (h->state == HOST_PAUSED) {
		world_at(w, &c->event, w->now_us + 20000, client_asks);
		return;
	}
	if (h->state == HOST_DOWN || h->dying) {
		client_answer(c, HISTORY_REFUSED, 0);
		return;
	}
	if (kind_reads(c->command.kind)) {
		struct raft_status s;

		c->request = ++h->next_request;
		rc = driver_read(h->driver, c->request);
		driver_status(h->driver, &s);
		if (rc == OK && s.role != RAFT_LEADER)
			COUNT(w, READ_FORWARDED);
	} else {
		rc = client_hand_write(c);
	}
	if (rc != OK) {
		client_answer(c, HISTORY_REFUSED, 0);
	} else {
		c->state = CLIENT_WAITS;
		list_push_back(&h->pending, &c->link);
	}
	host_after(h);
}

static void client_draw_command(struct client *c)
{
	static const enum history_kind on_registers[] = {HISTORY_WRITE, HISTORY_WRITE, HISTORY_CAS,
							 HISTORY_INCR,	HISTORY_READ,  HISTORY_READ,
							 HISTORY_READ,	HISTORY_DELETE};
	static const enum history_kind on_lists[] = {HISTORY_APPEND, HISTORY_APPEND, HISTORY_APPEND,
						     HISTORY_READ_LIST, HISTORY_READ_LIST};
	struct world *w = c->world;
	struct kv_command *k = &c->command;

	*k = (struct kv_command){.key = random_below(&w->random, w->profile.keys)};
	k->kind = k->key % 2 ? on_lists[random_below(&w->random, ARRAY_LEN(on_lists))]
			     : on_registers[random_below(&w->random, ARRAY_LEN(on_registers))];
	k->value = ++w->next_value * 1000;
	if (k->kind == HISTORY_CAS)
		k->expected = c->result.value ? c->result.value : HISTORY_NONE;
	if (k->kind == HISTORY_CAS)
		k->op = history_call_cas(&w->history, w->tick++, c->number, k->key, k->expected,
					 k->value);
	else
		k->op = history_call(&w->history, w->tick++, c->number, k->key, k->kind, k->value);
}

static void client_count(struct world *w, enum history_kind kind)
{
	static const enum sim_count counts[] = {
		[HISTORY_WRITE] = COUNT_OP_WRITE,
		[HISTORY_READ] = COUNT_OP_READ,
		[HISTORY_CAS] = COUNT_OP_CAS,
		[HISTORY_INCR] = COUNT_OP_INCR,
		[HISTORY_DELETE] = COUNT_OP_DELETE,
		[HISTORY_APPEND] = COUNT_OP_APPEND,
		[HISTORY_READ_LIST] = COUNT_OP_READ_LIST,
	};

	w->counts.n[counts[kind]]++;
	w->counts.client_ops++;
}

static void client_begins(struct world *w, struct event *e)
{
	struct client *c = CONTAINER_OF(e, struct client, event);
	struct host *leader = world_leader(w);

	if (w->quiet) {
		client_think(c);
		return;
	}
	client_draw_command(c);
	client_count(w, c->command.kind);
	if (c->favourite && random_chance(&w->random, 700000))
		c->host = c->favourite;
	else if (leader && random_chance(&w->random, 600000))
		c->host = leader;
	else
		c->host = &w->hosts[random_below(&w->random, w->host_count)];
	TRACE(w, c->host, "client %u asks #%" PRIu64 ": kind %d, key %" PRIu64 ", value %" PRIu64,
	      c->number, c->command.op, (int)c->command.kind, c->command.key, c->command.value);
	c->state = CLIENT_ASKS;
	world_at(w, &c->event, w->now_us + 50 + random_below(&w->random, 500), client_asks);
	world_at(w, &c->patience, w->now_us + CLIENT_PATIENCE_US, client_gives_up);
}

static void client_think(struct client *c)
{
	struct world *w = c->world;

	c->state = CLIENT_THINKS;
	world_at(w, &c->event, w->now_us + random_below(&w->random, w->profile.think_us),
		 client_begins);
}

void clients_start(struct world *w)
{
	w->clients = mem_zalloc(w->profile.clients, sizeof(*w->clients));
	for (unsigned i = 0; i < w->profile.clients; i++) {
		struct client *c = &w->clients[i];

		c->world = w;
		c->number = i;
		list_init(&c->link);
		client_think(c);
	}
}

void clients_close(struct world *w)
{
	for (unsigned i = 0; i < w->profile.clients; i++)
		buf_free(&w->clients[i].list);
	mem_free(w->clients);
}

void client_applied(struct host *h, uint64_t index, uint64_t term, const struct kv_command *k,
		    const struct kv_result *result)
{
	list_for_each_safe (it, &h->pending) {
		struct client *c = LIST_ITEM(it, struct client, link);

		if (kind_reads(c->command.kind) || c->index != index)
			continue;
		/* Another entry stands where it was to be: then it never will be. */
		if (c->term != term || c->command.op != k->op)
			client_answer(c, HISTORY_REFUSED, 0);
		else
			client_answer(c, HISTORY_DONE, result->value);
	}
}

void client_read_ready(struct host *h, uint64_t request)
{
	list_for_each_safe (it, &h->pending) {
		struct client *c = LIST_ITEM(it, struct client, link);
		const struct kv_cell *cell = &h->kv.cells[c->command.key];

		if (!kind_reads(c->command.kind) || c->request != request)
			continue;
		buf_clear(&c->list);
		buf_append(&c->list, cell->list, cell->len * sizeof(uint64_t));
		client_answer(c, HISTORY_DONE, cell->value);
	}
}

void client_host_died(struct host *h)
{
	list_for_each_safe (it, &h->pending) {
		struct client *c = LIST_ITEM(it, struct client, link);

		COUNT(h->world, ANSWER_UNKNOWN);
		c->favourite = NULL;
		client_end(c);
	}
}
