#include "support/peer_world.h"

#include "consensus/label.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 30000

/* ---- tests ----------------------------------------------------------------------------------- */

/* On each channel in order; returns how many came. */
static void check_order(const struct node *n, bool all)
{
	uint32_t last[2] = {0, 0};

	for (size_t i = 0; i < n->received_count; i++) {
		uint32_t number = n->received[i], *before = &last[number % 2];

		assert_true(number > *before || *before == 0);
		if (all && *before)
			assert_int_equal(number, *before + 2);
		*before = number;
	}
}

static void frames_arrive_whole_and_in_order_both_ways(void **state)
{
	enum { COUNT = 1000 };
	struct world *w = *state;

	connect_both(w);
	for (uint32_t number = 1; number <= COUNT; number++) {
		send_frame(&w->nodes[0], 102, number);
		send_frame(&w->nodes[1], 101, number);
		/* Of any number of frames that go out in one turn. */
		if (number % 37 == 0)
			loop_step(w->loop, true);
	}
	for (int i = 0; i < 2; i++) {
		await(w, &w->nodes[i].received_count, COUNT);
		check_order(&w->nodes[i], true);
		assert_int_equal(w->nodes[i].gone, 0);
	}
	assert_string_equal(peers_name_of(w->nodes[0].peers, 102), "n2");
	assert_null(peers_name_of(w->nodes[0].peers, 101));
}

static void a_frame_to_a_name_needs_no_id(void **state)
{
	struct world *w = *state;
	uint8_t head[4] = {2};
	struct frame frame = {.kind = FRAME_RAFT, .head = slice_of(head, 4)};

	connect_both(w);
	peers_send_to_name(w->nodes[0].peers, SLICE_LITERAL("n2"), &frame);
	/* These go nowhere. */
	peers_send_to_name(w->nodes[0].peers, SLICE_LITERAL("n1"), &frame);
	peers_send_to_name(w->nodes[0].peers, SLICE_LITERAL("n3"), &frame);
	peers_send(w->nodes[0].peers, 0, &frame);
	peers_send(w->nodes[0].peers, 103, &frame);
	await(w, &w->nodes[1].received_count, 1);
	step_for(w, 20);
	assert_int_equal(w->nodes[1].received_count, 1);
}

static void connections_that_break_come_again_and_lose_only_what_was_under_way(void **state)
{
	static const int how[] = {SHUT_RDWR, SHUT_RDWR, SHUT_RD, SHUT_WR};
	struct world *w = *state;
	struct node *from = &w->nodes[0], *to = &w->nodes[1];
	uint32_t number = 1;
	unsigned inlets = 0;

	connect_both(w);
	for (int round = 0; round < 12; round++) {
		struct peer_link *l = &from->peers->list[0]->links[round % PEER_CHANNELS];
		size_t connected = from->connected, received;

		for (int i = 0; i < 100; i++)
			send_frame(from, 102, number++);
		for (int i = 0; i < round % 3; i++)
			loop_step(w->loop, true);
		if (l->state != LINK_UP)
			await(w, &from->connected, connected + 1);
		connected = from->connected;
		/* From either side. */
		node_shut_down(to, l->channel, how[round % ARRAY_LEN(how)]);
		await(w, &from->connected, connected + 1);
		received = to->received_count;
		send_frame(from, 102, number++);
		send_frame(from, 102, number++);
		await(w, &to->received_count, received + 2);
	}
	check_order(to, false);
	/* They still listen: nobody is gone. */
	assert_int_equal(from->gone, 0);
	assert_int_equal(to->gone, 0);
	/* At both ends there is one connection for each channel, not one for each round. */
	step_for(w, 20);
	list_for_each (it, &to->peers->inlets)
		inlets++;
	assert_int_equal(inlets, PEER_CHANNELS);
}

static void who_is_refused_after_the_connection_closed_knows_that_the_other_is_gone(void **state)
{
	struct world *w = *state;
	struct node *n = &w->nodes[0];
	uint16_t port;

	connect_both(w);
	port = listener_port(w->nodes[1].listener);
	assert_int_equal(n->gone, 0);
	node_stop(&w->nodes[1]);
	await(w, &n->gone, 1);
	assert_int_equal(n->gone_id, 102);
	/* It is said once. */
	step_for(w, 100);
	assert_int_equal(n->gone, 1);
	/* And again when it came back and went again. */
	n->connected = 0;
	node_listen(&w->nodes[1], port);
	node_start(&w->nodes[1], "token");
	await(w, &n->connected, PEER_CHANNELS);
	node_stop(&w->nodes[1]);
	await(w, &n->gone, 2);
}

static void nobody_is_gone_who_was_never_there(void **state)
{
	struct world *w = *state;

	node_stop(&w->nodes[1]);
	node_start(&w->nodes[0], "token");
	step_for(w, 150);
	assert_int_equal(w->nodes[0].gone, 0);
	assert_int_equal(w->nodes[0].connected, 0);
	assert_true(node_said(&w->nodes[0], "no connection to n2 at localhost:"));
}

static void another_token_is_refused_with_the_reason_on_both_sides(void **state)
{
	struct world *w = *state;
	uint64_t till = now_ms(w) + PATIENCE_MS;

	node_start(&w->nodes[0], "token");
	node_start(&w->nodes[1], "another");
	while (!node_said(&w->nodes[0], "refused: the cluster-token of n2 is another one") &&
	       now_ms(w) < till)
		loop_step(w->loop, true);
	assert_true(node_said(&w->nodes[0], "refused: the cluster-token of n2"));
	assert_true(node_said(&w->nodes[1], "is refused: the cluster-token of n2"));
	assert_int_equal(w->nodes[0].connected, 0);
	assert_int_equal(w->nodes[1].connected, 0);
}

static void the_wrong_member_a_copy_and_a_stranger_are_refused(void **state)
{
	static const char *const reasons[] = {"this is n2, not n9", "has the id of n2",
					      "n2 knows no member called n9",
					      ("n2 hears from no leader and cannot say whether n9 "
					       "takes part")};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		uint64_t till = now_ms(w) + PATIENCE_MS;
		struct node *n = &w->nodes[0];

		snprintf(n->name, sizeof(n->name), "%s", i >= 2 ? "n9" : "n1");
		snprintf(w->nodes[1].name, sizeof(w->nodes[1].name), "n2");
		n->id = i == 1 ? 102 : 101;
		node_start(&w->nodes[1], "token");
		peers_set_leaderless(w->nodes[1].peers, i == 3);
		/* The place stays, its name is another one. */
		w->places[1].name = slice_of_text(i == 0 ? "n9" : "n2");
		w->places[0].name = SLICE_LITERAL("n1");
		node_start(n, "token");
		while (!node_said(n, reasons[i]) && now_ms(w) < till)
			loop_step(w->loop, true);
		assert_true(node_said(n, reasons[i]));
		node_end(n);
		node_end(&w->nodes[1]);
	}
	assert_int_equal(w->nodes[0].connected, 0);
}

static int dial(const struct world *w, unsigned number)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(w->places[number].port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

/* Whether the other side has closed. */
static bool is_closed(int fd)
{
	char bytes[4096];
	ssize_t n;

	do {
		n = recv(fd, bytes, sizeof(bytes), 0);
	} while (n > 0);
	return n == 0 || (errno != EAGAIN && errno != ENOTCONN);
}

static void rubbish_is_refused_and_does_not_disturb(void **state)
{
	struct world *w = *state;
	struct random random;

	random_seed(&random, 7);
	connect_both(w);
	for (int round = 0; round < 50; round++) {
		uint64_t till = now_ms(w) + PATIENCE_MS;
		int fd = dial(w, 1);
		uint8_t bytes[5000];

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)random_next(&random);
		/* Sometimes the beginning of a frame, and a length that is not too large. */
		if (round % 2)
			peer_frame_put_head(bytes, PEER_HELLO, random_below(&random, 2000),
					    random_next(&random));
		loop_step(w->loop, true);
		(void)send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
		while (!is_closed(fd) && now_ms(w) < till)
			loop_step(w->loop, true);
		assert_true(is_closed(fd));
		close(fd);
	}
	send_frame(&w->nodes[0], 102, 1);
	await(w, &w->nodes[1].received_count, 1);
	assert_int_equal(w->nodes[1].peers->stranger_count, 0);
	/* Fifty came in turns, with rubbish of two kinds: each is a line, not each time. */
	assert_in_range(node_said_times(&w->nodes[1], "is refused: "), 1, 4);
}

static void strangers_who_say_nothing_are_few(void **state)
{
	enum { COUNT = PEER_STRANGERS_MAX + 20 };
	struct world *w = *state;
	int fds[COUNT];

	node_start(&w->nodes[1], "token");
	for (int i = 0; i < COUNT; i++) {
		fds[i] = dial(w, 1);
		loop_step(w->loop, true);
	}
	step_for(w, 50);
	assert_int_equal(w->nodes[1].peers->stranger_count, PEER_STRANGERS_MAX);
	assert_true(is_closed(fds[0]));
	assert_false(is_closed(fds[COUNT - 1]));
	for (int i = 0; i < COUNT; i++)
		close(fds[i]);
}

static void what_is_small_overtakes_what_is_large(void **state)
{
	struct world *w = *state;
	size_t bulk = 0;

	connect_both(w);
	/* 49 is followed by 50, which is large. */
	for (int i = 0; i < 60; i++)
		send_frame(&w->nodes[0], 102, 49 + 100 * (uint32_t)i);
	send_frame(&w->nodes[0], 102, 2);
	await(w, &w->nodes[1].received_count, 61);
	while (w->nodes[1].received[bulk] != 2)
		bulk++;
	assert_in_range(bulk, 0, 30);
}

static void what_is_prompt_and_rows_of_a_state_go_ways_of_their_own(void **state)
{
	struct world *w = *state;
	struct peer_link *links;
	uint8_t head[4] = {2};
	struct frame frame = {.kind = FRAME_LEADS, .head = slice_of(head, 4)};

	connect_both(w);
	links = w->nodes[0].peers->list[0]->links;
	peers_send(w->nodes[0].peers, 102, &frame);
	assert_int_equal(links[PEER_PROMPT].out.queued, 0);
	assert_int_equal(links[PEER_BULK].out.queued, PEER_FRAME_HEAD + 4);
	send_frame(&w->nodes[0], 102, 2);
	assert_int_equal(links[PEER_PROMPT].out.queued, PEER_FRAME_HEAD + 4);
	frame.kind = FRAME_ROWS;
	peers_send(w->nodes[0].peers, 102, &frame);
	assert_int_equal(links[PEER_STATE].out.queued, PEER_FRAME_HEAD + 4);
	assert_int_equal(links[PEER_BULK].out.queued, PEER_FRAME_HEAD + 4);
}

static struct peers_place place_of(const struct world *w, unsigned number, uint64_t id)
{
	return (struct peers_place){
		.id = id,
		.name = slice_of_text(w->nodes[number].name),
		.host = w->places[number].host,
		.port = w->places[number].port,
	};
}

/* They find each other, and have no connections besides. */
static void check_both_ways(struct world *w)
{
	for (unsigned i = 0; i < 2; i++) {
		struct node *n = &w->nodes[i];
		uint64_t till = now_ms(w) + PATIENCE_MS;
		size_t received = n->received_count;

		while (n->received_count == received && now_ms(w) < till) {
			send_frame(&w->nodes[1 - i], 101 + i, 2);
			step_for(w, 5);
		}
		assert_true(n->received_count > received);
	}
}

/* Who is not among the peers leaves, and comes back when it is; who stays keeps its connections. */
static void peers_follow_a_membership(void **state)
{
	struct world *w = *state;
	struct node *n = &w->nodes[0];
	struct peers_place both[2], stranger = {.id = 7, .name = SLICE_LITERAL("n7")};
	size_t connected;

	connect_both(w);
	both[0] = place_of(w, 0, 101);
	both[1] = place_of(w, 1, 102);
	connected = n->connected;
	peers_follow(n->peers, both, 2);
	step_for(w, 50);
	assert_int_equal(peers_count(n->peers), 1);
	assert_int_equal(n->connected, connected);
	send_frame(n, 102, 3);
	await(w, &w->nodes[1].received_count, 1);
	/* Another one is there, and nobody knows where: it is waited for. */
	peers_follow(n->peers, &stranger, 1);
	step_for(w, 50);
	assert_int_equal(peers_count(n->peers), 1);
	assert_string_equal(peers_name_of(n->peers, 7), "n7");
	assert_null(peers_name_of(n->peers, 102));
	assert_true(node_said(n, "n2 at localhost"));
	peers_follow(n->peers, both, 2);
	await(w, &n->connected, connected + PEER_CHANNELS);
	send_frame(n, 102, 5);
	await(w, &w->nodes[1].received_count, 2);
}

/* Who was leaving and is among the peers again keeps its connections, and has no others. */
static void who_was_leaving_may_stay(void **state)
{
	struct world *w = *state;
	struct node *n = &w->nodes[0];
	struct peers_place both[2], stranger = {.id = 7, .name = SLICE_LITERAL("n7")};
	size_t connected;

	w->leave_ms = 100000;
	connect_both(w);
	both[0] = place_of(w, 0, 101);
	both[1] = place_of(w, 1, 102);
	peers_follow(n->peers, both, 2);
	connected = n->connected;
	for (int round = 0; round < 3; round++) {
		peers_follow(n->peers, &stranger, 1);
		peers_follow(n->peers, both, 2);
	}
	assert_int_equal(peers_count(n->peers), 1);
	assert_string_equal(peers_name_of(n->peers, 102), "n2");
	send_frame(n, 102, 3);
	await(w, &w->nodes[1].received_count, 1);
	step_for(w, 50);
	assert_int_equal(n->connected, connected);
	assert_false(node_said(n, "it closed the connection"));
}

/* A membership that does not say where somebody is takes nothing from what is known. */
static void who_is_nowhere_stays_where_it_was(void **state)
{
	struct world *w = *state;
	struct node *n = &w->nodes[0];
	struct peers_place nowhere = {.id = 102, .name = SLICE_LITERAL("n2")};
	size_t connected;

	connect_both(w);
	connected = n->connected;
	peers_follow(n->peers, &nowhere, 1);
	step_for(w, 50);
	assert_int_equal(n->connected, connected);
	send_frame(n, 102, 3);
	await(w, &w->nodes[1].received_count, 1);
}

/* Who knows where the other is connects to it, and says where it is itself. */
static void who_is_nowhere_is_found_when_it_connects(void **state)
{
	struct world *w = *state;
	struct node *n = &w->nodes[0];
	struct peers_place nowhere = {.id = 102, .name = SLICE_LITERAL("n2")};
	struct peers_place place = w->places[1];

	snprintf(w->nodes[1].address, sizeof(w->nodes[1].address), "127.0.0.1:%u/localhost:7",
		 place.port);
	w->places[1].host = (struct slice){0};
	node_start(n, "token");
	peers_follow(n->peers, &nowhere, 1);
	w->places[1] = place;
	node_start(&w->nodes[1], "token");
	await(w, &n->connected, PEER_CHANNELS);
	send_frame(n, 102, 3);
	await(w, &w->nodes[1].received_count, 1);
}

/* All members have moved: a membership that nobody can change says where they were. */
static void who_has_moved_is_found_by_the_configuration(void **state)
{
	struct world *w = *state;
	struct peers_place before[2];

	for (unsigned i = 0; i < 2; i++) {
		before[i] = place_of(w, i, 101 + i);
		before[i].port = 1;
		node_start(&w->nodes[i], "token");
	}
	for (int i = 0; i < 2; i++)
		peers_follow(w->nodes[i].peers, before, 2);
	check_both_ways(w);
	for (int i = 0; i < 2; i++) {
		size_t connected = w->nodes[i].connected;

		/* What is out of date is said once more, and changes nothing. */
		peers_follow(w->nodes[i].peers, before, 2);
		step_for(w, 50);
		assert_int_equal(w->nodes[i].connected, connected);
		assert_int_equal(w->nodes[i].peers->count, 1);
	}
}

/* It was reached before it was known that a membership says otherwise. */
static void who_was_reached_is_where_it_was_reached(void **state)
{
	struct world *w = *state;
	struct peers_place before[2];
	size_t connected;

	connect_both(w);
	connected = w->nodes[0].connected;
	for (unsigned i = 0; i < 2; i++) {
		before[i] = place_of(w, i, 101 + i);
		before[i].port = 1;
	}
	for (int round = 0; round < 2; round++)
		peers_follow(w->nodes[0].peers, before, 2);
	check_both_ways(w);
	assert_int_equal(w->nodes[0].connected, connected);
	/* A membership that knows it, and then one of another place. */
	before[1] = place_of(w, 1, 102);
	peers_follow(w->nodes[0].peers, before, 2);
	step_for(w, 20);
	assert_int_equal(w->nodes[0].connected, connected);
	before[1].port = 1;
	peers_follow(w->nodes[0].peers, before, 2);
	step_for(w, 20);
	assert_true(node_said(&w->nodes[0], "no connection to n2 at localhost:1"));
}

/* Only one of them knows where the other is, and connects; the other is told so. */
static void who_has_moved_says_so_itself(void **state)
{
	struct world *w = *state;
	struct node *n = &w->nodes[0];
	struct peers_place right = w->places[1], before[2];

	for (unsigned i = 0; i < 2; i++) {
		before[i] = place_of(w, i, 101 + i);
		before[i].port = 1;
	}
	snprintf(w->nodes[1].address, sizeof(w->nodes[1].address), "localhost:%u/localhost:7",
		 right.port);
	w->places[1].port = 1;
	node_start(n, "token");
	peers_follow(n->peers, before, 2);
	step_for(w, 50);
	w->places[1] = right;
	node_start(&w->nodes[1], "token");
	peers_follow(w->nodes[1].peers, before, 2);
	check_both_ways(w);
	assert_int_equal(n->peers->count, 1);
}

/* A copy of its directory is in use elsewhere; both are told where they meet others. */
static void who_is_there_twice_is_told_of(void **state)
{
	struct world *w = *state;
	struct node *n = &w->nodes[0], *other = &w->nodes[1];

	node_start(n, "token");
	for (unsigned i = 0; i < 5; i++) {
		size_t connected = n->connected;

		snprintf(other->address, sizeof(other->address), "localhost:%u/localhost:7",
			 w->places[1].port + i % 2);
		assert_int_equal(node_said_times(n, "copy of the other's"), i > 2);
		node_start(other, "token");
		await(w, &n->connected, connected + PEER_CHANNELS);
		node_end(other);
	}
	assert_int_equal(node_said_times(n, "copy of the other's"), 1);
}

/* Others have heard where it might be; that is tried besides, and nobody is left for it. */
static void hearsay_is_tried_and_not_believed(void **state)
{
	struct world *w = *state;
	struct node *n = &w->nodes[0];
	struct peers_place right = place_of(w, 1, 102), wrong = right, before[2] = {{0}};

	before[0] = place_of(w, 0, 101);
	before[1] = wrong;
	before[1].port = 1;
	w->places[1].host = (struct slice){0};
	node_start(n, "token");
	peers_follow(n->peers, before, 2);
	for (wrong.port = 2; wrong.port < 9; wrong.port++)
		peers_guess(n->peers, &wrong);
	step_for(w, 20);
	assert_int_equal(peers_count(n->peers), 1);
	assert_in_range(n->peers->count, 2, 5);
	wrong.id = 7; /* of whom nobody knows */
	peers_guess(n->peers, &wrong);
	assert_null(peers_name_of(n->peers, 7));
	w->places[1].host = right.host;
	peers_guess(n->peers, &right);
	node_start(&w->nodes[1], "token");
	check_both_ways(w);
	assert_int_equal(n->peers->count, 1);
	/* Who is connected is where it is. */
	peers_guess(n->peers, &before[1]);
	assert_int_equal(n->peers->count, 1);
	peers_follow(n->peers, before, 1);
	peers_guess(n->peers, &right);
	step_for(w, 50);
	assert_int_equal(n->peers->count, 0);
}

/* An address that somebody else has by now, and a name under which another directory comes. */
static void who_has_another_id_is_not_the_member(void **state)
{
	struct world *w = *state;
	struct peers_place other = place_of(w, 1, 999);
	uint64_t till = now_ms(w) + PATIENCE_MS;

	node_start(&w->nodes[0], "token");
	peers_follow(w->nodes[0].peers, &other, 1);
	node_start(&w->nodes[1], "token");
	while (now_ms(w) < till && !(node_said(&w->nodes[0], "another member is there") &&
				     node_said(&w->nodes[1], "this is another directory")))
		loop_step(w->loop, true);
	assert_true(node_said(&w->nodes[0], "another member is there"));
	assert_true(node_said(&w->nodes[1], "this is another directory"));
	assert_int_equal(w->nodes[0].connected, 0);
}

/* It may know better who takes part; it is asked where it says it is, not where its clients are. */
static void who_was_refused_is_one_that_can_be_asked(void **state)
{
	struct world *w = *state;
	struct node *n = &w->nodes[0];
	struct peers_place nowhere = {.id = 999, .name = SLICE_LITERAL("n2")};
	struct peers_place place = w->places[1];
	uint64_t till = now_ms(w) + PATIENCE_MS;
	struct buf address = {0};

	snprintf(w->nodes[1].address, sizeof(w->nodes[1].address), "[::1]:%u/localhost:7",
		 place.port);
	w->places[1].host = (struct slice){0};
	node_start(n, "token");
	peers_follow(n->peers, &nowhere, 1);
	assert_false(peers_draw(n->peers, &address));
	w->places[1] = place;
	node_start(&w->nodes[1], "token");
	while (!peers_draw(n->peers, &address) && now_ms(w) < till)
		loop_step(w->loop, true);
	assert_true(node_said(n, "this is another directory"));
	assert_true(
		slice_equal(label_place(slice_of_text(w->nodes[1].address)), buf_slice(&address)));
	buf_free(&address);
}

static void who_is_followed_also_sends_nobody_away(void **state)
{
	struct world *w = *state;
	struct node *n = &w->nodes[0];
	struct peers_place both[2], another = {.id = 7, .name = SLICE_LITERAL("n7")};

	connect_both(w);
	both[0] = place_of(w, 0, 101);
	both[1] = place_of(w, 1, 102);
	peers_follow(n->peers, both, 2);
	peers_follow_also(n->peers, &another, 1);
	assert_int_equal(peers_count(n->peers), 2);
	assert_string_equal(peers_name_of(n->peers, 7), "n7");
	assert_string_equal(peers_name_of(n->peers, 102), "n2");
	peers_send_away(n->peers, 7);
	peers_send_away(n->peers, 8); /* who is not there */
	assert_int_equal(peers_count(n->peers), 1);
	step_for(w, 50);
	assert_null(peers_name_of(n->peers, 7));
}

static void beyond_the_limit_frames_are_dropped_until_there_is_room(void **state)
{
	struct world *w = *state;

	w->queued_bytes = 1 << 20;
	connect_both(w);
	for (int i = 0; i < 20; i++)
		send_frame(&w->nodes[0], 102, 49 + 100 * (uint32_t)i);
	assert_in_range(w->nodes[0].peers->list[0]->links[PEER_BULK].out.queued, 1, 1 << 20);
	assert_true(node_said(&w->nodes[0], "n2 takes what is sent too slowly"));
	await(w, &w->nodes[1].received_count, 3);
	step_for(w, 20);
	assert_int_equal(w->nodes[1].received_count, 3);
	send_frame(&w->nodes[0], 102, 49);
	await(w, &w->nodes[1].received_count, 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)
	const struct CMUnitTest tests[] = {
		TEST(frames_arrive_whole_and_in_order_both_ways),
		TEST(a_frame_to_a_name_needs_no_id),
		TEST(connections_that_break_come_again_and_lose_only_what_was_under_way),
		TEST(who_is_refused_after_the_connection_closed_knows_that_the_other_is_gone),
		TEST(nobody_is_gone_who_was_never_there),
		TEST(another_token_is_refused_with_the_reason_on_both_sides),
		TEST(the_wrong_member_a_copy_and_a_stranger_are_refused),
		TEST(rubbish_is_refused_and_does_not_disturb),
		TEST(strangers_who_say_nothing_are_few),
		TEST(what_is_small_overtakes_what_is_large),
		TEST(what_is_prompt_and_rows_of_a_state_go_ways_of_their_own),
		TEST(peers_follow_a_membership),
		TEST(who_was_leaving_may_stay),
		TEST(who_is_nowhere_stays_where_it_was),
		TEST(who_is_nowhere_is_found_when_it_connects),
		TEST(who_has_moved_is_found_by_the_configuration),
		TEST(who_was_reached_is_where_it_was_reached),
		TEST(who_has_moved_says_so_itself),
		TEST(who_is_there_twice_is_told_of),
		TEST(hearsay_is_tried_and_not_believed),
		TEST(who_has_another_id_is_not_the_member),
		TEST(who_was_refused_is_one_that_can_be_asked),
		TEST(who_is_followed_also_sends_nobody_away),
		TEST(beyond_the_limit_frames_are_dropped_until_there_is_room),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
