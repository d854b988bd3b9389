/* From a core's ready to disk, network and state machine: what a driver does, one step at a time.
 */

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "world.h"
#include "world_print.h"

#include <inttypes.h>

/* More rounds than any event needs: a core that always has something to do is broken. */
#define ROUNDS_MAX 10000

struct frame frame_of(const struct raft_message *m)
{
	struct buf bytes = {0};
	struct frame frame = {.from = m->from, .to = m->to, .type = m->type};
	size_t payload = raft_message_encode(m, &bytes);
	size_t head = bytes.len;

	for (uint32_t i = 0; i < m->count; i++)
		buf_append_slice(&bytes, entry_payload(&m->entries[i]));
	CHECK(bytes.len == head + payload);
	frame.bytes = blob_copy(buf_slice(&bytes));
	buf_free(&bytes);
	return frame;
}

static void send_frame(struct world *w, struct frame frame, struct buf *line)
{
	bool lost = frame.from <= WORLD_NODES && frame.to <= WORLD_NODES &&
		    w->cut[frame.from][frame.to];

	buf_printf(line, "%s %s to %" PRIu64 "%s", line->len ? "," : "",
		   raft_message_name(frame.type), frame.to, lost ? " (lost)" : "");
	if (lost)
		blob_release(frame.bytes);
	else
		frame_list_add(&w->net, frame);
}

static void say_line(struct world *w, const struct world_node *n, const char *verb,
		     struct buf *line)
{
	if (line->len)
		world_say(w, TRACE_ALL, "  %" PRIu64 " %s%.*s", n->id, verb, (int)line->len,
			  (const char *)line->data);
	buf_free(line);
}

static void send_now(struct world *w, struct world_node *n, const struct raft_message *messages,
		     size_t count)
{
	struct buf line = {0};

	for (size_t i = 0; i < count; i++)
		send_frame(w, frame_of(&messages[i]), &line);
	say_line(w, n, "sends", &line);
}

static void hold_frames(struct world *w, struct world_node *n, const struct raft_ready *rd)
{
	struct buf line = {0};

	for (size_t i = 0; i < rd->after_count; i++) {
		const struct raft_message *m = &rd->after[i];

		MEM_GROW(n->held, n->held_cap, n->held_count + 1);
		n->held[n->held_count++] = (struct held_frame){rd->after_seq, frame_of(m)};
		buf_printf(&line, "%s %s to %" PRIu64, line.len ? "," : "",
			   raft_message_name(m->type), m->to);
	}
	if (n->disk_held && n->write_count)
		say_line(w, n, "keeps back", &line);
	buf_free(&line);
}

void world_send_released(struct world *w, struct world_node *n)
{
	uint64_t undone = n->write_count ? n->writes[0].persist.seq : UINT64_MAX;
	struct buf line = {0};
	size_t kept = 0;

	for (size_t i = 0; i < n->held_count; i++) {
		if (n->held[i].seq < undone)
			send_frame(w, n->held[i].frame, &line);
		else
			n->held[kept++] = n->held[i];
	}
	n->held_count = kept;
	say_line(w, n, "sends", &line);
}

static void take_persist(struct world *w, struct world_node *n, const struct raft_persist *p)
{
	struct buf line = {0};

	if (!p->seq)
		return;
	MEM_GROW(n->writes, n->write_cap, n->write_count + 1);
	n->writes[n->write_count] = image_write_take(p);
	image_apply(&n->log, &n->writes[n->write_count++]);
	buf_append_byte(&line, ' ');
	text_persist(&line, p);
	say_line(w, n, n->disk_held ? "is writing" : "writes", &line);
	if (p->count || p->reset)
		world_check_logs(w, n);
}

void snapshot_copy(struct snapshot *to, const struct snapshot *from)
{
	snapshot_free(to);
	to->index = from->index;
	to->term = from->term;
	membership_copy(&to->membership, &from->membership);
}

static void take_rest(struct world *w, struct world_node *n, const struct raft_ready *rd)
{
	for (size_t i = 0, next; i < rd->read_count; i = next) {
		next = i + 1;
		while (next < rd->read_count && rd->reads[next].index == rd->reads[i].index)
			next++;
		world_say(w, TRACE_ALL, "  %" PRIu64 " may read %" PRIu64 "%s at %" PRIu64, n->id,
			  rd->reads[i].request, next > i + 1 ? " and more" : "",
			  rd->reads[i].index);
	}
	n->reads_done += rd->read_count;
	for (size_t i = 0; i < rd->load_count; i++) {
		MEM_GROW(n->loads, n->load_cap, n->load_count + 1);
		n->loads[n->load_count++] = rd->loads[i];
		world_say(w, TRACE_ALL, "  %" PRIu64 " loads %" PRIu64 "..%" PRIu64 " for %" PRIu64,
			  n->id, rd->loads[i].first, rd->loads[i].last, rd->loads[i].peer);
	}
	if (!rd->install.wanted)
		return;
	snapshot_copy(&n->offered, rd->install.snapshot);
	world_say(w, TRACE_ALL, "  %" PRIu64 " is offered the state at %" PRIu64 " by %" PRIu64,
		  n->id, n->offered.index, rd->install.from);
}

/* What is committed may be applied here before it is on this disk: others have it on theirs. */
static void apply_committed(struct world *w, struct world_node *n, uint64_t commit)
{
	struct buf line = {0};

	if (n->swapping)
		return;
	world_check_commit(w, n, commit);
	if (commit <= n->applied)
		return;
	buf_append_byte(&line, ' ');
	if (image_entry(&n->log, n->applied + 1) && image_entry(&n->log, commit))
		text_entries(&line, n->applied + 1, image_entry(&n->log, n->applied + 1),
			     (size_t)(commit - n->applied));
	say_line(w, n, "applies", &line);
	n->applied = commit;
	raft_applied(n->raft, commit);
}

static void say_changes(struct world *w, struct world_node *n)
{
	struct raft_status s;
	struct buf line = {0};

	raft_status(n->raft, &s);
	text_changes(&line, &n->told, &s);
	if (line.len)
		world_say(w, TRACE_ALL, "  %" PRIu64 ":%.*s", n->id, (int)line.len,
			  (const char *)line.data);
	if (w->trace == TRACE_ROLES && s.role == RAFT_LEADER &&
	    (n->told.role != RAFT_LEADER || n->told.term != s.term))
		world_say(w, TRACE_ROLES, "  %" PRIu64 " leads term %" PRIu64, n->id, s.term);
	if (w->trace == TRACE_ROLES && s.role != RAFT_LEADER && n->told.role == RAFT_LEADER)
		world_say(w, TRACE_ROLES, "  %" PRIu64 " no longer leads", n->id);
	n->told = s;
	buf_free(&line);
}

/* One ready: true if there was anything in it. */
static bool world_round(struct world *w, struct world_node *n)
{
	struct raft_ready rd;
	bool busy;

	world_check_node(w, n);
	raft_ready(n->raft, &rd);
	say_changes(w, n);
	busy = rd.now_count || rd.after_count || rd.persist.seq || rd.read_count || rd.load_count ||
	       rd.install.wanted || (rd.commit > n->applied && !n->swapping);
	take_persist(w, n, &rd.persist);
	send_now(w, n, rd.now, rd.now_count);
	hold_frames(w, n, &rd);
	take_rest(w, n, &rd);
	raft_advance(n->raft);
	apply_committed(w, n, rd.commit);
	while (!n->disk_held && n->write_count)
		world_persist(w, n);
	world_send_released(w, n);
	while (!n->loads_held && n->load_count)
		world_load(w, n, OK);
	world_check_node(w, n);
	return busy;
}

void world_drive(struct world *w, struct world_node *n)
{
	unsigned rounds = 0;

	while (n->raft && world_round(w, n))
		if (++rounds == ROUNDS_MAX) {
			world_break(w, "node %" PRIu64 " does not come to rest", n->id);
			return;
		}
}
