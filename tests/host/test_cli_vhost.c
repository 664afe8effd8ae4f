/* SPDX-License-Identifier: BSD-2-Clause */
/* What the process that serves vhost devices believes a guest, and who starts it that process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/cli/lib/vhost_unit.h"

#define LOW 0x80000000
#define MIDDLE 0x80010000
#define SIZE 0x10000

/* A ring must be in one range of RAM as a whole: the next range's mapping may be anywhere. */
static void test_address_of_a_ring(void **state)
{
	static const struct {
		uint64_t gpa, size;
		uint32_t range;
		uint64_t offset;	/* UINT64_MAX: refused */
	} rows[] = {
		{ LOW, SIZE, 0, 0 },
		{ MIDDLE - 16, 16, 0, SIZE - 16 },
		{ MIDDLE - 16, 17, 0, UINT64_MAX },
		{ MIDDLE - 2, 6, 0, UINT64_MAX },
		{ MIDDLE, 6, 1, 0 },
		{ MIDDLE + SIZE - 1, 1, 1, SIZE - 1 },
		{ MIDDLE + SIZE - 1, 2, 1, UINT64_MAX },
		{ MIDDLE + SIZE, 1, 1, UINT64_MAX },
		{ LOW - 1, 2, 0, UINT64_MAX },
		{ LOW, UINT64_MAX, 0, UINT64_MAX },
		{ UINT64_MAX, 2, 0, UINT64_MAX },
	};
	static uint8_t mapped[2][SIZE];
	static struct def def = {
		.rams = 2,
		.ram = { { .base = LOW, .size = SIZE }, { .base = MIDDLE, .size = SIZE } },
	};
	const struct vhost_server v = { .def = &def, .ram = { mapped[0], mapped[1] } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(vhost_address(&v, rows[i].gpa, rows[i].size),
				 rows[i].offset == UINT64_MAX ? 0 :
				 (uintptr_t)&mapped[rows[i].range][rows[i].offset]);
}

static void hear(const char *text, bool ends, int limit_ms, const char *expected)
{
	size_t size = strlen(text);
	int pipes[2];
	char buf[64];

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], text, size), size);
	if (ends)
		close(pipes[1]);
	vhost_hear(pipes[0], buf, sizeof(buf), limit_ms);
	assert_string_equal(buf, expected);
	if (!ends)
		close(pipes[1]);
	close(pipes[0]);
}

static void test_what_the_process_says(void **state)
{
	(void)state;
	hear("ready\n", false, 60000, "ready");
	hear("/dev/vhost-net: none\n", true, 60000, "/dev/vhost-net: none");
	hear("rea", true, 60000, "rea");
	hear("", true, 60000, "");
	hear("", false, 0, "not ready after 0 s");
	hear("rea", false, 1000, "not ready after 1 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_of_a_ring),
		cmocka_unit_test(test_what_the_process_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
