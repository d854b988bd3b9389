#include "server/space.h"

#include "base/compiler.h"
#include "base/mem.h"

#define LOOK_EVERY_MS 1000u

struct space {
	struct space_options options;
	struct job job;
	bool looking; /* the job is under way */
	uint64_t due_ms;
	uint64_t found; /* the job's */
	bool found_any;
	bool is_told;
	bool low;
};

struct space *space_new(const struct space_options *options)
{
	struct space *s = MEM_NEW(struct space);

	s->options = *options;
	return s;
}

void space_free(struct space *s)
{
	mem_free(s);
}

void space_set_reserve(struct space *s, uint64_t bytes)
{
	s->options.reserve = bytes;
	s->due_ms = 0;
	/* Nobody looks any more who could find that there is enough. */
	if (bytes == 0 && s->low) {
		s->low = false;
		s->options.told(s->options.ctx, false);
	}
}

/* A disk that does not say how much room it has is not called full. */
static enum job_progress space_look(struct job *job)
{
	struct space *s = CONTAINER_OF(job, struct space, job);

	s->found = UINT64_MAX;
	s->found_any = false;
	for (size_t i = 0; i < ARRAY_LEN(s->options.dirs); i++) {
		uint64_t bytes;

		if (disk_free_space(s->options.disk, s->options.dirs[i], &bytes) != OK)
			continue;
		s->found = MIN(s->found, bytes);
		s->found_any = true;
	}
	return JOB_DONE;
}

static void space_looked(struct job *job)
{
	struct space *s = job->owner;
	uint64_t reserve = s->options.reserve;
	bool low;

	s->looking = false;
	if (!s->found_any)
		return;
	low = s->found < (s->low ? reserve + reserve / 10 : reserve);
	if (s->is_told && low == s->low)
		return;
	s->is_told = true;
	s->low = low;
	s->options.told(s->options.ctx, low);
}

uint64_t space_turn(struct space *s, uint64_t now_ms)
{
	if (s->looking || !s->options.reserve)
		return UINT64_MAX;
	if (now_ms < s->due_ms)
		return s->due_ms;
	s->due_ms = now_ms + LOOK_EVERY_MS;
	s->looking = true;
	s->job = (struct job){.step = space_look, .done = space_looked, .owner = s};
	list_init(&s->job.link);
	s->options.run(s->options.ctx, &s->job);
	return UINT64_MAX;
}
