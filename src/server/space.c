#include "server/space.h"

#include "base/compiler.h"
#include "base/mem.h"

#define LOOK_EVERY_MS 1000u

/* Near a limit: what a fast disk takes in such a time has to be less than a reserve. */
#define LOOK_NEAR_MS 50u

/*
 * Near the reserve is whoever has less room than so many of it; near the quota, whoever has less
 * left than this part of it.
 */
#define NEAR_RESERVES	4
#define NEAR_QUOTA_PART 4

struct space {
	struct space_options options;
	struct job job;
	bool looking;	/* the job is under way, */
	bool looks_all; /* and looks at what is used, too */
	uint64_t due_ms;
	struct space_found look; /* the job's, but for what follows from the limits */
	struct space_found found;
	bool is_told;
};

struct space *space_new(const struct space_options *options)
{
	struct space *s = MEM_NEW(struct space);

	s->options = *options;
	s->found.free = UINT64_MAX;
	return s;
}

const struct space_found *space_found(const struct space *s)
{
	return &s->found;
}

void space_free(struct space *s)
{
	mem_free(s);
}

void space_set_limits(struct space *s, const struct space_limits *limits)
{
	s->options.limits = *limits;
	s->due_ms = 0;
}

static bool space_is_limited(const struct space *s)
{
	return s->options.limits.reserve || s->options.limits.quota;
}

/* A disk that does not say how much room it has is not called full. */
static uint64_t look_free(const struct space_options *o)
{
	uint64_t free = UINT64_MAX, bytes;

	for (size_t i = 0; i < ARRAY_LEN(o->dirs); i++) {
		if (disk_free_space(o->disk, o->dirs[i], &bytes) == OK)
			free = MIN(free, bytes);
	}
	return free;
}

static uint64_t look_used(const struct space_options *o)
{
	uint64_t used = 0, bytes;

	for (size_t i = 0; i < ARRAY_LEN(o->dirs) - o->is_nested; i++) {
		if (disk_used_space(o->disk, o->dirs[i], &bytes) == OK)
			used += bytes;
	}
	return used;
}

static enum job_progress space_look(struct job *job)
{
	struct space *s = CONTAINER_OF(job, struct space, job);

	s->look = (struct space_found){.free = look_free(&s->options)};
	if (s->looks_all)
		s->look.used = look_used(&s->options);
	return JOB_DONE;
}

static void space_tell(struct space *s, const struct space_found *found)
{
	bool changed = !s->is_told || found->low != s->found.low;

	s->found = *found;
	s->is_told = true;
	if (changed)
		s->options.told(s->options.ctx, found);
}

static bool space_is_near(const struct space *s)
{
	const struct space_limits *l = &s->options.limits;

	return s->found.free / NEAR_RESERVES < l->reserve ||
	       (l->quota && s->found.used > l->quota - l->quota / NEAR_QUOTA_PART);
}

static void space_looked(struct job *job)
{
	struct space *s = job->owner;
	const struct space_limits *l = &s->options.limits;
	uint64_t reserve = l->reserve, quota = l->quota;
	struct space_found found = s->look;

	s->looking = false;
	if (s->found.below_reserve)
		reserve += reserve / 10;
	if (s->found.above_quota)
		quota -= quota / 10;
	found.below_reserve = found.free < reserve;
	found.above_quota = quota && found.used > quota;
	found.low = found.below_reserve || found.above_quota;
	space_tell(s, &found);
	if (space_is_near(s) && s->due_ms > LOOK_EVERY_MS - LOOK_NEAR_MS)
		s->due_ms -= LOOK_EVERY_MS - LOOK_NEAR_MS;
}

uint64_t space_turn(struct space *s, uint64_t now_ms)
{
	if (s->looking)
		return UINT64_MAX;
	if (!space_is_limited(s)) {
		space_tell(s, &(struct space_found){.free = UINT64_MAX});
		return UINT64_MAX;
	}
	if (now_ms < s->due_ms)
		return s->due_ms;
	s->due_ms = now_ms + LOOK_EVERY_MS;
	s->looking = true;
	s->looks_all = s->options.limits.quota > 0;
	s->job = (struct job){.step = space_look, .done = space_looked, .owner = s};
	list_init(&s->job.link);
	s->options.run(s->options.ctx, &s->job);
	return UINT64_MAX;
}
