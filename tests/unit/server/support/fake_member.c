#include "fake_member.h"

#include "base/error.h"
#include "base/mem.h"
#include "resp/writer.h"
#include "storage/log.h"

#include <strings.h>

struct fake_settings fake_settings = {.session_requests = 1000, .deadline_ms = 1};

static struct fake_member *newest;

struct session {
	struct fake_member *member;
	const struct session_events *events;
	void *ctx;
	struct list link;
	struct buf ready; /* answers of requests that wait for the turn */
	struct buf out;
	size_t waiting;
	size_t jobs;
	size_t out_limit;
	bool was_full;
	bool cut;
	bool listens;
	bool quit;
	bool killed;
	bool authenticated;
	bool closed; /* waits for its jobs only */
};

struct fake_job {
	struct job job;
	struct session *session;
};

struct fake_member *fake_member(void)
{
	return newest;
}

void fake_release(struct fake_member *m)
{
	m->held = false;
	m->due_ms = 0;
}

static struct fake_member *fake_of(const struct member *m)
{
	return (struct fake_member *)(uintptr_t)m;
}

/* ---- member ---------------------------------------------------------------------------------- */

struct member_options member_options_default(void)
{
	return (struct member_options){.session_requests = fake_settings.session_requests};
}

int member_new(struct member **out, const struct member_options *options, const struct node_io *io,
	       struct engine *engine, const struct member_events *events)
{
	struct fake_member *m = MEM_NEW(struct fake_member);

	(void)engine;
	m->io = io;
	m->events = events;
	m->settings = fake_settings;
	m->settings.session_requests = options->session_requests;
	list_init(&m->sessions);
	newest = m;
	*out = (struct member *)m;
	return OK;
}

static void session_free(struct session *s)
{
	list_remove(&s->link);
	buf_free(&s->ready);
	buf_free(&s->out);
	mem_free(s);
}

void member_free(struct member *member)
{
	struct fake_member *m = fake_of(member);

	list_for_each_safe (it, &m->sessions)
		session_free(LIST_ITEM(it, struct session, link));
	mem_free(m);
}

void member_receive(struct member *m, uint64_t from, enum frame_kind kind, struct blob *body)
{
	(void)m;
	(void)from;
	(void)kind;
	(void)body;
}

void member_peer_connected(struct member *m, uint64_t peer)
{
	(void)m;
	(void)peer;
}

void member_peer_gone(struct member *m, uint64_t peer)
{
	(void)m;
	(void)peer;
}

void member_note_removed(struct member *m, const struct membership *now)
{
	(void)m;
	(void)now;
}

static void session_turn(struct session *s)
{
	bool first = s->out.len == 0;

	if (s->jobs > 0 || s->waiting == 0)
		return;
	s->waiting = 0;
	buf_append_slice(&s->out, buf_slice(&s->ready));
	buf_clear(&s->ready);
	if (s->out_limit && s->out.len > s->out_limit)
		s->cut = true;
	if (first || s->cut)
		s->events->output(s->ctx);
	if (s->was_full)
		s->events->resume(s->ctx);
	s->was_full = false;
}

void member_turn(struct member *member)
{
	struct fake_member *m = fake_of(member);
	struct raft_status status = {.id = 1, .role = RAFT_LEADER, .leader = 1};

	m->turns++;
	m->due_ms = clock_monotonic_us(&m->io->clock) / 1000 + m->settings.deadline_ms;
	if (m->leads && !m->said)
		m->events->changed(m->events->ctx, &status);
	m->said = m->leads;
	if (m->held)
		return;
	list_for_each_safe (it, &m->sessions)
		session_turn(LIST_ITEM(it, struct session, link));
}

uint64_t member_deadline_ms(const struct member *m)
{
	return fake_of(m)->due_ms;
}

void member_note_space(struct member *m, bool low)
{
	(void)m;
	(void)low;
}

void member_set_limits(struct member *m, const struct member_limits *limits)
{
	(void)m;
	(void)limits;
}

void member_hand_over(struct member *m)
{
	fake_of(m)->handed_over = true;
}

bool member_admit(struct member *m, uint64_t id, struct slice name, struct slice address,
		  bool rises, struct buf *why)
{
	(void)m;
	(void)id;
	(void)name;
	(void)address;
	(void)rises;
	buf_printf(why, "nobody is taken in");
	return false;
}

bool member_is_idle(const struct member *m)
{
	list_for_each (it, &fake_of(m)->sessions)
		if (LIST_ITEM(it, struct session, link)->waiting > 0)
			return false;
	return true;
}

bool member_stopped(const struct member *m)
{
	(void)m;
	return false;
}

struct driver *member_driver(struct member *m)
{
	(void)m;
	return NULL;
}

const struct log_damage *driver_damage(const struct driver *d)
{
	static const struct log_damage none;

	(void)d;
	return &none;
}

uint64_t driver_id(const struct driver *d)
{
	(void)d;
	return 1;
}

const struct membership *driver_membership(const struct driver *d)
{
	static const struct membership nobody;

	(void)d;
	return &nobody;
}

const struct membership *driver_settled_membership(const struct driver *d)
{
	return driver_membership(d);
}

void driver_status(const struct driver *d, struct raft_status *out)
{
	(void)d;
	*out = (struct raft_status){.id = 1};
}

/* ---- sessions -------------------------------------------------------------------------------- */

void session_set_address(struct session *s, struct slice address)
{
	(void)s;
	(void)address;
}

struct session *session_open(struct member *member, const struct session_events *events, void *ctx)
{
	struct session *s = MEM_NEW(struct session);
	struct fake_member *m = fake_of(member);

	s->member = m;
	s->events = events;
	s->ctx = ctx;
	list_push_back(&m->sessions, &s->link);
	m->session_count++;
	return s;
}

void session_close(struct session *s)
{
	s->member->session_count--;
	s->closed = true;
	if (s->jobs == 0)
		session_free(s);
}

static enum job_progress fake_step(struct job *job)
{
	(void)job;
	return JOB_DONE;
}

static void fake_done(struct job *job)
{
	struct fake_job *j = job->owner;
	struct session *s = j->session;

	mem_free(j);
	s->jobs--;
	if (s->closed && s->jobs == 0)
		session_free(s);
}

static void session_start_job(struct session *s)
{
	struct fake_job *j = MEM_NEW(struct fake_job);

	j->session = s;
	j->job = (struct job){.step = fake_step, .done = fake_done, .owner = j};
	list_init(&j->job.link);
	s->jobs++;
	s->member->io->run(s->member->io->ctx, LANE_READ, &j->job);
}

static bool is(struct slice word, const char *name)
{
	struct slice s = slice_of_text(name);

	return word.len == s.len && strncasecmp((const char *)word.data, name, s.len) == 0;
}

void session_request(struct session *s, const struct slice *argv, size_t argc)
{
	struct resp_writer w = {.out = &s->ready, .protocol = 2};

	if (s->cut)
		return;
	s->waiting++;
	s->member->requests++;
	if (is(argv[0], "ping")) {
		resp_write_simple(&w, SLICE_LITERAL("PONG"));
	} else if (is(argv[0], "echo") && argc == 2) {
		resp_write_bulk(&w, argv[1]);
	} else if (is(argv[0], "count")) {
		resp_write_integer(&w, (int64_t)argc);
	} else if (is(argv[0], "auth")) {
		s->authenticated = true;
		resp_write_simple(&w, SLICE_LITERAL("OK"));
	} else if (is(argv[0], "quit")) {
		resp_write_simple(&w, SLICE_LITERAL("OK"));
		s->quit = true;
	} else if (is(argv[0], "monitor")) {
		resp_write_simple(&w, SLICE_LITERAL("OK"));
		s->listens = true;
	} else if (is(argv[0], "job")) {
		resp_write_simple(&w, SLICE_LITERAL("DONE"));
		session_start_job(s);
	} else {
		resp_write_errorf(&w, "ERR unknown");
	}
}

void session_refuse(struct session *s, struct slice error)
{
	struct resp_writer w = {.out = &s->ready, .protocol = 2};

	s->waiting++;
	resp_write_error(&w, error);
}

bool session_is_full(struct session *s)
{
	bool full = s->waiting >= s->member->settings.session_requests;

	if (full)
		((struct session *)(uintptr_t)s)->was_full = true;
	return full;
}

void member_set_password(struct member *member, struct slice password)
{
	fake_of(member)->password_needed = password.len > 0;
}

void member_set_slowlog(struct member *m, int64_t slower_than_us, uint64_t max_len)
{
	(void)m;
	(void)slower_than_us;
	(void)max_len;
}

bool session_is_authenticated(const struct session *s)
{
	return !s->member->password_needed || s->authenticated;
}

bool session_is_killed(const struct session *s)
{
	return s->killed;
}

void fake_kill(struct fake_member *m)
{
	list_for_each_safe (it, &m->sessions) {
		struct session *s = LIST_ITEM(it, struct session, link);

		s->quit = s->killed = true;
		s->events->output(s->ctx);
	}
}

bool session_is_idle(const struct session *s)
{
	return s->waiting == 0;
}

bool session_wants_close(const struct session *s)
{
	return s->quit && s->waiting == 0;
}

bool session_listens(const struct session *s)
{
	return s->listens;
}

void session_limit_output(struct session *s, size_t bytes)
{
	s->out_limit = bytes;
}

void session_cut(struct session *s)
{
	s->cut = true;
}

bool session_is_cut(const struct session *s)
{
	return s->cut;
}

struct buf *session_output(struct session *s)
{
	return &s->out;
}
