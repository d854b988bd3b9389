#include "node/session.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "node/member_state.h"

/* After so many election timeouts without a leader nothing waits for one any more. */
#define LEADERLESS_TIMEOUTS 2

struct session *session_open(struct member *m, const struct session_events *events, void *ctx)
{
	struct session *s = MEM_NEW(struct session);

	s->member = m;
	s->events = events;
	s->ctx = ctx;
	s->opened_ms = s->heard_ms = member_now_ms(m);
	client_init(&s->client, ++m->last_client, &m->io->clock);
	s->client.authenticated = m->password.len == 0;
	multi_init(&s->multi);
	list_init(&s->held);
	list_init(&s->released);
	list_init(&s->monitor);
	list_init(&s->touched);
	list_init(&s->full);
	list_init(&s->copying);
	list_init(&s->requests);
	list_init(&s->link);
	list_push_back(&m->sessions, &s->link);
	return s;
}

void session_set_address(struct session *s, struct slice address)
{
	buf_clear(&s->address);
	buf_append_slice(&s->address, address);
}

/* Nobody waits for this request any more. What another thread has, comes back by itself. */
static void request_abandon(struct member *m, struct request *r)
{
	list_remove(&r->link);
	r->session = NULL;
	copies_forget(m, r);
	if (r->state == REQUEST_RUNNING)
		return;
	if (r->state == REQUEST_WRITES && r->seq)
		origin_pending(&m->origin, r->seq)->request = NULL;
	else if (r->state == REQUEST_WRITES)
		origin_drop(&m->origin, r);
	request_free(r);
}

void session_close(struct session *s)
{
	struct list *it;

	while ((it = list_pop_front(&s->requests)) != NULL)
		request_abandon(s->member, LIST_ITEM(it, struct request, link));
	list_remove(&s->link);
	list_remove(&s->touched);
	list_remove(&s->full);
	list_remove(&s->released);
	list_remove(&s->monitor);
	while ((it = list_pop_front(&s->held)) != NULL)
		request_free(LIST_ITEM(it, struct request, link));
	member_end_author(s);
	buf_free(&s->address);
	buf_free(&s->author_name);
	multi_close(&s->multi);
	client_free(&s->client);
	buf_free(&s->out);
	mem_free(s);
}

void session_touch(struct session *s)
{
	if (list_empty(&s->touched))
		list_push_back(&s->member->touched, &s->touched);
}

/* Where its reply goes on the loop: straight out, if nothing stands before it. */
struct resp_writer session_writer(struct request *r)
{
	struct session *s = r->session;
	bool first = (s->requests.next == &r->link && !r->quiet) || MUTANT(reply_out_of_turn);

	return (struct resp_writer){.out = first ? &s->out : &r->reply, .protocol = r->protocol};
}

/* The reply of the first request, if there is one and it has one, goes out. */
static bool session_emit_first(struct session *s)
{
	struct request *r = LIST_ITEM(s->requests.next, struct request, link);

	if (list_empty(&s->requests) || r->state != REQUEST_DONE)
		return false;
	if (!r->quiet)
		buf_append_slice(&s->out, buf_slice(&r->reply));
	s->behind -= r->reply.len;
	s->count--;
	s->bytes -= r->bytes;
	request_free(r);
	session_touch(s);
	return true;
}

/* Replies whose turn has come go out. */
static void session_emit(struct session *s)
{
	while (session_emit_first(s))
		;
}

/* The same; if that is more than may wait, what is refused for that follows. */
static void session_emit_all(struct session *s)
{
	session_emit(s);
	session_check_output(s);
	session_emit(s);
}

/*
 * Runs the reads that nothing stands before: no write of this session that is not applied. The
 * first one leaves at once, so that the reply of the next goes straight out, too.
 */
void session_advance(struct session *s)
{
	if (s->advancing)
		return;
	s->advancing = true;
	list_for_each_safe (it, &s->requests) {
		struct request *r = LIST_ITEM(it, struct request, link);

		if (r->state == REQUEST_WRITES && !MUTANT(read_overtakes_write))
			break;
		if (r->state != REQUEST_DUE)
			continue;
		member_read_now(s->member, r);
		if (s->requests.next == &r->link)
			(void)session_emit_first(s);
		session_check_output(s);
	}
	s->advancing = false;
	session_emit_all(s);
}

void session_done(struct request *r)
{
	struct session *s = r->session;

	r->state = REQUEST_DONE;
	s->behind += r->reply.len;
	list_remove(&r->waiting);
	list_remove(&r->ageing);
	session_count_copies(s);
	multi_request_done(s, r);
	if (!list_empty(&s->held) && list_empty(&s->released))
		list_push_back(&s->member->released, &s->released);
}

/*
 * A read that stands between two writes of its session runs at the latest right before the second
 * one is applied: that one got its number after the read had come, so all that was acknowledged
 * before the read is applied by now, and no barrier is needed.
 */
void session_before_write(struct session *s, const struct request *r)
{
	list_for_each_safe (it, &s->requests) {
		struct request *before = LIST_ITEM(it, struct request, link);

		if (before == r || MUTANT(write_overtakes_read))
			return;
		if (before->state == REQUEST_WAITS || before->state == REQUEST_DUE)
			member_read_now(s->member, before);
	}
}

struct request *session_add(struct session *s, const struct command *command,
			    const struct slice *argv, size_t argc)
{
	struct member *m = s->member;
	struct request *r = request_new(&m->requests, command, argv, argc);

	r->session = s;
	r->database = s->client.database;
	r->protocol = s->client.protocol;
	r->due_ms = m->heard_ms + m->options.request_timeout_ms;
	r->quiet = s->client.replies != REPLIES_ON;
	if (s->client.replies == REPLIES_SKIP_NEXT)
		s->client.replies = REPLIES_ON;
	list_push_back(&s->requests, &r->link);
	list_push_back(&m->ageing, &r->ageing);
	s->count++;
	s->bytes += r->bytes;
	return r;
}

/* The reply of a request that was answered as it came has been written. */
void session_answer_done(struct request *r)
{
	struct session *s = r->session;

	session_done(r);
	session_emit_all(s);
}

void session_answer_quarantined(struct request *r)
{
	struct resp_writer w = session_writer(r);

	resp_write_error(&w, SLICE_LITERAL(QUARANTINE_TEXT));
	session_answer_done(r);
}

static void session_answer_refusal(struct session *s, struct slice error)
{
	struct request *r = session_add(s, NULL, NULL, 0);
	struct resp_writer w = session_writer(r);

	resp_write_error(&w, error);
	member_count_error(s->member, w.out);
	session_answer_done(r);
}

void session_answer_error(struct session *s, const char *text)
{
	session_answer_refusal(s, slice_of_text(text));
}

/* A request that cannot be run; a transaction it was meant for will not run either. */
static void session_reject(struct session *s, struct slice error)
{
	multi_fail(&s->multi);
	session_answer_refusal(s, error);
}

/* As Redis says it: the name and the beginnings of the arguments. */
static void session_unknown_command(struct session *s, const struct slice *argv, size_t argc)
{
	struct buf text = {0};
	size_t begin;

	if (session_is_browser(s, argv[0]))
		return;
	buf_printf(&text, "ERR unknown command '%.*s', with args beginning with: ",
		   (int)MIN(argv[0].len, (size_t)128), (const char *)argv[0].data);
	begin = text.len;
	for (size_t i = 1; i < argc && text.len - begin < 128; i++)
		buf_printf(&text, "'%.*s' ", (int)MIN(argv[i].len, 128 - (text.len - begin)),
			   (const char *)argv[i].data);
	session_reject(s, buf_slice(&text));
	buf_free(&text);
}

static void session_unknown_subcommand(struct session *s, const struct command *parent,
				       struct slice name)
{
	struct buf text = {0};

	buf_printf(&text, "ERR unknown subcommand '%.*s'. Try %s HELP.",
		   (int)MIN(name.len, (size_t)128), (const char *)name.data, parent->name);
	session_reject(s, buf_slice(&text));
	buf_free(&text);
}

/* A wrong EXEC ends the transaction it was meant for. */
static void session_wrong_arity(struct session *s, const struct command *command)
{
	struct buf text = {0};

	command_stats_rejected(&s->member->tally.stats, command);
	if (command->role == ROLE_EXEC) {
		multi_end(&s->multi);
		buf_printf(&text, "EXECABORT Transaction discarded because of: ");
	} else {
		buf_printf(&text, "ERR ");
	}
	buf_printf(&text, "wrong number of arguments for '");
	command_append_name(command, &text);
	buf_printf(&text, "' command");
	session_reject(s, buf_slice(&text));
	buf_free(&text);
}

static void session_run(struct session *s, const struct command *command, const struct slice *argv,
			size_t argc)
{
	struct member *m = s->member;

	switch (command->class) {
	case COMMAND_LOCAL:
		session_run_local(s, command, argv, argc);
		return;
	case COMMAND_READ:
		member_read(m, session_add(s, command, argv, argc));
		return;
	case COMMAND_WRITE:
		member_collect(m, session_add(s, command, NULL, 0), argv, argc);
		return;
	case COMMAND_CLUSTER:
		member_ask_change(s, command, argv, argc);
		return;
	}
}

static bool needs_cluster(const struct command *command)
{
	return command->class != COMMAND_LOCAL || command->role == ROLE_EXEC;
}

/* As any other error it spoils a transaction that is being queued; EXEC ends it. */
static void session_answer_down(struct session *s, const struct command *command,
				struct slice error)
{
	if (command->role == ROLE_EXEC)
		multi_end(&s->multi);
	if (command->role == ROLE_WATCH)
		s->multi.watch_failed = true; /* EXEC would run unwatched */
	session_reject(s, error);
}

/*
 * NULL, or why the cluster does nothing for this command. Whoever has no leader for that long may
 * have none for long: clients try elsewhere, and what is refused now was certainly not done.
 */
static const char *cluster_is_down(const struct session *s, const struct command *command)
{
	const struct member *m = s->member;
	const char *outside;

	if (!needs_cluster(command))
		return NULL;
	if (m->removed)
		return "CLUSTERDOWN This member was removed from the cluster: connect to another "
		       "one";
	outside = member_is_outside(m);
	if (command->class == COMMAND_READ && s->client.readonly)
		return outside; /* else its own state will do, which is none yet */
	if (command->role == ROLE_EXEC && (s->multi.failed || s->multi.watch_failed))
		return NULL; /* it will say so itself */
	if (m->leaderless_ms &&
	    m->heard_ms >= m->leaderless_ms + LEADERLESS_TIMEOUTS *
						      (uint64_t)m->options.driver.raft.election_ms)
		return outside ? outside
			       : "CLUSTERDOWN There is no leader: a majority of the members is "
				 "down or out of reach; nothing was done";
	return NULL;
}

static void session_answer_stranger(struct session *s, const struct command *command)
{
	command_stats_rejected(&s->member->tally.stats, command);
	session_reject(s, SLICE_LITERAL("NOAUTH Authentication required."));
}

static void session_obey(struct session *s, const struct command *command, const struct slice *argv,
			 size_t argc)
{
	member_show(s, command, argv, argc);
	if (session_play(s, command, argv, argc))
		return;
	if (s->multi.open)
		session_queue(s, command, argv, argc);
	else
		session_run(s, command, argv, argc);
}

static void session_take(struct session *s, const struct slice *argv, size_t argc)
{
	const struct command *parent, *command = command_lookup(argv, argc, &parent);
	const char *down = command ? cluster_is_down(s, command) : NULL;

	s->newest = command;
	if (s->member->failed)
		session_answer_error(s, "CLUSTERDOWN This member has stopped; see its log");
	else if (down)
		session_answer_down(s, command, slice_of_text(down));
	else if (!command && parent)
		session_unknown_subcommand(s, parent, argv[1]);
	else if (!command)
		session_unknown_command(s, argv, argc);
	else if (!command_takes(command, argc))
		session_wrong_arity(s, command);
	else if (!s->client.authenticated && !(command->flags & COMMAND_FLAG_NO_AUTH))
		session_answer_stranger(s, command);
	else
		session_obey(s, command, argv, argc);
}

static bool session_must_wait(const struct session *s, const struct slice *argv, size_t argc)
{
	return multi_holds(&s->multi, argv[0]) || session_pauses(s, argv, argc);
}

/* ---- requests that are held ------------------------------------------------------------------ */

/* With arguments it is a request; without, an error that takes the place of one. */
static struct request *session_hold(struct session *s, const struct slice *argv, size_t argc)
{
	struct request *r = request_new(&s->member->requests, NULL, argv, argc);

	list_push_back(&s->held, &r->link);
	s->count++;
	s->bytes += r->bytes;
	return r;
}

void session_request(struct session *s, const struct slice *argv, size_t argc)
{
	if (s->client.wants_close || s->cut)
		return;
	s->heard_ms = s->member->heard_ms = member_now_ms(s->member);
	if (!list_empty(&s->held) || session_must_wait(s, argv, argc))
		(void)session_hold(s, argv, argc);
	else
		session_take(s, argv, argc);
}

void session_refuse(struct session *s, struct slice error)
{
	struct request *r;

	if (s->client.wants_close || s->cut)
		return;
	if (list_empty(&s->held) && !s->multi.exec) {
		session_reject(s, error);
		return;
	}
	r = session_hold(s, NULL, 0);
	buf_append_slice(&r->reply, error);
}

/* The first of what is held goes on as if it came now; false: it has to wait. */
static bool session_release_first(struct session *s)
{
	struct request *r = LIST_ITEM(s->held.next, struct request, link);

	if (r->argc ? session_must_wait(s, r->argv, r->argc) : s->multi.exec != NULL)
		return false;
	list_remove(&r->link);
	s->count--;
	s->bytes -= r->bytes;
	if (s->client.wants_close)
		; /* QUIT: what came behind it was in vain */
	else if (r->argc)
		session_take(s, r->argv, r->argc);
	else
		session_reject(s, buf_slice(&r->reply));
	request_free(r);
	return true;
}

/*
 * What was held goes on, session by session, as far as writes are taken. What is left then comes
 * before anything new: otherwise those who come would take each place that becomes free.
 */
void member_release_sessions(struct member *m)
{
	while (!list_empty(&m->released) &&
	       (!member_writes_full(m) || MUTANT(release_beyond_limit))) {
		struct session *s = LIST_ITEM(m->released.next, struct session, released);

		if (!session_release_first(s) || list_empty(&s->held))
			list_remove(&s->released);
	}
	m->released_wait = !list_empty(&m->released);
}

static bool session_holds_enough(const struct session *s)
{
	const struct member_options *o = &s->member->options;

	return s->count >= o->session_requests || s->bytes >= o->session_bytes ||
	       member_writes_full(s->member) ||
	       (s->member->released_wait && !list_empty(&s->member->released));
}

bool session_is_full(struct session *s)
{
	if (!session_holds_enough(s))
		return false;
	if (list_empty(&s->full))
		list_push_back(&s->member->full, &s->full);
	return true;
}

bool session_is_idle(const struct session *s)
{
	return s->count == 0;
}

bool session_wants_close(const struct session *s)
{
	return s->client.wants_close && s->count == 0;
}

struct buf *session_output(struct session *s)
{
	return &s->out;
}

/* ---- for the member -------------------------------------------------------------------------- */

static void request_give_up(struct member *m, struct request *r)
{
	struct session *s = r->session;
	struct resp_writer w = session_writer(r);

	if (r->state == REQUEST_ASKS && r->seq) {
		resp_write_errorf(&w, "UNCERTAIN The leader has not answered in time: the change "
				      "may be made, now or later, or never; see MEMBER LIST");
	} else if (r->state == REQUEST_WRITES && r->seq && !MUTANT(refuse_numbered_write)) {
		struct pending *p = origin_pending(&m->origin, r->seq);

		p->request = NULL;
		p->cancelled = true;
		resp_write_errorf(&w,
				  "UNCERTAIN No majority has answered in time: the write may be "
				  "applied, now or later, or never");
	} else {
		const char *outside = member_is_outside(m);

		if (r->state == REQUEST_WRITES && !r->seq)
			origin_drop(&m->origin, r);
		else if (r->state == REQUEST_WRITES)
			origin_pending(&m->origin, r->seq)->request = NULL;
		resp_write_error(
			&w, slice_of_text(outside ? outside
						  : "CLUSTERDOWN No leader with a majority has "
						    "answered in time: nothing was done"));
	}
	member_count_error(m, w.out);
	session_done(r);
	session_advance(s);
}

void request_answer_error(struct request *r, const char *text)
{
	struct resp_writer w = session_writer(r);

	resp_write_error(&w, slice_of_text(text));
	member_count_error(r->session->member, w.out);
	session_done(r);
}

/*
 * The write was applied while this member took over another one's state: nobody here saw the reply.
 * Reads before it have missed their moment. Nothing else of its session may run yet: behind it may
 * stand a read, and then another write that was applied as well.
 */
void session_answer_late(struct request *r)
{
	struct session *s = r->session;

	list_for_each (it, &s->requests) {
		struct request *before = LIST_ITEM(it, struct request, link);

		if (before == r)
			break;
		if (before->state == REQUEST_WAITS || before->state == REQUEST_DUE)
			request_answer_error(before,
					     "CLUSTERDOWN This member had fallen behind and took "
					     "over another one's state: the command was not run");
	}
	request_answer_error(
		r, MUTANT(late_answer_refuses)
			   ? "CLUSTERDOWN this member took over another one's state"
			   : "UNCERTAIN applied, reply lost: this member took over another "
			     "one's state");
}

/* What has waited for too long. What is in the pool is answered by the pool. */
void member_expire_requests(struct member *m)
{
	uint64_t now = member_now_ms(m);

	/* To give one up may answer others, which leave the list: it is looked at anew each time.
	 */
	while (!list_empty(&m->ageing)) {
		struct request *r = LIST_ITEM(m->ageing.next, struct request, ageing);

		if (r->due_ms > now)
			return;
		list_remove(&r->ageing);
		if (r->state != REQUEST_RUNNING)
			request_give_up(m, r);
	}
}

uint64_t member_request_due_ms(const struct member *m)
{
	if (list_empty(&m->ageing))
		return UINT64_MAX;
	return LIST_ITEM(m->ageing.next, const struct request, ageing)->due_ms;
}

void member_tell_sessions(struct member *m)
{
	struct list *it;

	while ((it = list_pop_front(&m->touched)) != NULL) {
		struct session *s = LIST_ITEM(it, struct session, touched);

		if (s->out.len || session_wants_close(s))
			s->events->output(s->ctx);
	}
	list_for_each_safe (each, &m->full) {
		struct session *s = LIST_ITEM(each, struct session, full);

		if (session_holds_enough(s))
			continue;
		list_remove(&s->full);
		s->events->resume(s->ctx);
	}
}
