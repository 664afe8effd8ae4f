/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: a file that somebody calls a recorded trace. What is accepted holds what its readers
 * count on; what is refused is refused in words that begin with its name.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/cli/lib/trace_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_runs(const struct trace_file *t, const struct trace_hart *hart)
{
	uint64_t before = t->start;
	size_t count;
	struct trace_run *run = trace_runs(t, hart, &count);

	for (size_t i = 0; i < count; i++) {
		check(run[i].from >= before && run[i].to > run[i].from && run[i].to <= t->end);
		before = run[i].to;
	}
	free(run);
}

static void check_hart(const struct trace_file *t, const struct trace_hart *hart)
{
	for (size_t i = 0; i < hart->count; i++) {
		const struct shyper_trace_record *record = &hart->record[i];

		check(record->event < SHYPER_TRACE_EVENTS);
		check(record->time >= t->start && record->time <= t->end);
		check(record->vm == SHYPER_TRACE_NOBODY || record->vm < SHYPER_VMS);
	}
	check_runs(t, hart);
}

static void parse(const void *data, size_t size)
{
	struct trace_file t;
	struct error error;

	if (trace_file_parse(&t, data, size, "f", &error)) {
		check(!strncmp(error.text, "f: ", 3));
		return;
	}
	check(t.start <= t.end && t.timebase && t.harts <= TRACE_HARTS);
	for (uint32_t i = 0; i < t.harts; i++)
		check_hart(&t, &t.hart[i]);
	trace_file_free(&t);
}

/* Records in 24 bytes each, mostly such as might be: times that rise slowly, low numbers. */
static void put_records(FILE *file, const uint8_t *data, size_t size)
{
	static struct shyper_trace_read out;
	static uint64_t time;

	time = 1000;
	for (; size >= 8; data += 8, size -= 8) {
		time += data[0] & 15;
		out.record[out.count++] = (struct shyper_trace_record){
			.time = time, .event = data[1] & 7, .vm = data[2] & 1 ? data[2] >> 4 : 0xff,
			.vcpu = data[3] & 15, .detail = data[4] & 7,
			.value = (uint32_t)data[5] << (data[6] & 8),
			.data = time - data[7],
		};
		if (out.count < 5 && size >= 16)
			continue;
		out.hart = data[0] >> 6;
		out.lost = data[1] >> 7;
		trace_file_add(file, &out);
		out.count = 0;
	}
	trace_file_end(file, time + 5, NULL);
}

/* By itself, and as the records of a file that is sound otherwise. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *made = NULL;
	size_t made_size = 0;
	FILE *file = open_memstream(&made, &made_size);

	parse(data, size);
	trace_file_begin(file, 10000000, 1000);
	if (size % 2)
		fwrite(data, size, 1, file);
	else
		put_records(file, data, size);
	fclose(file);
	parse(made, made_size);
	free(made);
	return 0;
}
