/*
 * Who connects to members and is none: of another cluster, removed, in the wrong place, a copy,
 * rubbish, or nobody who says anything. Whoever is welcomed all the same is found.
 */

#include "sim/nemesis.h"
#include "sim/streams.h"

#include "base/codec.h"
#include "base/mem.h"
#include "peer/company.h"
#include "peer/peers_internal.h"

enum stranger_kind {
	STRANGER_TOKEN,	   /* of another cluster */
	STRANGER_UNKNOWN,  /* whom nobody has heard of */
	STRANGER_MISLED,   /* who looks for somebody else */
	STRANGER_COPY,	   /* with the id of whom it calls */
	STRANGER_IMPOSTOR, /* with the name of a member, and another directory */
	STRANGER_REMOVED,
	STRANGER_NEWER, /* of another version */
	STRANGER_JOINS, /* with the token of another cluster */
	STRANGER_RUBBISH,
	STRANGER_HALF,	 /* whose greeting ends in the middle */
	STRANGER_SILENT, /* who says nothing */
	STRANGER_KINDS,
};

struct stranger {
	struct list link; /* in world->strangers */
	struct world *world;
	struct host *target;
	uint64_t target_id;  /* the directory that is called: with another one it knows nobody */
	uint64_t started_us; /* of the process that is called */
	enum stranger_kind kind;
	struct wire *wire;
	struct buf says;
	struct peer_reader reader;
};

static void stranger_free(struct stranger *s)
{
	list_remove(&s->link);
	wire_free(s->wire);
	peer_reader_close(&s->reader);
	buf_free(&s->says);
	mem_free(s);
}

void strangers_close(struct world *w)
{
	list_for_each_safe (it, &w->strangers)
		stranger_free(LIST_ITEM(it, struct stranger, link));
}

/* ---- what it says ---------------------------------------------------------------------------- */

/* Somebody whose removal the target has known for so long that it has left. */
static uint64_t removed_id(struct host *target)
{
	const struct membership *m = driver_settled_membership(target->driver);
	uint64_t known_us = target->world->now_us - target->seen.removed_us;

	/* Its clock may go slower. */
	if (m->removed_count == 0 || known_us < target->world->profile.leave_ms * 1100u + 500000)
		return 0;
	return m->removed[random_below(&target->world->random, m->removed_count)];
}

/* A member that the target knows by its id. */
static const struct host *known_member(struct host *target)
{
	const struct membership *m = driver_membership(target->driver);
	struct world *w = target->world;
	const struct participant *p = &m->members[random_below(&w->random, m->count)];
	const struct host *known = host_by_id(w, p->id);

	return known != target ? known : NULL;
}

static void encode_hello(const struct stranger *s, struct peer_hello *hello, struct buf *out)
{
	uint8_t *version;

	peer_hello_encode(hello, out);
	if (s->kind != STRANGER_NEWER)
		return;
	/* Another version behind the magic number, and a hash that is right. */
	version = out->data + PEER_FRAME_HEAD + 4;
	fixed16_put(version, PEER_VERSION + 1);
	peer_frame_put_head(
		out->data, PEER_HELLO, out->len - PEER_FRAME_HEAD,
		hash64_salted(slice_of(out->data + PEER_FRAME_HEAD, out->len - PEER_FRAME_HEAD),
			      peer_frame_salt(PEER_HELLO, out->len - PEER_FRAME_HEAD)));
}

static void say_rubbish(struct stranger *s)
{
	size_t len = random_between(&s->world->random, 1, 3000);

	for (size_t i = 0; i < len; i++)
		buf_append_byte(&s->says, (uint8_t)random_next(&s->world->random));
}

static void say_join(struct stranger *s, uint64_t token, uint64_t id)
{
	struct peer_join join = {
		.token = token,
		.id = id,
		.name = SLICE_LITERAL("n99"),
		.address = slice_of_text(s->target->address),
	};

	peer_join_encode(&join, &s->says);
}

/* False: there is nobody of this kind now. */
static bool stranger_prepares(struct stranger *s)
{
	struct host *target = s->target;
	struct random *random = &s->world->random;
	const struct host *known = known_member(target);
	struct peer_hello hello = {
		.channel = (uint8_t)random_below(random, PEER_CHANNELS),
		.token = company_peers(target->company)->token,
		.id = random_next(random) | 1,
		.name = SLICE_LITERAL("n99"),
		.expected = slice_of_text(target->name),
	};

	if (!known)
		return false;
	switch (s->kind) {
	case STRANGER_TOKEN:
		hello.token ^= 1;
		hello.id = known->id;
		hello.name = slice_of_text(known->name);
		break;
	case STRANGER_MISLED:
		hello.id = known->id;
		hello.name = slice_of_text(known->name);
		hello.expected = slice_of_text(known->name);
		break;
	case STRANGER_COPY:
		hello.id = target->id;
		hello.name = slice_of_text(target->name);
		break;
	case STRANGER_IMPOSTOR:
		hello.name = slice_of_text(known->name);
		break;
	case STRANGER_REMOVED:
		hello.id = removed_id(target);
		break;
	case STRANGER_NEWER:
		hello.id = known->id;
		break;
	case STRANGER_JOINS:
		say_join(s, hello.token ^ 1, hello.id);
		return true;
	case STRANGER_RUBBISH:
		say_rubbish(s);
		return true;
	case STRANGER_SILENT:
		return true;
	default:
		break;
	}
	encode_hello(s, &hello, &s->says);
	if (s->kind == STRANGER_HALF)
		s->says.len = random_between(random, 1, s->says.len - 1);
	return hello.id != 0;
}

/* ---- what it hears --------------------------------------------------------------------------- */

static void stranger_opened(void *ctx)
{
	struct stranger *s = ctx;
	struct iovec whole = {.iov_base = s->says.data, .iov_len = s->says.len};

	if (s->says.len && wire_write(s->wire, &whole, 1) < 0)
		stranger_free(s);
}

static void stranger_failed(void *ctx, const char *why, bool refused)
{
	(void)why;
	(void)refused;
	stranger_free(ctx);
}

/*
 * A process begins with those that it was started with, and is some time later rid of who was
 * removed; what was on its way may come to a later one.
 */
static bool stranger_is_none(const struct stranger *s)
{
	return s->target->id == s->target_id &&
	       (s->kind != STRANGER_REMOVED || s->target->seen.started_us == s->started_us);
}

static void stranger_hears(struct stranger *s, struct slice bytes)
{
	struct blob *body = NULL;
	unsigned kind = 0;

	if (peer_reader_take(&s->reader, &bytes, &kind, &body) == PEER_FRAME &&
	    stranger_is_none(s) && (kind == PEER_WELCOME || kind == PEER_JOINED))
		world_fail(s->world, "%s welcomes a stranger of kind %d", s->target->name,
			   (int)s->kind);
	blob_release(body);
}

static void stranger_readable(void *ctx)
{
	struct stranger *s = ctx;
	uint8_t bytes[4096];
	struct iovec room = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	ssize_t n = wire_read(s->wire, &room, 1);

	if (n > 0)
		stranger_hears(s, slice_of(bytes, (size_t)n));
	else if (n < 0)
		stranger_free(s);
}

static void stranger_writable(void *ctx)
{
	(void)ctx;
}

static const struct wire_events stranger_events = {
	.opened = stranger_opened,
	.failed = stranger_failed,
	.readable = stranger_readable,
	.writable = stranger_writable,
};

/* ---- faults of connections ------------------------------------------------------------------- */

/* A member that knows by id who takes part. */
static struct host *settled_member(struct world *w)
{
	struct host *h = victim(w);
	struct raft_status s;

	if (!h || !h->company || !company_takes_part(h->company))
		return NULL;
	driver_status(h->driver, &s);
	return s.born ? h : NULL;
}

bool act_stranger(struct world *w)
{
	struct host *target = settled_member(w);
	struct host *from = &w->hosts[random_below(&w->random, w->host_count)];
	struct stranger *s;

	if (!target || from == target || from->state != HOST_UP)
		return false;
	s = MEM_NEW(struct stranger);
	s->world = w;
	s->target = target;
	s->target_id = target->id;
	s->started_us = target->seen.started_us;
	s->kind = (enum stranger_kind)random_below(&w->random, STRANGER_KINDS);
	list_push_back(&w->strangers, &s->link);
	peer_reader_init(&s->reader, PEER_JOINED_MAX);
	s->wire = wire_new(&from->wires, slice_of_text(target->name), target->port,
			   &stranger_events, s);
	if (!stranger_prepares(s)) {
		stranger_free(s);
		return false;
	}
	TRACE(w, target, "is called by a stranger of kind %d", (int)s->kind);
	wire_dial(s->wire);
	return true;
}

/* Something before a host refuses who connects, and its connections break. */
bool act_refuse(struct world *w)
{
	struct host *h = victim(w);

	if (!h || !w->profile.streams)
		return false;
	TRACE(w, h, "cannot be connected to");
	h->refuses_till_us = w->now_us + draw(w, 1000, 2000000);
	streams_break(h);
	return true;
}
