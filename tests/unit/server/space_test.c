#include "server/space.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Two disks in one, and somebody who is told. */
struct fake {
	struct disk disk;
	struct disk_ops ops;
	uint64_t room[2];
	uint64_t used[2];
	int error; /* of the second one */
	struct job *job;
	unsigned told;
	bool low;
};

static int fake_free_space(struct disk *disk, const char *path, uint64_t *bytes)
{
	struct fake *f = CONTAINER_OF(disk, struct fake, disk);
	bool second = strcmp(path, "log") == 0;

	if (second && f->error != OK)
		return f->error;
	*bytes = f->room[second];
	return OK;
}

static int fake_used_space(struct disk *disk, const char *path, uint64_t *bytes)
{
	*bytes = CONTAINER_OF(disk, struct fake, disk)->used[strcmp(path, "log") == 0];
	return OK;
}

static void fake_run(void *ctx, struct job *job)
{
	struct fake *f = ctx;

	assert_null(f->job);
	f->job = job;
}

static void fake_told(void *ctx, const struct space_found *found)
{
	struct fake *f = ctx;

	f->told++;
	f->low = found->low;
	assert_int_equal(found->low, found->below_reserve || found->above_quota);
}

static struct space *fake_space(struct fake *f, uint64_t reserve, uint64_t quota)
{
	struct space_options o = {
		.disk = &f->disk,
		.dirs = {"data", "log"},
		.limits = {.reserve = reserve, .quota = quota},
		.ctx = f,
		.run = fake_run,
		.told = fake_told,
	};

	*f = (struct fake){
		.ops = {.free_space = fake_free_space, .used_space = fake_used_space},
		.room = {50000, 50000},
	};
	f->disk.ops = &f->ops;
	return space_new(&o);
}

/* The thread does its work, and the loop hears of it. */
static void finish(struct fake *f)
{
	struct job *job = f->job;

	if (!job) {
		fail();
		return;
	}
	f->job = NULL;
	assert_int_equal(job->step(job), JOB_DONE);
	job->done(job);
}

static void look(struct fake *f, struct space *s, uint64_t now_ms)
{
	assert_true(space_turn(s, now_ms) == UINT64_MAX);
	finish(f);
}

static void what_was_found_is_told_when_it_changes(void **state)
{
	struct fake f;
	struct space *s = fake_space(&f, 1000, 0);

	(void)state;
	look(&f, s, 10000);
	assert_int_equal(f.told, 1);
	assert_false(f.low);
	look(&f, s, 11000);
	assert_int_equal(f.told, 1);
	f.room[1] = 999;
	look(&f, s, 12000);
	assert_int_equal(f.told, 2);
	assert_true(f.low);
	look(&f, s, 13000);
	assert_int_equal(f.told, 2);
	space_free(s);
}

static void being_short_ends_when_there_is_a_tenth_more(void **state)
{
	struct fake f;
	struct space *s = fake_space(&f, 1000, 0);

	(void)state;
	f.room[0] = 999;
	look(&f, s, 10000);
	assert_true(f.low);
	f.room[0] = 1099;
	look(&f, s, 11000);
	assert_true(f.low);
	f.room[0] = 1100;
	look(&f, s, 12000);
	assert_false(f.low);
	f.room[0] = 1000;
	look(&f, s, 13000);
	assert_false(f.low);
	space_free(s);
}

static void one_look_is_under_way_at_a_time(void **state)
{
	struct fake f;
	struct space *s = fake_space(&f, 1000, 0);

	(void)state;
	assert_true(space_turn(s, 10000) == UINT64_MAX);
	assert_true(space_turn(s, 20000) == UINT64_MAX);
	finish(&f);
	assert_true(space_turn(s, 10500) == 11000);
	assert_null(f.job);
	space_free(s);
}

static void a_disk_that_does_not_answer_is_not_called_full(void **state)
{
	struct fake f;
	struct space *s = fake_space(&f, 1000, 0);

	(void)state;
	f.error = ERR_IO;
	look(&f, s, 10000);
	assert_int_equal(f.told, 1);
	assert_false(f.low);
	f.room[0] = 1;
	look(&f, s, 11000);
	assert_true(f.low);
	space_free(s);
}

static void other_limits_are_looked_for_at_once(void **state)
{
	struct fake f;
	struct space *s = fake_space(&f, 1000, 0);

	(void)state;
	look(&f, s, 1000);
	assert_false(f.low);
	space_set_limits(s, &(struct space_limits){.reserve = 60000});
	look(&f, s, 1001);
	assert_true(f.low);
	space_set_limits(s, &(struct space_limits){.quota = 1});
	f.used[1] = 2;
	look(&f, s, 1002);
	assert_true(f.low);
	space_free(s);
}

/* Also what was said before the start, by somebody who did look. */
static void without_limits_nobody_looks_and_there_is_enough(void **state)
{
	struct fake f;
	struct space *s = fake_space(&f, 0, 0);

	(void)state;
	f.low = true;
	assert_true(space_turn(s, 10000) == UINT64_MAX);
	assert_null(f.job);
	assert_int_equal(f.told, 1);
	assert_false(f.low);
	assert_true(space_turn(s, 20000) == UINT64_MAX);
	assert_int_equal(f.told, 1);
	space_set_limits(s, &(struct space_limits){.reserve = 60000});
	look(&f, s, 20001);
	assert_true(f.low);
	space_set_limits(s, &(struct space_limits){0});
	assert_true(space_turn(s, 20002) == UINT64_MAX);
	assert_false(f.low);
	space_free(s);
}

static void a_quota_is_passed_until_a_tenth_of_it_is_free(void **state)
{
	struct fake f;
	struct space *s = fake_space(&f, 0, 1000);

	(void)state;
	f.used[0] = 600;
	f.used[1] = 400;
	look(&f, s, 10000);
	assert_false(f.low);
	f.used[1] = 401;
	look(&f, s, 11000);
	assert_true(f.low);
	f.used[1] = 301;
	look(&f, s, 12000);
	assert_true(f.low);
	f.used[1] = 300;
	look(&f, s, 13000);
	assert_false(f.low);
	space_free(s);
}

static void a_directory_in_the_other_is_not_counted_twice(void **state)
{
	struct fake f;
	struct space *s = fake_space(&f, 0, 1000);
	struct space *nested;
	struct space_options o = {
		.disk = &f.disk,
		.dirs = {"data", "log"},
		.is_nested = true,
		.limits = {.quota = 1000},
		.ctx = &f,
		.run = fake_run,
		.told = fake_told,
	};

	(void)state;
	f.used[0] = f.used[1] = 700;
	nested = space_new(&o);
	look(&f, s, 10000);
	assert_true(f.low);
	look(&f, nested, 10000);
	assert_false(f.low);
	space_free(nested);
	space_free(s);
}

static void near_a_limit_it_looks_more_often(void **state)
{
	struct fake f;
	struct space *s = fake_space(&f, 1000, 1000);

	(void)state;
	look(&f, s, 10000);
	assert_true(space_turn(s, 10001) == 11000);
	f.room[0] = 3999;
	look(&f, s, 11000);
	assert_true(space_turn(s, 11001) == 11050);
	f.room[0] = 4000;
	look(&f, s, 11050);
	assert_true(space_turn(s, 11051) == 12050);
	f.used[0] = 751;
	look(&f, s, 12050);
	assert_true(space_turn(s, 12051) == 12100);
	space_free(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_found_is_told_when_it_changes),
		cmocka_unit_test(being_short_ends_when_there_is_a_tenth_more),
		cmocka_unit_test(one_look_is_under_way_at_a_time),
		cmocka_unit_test(a_disk_that_does_not_answer_is_not_called_full),
		cmocka_unit_test(other_limits_are_looked_for_at_once),
		cmocka_unit_test(without_limits_nobody_looks_and_there_is_enough),
		cmocka_unit_test(a_quota_is_passed_until_a_tenth_of_it_is_free),
		cmocka_unit_test(a_directory_in_the_other_is_not_counted_twice),
		cmocka_unit_test(near_a_limit_it_looks_more_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
