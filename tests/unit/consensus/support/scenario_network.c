/* Commands about messages and the links they take. */

#include "base/error.h"
#include "base/mem.h"
#include "scenario_parts.h"
#include "world_print.h"

#include <string.h>

/* Messages from, to and of a type; 0: any. */
struct selection {
	uint64_t from;
	uint64_t to;
	unsigned type;
};

/* "1>2", "1>", ">2": who to whom. True if the next word is one. */
static bool take_link(struct words *words, uint64_t *from, uint64_t *to)
{
	const uint8_t *s = words->left.data;
	size_t n = 0, arrow;

	while (n < words->left.len && s[n] != ' ')
		n++;
	for (arrow = 0; arrow < n && s[arrow] != '>'; arrow++)
		;
	if (arrow == n || arrow > 1 || n - arrow > 2)
		return false;
	*from = arrow == 1 ? (uint64_t)(s[0] - '0') : 0;
	*to = n - arrow == 2 ? (uint64_t)(s[arrow + 1] - '0') : 0;
	(void)words_next(words);
	return *from <= WORLD_NODES && *to <= WORLD_NODES;
}

static unsigned type_named(struct slice name)
{
	for (unsigned type = 1; type <= RAFT_MESSAGE_TYPE_MAX; type++)
		if (slice_equal(name, slice_of_text(raft_message_name(type))))
			return type;
	return 0;
}

static unsigned take_type(struct words *words)
{
	unsigned type = type_named(words_next(words));

	if (!type)
		words_fail(words, "a message type");
	return type;
}

static struct selection take_selection(struct words *words)
{
	struct selection sel = {0};

	(void)take_link(words, &sel.from, &sel.to);
	if (words->left.len)
		sel.type = take_type(words);
	return sel;
}

static bool selected(const struct selection *sel, const struct frame *frame)
{
	return (!sel->from || sel->from == frame->from) && (!sel->to || sel->to == frame->to) &&
	       (!sel->type || sel->type == frame->type);
}

/* Does something with each selected message that is on its way now. */
static void for_selected(struct scenario *s, struct words *words,
			 void (*act)(struct scenario *, size_t))
{
	struct selection sel = take_selection(words);
	struct frame_list *net = &s->world->net;
	size_t left = net->count, at = 0;
	bool any = false;

	while (left-- > 0 && !words->wrong) {
		if (selected(&sel, &net->items[at])) {
			any = true;
			act(s, at);
		} else {
			at++;
		}
	}
	if (!any && !words->wrong)
		world_say(s->world, TRACE_NOTHING, "no such message");
}

static void act_deliver(struct scenario *s, size_t at)
{
	world_deliver(s->world, at);
}

static void act_drop(struct scenario *s, size_t at)
{
	struct frame frame = frame_list_take(&s->world->net, at);

	blob_release(frame.bytes);
}

static void act_hold(struct scenario *s, size_t at)
{
	frame_list_add(&s->shelf, frame_list_take(&s->world->net, at));
}

/* The message goes to the end, and a copy of it on the shelf comes after all of them. */
static void act_duplicate(struct scenario *s, size_t at)
{
	struct frame frame = frame_list_take(&s->world->net, at);

	blob_hold(frame.bytes);
	frame_list_add(&s->world->net, frame);
	frame_list_add(&s->shelf, frame);
}

void scenario_deliver(struct scenario *s, struct words *words)
{
	for_selected(s, words, act_deliver);
}

void scenario_drop(struct scenario *s, struct words *words)
{
	for_selected(s, words, act_drop);
}

void scenario_hold(struct scenario *s, struct words *words)
{
	for_selected(s, words, act_hold);
}

void scenario_duplicate(struct scenario *s, struct words *words)
{
	for_selected(s, words, act_duplicate);
}

void scenario_release(struct scenario *s, struct words *words)
{
	(void)words;
	while (s->shelf.count)
		frame_list_add(&s->world->net, frame_list_take(&s->shelf, 0));
}

void scenario_settle(struct scenario *s, struct words *words)
{
	(void)words;
	world_settle(s->world);
}

void scenario_cut(struct scenario *s, struct words *words)
{
	while (words->left.len) {
		uint64_t from, to;

		if (!take_link(words, &from, &to)) {
			words_fail(words, "a link");
			return;
		}
		s->world->cut[from][to] = true;
	}
}

void scenario_isolate(struct scenario *s, struct words *words)
{
	while (words->left.len) {
		uint64_t id = words_number(words);

		for (uint64_t other = 1; other <= WORLD_NODES && id <= WORLD_NODES; other++) {
			s->world->cut[id][other] = true;
			s->world->cut[other][id] = true;
		}
	}
}

void scenario_heal(struct scenario *s, struct words *words)
{
	(void)words;
	memset(s->world->cut, 0, sizeof(s->world->cut));
}

void scenario_network(struct scenario *s, struct words *words)
{
	struct world *w = s->world;

	(void)words;
	for (size_t i = 0; i < w->net.count; i++) {
		struct raft_message m;
		struct buf line = {0};

		if (raft_message_decode(w->net.items[i].bytes, 0, &m, &w->decoded,
					&w->decoded_cap) == OK)
			text_message(&line, &m);
		world_say(w, TRACE_NOTHING, "%.*s", (int)line.len, (const char *)line.data);
		buf_free(&line);
	}
}

static const struct {
	const char *name;
	uint8_t flag;
} flags_known[] = {
	{"reject", RAFT_FLAG_REJECT},	{"forced", RAFT_FLAG_FORCE},
	{"damaged", RAFT_FLAG_DAMAGED}, {"behind", RAFT_FLAG_BEHIND},
	{"stale", RAFT_FLAG_STALE},	{"installing", RAFT_FLAG_INSTALLING},
};

static bool take_flag(struct words *words, struct raft_message *m)
{
	for (size_t i = 0; i < ARRAY_LEN(flags_known); i++) {
		if (!words_take(words, flags_known[i].name))
			continue;
		m->flags |= flags_known[i].flag;
		return true;
	}
	return false;
}

/* send 1>2 append term=3 index=4 log-term=2 commit=4 reject ... entries 3 foo 3 bar */
void scenario_send(struct scenario *s, struct words *words)
{
	struct raft_message m = {0};
	struct image entries = {0};

	if (!take_link(words, &m.from, &m.to))
		words_fail(words, "a link");
	m.type = (uint8_t)take_type(words);
	while (words->left.len && !words_take(words, "entries"))
		if (!words_take_setting(words, "term=", &m.term) &&
		    !words_take_setting(words, "index=", &m.index) &&
		    !words_take_setting(words, "log-term=", &m.log_term) &&
		    !words_take_setting(words, "commit=", &m.commit) &&
		    !words_take_setting(words, "context=", &m.context) &&
		    !words_take_setting(words, "hint=", &m.hint) && !take_flag(words, &m))
			words_fail(words, "a field");
	while (words->left.len)
		words_entry(words, &entries, words_number(words));
	m.entries = entries.entries;
	m.count = (uint32_t)entries.count;
	if (!words->wrong)
		world_send(s->world, &m);
	image_free(&entries);
}
