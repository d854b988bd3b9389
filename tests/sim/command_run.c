/* Many seeds on several processes, or one seed looked at closely. */

#include "base/clock.h"
#include "sim/commands.h"
#include "sim/mode.h"
#include "sim/workers.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of so many failures the last events are printed. */
#define FAILURES_SHOWN 3

/* So many seeds must have reached everything there is to reach. */
#define SEEDS_FOR_COVERAGE 2000

static void print_commit(void)
{
	char commit[64] = "unknown";
	FILE *git = popen("git rev-parse --short HEAD 2>/dev/null", "r");

	if (git) {
		if (fgets(commit, sizeof(commit), git))
			commit[strcspn(commit, "\n")] = 0;
		pclose(git);
	}
	printf("commit %s\n", commit);
}

static void print_failure(const struct sim_mode *mode, uint64_t seed, const char *failure)
{
	printf("\nseed %" PRIu64 " FAILED: %s\n", seed, failure);
	print_commit();
	printf("again, step by step: make %s SEED=%" PRIu64 " TRACE=1\n", mode->again, seed);
}

int command_run_one(const struct command_options *o)
{
	struct run_options run = {
		.mode = o->mode, .seed = o->first_seed, .trace = true, .live = o->trace};
	struct sim_counts counts = {0};
	char failure[RUN_FAILURE_MAX];

	if (run_seed(&run, &counts, failure)) {
		printf("seed %" PRIu64 ": nothing found in %.1f virtual s, %" PRIu64
		       " operations, %" PRIu64 " leaders\n",
		       o->first_seed, (double)counts.virtual_us / 1e6, counts.client_ops,
		       counts.n[COUNT_LEADER]);
		return 0;
	}
	print_failure(o->mode, o->first_seed, failure);
	return 1;
}

/* Lives the seed again in a process of its own, which may abort, and prints its last events. */
static void print_last_events(const struct sim_mode *mode, uint64_t seed)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct run_options run = {.mode = mode, .seed = seed, .trace = true};
		struct sim_counts counts = {0};
		char failure[RUN_FAILURE_MAX];

		run_seed(&run, &counts, failure);
		fflush(NULL);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

struct progress {
	const struct sim_mode *mode;
	unsigned shown; /* failures whose last events were printed */
};

static void show_progress(void *ctx, const struct worker_result *r, uint64_t done, uint64_t total)
{
	uint64_t step = total >= 20 ? total / 20 : 1;
	struct progress *p = ctx;

	if (!r->ok) {
		if (p->shown++ < FAILURES_SHOWN)
			print_last_events(p->mode, r->seed);
		print_failure(p->mode, r->seed, r->failure);
	}
	if (done % step == 0 || done == total)
		printf("%" PRIu64 "/%" PRIu64 " seeds\n", done, total);
	fflush(stdout);
}

int command_run_many(const struct command_options *o)
{
	struct sim_counts counts = {0};
	struct clock clock = clock_system();
	uint64_t began_us = clock_monotonic_us(&clock);
	uint64_t failed;
	struct progress p = {.mode = o->mode};
	unsigned zeros;

	failed = workers_run(o->mode, o->first_seed, o->seeds, (unsigned)o->jobs, NULL, &counts,
			     show_progress, &p);
	zeros = sim_counts_print(&counts, o->mode->in);
	printf("%" PRIu64 " s on %" PRIu64 " processes\n",
	       (clock_monotonic_us(&clock) - began_us) / 1000000, o->jobs);
	if (zeros && o->seeds >= SEEDS_FOR_COVERAGE)
		printf("%u things never happened: what is not reached is not tested\n", zeros);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", o->seeds - failed, failed);
	return failed || (zeros && o->seeds >= SEEDS_FOR_COVERAGE);
}
