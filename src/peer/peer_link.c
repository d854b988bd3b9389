/* The connections to a peer: standing up, greeting, sending, and up again after every failure. */

#include "base/check.h"
#include "base/error.h"
#include "base/mutant.h"
#include "peer/peers_internal.h"

#include <inttypes.h>
#include <stdio.h>

/* A connection that stood for so long was a good one: its end is followed by a new one at once. */
#define GOOD_MS 100

static const struct peers_options *link_options(const struct peer_link *l)
{
	return &l->peer->owner->options;
}

static struct peer_timers *link_timers(struct peer_link *l)
{
	return &l->peer->owner->timers;
}

/* Says why there is no connection, once for each reason. */
static void link_complain(struct peer_link *l, const char *why)
{
	uint64_t hash = hash64(slice_of_text(why));

	if (l->channel != PEER_PROMPT || l->told == hash)
		return;
	l->told = hash;
	LOG(link_options(l)->logger, LOG_WARNING, "no connection to %s at %s:%u: %s", l->peer->name,
	    l->peer->host, l->peer->port, why);
}

static void link_disconnect(struct peer_link *l)
{
	peer_timer_stop(link_timers(l), &l->timer);
	wire_close(l->wire);
	peer_reader_close(&l->reader);
	gather_free(&l->out);
	list_remove(&l->dirty);
	l->dropping = false;
}

/* The next try, after a time that is never quite the same on two members. */
static void link_wait(struct peer_link *l)
{
	uint64_t half = l->backoff_ms / 2;
	uint32_t least = l->peer->lost ? PEER_BACKOFF_LOST_MS : PEER_BACKOFF_MIN_MS;

	l->state = LINK_WAITING;
	peer_timer_set(link_timers(l), &l->timer,
		       (uint32_t)(half + random_below(link_options(l)->random, half + 1)));
	l->backoff_ms = MAX(MIN(l->backoff_ms * 2, PEER_BACKOFF_MAX_MS), least);
}

/* A try that came to nothing; `why` is NULL if there is nothing to say of it. */
static void link_fail(struct peer_link *l, const char *why, bool refused)
{
	struct peer *peer = l->peer;

	if (why)
		link_complain(l, why);
	link_disconnect(l);
	wire_move_on(l->wire);
	link_wait(l);
	if (l->channel == PEER_PROMPT)
		peer_is_missed(peer);
	if (refused && peer->lost && l->channel == PEER_PROMPT) {
		peer->lost = false;
		peer->owner->events->gone(peer->owner->events->ctx, peer->id);
	}
}

/* A connection that stood has ended. */
static void link_lose(struct peer_link *l, const char *why)
{
	link_complain(l, why);
	link_disconnect(l);
	if (l->channel == PEER_PROMPT)
		l->peer->lost = true;
	if (l->channel == PEER_PROMPT && MUTANT(gone_when_closed))
		l->peer->owner->events->gone(l->peer->owner->events->ctx, l->peer->id);
	if (peer_timers_now_ms(link_timers(l)) - l->up_since_ms >= GOOD_MS)
		l->backoff_ms = 0;
	link_wait(l);
	if (l->channel == PEER_PROMPT)
		peer_is_missed(l->peer);
}

/* ---- greeting -------------------------------------------------------------------------------- */

static void link_up(struct peer_link *l, const struct peer_welcome *welcome)
{
	struct peer *peer = l->peer;
	struct peers *owner = peer->owner;

	peer_timer_stop(link_timers(l), &l->timer);
	peer_reader_close(&l->reader);
	if (peer->id && peer->id != welcome->id)
		LOG(owner->options.logger, LOG_WARNING,
		    "%s was %016" PRIx64 " and is %016" PRIx64 " now: its directory is another one",
		    peer->name, peer->id, welcome->id);
	peer->id = welcome->id;
	l->state = LINK_UP;
	l->up_since_ms = peer_timers_now_ms(link_timers(l));
	l->told = 0;
	if (l->channel == PEER_PROMPT) {
		peer->lost = false;
		if (peer->guess)
			LOG(owner->options.logger, LOG_NOTICE, "%s (%016" PRIx64 ") is at %s:%u",
			    peer->name, peer->id, peer->host, peer->port);
		else
			LOG(owner->options.logger, LOG_NOTICE, "connected to %s (%016" PRIx64 ")",
			    peer->name, peer->id);
		peer_is_reached(peer);
	}
	owner->events->connected(owner->events->ctx, peer->id);
}

/* Whether who answers is the one that was called. */
static bool link_has_reached(const struct peer_link *l, const struct peer_welcome *welcome)
{
	const struct peer *known = peers_find(l->peer->owner, slice_of_text(l->peer->name));

	if (l->peer->fixed)
		return welcome->id == l->peer->id;
	if (known && known->fixed)
		return welcome->id == known->id;
	return slice_equal(welcome->name, slice_of_text(l->peer->name));
}

static void link_hear_welcome(struct peer_link *l, struct slice body)
{
	struct peer_welcome welcome;
	uint16_t version;

	if (peer_welcome_decode(body, &welcome, &version) != OK)
		link_fail(l, "its greeting cannot be read", false);
	else if (!link_has_reached(l, &welcome))
		link_fail(l, "another member is there", false);
	else
		link_up(l, &welcome);
}

static void link_hear_refuse(struct peer_link *l, struct slice body)
{
	char why[PEER_GREETING_MAX];
	struct slice reason;

	if (peer_refuse_decode(body, &reason) != OK)
		reason = SLICE_LITERAL("no reason given");
	snprintf(why, sizeof(why), "refused: %.*s", (int)reason.len, (const char *)reason.data);
	l->backoff_ms = PEER_BACKOFF_MAX_MS;
	link_fail(l, l->peer->owner->newcomer ? NULL : why, false);
}

static void link_hear_greeting(struct peer_link *l, struct slice bytes)
{
	struct blob *body = NULL;
	unsigned kind = 0;
	enum peer_outcome outcome = peer_reader_take(&l->reader, &bytes, &kind, &body);

	if (outcome == PEER_MORE)
		return;
	if (outcome == PEER_FRAME && kind == PEER_WELCOME)
		link_hear_welcome(l, slice_of(body->data, body->len));
	else if (outcome == PEER_FRAME && kind == PEER_REFUSE)
		link_hear_refuse(l, slice_of(body->data, body->len));
	else
		link_fail(l, "who answers is no member", false);
	blob_release(body);
}

static void link_greet(void *ctx)
{
	struct peer_link *l = ctx;
	const struct peers_options *options = link_options(l);
	struct buf bytes = {0};
	struct peer_hello hello = {
		.channel = (uint8_t)l->channel,
		.token = l->peer->owner->token,
		.id = options->id,
		.name = slice_of_text(options->name),
		.expected = l->peer->fixed ? (struct slice){0} : slice_of_text(l->peer->name),
		.address = slice_of_text(options->address),
	};

	l->state = LINK_GREETING;
	peer_reader_init(&l->reader, PEER_GREETING_MAX);
	peer_hello_encode(&hello, &bytes);
	gather_add(&l->out, buf_slice(&bytes));
	buf_free(&bytes);
	peer_link_flush(l);
}

/* ---- the wire -------------------------------------------------------------------------------- */

static void link_readable(void *ctx)
{
	struct peer_link *l = ctx;
	struct slice bytes;
	ssize_t n = peer_read(l->peer->owner, &l->reader, l->wire, &bytes);

	if (n == 0)
		return;
	if (l->state == LINK_UP)
		link_lose(l, n > 0 ? "it answers where it should not" : l->wire->problem);
	else if (n > 0)
		link_hear_greeting(l, bytes);
	else
		link_fail(l, l->wire->problem, false);
}

static void link_writable(void *ctx)
{
	struct peer_link *l = ctx;

	list_remove(&l->dirty);
	list_push_back(&l->peer->owner->dirty, &l->dirty);
}

static void link_refused(void *ctx, const char *why, bool refused)
{
	link_fail(ctx, why, refused);
}

static const struct wire_events link_events = {
	.opened = link_greet,
	.failed = link_refused,
	.readable = link_readable,
	.writable = link_writable,
};

static void link_timer(struct peer_timer *t)
{
	struct peer_link *l = CONTAINER_OF(t, struct peer_link, timer);

	if (l->state != LINK_WAITING) {
		link_fail(l, "no answer", false);
		return;
	}
	l->state = LINK_DIALLING;
	peer_timer_set(link_timers(l), t, PEER_GREETING_MS);
	wire_dial(l->wire);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static size_t frame_len(const struct frame *frame)
{
	size_t len = frame->head.len;

	for (size_t i = 0; i < frame->count; i++)
		len += frame->entries[i].len;
	return len;
}

static uint64_t frame_hash(struct hash_stream *hash, const struct frame *frame, size_t len)
{
	if (frame->count == 0)
		return hash64_salted(frame->head, peer_frame_salt(frame->kind, len));
	hash_stream_begin(hash, peer_frame_salt(frame->kind, len));
	hash_stream_add(hash, frame->head);
	for (size_t i = 0; i < frame->count; i++)
		hash_stream_add(hash, entry_payload(&frame->entries[i]));
	return hash_stream_end(hash);
}

static bool link_has_room(struct peer_link *l, size_t len)
{
	bool room = l->out.queued == 0 || l->out.queued + len <= link_options(l)->queued_bytes ||
		    MUTANT(queue_without_bound);

	if (!room && !l->dropping)
		LOG(link_options(l)->logger, LOG_WARNING,
		    "%s takes what is sent too slowly: %zu bytes wait, more is dropped until it "
		    "has caught up",
		    l->peer->name, l->out.queued);
	l->dropping = !room;
	return room;
}

void peer_link_send(struct peer_link *l, const struct frame *frame)
{
	size_t len = frame_len(frame);
	uint8_t head[PEER_FRAME_HEAD];

	if (l->state != LINK_UP || !link_has_room(l, PEER_FRAME_HEAD + len))
		return;
	CHECK(len <= PEER_FRAME_MAX);
	peer_frame_put_head(head, frame->kind, len, frame_hash(l->peer->owner->hash, frame, len));
	gather_add(&l->out, slice_of(head, sizeof(head)));
	gather_add(&l->out, frame->head);
	for (size_t i = 0; i < frame->count; i++)
		gather_add_held(&l->out, entry_payload(&frame->entries[i]), frame->entries[i].blob);
	list_remove(&l->dirty);
	list_push_back(&l->peer->owner->dirty, &l->dirty);
}

void peer_link_flush(struct peer_link *l)
{
	if (gather_write(&l->out, l->wire))
		return;
	if (l->state == LINK_UP)
		link_lose(l, l->wire->problem);
	else
		link_fail(l, l->wire->problem, false);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void link_begin(struct peer_link *l)
{
	const struct peer *peer = l->peer;

	l->wire = wire_new(peer->owner->options.wires, slice_of_text(peer->host), peer->port,
			   &link_events, l);
	if (*peer->host)
		link_wait(l);
}

void peer_link_init(struct peer_link *l, struct peer *peer, enum peer_channel channel)
{
	*l = (struct peer_link){.peer = peer, .channel = channel};
	l->timer.fire = link_timer;
	list_init(&l->dirty);
	link_begin(l);
}

void peer_link_aim(struct peer_link *l)
{
	link_disconnect(l);
	wire_free(l->wire);
	l->backoff_ms = 0;
	link_begin(l);
}

void peer_link_close(struct peer_link *l)
{
	link_disconnect(l);
	wire_free(l->wire);
}
