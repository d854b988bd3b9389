#include "server/threads.h"

#include "base/check.h"
#include "base/error.h"
#include "base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

struct lane {
	struct threads *threads;
	const char *name;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct list queue; /* under the lock */
	pthread_t *workers;
	unsigned count;
};

struct threads {
	struct lane lanes[THREADS_LANES];
	atomic_bool stopping;
	bool stopped;

	pthread_mutex_t lock;
	struct list finished; /* under the lock */

	void (*wake)(void *ctx);
	void *ctx;
};

/* The next job, or NULL when the threads are to end. */
static struct job *lane_take(struct lane *lane)
{
	struct list *node = NULL;

	pthread_mutex_lock(&lane->lock);
	while (!atomic_load(&lane->threads->stopping)) {
		node = list_pop_front(&lane->queue);
		if (node)
			break;
		pthread_cond_wait(&lane->filled, &lane->lock);
	}
	pthread_mutex_unlock(&lane->lock);
	return node ? LIST_ITEM(node, struct job, link) : NULL;
}

static void threads_finish(struct threads *t, struct job *job)
{
	bool first;

	pthread_mutex_lock(&t->lock);
	first = list_empty(&t->finished);
	list_push_back(&t->finished, &job->link);
	pthread_mutex_unlock(&t->lock);
	/* Behind the first one the loop is awake already, and takes whatever it finds. */
	if (first)
		t->wake(t->ctx);
}

static void *lane_work(void *lane_)
{
	struct lane *lane = lane_;
	struct threads *t = lane->threads;
	struct job *job;

	(void)pthread_setname_np(pthread_self(), lane->name);
	while ((job = lane_take(lane)) != NULL) {
		enum job_progress progress = JOB_MORE;

		while (progress == JOB_MORE && !atomic_load(&t->stopping))
			progress = job->step(job);
		if (progress == JOB_DONE)
			threads_finish(t, job);
	}
	return NULL;
}

static void lane_init(struct lane *lane, struct threads *t, const char *name)
{
	lane->threads = t;
	lane->name = name;
	list_init(&lane->queue);
	CHECK(pthread_mutex_init(&lane->lock, NULL) == 0);
	CHECK(pthread_cond_init(&lane->filled, NULL) == 0);
}

static int lane_start(struct lane *lane, unsigned count)
{
	lane->workers = mem_zalloc(count, sizeof(*lane->workers));
	for (; lane->count < count; lane->count++)
		if (pthread_create(&lane->workers[lane->count], NULL, lane_work, lane) != 0)
			return ERR_UNAVAILABLE;
	return OK;
}

/* Signals are the loop's business: threads inherit a mask that holds them all. */
static int threads_start(struct threads *t, unsigned readers)
{
	sigset_t all, before;
	int rc = OK;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; i < THREADS_LANES && rc == OK; i++)
		rc = lane_start(&t->lanes[i], i == LANE_READ ? readers : 1);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int threads_new(struct threads **out, const struct threads_options *options)
{
	static const char *const names[THREADS_LANES] = {
		[LANE_LOG] = "log",	    [LANE_MAINTENANCE] = "maintenance",
		[LANE_READ] = "read",	    [LANE_SNAPSHOT] = "snapshot",
		[LANE_RESOLVE] = "resolve",
	};
	struct threads *t = MEM_NEW(struct threads);
	int rc;

	CHECK(options->readers >= 1);
	t->wake = options->wake;
	t->ctx = options->ctx;
	list_init(&t->finished);
	CHECK(pthread_mutex_init(&t->lock, NULL) == 0);
	for (unsigned i = 0; i < THREADS_LANES; i++)
		lane_init(&t->lanes[i], t, names[i]);
	rc = threads_start(t, options->readers);
	if (rc != OK) {
		threads_free(t);
		return rc;
	}
	*out = t;
	return OK;
}

void threads_run(struct threads *t, unsigned lane_number, struct job *job)
{
	struct lane *lane = &t->lanes[lane_number];

	CHECK(lane_number < THREADS_LANES);
	pthread_mutex_lock(&lane->lock);
	list_push_back(&lane->queue, &job->link);
	pthread_mutex_unlock(&lane->lock);
	pthread_cond_signal(&lane->filled);
}

/* Moves all nodes of `from` to `to`, which is empty. */
static void list_take(struct list *to, struct list *from)
{
	list_init(to);
	if (list_empty(from))
		return;
	*to = *from;
	to->next->prev = to;
	to->prev->next = to;
	list_init(from);
}

void threads_complete(struct threads *t)
{
	struct list finished, *node;

	pthread_mutex_lock(&t->lock);
	list_take(&finished, &t->finished);
	pthread_mutex_unlock(&t->lock);
	while ((node = list_pop_front(&finished)) != NULL) {
		struct job *job = LIST_ITEM(node, struct job, link);

		job->done(job);
	}
}

void threads_stop(struct threads *t)
{
	if (t->stopped)
		return;
	t->stopped = true;
	atomic_store(&t->stopping, true);
	for (unsigned i = 0; i < THREADS_LANES; i++) {
		struct lane *lane = &t->lanes[i];

		/* With the lock held nobody is between looking and waiting. */
		pthread_mutex_lock(&lane->lock);
		pthread_cond_broadcast(&lane->filled);
		pthread_mutex_unlock(&lane->lock);
		for (unsigned w = 0; w < lane->count; w++)
			pthread_join(lane->workers[w], NULL);
	}
}

void threads_free(struct threads *t)
{
	if (!t)
		return;
	threads_stop(t);
	for (unsigned i = 0; i < THREADS_LANES; i++) {
		pthread_cond_destroy(&t->lanes[i].filled);
		pthread_mutex_destroy(&t->lanes[i].lock);
		mem_free(t->lanes[i].workers);
	}
	pthread_mutex_destroy(&t->lock);
	mem_free(t);
}
