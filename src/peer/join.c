#include "peer/join.h"

#include "base/error.h"
#include "base/mem.h"
#include "consensus/label.h"
#include "peer/peer_frame.h"

#include <stdio.h>

#define JOIN_AGAIN_MS	 300
#define JOIN_PATIENCE_MS 2000

struct join {
	struct join_options options;
	const struct join_events *events;
	struct buf next; /* whom to ask, as host:port; empty: as was given */
	struct wire *wire;
	struct buf host; /* where it leads to */
	uint16_t port;
	bool busy; /* an attempt is under way */
	uint64_t due_ms;
	struct peer_reader reader;
	uint64_t told; /* hash of the last complaint: it is not repeated */
};

static void join_set_timer(struct join *j, unsigned ms)
{
	j->due_ms = clock_monotonic_us(j->options.clock) / 1000 + ms;
}

static void join_complain(struct join *j, const char *why)
{
	uint64_t hash = hash64(slice_of_text(why));

	if (j->told == hash)
		return;
	j->told = hash;
	LOG(j->options.logger, LOG_WARNING, "cannot join at %.*s:%u: %s", (int)j->host.len,
	    (const char *)j->host.data, j->port, why);
}

static void join_attempt_ends(struct join *j)
{
	if (j->wire)
		wire_close(j->wire);
	peer_reader_close(&j->reader);
	j->busy = false;
	join_set_timer(j, JOIN_AGAIN_MS);
}

/* Whoever was named by somebody else may be gone: the one that was given is asked again. */
static void join_fail(struct join *j, const char *why)
{
	join_complain(j, why);
	if (j->wire)
		wire_move_on(j->wire);
	buf_clear(&j->next);
	join_attempt_ends(j);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void join_hear_joined(struct join *j, struct slice body)
{
	struct peer_joined joined;

	if (peer_joined_decode(body, &joined) != OK) {
		join_fail(j, "its answer cannot be read");
		return;
	}
	buf_clear(&j->next);
	j->events->answered(j->events->ctx, joined.leader, joined.membership, &j->next);
	join_attempt_ends(j);
}

static void join_hear_refuse(struct join *j, struct slice body)
{
	char why[PEER_GREETING_MAX + 16];
	struct slice reason;

	if (peer_refuse_decode(body, &reason) != OK)
		reason = SLICE_LITERAL("no reason given");
	snprintf(why, sizeof(why), "refused: %.*s", (int)reason.len, (const char *)reason.data);
	join_fail(j, why);
}

static void join_hear(struct join *j, struct slice bytes)
{
	struct blob *body = NULL;
	unsigned kind = 0;
	enum peer_outcome outcome = peer_reader_take(&j->reader, &bytes, &kind, &body);

	if (outcome == PEER_MORE)
		return;
	if (outcome == PEER_FRAME && kind == PEER_JOINED)
		join_hear_joined(j, slice_of(body->data, body->len));
	else if (outcome == PEER_FRAME && kind == PEER_REFUSE)
		join_hear_refuse(j, slice_of(body->data, body->len));
	else
		join_fail(j, "who answers is no member");
	blob_release(body);
}

static void join_readable(void *ctx)
{
	struct join *j = ctx;
	uint8_t bytes[16384];
	struct iovec room = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	ssize_t n = wire_read(j->wire, &room, 1);

	if (n > 0)
		join_hear(j, slice_of(bytes, (size_t)n));
	else if (n < 0)
		join_fail(j, j->wire->problem);
}

/* ---- the question ---------------------------------------------------------------------------- */

static void join_opened(void *ctx)
{
	struct join *j = ctx;
	struct buf bytes = {0};
	struct peer_join join = {
		.token = peer_token(slice_of_text(j->options.token)),
		.id = j->options.id,
		.rises = j->options.rises,
		.name = slice_of_text(j->options.name),
		.address = slice_of_text(j->options.address),
	};
	struct iovec whole;
	ssize_t n;

	peer_join_encode(&join, &bytes);
	whole = (struct iovec){.iov_base = bytes.data, .iov_len = bytes.len};
	peer_reader_init(&j->reader, PEER_JOINED_MAX);
	n = wire_write(j->wire, &whole, 1);
	if (n < 0)
		join_fail(j, j->wire->problem);
	else if ((size_t)n < bytes.len)
		join_fail(j, "it takes no question");
	buf_free(&bytes);
}

static void join_refused(void *ctx, const char *why, bool refused)
{
	(void)refused;
	join_fail(ctx, why);
}

/* The question goes out whole or not at all. */
static void join_writable(void *ctx)
{
	(void)ctx;
}

static const struct wire_events join_wire_events = {
	.opened = join_opened,
	.failed = join_refused,
	.readable = join_readable,
	.writable = join_writable,
};

/* A host with several addresses goes on to the next one with each attempt. */
static void join_aim(struct join *j, struct slice host, uint16_t port)
{
	if (j->wire && j->port == port && slice_equal(host, buf_slice(&j->host)))
		return;
	if (j->wire)
		wire_free(j->wire);
	buf_clear(&j->host);
	buf_append_slice(&j->host, host);
	j->port = port;
	j->wire = wire_new(j->options.wires, host, port, &join_wire_events, j);
}

static void join_begin(struct join *j)
{
	struct slice host;
	uint16_t port;

	j->busy = true;
	if (label_address(buf_slice(&j->next), &host, &port) != OK &&
	    label_address(j->options.at, &host, &port) != OK) {
		join_fail(j, "nobody says where");
		return;
	}
	join_aim(j, host, port);
	join_set_timer(j, JOIN_PATIENCE_MS);
	wire_dial(j->wire);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct join *join_new(const struct join_options *options, const struct join_events *events)
{
	struct join *j = MEM_NEW(struct join);

	j->options = *options;
	j->events = events;
	join_set_timer(j, 0);
	return j;
}

void join_turn(struct join *j)
{
	if (clock_monotonic_us(j->options.clock) / 1000 < j->due_ms)
		return;
	if (j->busy)
		join_fail(j, "no answer");
	else
		join_begin(j);
}

uint64_t join_deadline_ms(const struct join *j)
{
	return j->due_ms;
}

void join_free(struct join *j)
{
	if (!j)
		return;
	if (j->wire)
		wire_free(j->wire);
	peer_reader_close(&j->reader);
	buf_free(&j->next);
	buf_free(&j->host);
	mem_free(j);
}
