#include "peer_world.h"

#include "base/codec.h"
#include "base/error.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 30000

uint64_t now_ms(const struct world *w)
{
	return clock_monotonic_us(&w->clock) / 1000;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static size_t entry_len(uint32_t number)
{
	return number % 50 == 0 ? 300000 : (size_t)number % 7 * 1000;
}

static uint8_t byte_of(uint32_t number, size_t at)
{
	return (uint8_t)(number * 31 + at * 7);
}

void send_frame(struct node *from, uint64_t to, uint32_t number)
{
	struct entry entries[2] = {{0}};
	struct frame frame = {.kind = FRAME_RAFT};
	uint8_t head[4];

	fixed32_put(head, number);
	frame.head = slice_of(head, sizeof(head));
	if (number % 2 == 1) {
		for (int i = 0; i < 2; i++) {
			struct blob *blob = blob_new(entry_len(number + (uint32_t)i));

			for (size_t at = 0; at < blob->len; at++)
				blob->data[at] = byte_of(number + (uint32_t)i, at);
			entries[i] = (struct entry){
				.blob = blob, .data = blob->data, .len = (uint32_t)blob->len};
		}
		frame.entries = entries;
		frame.count = 2;
	}
	peers_send(from->peers, to, &frame);
	blob_release(entries[0].blob);
	blob_release(entries[1].blob);
}

static void check_frame(const struct blob *body)
{
	uint32_t number = fixed32_get(body->data);
	size_t first = entry_len(number), second = entry_len(number + 1);

	if (number % 2 == 0) {
		assert_int_equal(body->len, 4);
		return;
	}
	assert_int_equal(body->len, 4 + first + second);
	for (size_t at = 0; at < first; at++)
		if (body->data[4 + at] != byte_of(number, at))
			fail_msg("frame %u is not what was sent", number);
	for (size_t at = 0; at < second; at++)
		if (body->data[4 + first + at] != byte_of(number + 1, at))
			fail_msg("frame %u is not what was sent", number);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static struct node *other(struct node *n)
{
	return n == &n->world->nodes[0] ? &n->world->nodes[1] : &n->world->nodes[0];
}

static void node_receive(void *ctx, uint64_t from, unsigned kind, struct blob *body)
{
	struct node *n = ctx;

	assert_int_equal(from, other(n)->id);
	assert_int_equal(kind, FRAME_RAFT);
	check_frame(body);
	assert_true(n->received_count < FRAMES_MAX);
	n->received[n->received_count] = fixed32_get(body->data);
	n->bulk_count += n->received[n->received_count++] % 2;
}

static void node_connected(void *ctx, uint64_t id)
{
	struct node *n = ctx;

	assert_int_equal(id, other(n)->id);
	n->connected++;
}

static void node_gone(void *ctx, uint64_t id)
{
	struct node *n = ctx;

	n->gone_id = id;
	n->gone++;
}

static void node_resolve(void *ctx, struct job *job)
{
	(void)ctx;
	assert_int_equal(job->step(job), JOB_DONE);
	job->done(job);
}

static void node_log(void *ctx, enum log_level level, const char *text, size_t len)
{
	struct node *n = ctx;

	(void)level;
	buf_append(&n->log, text, len);
	buf_append_byte(&n->log, '\n');
}

unsigned node_said_times(const struct node *n, const char *text)
{
	struct slice rest = buf_slice(&n->log);
	const uint8_t *at;
	unsigned times = 0;

	while (rest.len && (at = memmem(rest.data, rest.len, text, strlen(text))) != NULL) {
		rest = slice_of(at + 1, rest.len - (size_t)(at + 1 - rest.data));
		times++;
	}
	return times;
}

bool node_said(const struct node *n, const char *text)
{
	return node_said_times(n, text) > 0;
}

static void node_accepted(void *ctx, int fd)
{
	struct node *n = ctx;
	struct wire *wire;

	if (!n->peers) {
		close(fd);
		return;
	}
	MEM_GROW(n->accepted, n->accepted_cap, n->accepted_count + 1);
	wire = socket_wires_accept(n->wires, fd);
	n->accepted[n->accepted_count++] = (struct accepted){.wire = wire, .fd = fd};
	peers_accept(n->peers, wire);
}

static int fd_of(const struct node *n, const struct wire *wire)
{
	for (size_t i = n->accepted_count; i-- > 0;)
		if (n->accepted[i].wire == wire)
			return n->accepted[i].fd;
	fail_msg("this connection was never accepted");
	return -1;
}

void node_shut_down(struct node *n, enum peer_channel channel, int how)
{
	list_for_each (it, &n->peers->inlets) {
		struct peer_inlet *in = LIST_ITEM(it, struct peer_inlet, link);

		if (in->channel == channel)
			assert_int_equal(shutdown(fd_of(n, in->wire), how), 0);
	}
}

void node_listen(struct node *n, uint16_t port)
{
	struct listener_options options = {
		.ev = loop_ev(n->world->loop),
		.bind = &n->world->bind,
		.port = port,
		.backlog = 100,
		.ctx = n,
		.accepted = node_accepted,
	};
	struct buf problem = {0};

	if (listener_new(&n->listener, &options, &problem) != OK)
		fail_msg("%.*s", (int)problem.len, (const char *)problem.data);
	buf_free(&problem);
}

void node_start(struct node *n, const char *token)
{
	struct socket_wires_options wires = {
		.ev = loop_ev(n->world->loop),
		.silence_ms = 10000,
		.resolve = node_resolve,
	};
	struct peers_options options = {
		.logger = &n->logger,
		.clock = &n->world->clock,
		.random = &n->random,
		.places = n->world->places,
		.place_count = 2,
		.name = n->name,
		.token = token,
		.address = n->address,
		.id = n->id,
		.queued_bytes = n->world->queued_bytes,
		.leave_ms = n->world->leave_ms,
	};

	n->wires = socket_wires_new(&wires);
	options.wires = socket_wires_interface(n->wires);
	n->peers = peers_new(&options, &n->events);
}

void node_end(struct node *n)
{
	peers_free(n->peers);
	socket_wires_free(n->wires);
	n->peers = NULL;
	n->wires = NULL;
}

void node_stop(struct node *n)
{
	node_end(n);
	listener_free(n->listener);
	n->listener = NULL;
}

static void node_init(struct node *n, struct world *w, unsigned number)
{
	n->world = w;
	n->id = 100 + number;
	snprintf(n->name, sizeof(n->name), "n%u", number);
	random_seed(&n->random, number);
	n->logger = (struct logger){.level = LOG_DEBUG, .write = node_log, .ctx = n};
	n->events = (struct peers_events){
		.ctx = n,
		.receive = node_receive,
		.connected = node_connected,
		.gone = node_gone,
	};
}

/* ---- world ----------------------------------------------------------------------------------- */

static uint64_t world_turn(void *ctx)
{
	struct world *w = ctx;
	uint64_t due = now_ms(w) + 5;

	for (int i = 0; i < 2; i++) {
		struct peers *peers = w->nodes[i].peers;

		if (!peers)
			continue;
		peers_turn(peers);
		peers_flush(peers);
		due = MIN(due, peers_deadline_ms(peers));
	}
	return due;
}

static void world_woken(void *ctx)
{
	(void)ctx;
}

int world_begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->clock = clock_system();
	w->loop_events = (struct loop_events){.ctx = w, .turn = world_turn, .woken = world_woken};
	assert_int_equal(loop_new(&w->loop, &w->clock, &w->loop_events), OK);
	w->bind_word = strdup("127.0.0.1");
	w->bind = (struct options_words){.words = &w->bind_word, .count = 1};
	w->queued_bytes = (size_t)64 << 20;
	for (unsigned i = 0; i < 2; i++) {
		node_init(&w->nodes[i], w, i + 1);
		node_listen(&w->nodes[i], 0);
		w->places[i] = (struct peers_place){
			.name = slice_of_text(w->nodes[i].name),
			.host = slice_of_text(i ? "localhost" : "127.0.0.1"),
			.port = listener_port(w->nodes[i].listener),
		};
	}
	*state = w;
	return 0;
}

int world_end(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 2; i++) {
		node_stop(&w->nodes[i]);
		buf_free(&w->nodes[i].log);
		mem_free(w->nodes[i].accepted);
	}
	loop_free(w->loop);
	free(w->bind_word);
	free(w);
	return 0;
}

void await(struct world *w, const size_t *count, size_t at_least)
{
	uint64_t till = now_ms(w) + PATIENCE_MS;

	while (*count < at_least && now_ms(w) < till)
		loop_step(w->loop, true);
	assert_true(*count >= at_least);
}

void connect_both(struct world *w)
{
	for (int i = 0; i < 2; i++)
		node_start(&w->nodes[i], "token");
	for (int i = 0; i < 2; i++)
		await(w, &w->nodes[i].connected, PEER_CHANNELS);
}

void step_for(struct world *w, uint64_t ms)
{
	for (uint64_t till = now_ms(w) + ms; now_ms(w) < till;)
		loop_step(w->loop, true);
}
