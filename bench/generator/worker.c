#include "worker.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS   ((uint64_t)1000000000)
#define LOOK_NS	    ((uint64_t)20000000) /* between two looks at who waits too long */
#define RETRY_NS    ((uint64_t)100000000)
#define GRACE_NS    ((uint64_t)20000000) /* for what was due right before the end */
#define EVENTS_MAX  128
#define VALUE_SPARE ((size_t)1 << 20)

uint64_t worker_now(void)
{
	struct timespec ts;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

/* The part of `whole` that is this worker's; all workers' parts are the whole. */
static uint64_t worker_share(const struct worker *w, uint64_t whole)
{
	uint64_t threads = w->load->threads;

	return whole * (w->number + 1) / threads - whole * w->number / threads;
}

static void worker_make_values(struct worker *w)
{
	size_t len = w->load->mix->value_bytes + VALUE_SPARE;

	w->values = mem_alloc(len);
	for (size_t i = 0; i + 8 <= len; i += 8) {
		uint64_t bits = random_next(&w->source.random);

		memcpy(w->values + i, &bits, 8);
	}
	memset(w->values + len - len % 8, 'x', len % 8);
	w->source.values = w->values;
	w->source.values_len = len;
}

void worker_init(struct worker *w, const struct load *load, unsigned number,
		 const atomic_bool *stop)
{
	size_t first; /* of this worker's connections among all */

	*w = (struct worker){.load = load, .number = number, .stop = stop};
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	CHECK(w->epoll_fd >= 0);
	random_seed(&w->source.random, load->seed + number);
	picker_init(&w->source.picker, &load->choice, load->keys,
		    load->keys * number / load->threads);
	worker_make_values(w);
	tally_init(&w->tally, load->mix->count);
	w->left = worker_share(w, load->requests);
	w->link_count = worker_share(w, load->connections);
	w->links = mem_zalloc(w->link_count, sizeof(*w->links));
	first = (uint64_t)load->connections * number / load->threads;
	for (size_t i = 0; i < w->link_count; i++) {
		w->links[i].requests = mem_zalloc(load->pipeline, sizeof(struct link_request));
		w->links[i].target = (first + i) % load->target_count;
	}
}

void worker_free(struct worker *w)
{
	for (size_t i = 0; i < w->link_count; i++)
		link_free(&w->links[i]);
	mem_free(w->links);
	mem_free(w->values);
	tally_free(&w->tally);
	close(w->epoll_fd);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void worker_set_ready(struct worker *w, size_t ready)
{
	w->ready = ready;
	atomic_store_explicit(&w->seen_ready, ready, memory_order_relaxed);
}

static void worker_resolve(struct worker *w, const struct link_request *r, uint64_t now)
{
	w->awaited--;
	if (r->counts)
		w->tally.last_reply = now;
	atomic_fetch_add_explicit(&w->seen_requests, 1, memory_order_relaxed);
}

static void worker_error(struct worker *w, const struct link_request *r, struct slice kind)
{
	if (r->counts)
		tally_error(&w->tally, r->command, kind);
	atomic_fetch_add_explicit(&w->seen_errors, 1, memory_order_relaxed);
}

/* The connection is gone, and with it the replies to what it had asked. */
static void worker_drop(struct worker *w, struct link *l, const char *kind)
{
	uint64_t now = worker_now();

	if (l->state == LINK_READY) {
		/* While it waits for nothing it stands among those that are idle. */
		for (struct link **at = &w->idle; *at; at = &(*at)->next_idle) {
			if (*at == l) {
				*at = l->next_idle;
				break;
			}
		}
		w->tally.lost++;
		l->refused = 0;
		worker_set_ready(w, w->ready - 1);
	} else {
		w->tally.failures++;
		l->refused++;
	}
	for (; l->answered < l->request_count; l->answered++) {
		worker_error(w, &l->requests[l->answered], slice_of_text(kind));
		worker_resolve(w, &l->requests[l->answered], now);
	}
	l->request_count = l->answered = 0;
	link_close(l);
	l->target = (l->target + 1) % w->load->target_count;
	l->retry_at = l->refused < w->load->target_count ? now : now + RETRY_NS;
}

static void worker_open(struct worker *w, struct link *l)
{
	l->heard = worker_now();
	if (!link_open(l, &w->load->targets[l->target], w->epoll_fd))
		worker_drop(w, l, TALLY_LOST);
}

static void worker_be_idle(struct worker *w, struct link *l)
{
	l->request_count = l->answered = 0;
	l->next_idle = w->idle;
	w->idle = l;
}

static void worker_be_ready(struct worker *w, struct link *l)
{
	l->state = LINK_READY;
	w->tally.connected++;
	worker_set_ready(w, w->ready + 1);
	worker_be_idle(w, l);
}

static void worker_greet(struct worker *w, struct link *l)
{
	if (!link_connected(l)) {
		worker_drop(w, l, TALLY_LOST);
		return;
	}
	l->state = LINK_GREETING;
	l->greetings = w->load->greetings;
	buf_append_slice(&l->out, w->load->greeting);
	if (l->greetings == 0)
		worker_be_ready(w, l);
}

/* ---- requests and replies -------------------------------------------------------------------- */

/* From here on nothing is sent. */
static uint64_t worker_last_ns(const struct worker *w)
{
	return w->load->rate && w->load->duration_ns ? w->end + GRACE_NS : w->end;
}

/* Whether one more request is to be sent now, since when, and whether it counts. */
static bool worker_may_send(struct worker *w, uint64_t now, struct link_request *r)
{
	const struct load *load = w->load;

	if (now >= worker_last_ns(w) || (!load->duration_ns && w->left == 0))
		return false;
	r->since = now;
	if (load->rate) {
		r->since = w->begin + w->due * SECOND_NS * load->threads / load->rate;
		if (r->since > now || r->since >= w->end)
			return false;
		w->due++;
	}
	r->counts = r->since >= w->measured;
	if (r->counts && !load->duration_ns)
		w->left--;
	return true;
}

static void worker_issue(struct worker *w)
{
	while (w->idle) {
		struct link *l = w->idle;
		uint64_t now = worker_now();
		struct link_request r = {0};

		while (l->request_count < w->load->pipeline && worker_may_send(w, now, &r)) {
			r.command = mix_choose(w->load->mix, &w->source.random);
			mix_put(w->load->mix, r.command, &w->source, &l->out);
			l->requests[l->request_count++] = r;
			w->awaited++;
		}
		if (l->request_count == 0)
			return;
		w->idle = l->next_idle;
		l->heard = now;
		if (!link_send(l))
			worker_drop(w, l, TALLY_LOST);
	}
}

static struct slice first_word(struct slice s)
{
	const uint8_t *blank = s.len ? memchr(s.data, ' ', s.len) : NULL;

	return slice_of(s.data, blank ? (size_t)(blank - s.data) : s.len);
}

/* False: nobody had asked for it. */
static bool worker_reply(struct worker *w, struct link *l, const struct resp_item *item,
			 uint64_t now)
{
	const struct link_request *r = &l->requests[l->answered];

	if (l->answered == l->request_count)
		return false;
	l->answered++;
	if (resp_item_is_error(item))
		worker_error(w, r, first_word(item->text));
	else if (r->counts)
		tally_answer(&w->tally, r->command, now - r->since, item->null);
	worker_resolve(w, r, now);
	if (l->answered == l->request_count)
		worker_be_idle(w, l);
	return true;
}

/* False: this is not how servers greet. */
static bool worker_greeting(struct worker *w, struct link *l, const struct resp_item *item)
{
	if (resp_item_is_error(item))
		return false;
	if (--l->greetings == 0)
		worker_be_ready(w, l);
	return true;
}

static bool worker_read(struct worker *w, struct link *l, bool ended)
{
	bool open = link_receive(l, ended);
	uint64_t now = worker_now();
	enum resp_reply_outcome outcome;
	struct resp_item item;

	l->heard = now;

	while ((outcome = link_take(l, &item)) == RESP_REPLY_WHOLE) {
		if (!(l->state == LINK_GREETING ? worker_greeting(w, l, &item)
						: worker_reply(w, l, &item, now)))
			return false;
	}
	return open && outcome == RESP_REPLY_MORE;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void worker_event(struct worker *w, struct link *l, uint32_t events)
{
	if (l->state == LINK_CONNECTING) {
		worker_greet(w, l);
		events |= EPOLLOUT;
	}
	if (l->state == LINK_DOWN)
		return;
	if (((events & EPOLLOUT) && !link_send(l)) ||
	    ((events & ~(uint32_t)EPOLLOUT) && !worker_read(w, l, events & EPOLLRDHUP)))
		worker_drop(w, l, TALLY_LOST);
}

/* Who waits too long is given up, who is down may try again. */
static void worker_look(struct worker *w, uint64_t now)
{
	uint64_t timeout = w->load->timeout_ns;

	for (size_t i = 0; i < w->link_count; i++) {
		struct link *l = &w->links[i];

		if (l->state == LINK_READY && l->answered == l->request_count)
			continue;
		if (l->state == LINK_DOWN && now >= l->retry_at)
			worker_open(w, l);
		else if (l->state != LINK_DOWN && now > l->heard && now - l->heard > timeout)
			worker_drop(w, l, TALLY_LATE);
	}
	if (w->ready)
		w->last_up = now;
}

static uint64_t worker_wait_ns(const struct worker *w, uint64_t now)
{
	uint64_t till = w->next_look;

	if (w->load->rate && w->idle && w->end)
		till = MIN(till, w->begin + w->due * SECOND_NS * w->load->threads / w->load->rate);
	if (w->end > now)
		till = MIN(till, w->end);
	return till > now ? till - now : 0;
}

static void worker_turn(struct worker *w)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t now = worker_now();
	uint64_t wait = worker_wait_ns(w, now);
	struct timespec timeout = {.tv_sec = (time_t)(wait / SECOND_NS),
				   .tv_nsec = (long)(wait % SECOND_NS)};
	int count = epoll_pwait2(w->epoll_fd, events, EVENTS_MAX, &timeout, NULL);

	for (int i = 0; i < count; i++)
		worker_event(w, events[i].data.ptr, events[i].events);
	now = worker_now();
	if (now >= w->next_look) {
		worker_look(w, now);
		w->next_look = now + LOOK_NS;
	}
}

void worker_connect(struct worker *w)
{
	uint64_t give_up = worker_now() + w->load->timeout_ns;

	for (size_t i = 0; i < w->link_count; i++)
		worker_open(w, &w->links[i]);
	while (w->ready + w->tally.failures < w->link_count && worker_now() < give_up &&
	       !atomic_load_explicit(w->stop, memory_order_relaxed))
		worker_turn(w);
}

/* Nobody is there to be asked for so long that the rest is given up. */
static void worker_give_up(struct worker *w, uint64_t now)
{
	if (w->load->duration_ns || w->ready || now - w->last_up <= w->load->timeout_ns)
		return;
	w->tally.unsent += w->left;
	w->left = 0;
}

static bool worker_is_done(struct worker *w)
{
	uint64_t now = worker_now();

	if (atomic_load_explicit(w->stop, memory_order_relaxed))
		w->end = MIN(w->end, now);
	worker_give_up(w, now);
	return w->awaited == 0 &&
	       (now >= worker_last_ns(w) || (!w->load->duration_ns && w->left == 0));
}

/* With a rate: what should have been sent by the end, and found no connection that was free. */
static uint64_t worker_unsent(const struct worker *w)
{
	const struct load *load = w->load;
	uint64_t due;

	if (!load->rate || !load->duration_ns || w->end <= w->begin)
		return 0;
	due = (w->end - w->begin) / 1000 * load->rate / load->threads / 1000000;
	return due > w->due ? due - w->due : 0;
}

void worker_run(struct worker *w, uint64_t begin)
{
	const struct load *load = w->load;

	w->begin = w->last_up = begin;
	w->measured = begin + load->warmup_ns;
	w->end = load->duration_ns ? w->measured + load->duration_ns : UINT64_MAX;
	while (!worker_is_done(w)) {
		worker_issue(w);
		worker_turn(w);
	}
	w->tally.unsent += worker_unsent(w);
}
