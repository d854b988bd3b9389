/* Connections from others: who is it, may it, and then its frames. */

#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "peer/peers_internal.h"

#include <inttypes.h>

/* Who is not welcome, or does not find whom it looks for, comes again and again. */
static bool was_said(struct peers *p, const char *why)
{
	uint64_t hash = hash64(slice_of_text(why)), now_ms = peer_timers_now_ms(&p->timers);

	for (size_t i = 0; i < ARRAY_LEN(p->told); i++)
		if (p->told[i].hash == hash && now_ms < p->told[i].said_ms + PEER_COMPLAINTS_MS)
			return true;
	p->told[p->told_next] = (struct complaint){hash, now_ms};
	p->told_next = (p->told_next + 1) % ARRAY_LEN(p->told);
	return false;
}

/* Says what is wrong with a connection, for each reason once in a while. */
static void inlet_complain(struct peer_inlet *in, const char *why)
{
	struct peers *p = in->owner;
	struct buf text = {0};

	if (in->peer) {
		buf_printf(&text, "a connection from %s ends: %s%c", in->peer->name, why, '\0');
		if (!was_said(p, (const char *)text.data))
			LOG(p->options.logger, LOG_NOTICE, "%s", (const char *)text.data);
	} else if (!was_said(p, why)) {
		wire_describe(in->wire, &text);
		LOG(p->options.logger, LOG_WARNING, "a connection from %.*s is refused: %s",
		    (int)text.len, (const char *)text.data, why);
	}
	buf_free(&text);
}

static bool inlet_answer(struct peer_inlet *in, const struct buf *bytes)
{
	struct iovec whole = {.iov_base = bytes->data, .iov_len = bytes->len};

	return wire_write(in->wire, &whole, 1) == (ssize_t)bytes->len;
}

/* ---- greeting -------------------------------------------------------------------------------- */

/* Whether this one may be heard; if not, `why` tells both sides. */
static bool hello_is_good(const struct peers *p, const struct peer_hello *hello, struct buf *why)
{
	const struct peers_options *o = &p->options;

	if (hello->token != p->token && !MUTANT(greeting_any_cluster))
		buf_printf(why, "the cluster-token of %s is another one", o->name);
	else if (hello->expected.len && !slice_equal(hello->expected, slice_of_text(o->name)) &&
		 !MUTANT(greeting_for_others))
		buf_printf(why, "this is %s, not %.*s; compare initial-cluster on both", o->name,
			   (int)hello->expected.len, (const char *)hello->expected.data);
	else if (hello->id == o->id)
		buf_printf(why,
			   "%.*s has the id of %s, %016" PRIx64 ": one directory is a copy of "
			   "the other",
			   (int)hello->name.len, (const char *)hello->name.data, o->name, o->id);
	return why->len == 0;
}

static void inlet_refuse(struct peer_inlet *in, const struct buf *why)
{
	struct buf bytes = {0}, text = {0};

	buf_printf(&text, "%.*s", (int)why->len, (const char *)why->data);
	buf_append_byte(&text, '\0');
	inlet_complain(in, (const char *)text.data);
	peer_refuse_encode(buf_slice(why), &bytes);
	(void)inlet_answer(in, &bytes);
	buf_free(&bytes);
	buf_free(&text);
	peer_inlet_free(in);
}

/* What an earlier connection of this kind had not delivered is void anyway. */
static void inlet_replace(struct peer_inlet *in)
{
	list_for_each_safe (it, &in->owner->inlets) {
		struct peer_inlet *other = LIST_ITEM(it, struct peer_inlet, link);

		if (other != in && other->id == in->id && other->channel == in->channel &&
		    !MUTANT(old_connection_heard))
			peer_inlet_free(other);
	}
}

/* False: the inlet is gone. */
static bool inlet_welcome(struct peer_inlet *in, struct peer *peer, const struct peer_hello *hello)
{
	struct peers *p = in->owner;
	struct peer_welcome welcome = {.id = p->options.id, .name = slice_of_text(p->options.name)};
	struct buf bytes = {0};
	bool sent;

	peer_welcome_encode(&welcome, &bytes);
	sent = inlet_answer(in, &bytes);
	buf_free(&bytes);
	if (!sent) {
		peer_inlet_free(in);
		return false;
	}
	in->peer = peer;
	in->id = hello->id;
	in->channel = (enum peer_channel)hello->channel;
	peer_timer_stop(&p->timers, &in->patience);
	list_remove(&in->link);
	list_push_back(&p->inlets, &in->link);
	p->stranger_count--;
	in->reader.max = PEER_FRAME_MAX;
	inlet_replace(in);
	peer_is_found(peer, hello->id, hello->address);
	return true;
}

/* Nobody here knows who connects. Without a leader that says little: it may have come meanwhile. */
static void unknown_put(const struct peers *p, struct slice name, struct buf *why)
{
	if (p->leaderless)
		buf_printf(
			why,
			"%s hears from no leader and cannot say whether %.*s takes part; if that "
			"stays so, compare initial-cluster, or let it --join",
			p->options.name, (int)name.len, (const char *)name.data);
	else
		buf_printf(why,
			   "%s knows no member called %.*s, or it was removed; compare "
			   "initial-cluster, or let it --join",
			   p->options.name, (int)name.len, (const char *)name.data);
}

/* Who takes part is known by its id; before that is known, by its name. */
static struct peer *inlet_who(struct peers *p, const struct peer_hello *hello, struct buf *why)
{
	struct peer *peer = peers_find_id(p, hello->id);
	int len = (int)hello->name.len;
	const char *name = (const char *)hello->name.data;

	if (peer)
		return peer;
	peer = peers_find(p, hello->name);
	if (peer && (!peer->fixed || MUTANT(greeting_other_directory)))
		return peer;
	if (!peer && MUTANT(greeting_unknown) && p->count)
		return p->list[0];
	if (peer)
		buf_printf(why,
			   "%.*s is %016" PRIx64 " and not %016" PRIx64
			   ": this is another directory. "
			   "Let it join under another name, then MEMBER REPLACE %.*s",
			   len, name, peer->id, hello->id, len, name);
	else
		unknown_put(p, hello->name, why);
	peers_met_stranger(p, hello->address);
	return NULL;
}

/* The answer, and the connection ends: whoever joins is connected to when it takes part. */
static void inlet_hear_join(struct peer_inlet *in, struct slice body)
{
	struct peers *p = in->owner;
	struct buf why = {0}, answer = {0};
	struct peer_join join;
	uint16_t version = 0;
	int rc = peer_join_decode(body, &join, &version);

	if (rc == ERR_VERSION)
		buf_printf(&why, "it speaks version %u of the protocol, %s speaks %u; upgrade one",
			   version, p->options.name, PEER_VERSION);
	else if (rc != OK || !p->events->join)
		buf_printf(&why, "who connects is no member");
	else if (join.token != p->token && !MUTANT(join_any_cluster))
		buf_printf(&why, "the cluster-token of %s is another one", p->options.name);
	else if (p->events->join(p->events->ctx, &join, &answer, &why))
		(void)inlet_answer(in, &answer);
	if (why.len)
		inlet_refuse(in, &why);
	else
		peer_inlet_free(in);
	buf_free(&why);
	buf_free(&answer);
}

/* False: the inlet is gone. */
static bool inlet_hear_hello(struct peer_inlet *in, unsigned kind, struct slice body)
{
	struct peers *p = in->owner;
	struct peer_hello hello = {0};
	struct peer *peer = NULL;
	struct buf why = {0};
	uint16_t version = 0;
	int rc;

	if (kind == PEER_JOIN) {
		inlet_hear_join(in, body);
		return false;
	}
	rc = kind == PEER_HELLO ? peer_hello_decode(body, &hello, &version) : ERR_MALFORMED;

	if (rc == ERR_MALFORMED)
		buf_printf(&why, "who connects is no member");
	else if (rc == ERR_VERSION)
		buf_printf(&why, "it speaks version %u of the protocol, %s speaks %u; upgrade one",
			   version, p->options.name, PEER_VERSION);
	else if (hello_is_good(p, &hello, &why))
		peer = inlet_who(p, &hello, &why);
	if (why.len) {
		inlet_refuse(in, &why);
		buf_free(&why);
		return false;
	}
	return inlet_welcome(in, peer, &hello);
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* False: the inlet is gone. */
static bool inlet_hear_frame(struct peer_inlet *in, unsigned kind, struct blob *body)
{
	const struct peers_events *events = in->owner->events;

	if (!in->peer)
		return inlet_hear_hello(in, kind, slice_of(body->data, body->len));
	if (kind >= PEER_HELLO) {
		inlet_complain(in, "it greets twice");
		peer_inlet_free(in);
		return false;
	}
	events->receive(events->ctx, in->id, kind, body);
	return true;
}

static void inlet_hear(struct peer_inlet *in, struct slice bytes)
{
	for (;;) {
		struct blob *body = NULL;
		unsigned kind = 0;
		enum peer_outcome outcome = peer_reader_take(&in->reader, &bytes, &kind, &body);
		bool goes_on;

		if (outcome == PEER_MORE)
			return;
		if (outcome == PEER_BROKEN) {
			inlet_complain(in, in->reader.broken);
			peer_inlet_free(in);
			return;
		}
		goes_on = inlet_hear_frame(in, kind, body);
		blob_release(body);
		if (!goes_on)
			return;
	}
}

static void inlet_readable(void *ctx)
{
	struct peer_inlet *in = ctx;
	struct slice bytes;
	ssize_t n = peer_read(in->owner, &in->reader, in->wire, &bytes);

	if (n > 0) {
		inlet_hear(in, bytes);
	} else if (n < 0) {
		inlet_complain(in, in->wire->problem);
		peer_inlet_free(in);
	}
}

/* What was answered has not gone out whole, and then the connection has ended already. */
static void inlet_writable(void *ctx)
{
	(void)ctx;
}

static const struct wire_events inlet_events = {
	.readable = inlet_readable,
	.writable = inlet_writable,
};

static void inlet_out_of_patience(struct peer_timer *t)
{
	struct peer_inlet *in = CONTAINER_OF(t, struct peer_inlet, patience);

	inlet_complain(in, "who connects says nothing");
	peer_inlet_free(in);
}

void peer_inlet_new(struct peers *owner, struct wire *wire)
{
	struct peer_inlet *in = MEM_NEW(struct peer_inlet);

	in->owner = owner;
	in->wire = wire;
	wire_tell(wire, &inlet_events, in);
	peer_reader_init(&in->reader, PEER_GREETING_MAX);
	list_push_back(&owner->strangers, &in->link);
	owner->stranger_count++;
	in->patience.fire = inlet_out_of_patience;
	if (!MUTANT(silent_stranger_stays))
		peer_timer_set(&owner->timers, &in->patience, PEER_GREETING_MS);
}

void peer_inlet_free(struct peer_inlet *in)
{
	if (!in->peer)
		in->owner->stranger_count--;
	peer_timer_stop(&in->owner->timers, &in->patience);
	list_remove(&in->link);
	wire_free(in->wire);
	peer_reader_close(&in->reader);
	mem_free(in);
}
