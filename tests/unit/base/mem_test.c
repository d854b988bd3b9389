#include "base/mem.h"

#include "expect_abort.h"

/* Lets the sanitizers' allocators refuse as the system's does, so that mem.c gets to decide. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* Larger than any address space, unknown to the compiler. */
static volatile size_t enormous = SIZE_MAX / 4;

static void zalloc_overflows(void)
{
	mem_free(mem_zalloc(enormous, 5));
}

static void resize_overflows(void)
{
	mem_free(mem_resize(NULL, enormous, 5));
}

static void growth_overflows(void)
{
	mem_grown_capacity(8, SIZE_MAX);
}

static void alloc_is_refused(void)
{
	mem_free(mem_alloc(enormous));
}

static void zalloc_is_refused(void)
{
	mem_free(mem_zalloc(enormous, 1));
}

static void resize_is_refused(void)
{
	mem_free(mem_resize(mem_alloc(1), enormous, 1));
}

static void aligned_is_refused(void)
{
	mem_free(mem_alloc_aligned(64, enormous));
}

static void alignment_is_wrong(void)
{
	mem_free(mem_alloc_aligned(24, 1));
}

static void blocks_of_no_bytes_can_be_had_and_freed(void **state)
{
	(void)state;
	mem_free(NULL);
	mem_free(mem_alloc(0));
	mem_free(mem_zalloc(0, 8));
	mem_free(mem_zalloc(8, 0));
	mem_free(mem_resize(NULL, 0, 8));
	mem_free(mem_resize(mem_alloc(8), 0, 8));
	mem_free(mem_alloc_aligned(64, 0));
}

static void zalloc_gives_zeroes(void **state)
{
	uint8_t *bytes = mem_zalloc(100, 10);

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(bytes[i], 0);
	mem_free(bytes);
}

static void resize_keeps_what_fits(void **state)
{
	uint32_t *numbers = mem_resize(NULL, 10, sizeof(*numbers));

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		numbers[i] = i;
	numbers = mem_resize(numbers, 100000, sizeof(*numbers));
	numbers = mem_resize(numbers, 5, sizeof(*numbers));
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(numbers[i], i);
	mem_free(numbers);
}

static void aligned_blocks_begin_where_they_should(void **state)
{
	(void)state;
	for (size_t alignment = 1; alignment <= 8192; alignment *= 2) {
		void *block = mem_alloc_aligned(alignment, 100);

		assert_int_equal((uintptr_t)block % alignment, 0);
		mem_free(block);
	}
}

static void arrays_grow_to_at_least_double_and_keep_their_elements(void **state)
{
	uint32_t *numbers = NULL;
	size_t cap = 0, moves = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		size_t before = cap;

		MEM_GROW(numbers, cap, i + 1);
		assert_true(cap > i);
		moves += cap != before;
		numbers[i] = i;
	}
	assert_int_equal(moves, 8); /* 8, 16, ... 1024 */
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	mem_free(numbers);
	assert_int_equal(mem_grown_capacity(0, 0), 8);
	assert_int_equal(mem_grown_capacity(8, 9), 16);
	assert_int_equal(mem_grown_capacity(10, 35), 40);
}

static void a_size_that_overflows_fails_a_check(void **state)
{
	(void)state;
	expect_abort(zalloc_overflows, "mem_product: check failed");
	expect_abort(resize_overflows, "mem_product: check failed");
	expect_abort(growth_overflows, "mem_grown_capacity: check failed");
	expect_abort(alignment_is_wrong, "mem_alloc_aligned: check failed");
}

static void memory_that_is_refused_stops_the_process(void **state)
{
	(void)state;
	expect_abort(alloc_is_refused, "out of memory: ");
	expect_abort(zalloc_is_refused, "out of memory: ");
	expect_abort(resize_is_refused, "out of memory: ");
	expect_abort(aligned_is_refused, "out of memory: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_of_no_bytes_can_be_had_and_freed),
		cmocka_unit_test(zalloc_gives_zeroes),
		cmocka_unit_test(resize_keeps_what_fits),
		cmocka_unit_test(aligned_blocks_begin_where_they_should),
		cmocka_unit_test(arrays_grow_to_at_least_double_and_keep_their_elements),
		cmocka_unit_test(a_size_that_overflows_fails_a_check),
		cmocka_unit_test(memory_that_is_refused_stops_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
