#include "world.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "world_print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* More messages than any exchange needs before it comes to rest. */
#define MESSAGES_MAX 100000

void world_say(struct world *w, enum world_trace level, const char *fmt, ...)
{
	char text[8192];
	va_list args;
	int n;

	if (level > w->trace)
		return;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	CHECK(n >= 0 && (size_t)n < sizeof(text));
	buf_append(&w->out, text, (size_t)n);
	buf_append_byte(&w->out, '\n');
}

void world_break(struct world *w, const char *fmt, ...)
{
	char text[512];
	va_list args;
	int n;

	if (w->broken.len)
		return;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	CHECK(n >= 0 && (size_t)n < sizeof(text));
	buf_append(&w->broken, text, (size_t)n + 1);
	world_say(w, TRACE_NOTHING, "BROKEN: %s", text);
}

void frame_list_add(struct frame_list *list, struct frame frame)
{
	MEM_GROW(list->items, list->cap, list->count + 1);
	list->items[list->count++] = frame;
}

struct frame frame_list_take(struct frame_list *list, size_t i)
{
	struct frame frame;

	CHECK(i < list->count);
	frame = list->items[i];
	list->count--;
	memmove(list->items + i, list->items + i + 1, (list->count - i) * sizeof(frame));
	return frame;
}

void frame_list_free(struct frame_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		blob_release(list->items[i].bytes);
	mem_free(list->items);
	*list = (struct frame_list){0};
}

struct world *world_new(void)
{
	struct world *w = MEM_NEW(struct world);

	w->trace = TRACE_ALL;
	return w;
}

static void node_stop(struct world_node *n)
{
	raft_free(n->raft);
	n->raft = NULL;
	for (size_t i = 0; i < n->write_count; i++)
		image_write_free(&n->writes[i]);
	for (size_t i = 0; i < n->held_count; i++)
		blob_release(n->held[i].frame.bytes);
	n->write_count = 0;
	n->held_count = 0;
	n->load_count = 0;
	n->swapping = false;
	snapshot_free(&n->offered);
	image_free(&n->log);
	image_copy(&n->log, &n->disk);
}

void world_free(struct world *w)
{
	for (size_t i = 0; i < WORLD_NODES; i++) {
		struct world_node *n = &w->nodes[i];

		node_stop(n);
		image_free(&n->disk);
		image_free(&n->log);
		snapshot_free(&n->stored);
		mem_free(n->writes);
		mem_free(n->held);
		mem_free(n->loads);
	}
	frame_list_free(&w->net);
	mem_free(w->committed);
	mem_free(w->offices);
	mem_free(w->decoded);
	buf_free(&w->out);
	buf_free(&w->broken);
	mem_free(w);
}

struct world_node *world_node(struct world *w, uint64_t id)
{
	if (id == 0 || id > WORLD_NODES || !w->nodes[id - 1].id)
		return NULL;
	return &w->nodes[id - 1];
}

struct world_node *world_add(struct world *w, uint64_t id, const struct raft_options *options)
{
	struct world_node *n;

	CHECK(id >= 1 && id <= WORLD_NODES && !world_node(w, id));
	n = &w->nodes[id - 1];
	n->id = id;
	n->options = *options;
	n->options.id = id;
	n->options.seed = id;
	return n;
}

/* State and log are written apart. If the state has overtaken the log, that starts over behind it.
 */
static void node_reconcile(struct world_node *n)
{
	const struct snapshot *s = &n->stored;

	if (s->index == 0 || image_term(&n->disk, s->index) == s->term)
		return;
	CHECK(s->index >= n->disk.base);
	image_cut(&n->disk, n->disk.base);
	n->disk.base = s->index;
	n->disk.base_term = s->term;
	membership_copy(&n->disk.base_membership, &s->membership);
}

void world_start(struct world *w, struct world_node *n)
{
	CHECK(!n->raft);
	node_reconcile(n);
	n->options.seed += WORLD_NODES;
	n->applied = n->stored.index;
	image_free(&n->log);
	image_copy(&n->log, &n->disk);
	if (image_start(&n->disk, &n->options, n->applied, n->clock_ms, &n->raft) != OK) {
		n->raft = NULL;
		world_break(w, "node %" PRIu64 " cannot start from its disk", n->id);
		return;
	}
	if (n->stored.index)
		raft_snapshot_taken(n->raft, &n->stored);
	raft_status(n->raft, &n->told);
	world_drive(w, n);
}

void world_crash(struct world *w, struct world_node *n)
{
	(void)w;
	node_stop(n);
}

void world_persist(struct world *w, struct world_node *n)
{
	struct image_write done = n->writes[0];
	uint64_t seq = done.persist.seq;

	CHECK(n->write_count > 0);
	n->write_count--;
	memmove(n->writes, n->writes + 1, n->write_count * sizeof(done));
	image_apply(&n->disk, &done);
	image_write_free(&done);
	if (n->disk_held)
		world_send_released(w, n);
	raft_persisted(n->raft, n->clock_ms, seq);
}

void world_load(struct world *w, struct world_node *n, int error)
{
	struct raft_load load = n->loads[0];
	const struct entry *first = image_entry(&n->disk, load.first);
	size_t count = 0;
	uint64_t bytes = 0;

	CHECK(n->load_count > 0);
	n->load_count--;
	memmove(n->loads, n->loads + 1, n->load_count * sizeof(load));
	if (!first && error == OK)
		error = ERR_COMPACTED;
	while (error == OK && load.first + count <= load.last &&
	       image_entry(&n->disk, load.first + count) &&
	       (count == 0 || bytes + first[count].len <= load.max_bytes))
		bytes += first[count++].len;
	if (error != OK)
		world_say(w, TRACE_ALL, "  %" PRIu64 " could not load: %s", n->id,
			  error_text(error));
	raft_loaded(n->raft, n->clock_ms, load.peer, load.first, first, count, error);
}

void world_tick(struct world *w, struct world_node *n, uint64_t ms)
{
	n->clock_ms += ms;
	raft_tick(n->raft, n->clock_ms);
	world_drive(w, n);
}

void world_run(struct world *w, uint64_t ms)
{
	for (uint64_t done = 0; done < ms; done += 10) {
		for (size_t i = 0; i < WORLD_NODES; i++) {
			if (w->nodes[i].raft)
				world_tick(w, &w->nodes[i], 10);
			else
				w->nodes[i].clock_ms += 10;
		}
		world_settle(w);
	}
}

void world_deliver(struct world *w, size_t i)
{
	struct frame frame = frame_list_take(&w->net, i);
	struct world_node *n = world_node(w, frame.to);
	struct raft_message m;
	struct buf line = {0};
	int rc = raft_message_decode(frame.bytes, 0, &m, &w->decoded, &w->decoded_cap);

	if (rc == OK)
		text_message(&line, &m);
	else
		buf_printf(&line, "%" PRIu64 ">%" PRIu64 " unreadable", frame.from, frame.to);
	if (n && n->raft && rc == OK)
		rc = raft_step(n->raft, n->clock_ms, &m);
	if (!n || !n->raft)
		buf_printf(&line, ": nobody there");
	else if (rc != OK)
		buf_printf(&line, ": malformed");
	world_say(w, TRACE_ALL, "%.*s", (int)line.len, (const char *)line.data);
	if (n && n->raft)
		world_drive(w, n);
	if (rc != OK && !w->forged)
		world_break(w, "an honest message is malformed");
	buf_free(&line);
	blob_release(frame.bytes);
}

void world_settle(struct world *w)
{
	unsigned delivered = 0;

	while (w->net.count && !w->broken.len) {
		if (++delivered == MESSAGES_MAX) {
			world_break(w, "messages go on for ever");
			return;
		}
		world_deliver(w, 0);
	}
}

void world_send(struct world *w, const struct raft_message *m)
{
	frame_list_add(&w->net, frame_of(m));
	w->forged = true;
}

int world_propose(struct world *w, struct world_node *n, struct slice text, uint64_t waiter)
{
	struct blob *blob = blob_copy(text);
	struct entry e = {
		.kind = ENTRY_COMMAND,
		.waiter = waiter,
		.blob = blob,
		.data = blob->data,
		.len = (uint32_t)text.len,
	};
	uint64_t first;
	int rc = raft_propose(n->raft, n->clock_ms, &e, 1, &first);

	blob_release(blob);
	world_drive(w, n);
	return rc;
}

static struct snapshot snapshot_at(const struct world_node *n, uint64_t index)
{
	struct snapshot s = {
		.index = index,
		.term = raft_term_at(n->raft, index),
		.where = SLICE_LITERAL("state"),
	};

	membership_copy(&s.membership, raft_membership_at(n->raft, index));
	return s;
}

void world_snapshot(struct world *w, struct world_node *n)
{
	struct snapshot s = snapshot_at(n, n->applied);

	raft_snapshot_taken(n->raft, &s);
	snapshot_copy(&n->stored, &s);
	snapshot_free(&s);
	world_drive(w, n);
}

void world_compact(struct world *w, struct world_node *n, uint64_t index)
{
	struct snapshot s = snapshot_at(n, index);

	if (n->stored.index < index)
		snapshot_copy(&n->stored, &s);
	snapshot_free(&s);
	raft_release(n->raft, index);
	image_release(&n->disk, index);
	image_release(&n->log, index);
	world_drive(w, n);
}

void world_install_begin(struct world *w, struct world_node *n)
{
	if (!raft_snapshot_wanted(n->raft, n->offered.index)) {
		world_say(w, TRACE_ALL, "  %" PRIu64 " does not want it any more", n->id);
		world_install_end(w, n, false);
		return;
	}
	snapshot_copy(&n->stored, &n->offered);
	n->swapping = true;
}

void world_install_end(struct world *w, struct world_node *n, bool ok)
{
	uint64_t index = n->offered.index;

	n->swapping = false;
	snapshot_free(&n->offered);
	if (ok)
		n->applied = index;
	raft_snapshot_installed(n->raft, n->clock_ms, index, ok);
	world_drive(w, n);
}
