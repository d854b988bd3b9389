#include "server/threads.h"

#include "base/error.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

struct crew {
	struct threads *threads;
	int wakes;
	unsigned done;
	unsigned last; /* number of the job that was completed last */
	bool in_order;
};

struct work {
	struct job job;
	struct crew *crew;
	unsigned number;
	unsigned steps;
	pthread_barrier_t *meet; /* may be NULL */
	struct work *then;	 /* queued when this one is done; may be NULL */
};

static enum job_progress work_step(struct job *job)
{
	struct work *w = CONTAINER_OF(job, struct work, job);

	if (w->meet)
		pthread_barrier_wait(w->meet);
	return --w->steps == 0 ? JOB_DONE : JOB_MORE;
}

static void work_done(struct job *job)
{
	struct work *w = job->owner;
	struct crew *crew = w->crew;

	assert_int_equal(w->steps, 0);
	crew->done++;
	crew->in_order = crew->in_order && w->number == crew->last + 1;
	crew->last = w->number;
	if (w->then)
		threads_run(crew->threads, LANE_LOG, &w->then->job);
}

static void work_init(struct work *w, struct crew *crew, unsigned number, unsigned steps)
{
	*w = (struct work){.crew = crew, .number = number, .steps = steps};
	w->job = (struct job){.step = work_step, .done = work_done, .owner = w};
	list_init(&w->job.link);
}

static void crew_wake(void *ctx)
{
	struct crew *crew = ctx;
	uint64_t one = 1;

	assert_int_equal(write(crew->wakes, &one, sizeof(one)), sizeof(one));
}

static void crew_begin(struct crew *crew)
{
	struct threads_options options = {.readers = 2, .wake = crew_wake, .ctx = crew};

	*crew = (struct crew){.in_order = true, .wakes = eventfd(0, EFD_CLOEXEC)};
	assert_int_equal(threads_new(&crew->threads, &options), OK);
}

static void crew_wait(struct crew *crew, unsigned done)
{
	while (crew->done < done) {
		struct pollfd woken = {.fd = crew->wakes, .events = POLLIN};
		uint64_t count;

		assert_int_equal(poll(&woken, 1, 20000), 1);
		assert_int_equal(read(crew->wakes, &count, sizeof(count)), sizeof(count));
		threads_complete(crew->threads);
	}
}

static void crew_end(struct crew *crew)
{
	threads_free(crew->threads);
	close(crew->wakes);
}

static void jobs_of_one_lane_run_in_order_whole(void **state)
{
	enum { COUNT = 5000 };
	struct work *work = calloc(COUNT, sizeof(*work));
	struct crew crew;

	(void)state;
	crew_begin(&crew);
	for (unsigned i = 0; i < COUNT; i++) {
		work_init(&work[i], &crew, i + 1, 1 + i % 3);
		threads_run(crew.threads, LANE_LOG, &work[i].job);
	}
	crew_wait(&crew, COUNT);
	assert_true(crew.in_order);
	crew_end(&crew);
	free(work);
}

static void lanes_do_not_wait_for_each_other_and_readers_run_side_by_side(void **state)
{
	/* Each of them holds its thread until all six have met. */
	static const unsigned lanes[] = {LANE_LOG,  LANE_MAINTENANCE, LANE_READ,
					 LANE_READ, LANE_SNAPSHOT,    LANE_RESOLVE};
	struct work work[ARRAY_LEN(lanes)];
	pthread_barrier_t meet;
	struct crew crew;

	(void)state;
	crew_begin(&crew);
	assert_int_equal(pthread_barrier_init(&meet, NULL, ARRAY_LEN(lanes)), 0);
	for (unsigned i = 0; i < ARRAY_LEN(lanes); i++) {
		work_init(&work[i], &crew, i + 1, 2);
		work[i].meet = &meet;
		threads_run(crew.threads, lanes[i], &work[i].job);
	}
	crew_wait(&crew, ARRAY_LEN(lanes));
	crew_end(&crew);
	pthread_barrier_destroy(&meet);
}

static void what_is_done_may_queue_more(void **state)
{
	struct work work[100];
	struct crew crew;

	(void)state;
	crew_begin(&crew);
	for (unsigned i = 0; i < ARRAY_LEN(work); i++) {
		work_init(&work[i], &crew, i + 1, 1);
		work[i].then = i + 1 < ARRAY_LEN(work) ? &work[i + 1] : NULL;
	}
	threads_run(crew.threads, LANE_LOG, &work[0].job);
	crew_wait(&crew, ARRAY_LEN(work));
	assert_true(crew.in_order);
	crew_end(&crew);
}

static void results_that_pile_up_cost_one_wake_up(void **state)
{
	struct work work[50], last;
	pthread_barrier_t meet;
	struct pollfd woken;
	struct crew crew;
	uint64_t count;

	(void)state;
	crew_begin(&crew);
	for (unsigned i = 0; i < ARRAY_LEN(work); i++) {
		work_init(&work[i], &crew, i + 1, 1);
		threads_run(crew.threads, LANE_LOG, &work[i].job);
	}
	/* They are all finished when one behind them has met this thread. */
	assert_int_equal(pthread_barrier_init(&meet, NULL, 2), 0);
	work_init(&last, &crew, ARRAY_LEN(work) + 1, 1);
	last.meet = &meet;
	threads_run(crew.threads, LANE_LOG, &last.job);
	pthread_barrier_wait(&meet);
	woken = (struct pollfd){.fd = crew.wakes, .events = POLLIN};
	assert_int_equal(poll(&woken, 1, 20000), 1);
	assert_int_equal(read(crew.wakes, &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, 1);
	threads_complete(crew.threads);
	assert_true(crew.done >= ARRAY_LEN(work));
	threads_stop(crew.threads);
	threads_complete(crew.threads);
	crew_end(&crew);
	pthread_barrier_destroy(&meet);
}

static void a_stop_ends_between_two_steps_and_forgets_what_is_queued(void **state)
{
	struct work endless, queued;
	struct crew crew;

	(void)state;
	crew_begin(&crew);
	work_init(&endless, &crew, 1, UINT32_MAX);
	work_init(&queued, &crew, 2, 1);
	threads_run(crew.threads, LANE_LOG, &endless.job);
	threads_run(crew.threads, LANE_LOG, &queued.job);
	threads_stop(crew.threads);
	assert_int_equal(queued.steps, 1);
	assert_int_not_equal(endless.steps, 0);
	assert_int_equal(crew.done, 0);
	crew_end(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_of_one_lane_run_in_order_whole),
		cmocka_unit_test(lanes_do_not_wait_for_each_other_and_readers_run_side_by_side),
		cmocka_unit_test(what_is_done_may_queue_more),
		cmocka_unit_test(results_that_pile_up_cost_one_wake_up),
		cmocka_unit_test(a_stop_ends_between_two_steps_and_forgets_what_is_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
