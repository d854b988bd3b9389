#include "server/rewrite.h"

#include "base/error.h"
#include "base/mem.h"
#include "server/config.h"

struct rewrite {
	const struct options *options;
	void *ctx;
	void (*run)(void *ctx, struct job *job);

	struct job job;
	struct options now; /* the job's own copy; none is under way: of nothing */
	int rc;		    /* of the last one, and */
	struct buf problem; /* what was wrong with it; the job's while it is under way */
	uint64_t begun;	    /* newest number that was given */
	uint64_t running;   /* number that the job will have reached; 0: none is under way */
	uint64_t ended;	    /* newest number that has an end */
};

struct rewrite *rewrite_new(const struct options *options, void *ctx,
			    void (*run)(void *ctx, struct job *job))
{
	struct rewrite *r = MEM_NEW(struct rewrite);

	r->options = options;
	r->ctx = ctx;
	r->run = run;
	list_init(&r->job.link);
	return r;
}

void rewrite_free(struct rewrite *r)
{
	if (!r)
		return;
	options_free(&r->now);
	buf_free(&r->problem);
	mem_free(r);
}

static enum job_progress rewrite_step(struct job *job)
{
	struct rewrite *r = CONTAINER_OF(job, struct rewrite, job);

	r->rc = config_rewrite(&r->now, &r->problem);
	return JOB_DONE;
}

static void rewrite_start(struct rewrite *r);

static void rewrite_done(struct job *job)
{
	struct rewrite *r = job->owner;

	options_free(&r->now);
	r->ended = r->running;
	r->running = 0;
	if (r->begun > r->ended)
		rewrite_start(r);
}

static void rewrite_start(struct rewrite *r)
{
	r->running = r->begun;
	buf_clear(&r->problem);
	options_copy(&r->now, r->options);
	r->job.step = rewrite_step;
	r->job.done = rewrite_done;
	r->job.owner = r;
	r->run(r->ctx, &r->job);
}

uint64_t rewrite_begin(struct rewrite *r, struct buf *problem)
{
	if (!r->options->file) {
		(void)!config_rewrite(r->options, problem);
		return 0;
	}
	r->begun++;
	if (!r->running)
		rewrite_start(r);
	return r->begun;
}

int rewrite_ended(const struct rewrite *r, uint64_t number, struct buf *problem)
{
	if (number > r->ended)
		return ERR_BUSY;
	/* The next one is under way already: what the last one came to is the job's by now. */
	if (r->running)
		return ERR_BUSY;
	if (r->rc != OK)
		buf_append_slice(problem, buf_slice(&r->problem));
	return r->rc;
}
