/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A short run of a fuzz target with the tests of every day: random inputs, the same
 * ones each time. It needs no libFuzzer.
 */
#include <stdint.h>
#include <stdio.h>

#define RUNS 3000
#define SIZE 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t data[SIZE];

static uint32_t next(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(state >> 33);
}

int main(void)
{
	for (int i = 0; i < RUNS; i++) {
		size_t size = next() % SIZE;

		for (size_t at = 0; at < size; at++)
			data[at] = (uint8_t)next();
		LLVMFuzzerTestOneInput(data, size);
	}
	printf("Running %d test(s).\n", RUNS);	/* as cmocka says it */
	return 0;
}
