#include "load.h"

#include "base/check.h"
#include "base/mem.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct run;

struct run_thread {
	struct run *run;
	struct worker worker;
	pthread_t thread;
};

struct run {
	const struct load *load;
	struct run_thread *threads;
	pthread_barrier_t connected; /* all threads, and the one that started them */
	pthread_barrier_t begun;
	uint64_t begin;
	int done_fd; /* counts threads that have ended */
};

static void *run_thread(void *arg)
{
	struct run_thread *t = arg;
	uint64_t one = 1;

	worker_connect(&t->worker);
	pthread_barrier_wait(&t->run->connected);
	pthread_barrier_wait(&t->run->begun);
	worker_run(&t->worker, t->run->begin);
	CHECK(write(t->run->done_fd, &one, sizeof(one)) == sizeof(one));
	return NULL;
}

/* ---- looking on ------------------------------------------------------------------------------ */

struct seen {
	uint64_t at;
	uint64_t requests;
	uint64_t errors;
	uint64_t ready;
};

static struct seen run_look(const struct run *run)
{
	struct seen s = {.at = worker_now()};

	for (unsigned i = 0; i < run->load->threads; i++) {
		const struct worker *w = &run->threads[i].worker;

		s.requests += atomic_load_explicit(&w->seen_requests, memory_order_relaxed);
		s.errors += atomic_load_explicit(&w->seen_errors, memory_order_relaxed);
		s.ready += atomic_load_explicit(&w->seen_ready, memory_order_relaxed);
	}
	return s;
}

static void run_tell(const struct run *run, const struct seen *before, const struct seen *now)
{
	double seconds = (double)(now->at - before->at) / 1e9;

	fprintf(stderr, "%7.1f s %12.0f requests/s %8.0f errors/s %6" PRIu64 " connections\n",
		(double)(now->at - run->begin) / 1e9,
		(double)(now->requests - before->requests) / seconds,
		(double)(now->errors - before->errors) / seconds, now->ready);
}

/* Until every thread has ended. */
static void run_watch(struct run *run, const struct load_watch *watch)
{
	struct pollfd fds[] = {{.fd = run->done_fd, .events = POLLIN},
			       {.fd = watch->stop_fd, .events = POLLIN}};
	struct seen before = {.at = run->begin};
	unsigned ended = 0;

	while (ended < run->load->threads) {
		int ready = poll(fds, 2, watch->every_s ? (int)(watch->every_s * 1000) : -1);
		uint64_t count;

		if (ready == 0) {
			struct seen now = run_look(run);

			run_tell(run, &before, &now);
			before = now;
		}
		if (fds[1].revents & POLLIN) {
			atomic_store_explicit(watch->stop, true, memory_order_relaxed);
			fds[1].fd = -1;
		}
		if ((fds[0].revents & POLLIN) &&
		    read(run->done_fd, &count, sizeof(count)) == sizeof(count))
			ended += (unsigned)count;
	}
}

/* ---- the run --------------------------------------------------------------------------------- */

static void run_start(struct run *run, const struct load_watch *watch)
{
	unsigned count = run->load->threads;

	run->threads = mem_zalloc(count, sizeof(*run->threads));
	run->done_fd = eventfd(0, EFD_CLOEXEC);
	CHECK(run->done_fd >= 0);
	CHECK(pthread_barrier_init(&run->connected, NULL, count + 1) == 0);
	CHECK(pthread_barrier_init(&run->begun, NULL, count + 1) == 0);
	for (unsigned i = 0; i < count; i++) {
		struct run_thread *t = &run->threads[i];

		t->run = run;
		worker_init(&t->worker, run->load, i, watch->stop);
		CHECK(pthread_create(&t->thread, NULL, run_thread, t) == 0);
	}
}

/* When the counting ended: at the time that was set, or somebody's wish, or with the last reply. */
static uint64_t run_end(const struct run *run, const struct tally *tally)
{
	uint64_t end = run->load->duration_ns ? 0 : tally->last_reply;

	for (unsigned i = 0; i < run->load->threads && run->load->duration_ns; i++)
		end = MAX(end, run->threads[i].worker.end);
	return end;
}

void load_run(const struct load *load, const struct load_watch *watch, struct tally *tally,
	      double *seconds)
{
	struct run run = {.load = load};
	uint64_t measured, end;

	run_start(&run, watch);
	pthread_barrier_wait(&run.connected);
	run.begin = worker_now();
	pthread_barrier_wait(&run.begun);
	run_watch(&run, watch);
	for (unsigned i = 0; i < load->threads; i++) {
		pthread_join(run.threads[i].thread, NULL);
		tally_merge(tally, &run.threads[i].worker.tally);
	}
	measured = run.begin + load->warmup_ns;
	end = run_end(&run, tally);
	*seconds = end > measured ? (double)(end - measured) / 1e9 : 0;
	for (unsigned i = 0; i < load->threads; i++)
		worker_free(&run.threads[i].worker);
	pthread_barrier_destroy(&run.connected);
	pthread_barrier_destroy(&run.begun);
	close(run.done_fd);
	mem_free(run.threads);
}
