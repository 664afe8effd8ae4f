/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiles device-tree source with dtc. */
#include "dts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

void *dts_compile(const char *source, size_t *size)
{
	char path[] = "/tmp/test_dts.XXXXXX", command[128];
	int file = mkstemp(path);
	off_t bytes;
	FILE *dtc;
	void *tree;

	assert_true(file >= 0);
	snprintf(command, sizeof(command), "dtc -q -f -I dts -O dtb -o %s -", path);
	dtc = popen(command, "w");
	assert_non_null(dtc);
	fprintf(dtc, "/dts-v1/;\n%s", source);
	assert_int_equal(pclose(dtc), 0);
	bytes = lseek(file, 0, SEEK_END);
	assert_true(bytes > 0);
	tree = malloc((size_t)bytes);
	assert_non_null(tree);
	assert_int_equal(pread(file, tree, (size_t)bytes, 0), bytes);
	close(file);
	unlink(path);
	*size = (size_t)bytes;
	return tree;
}
