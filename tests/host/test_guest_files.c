/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest interrupt files of a hart: taken, given back, all gone, and several takers at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>

#include <hv/check.h>
#include <hv/errno.h>
#include <hv/guest_files.h>

#define THREADS 4
#define ROUNDS 20000

struct vcpu {
	u32 unused;
};

static struct vcpu vcpus[2 * GUEST_FILES_MAX];
static struct guest_files files;

void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static void test_init_refuses(void **state)
{
	(void)state;
	expect_assert_failure(guest_files_init(&files, GUEST_FILES_MAX + 1));
	expect_assert_failure(guest_files_init(&files, 0xffffffff));
}

/* Every file once, in both orders of giving back. */
static void exhaust(u32 count)
{
	guest_files_init(&files, count);
	assert_int_equal(guest_files_left(&files), count);
	for (u32 i = 0; i < count; i++) {
		assert_int_equal(guest_files_take(&files, &vcpus[i]), i + 1);
		assert_ptr_equal(guest_files_owner(&files, i + 1), &vcpus[i]);
		assert_int_equal(guest_files_left(&files), count - i - 1);
	}
	assert_int_equal(guest_files_take(&files, &vcpus[count]), -ENOMEM);
	assert_int_equal(guest_files_left(&files), 0);
	for (u32 file = count; file >= 1; file--)
		assert_int_equal(guest_files_give(&files, file, &vcpus[file - 1]), 0);
	assert_int_equal(guest_files_left(&files), count);
	for (u32 file = 1; file <= count; file++)
		assert_null(guest_files_owner(&files, file));
}

static void test_counts(void **state)
{
	(void)state;
	for (u32 count = 0; count <= GUEST_FILES_MAX; count++) {
		exhaust(count);
		assert_null(guest_files_owner(&files, 0));
		assert_null(guest_files_owner(&files, count + 1));
		assert_null(guest_files_owner(&files, 0xffffffff));
	}
}

static void test_none(void **state)
{
	static struct guest_files blank;

	(void)state;
	assert_int_equal(guest_files_take(&blank, &vcpus[0]), -ENOMEM);
	assert_int_equal(guest_files_left(&blank), 0);
	assert_int_equal(guest_files_give(&blank, 0, NULL), -ENOENT);
}

static void test_take_twice(void **state)
{
	(void)state;
	guest_files_init(&files, 3);
	assert_int_equal(guest_files_take(&files, &vcpus[0]), 1);
	assert_int_equal(guest_files_take(&files, &vcpus[0]), -EEXIST);
	assert_int_equal(guest_files_take(&files, &vcpus[1]), 2);
	assert_int_equal(guest_files_take(&files, &vcpus[0]), -EEXIST);
	assert_int_equal(guest_files_left(&files), 1);
}

static void test_give_refuses(void **state)
{
	(void)state;
	guest_files_init(&files, 7);
	assert_int_equal(guest_files_take(&files, &vcpus[0]), 1);
	assert_int_equal(guest_files_give(&files, 1, &vcpus[1]), -ENOENT);
	assert_int_equal(guest_files_give(&files, 0, &vcpus[0]), -ENOENT);
	assert_int_equal(guest_files_give(&files, 2, &vcpus[0]), -ENOENT);
	assert_int_equal(guest_files_give(&files, 2, NULL), -ENOENT);
	assert_int_equal(guest_files_give(&files, 8, &vcpus[0]), -ENOENT);
	assert_int_equal(guest_files_give(&files, 64, &vcpus[0]), -ENOENT);
	assert_int_equal(guest_files_left(&files), 6);
	assert_int_equal(guest_files_give(&files, 1, &vcpus[0]), 0);
	assert_int_equal(guest_files_give(&files, 1, &vcpus[0]), -ENOENT);
	assert_int_equal(guest_files_left(&files), 7);
}

/* A file that came back is the next to go. */
static void test_reuse(void **state)
{
	(void)state;
	guest_files_init(&files, 7);
	for (u32 i = 0; i < 7; i++)
		assert_int_equal(guest_files_take(&files, &vcpus[i]), i + 1);
	assert_int_equal(guest_files_give(&files, 4, &vcpus[3]), 0);
	assert_int_equal(guest_files_take(&files, &vcpus[9]), 4);
	assert_ptr_equal(guest_files_owner(&files, 4), &vcpus[9]);
	assert_int_equal(guest_files_take(&files, &vcpus[3]), -ENOMEM);
}

/* More takers than files: nobody gets a file that another has. */
static void *taker(void *arg)
{
	struct vcpu *vcpu = arg;

	for (u32 round = 0; round < ROUNDS; round++) {
		int file = guest_files_take(&files, vcpu);

		if (file == -ENOMEM)
			continue;
		assert_in_range(file, 1, 3);
		assert_ptr_equal(guest_files_owner(&files, (u32)file), vcpu);
		assert_int_equal(guest_files_give(&files, (u32)file, vcpu), 0);
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	guest_files_init(&files, 3);
	for (u32 i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, taker, &vcpus[i]), 0);
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(guest_files_left(&files), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_refuses),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_take_twice),
		cmocka_unit_test(test_give_refuses),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
