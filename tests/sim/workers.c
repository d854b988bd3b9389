#include "sim/workers.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/mutant.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEED_SECONDS 60

/* One process works through its share, seed by seed; its results come through a pipe. */
struct worker {
	pid_t pid;
	int fd;
	uint64_t next; /* the seed it is at */
	uint64_t end;  /* one behind its last */
	uint64_t stride;
	const struct sim_mode *mode;
};

static void write_whole(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		CHECK(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

static bool read_whole(int fd, void *data, size_t len)
{
	char *at = data;

	while (len) {
		ssize_t n = read(fd, at, len);

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/*
 * Seconds of the processor's time, after which the process dies: a seed that never ends is a
 * finding, and one that waits for a busy machine is none. 0: as long as it takes.
 */
static void limit_time(unsigned seconds)
{
	struct itimerval limit = {.it_value = {.tv_sec = seconds}};

	CHECK(setitimer(ITIMER_PROF, &limit, NULL) == 0);
}

static _Noreturn void worker_main(const struct worker *wk, int fd, const char *mutant)
{
	mutant_choose(mutant);
	for (uint64_t seed = wk->next; seed < wk->end; seed += wk->stride) {
		struct run_options o = {.mode = wk->mode, .seed = seed};
		struct worker_result r = {.seed = seed};

		limit_time(SEED_SECONDS);
		r.ok = run_seed(&o, &r.counts, r.failure);
		limit_time(0);
		write_whole(fd, &r, sizeof(r));
	}
	fflush(NULL);
	_exit(0);
}

static void worker_start(struct worker *wk, const char *mutant)
{
	int fds[2];

	fflush(NULL);
	CHECK(pipe(fds) == 0);
	wk->pid = fork();
	CHECK(wk->pid >= 0);
	if (wk->pid == 0) {
		close(fds[0]);
		if (mutant)
			CHECK(freopen("/dev/null", "w", stderr) != NULL);
		worker_main(wk, fds[1], mutant);
	}
	close(fds[1]);
	wk->fd = fds[0];
}

/* The next result of this worker; when it died, the seed it was at is a finding. */
static void worker_result(struct worker *wk, const char *mutant, struct worker_result *r)
{
	int status;

	if (read_whole(wk->fd, r, sizeof(*r))) {
		wk->next = r->seed + wk->stride;
		return;
	}
	close(wk->fd);
	waitpid(wk->pid, &status, 0);
	*r = (struct worker_result){.seed = wk->next};
	r->counts.seeds = 1;
	snprintf(r->failure, sizeof(r->failure), "the process died of signal %d",
		 WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	wk->next += wk->stride;
	wk->pid = 0;
	wk->fd = -1;
	if (wk->next < wk->end)
		worker_start(wk, mutant);
}

static void worker_end(struct worker *wk)
{
	if (wk->fd < 0)
		return;
	close(wk->fd);
	waitpid(wk->pid, NULL, 0);
}

uint64_t workers_run(const struct sim_mode *mode, uint64_t first, uint64_t count, unsigned jobs,
		     const char *mutant, struct sim_counts *counts,
		     void (*each)(void *, const struct worker_result *, uint64_t, uint64_t),
		     void *ctx)
{
	struct worker *workers = mem_zalloc(jobs, sizeof(*workers));
	struct pollfd *polls = mem_zalloc(jobs, sizeof(*polls));
	struct worker_result *r = MEM_NEW(struct worker_result);
	uint64_t failed = 0;

	for (unsigned i = 0; i < jobs; i++) {
		workers[i] = (struct worker){.mode = mode,
					     .fd = -1,
					     .next = first + i,
					     .end = first + count,
					     .stride = jobs};
		if (workers[i].next < workers[i].end)
			worker_start(&workers[i], mutant);
	}
	for (uint64_t done = 0; done < count;) {
		for (unsigned i = 0; i < jobs; i++)
			polls[i] = (struct pollfd){
				.fd = workers[i].next < workers[i].end ? workers[i].fd : -1,
				.events = POLLIN};
		CHECK(poll(polls, jobs, -1) > 0);
		for (unsigned i = 0; i < jobs; i++) {
			if (!polls[i].revents)
				continue;
			worker_result(&workers[i], mutant, r);
			sim_counts_add(counts, &r->counts);
			failed += !r->ok;
			done++;
			if (each)
				each(ctx, r, done, count);
		}
	}
	for (unsigned i = 0; i < jobs; i++)
		worker_end(&workers[i]);
	mem_free(workers);
	mem_free(polls);
	mem_free(r);
	return failed;
}

struct first_failure {
	uint64_t seed;
	char *failure;
};

static void note_failure(void *ctx, const struct worker_result *r, uint64_t done, uint64_t total)
{
	struct first_failure *f = ctx;

	(void)done;
	(void)total;
	if (r->ok || (f->seed && f->seed < r->seed))
		return;
	f->seed = r->seed;
	memcpy(f->failure, r->failure, RUN_FAILURE_MAX);
}

uint64_t workers_first_failure(const struct sim_mode *mode, uint64_t first, uint64_t count,
			       unsigned jobs, const char *mutant, char *failure)
{
	struct first_failure f = {.failure = failure};
	struct sim_counts counts = {0};
	uint64_t batch = 8;

	for (uint64_t at = 0; at < count && !f.seed; at += batch, batch = MIN(batch * 2, 64u))
		workers_run(mode, first + at, MIN(batch, count - at), jobs, mutant, &counts,
			    note_failure, &f);
	return f.seed;
}
