/*
 * Commands, and frames from elsewhere, against a whole member that runs alone (support/solo.h):
 * whatever comes, it goes on, and each request is answered, in its turn.
 *
 * Input: pieces, each a byte that says what it is, a byte for its length, and so many bytes:
 * a part of what a client sends, a frame from another member (the first byte of the piece is its
 * kind), a batch as an entry's payload with a head that would be taken, or the end of the process.
 */

#include "base/check.h"
#include "base/error.h"
#include "node/batch.h"
#include "resp/parser.h"
#include "support/replies.h"
#include "support/solo.h"

#define STRANGER 77 /* no member of the cluster */

enum piece_kind {
	PIECE_CLIENT,
	PIECE_FRAME,
	PIECE_BATCH,
	PIECE_RESTART,
	PIECE_KINDS,
};

struct world {
	struct solo solo;
	struct resp_limits limits;
	struct resp_parser parser;
	struct buf in;
	uint64_t asked; /* replies that are to come */
	bool closed;	/* the client's input has ended */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As many replies as were asked for, each of them whole; behind a QUIT none. */
static void take_replies(struct world *w)
{
	struct buf *out = session_output(w->solo.session);
	size_t at = 0;

	CHECK(session_is_idle(w->solo.session));
	for (; at < out->len; w->asked--) {
		size_t len = reply_len(out->data + at, out->len - at);

		CHECK(len > 0 && w->asked > 0);
		at += len;
	}
	if (session_wants_close(w->solo.session))
		w->closed = true;
	else
		CHECK(w->asked == 0);
	buf_clear(out);
}

static void settle(struct world *w)
{
	solo_work(&w->solo);
	CHECK(!member_stopped(w->solo.member) && w->solo.failures == 0);
	take_replies(w);
}

static void client_sends(struct world *w, struct slice bytes)
{
	enum resp_outcome outcome;
	struct resp_found found;

	if (w->closed)
		return;
	buf_append_slice(&w->in, bytes);
	do {
		outcome = resp_parser_next(&w->parser, w->in.data, w->in.len, &found);
		if (outcome == RESP_REQUEST)
			session_request(w->solo.session, found.argv, found.argc);
		else if (outcome == RESP_TOO_LARGE)
			session_refuse(w->solo.session, SLICE_LITERAL("ERR too large"));
		else if (outcome == RESP_BROKEN)
			session_refuse(w->solo.session, found.error);
		w->asked += outcome != RESP_MORE;
		w->closed = outcome == RESP_BROKEN;
		buf_consume(&w->in, found.consumed);
	} while (outcome != RESP_MORE && outcome != RESP_BROKEN);
}

static void frame_comes(struct world *w, unsigned kind, struct slice bytes)
{
	struct blob *body = blob_copy(bytes);

	member_receive(w->solo.member, STRANGER, (enum frame_kind)kind, body);
	blob_release(body);
}

/* Commands of any bytes, under a head that this leader takes. */
static void batch_comes(struct world *w, struct slice bytes)
{
	struct batch_header h = {.member = STRANGER, .incarnation = 1, .seq = 1};
	uint8_t head[BATCH_HEADER_BYTES];
	struct raft_status status;
	struct buf batch = {0};

	if (bytes.len == 0)
		return;
	driver_status(member_driver(w->solo.member), &status);
	h.term = status.term;
	h.count = bytes.data[0] & 0x3f;
	if (bytes.data[0] & 0x40) {
		h.member = status.id;
		h.incarnation = 2;
	}
	batch_header_put(head, &h);
	buf_append(&batch, head, sizeof(head));
	buf_append(&batch, bytes.data + 1, bytes.len - 1);
	frame_comes(w, FRAME_FORWARD, buf_slice(&batch));
	buf_free(&batch);
}

/* What was asked before may be forgotten; nothing else may. */
static void begin(struct world *w)
{
	w->asked = 0;
	w->closed = false;
	buf_clear(&w->in);
	resp_parser_init(&w->parser, &w->limits);
	CHECK(solo_start(&w->solo) == OK);
}

static void piece_comes(struct world *w, unsigned kind, struct slice bytes)
{
	switch ((enum piece_kind)(kind % PIECE_KINDS)) {
	case PIECE_CLIENT:
		client_sends(w, bytes);
		break;
	case PIECE_FRAME:
		if (bytes.len > 0)
			frame_comes(w, bytes.data[0], slice_of(bytes.data + 1, bytes.len - 1));
		break;
	case PIECE_BATCH:
		batch_comes(w, bytes);
		break;
	case PIECE_RESTART:
		solo_stop(&w->solo, bytes.len % 2);
		resp_parser_close(&w->parser);
		begin(w);
		return;
	case PIECE_KINDS:
		break;
	}
	if (kind & 0x80)
		settle(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.limits = RESP_LIMITS_DEFAULT};

	w.limits.max_request_bytes = 4096;
	w.limits.max_elements = 64;
	solo_init(&w.solo);
	w.solo.options.overlay_bytes = 256;
	w.solo.options.header_cache_bytes = 0;
	w.solo.options.value_cache_bytes = 0;
	w.solo.options.driver.segment_bytes = (size_t)16 << 10;
	begin(&w);
	while (size >= 2) {
		size_t len = MIN((size_t)data[1], size - 2);

		piece_comes(&w, data[0], slice_of(data + 2, len));
		data += 2 + len;
		size -= 2 + len;
	}
	settle(&w);
	solo_close(&w.solo);
	resp_parser_close(&w.parser);
	buf_free(&w.in);
	return 0;
}
