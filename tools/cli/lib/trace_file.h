/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of `trace record`: a head, then chunks. The first chunk is JSON ("timebase" in Hz, "start"
 * in ticks), the last one too ("end", and "vms", a list of "id" and "name"); those between are
 * records (abi/trace.h) of one hart each, in the order of time. All words are little-endian.
 */
#ifndef CLI_TRACE_FILE_H
#define CLI_TRACE_FILE_H

#include <abi/hypercall.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

#define TRACE_HARTS 64

struct trace_hart {
	bool there;
	uint64_t hartid;
	uint64_t lost;		/* records */
	size_t count;
	struct shyper_trace_record *record;
	size_t gaps;
	size_t *gap;		/* before records with these indices some were lost */
};

struct trace_file {
	uint64_t timebase;	/* Hz */
	uint64_t start;		/* ticks */
	uint64_t end;
	char name[SHYPER_VMS][SHYPER_NAME];	/* "": no VM has been seen */
	uint32_t harts;		/* no more than these are there */
	struct trace_hart hart[TRACE_HARTS];
};

/*
 * trace_file_load() - read and check a file; trace_file_parse() - the same of bytes in memory,
 * which come from the file `name`. 0, or -1 with the error set and nothing to free.
 */
int trace_file_load(struct trace_file *t, const char *name, struct error *error);
int trace_file_parse(struct trace_file *t, const void *data, size_t size, const char *name,
		     struct error *error);
void trace_file_free(struct trace_file *t);

/*
 * Writing, one after the other; errors show in ferror(file). trace_file_add() - what a read gave.
 */
void trace_file_begin(FILE *file, uint64_t timebase, uint64_t start);
void trace_file_add(FILE *file, const struct shyper_trace_read *read);
void trace_file_end(FILE *file, uint64_t end, const json_t *vms);

/* trace_seconds() - of ticks. trace_vm() - its name, or "VM n" in buf. */
double trace_seconds(const struct trace_file *t, uint64_t ticks);
const char *trace_vm(const struct trace_file *t, uint32_t vm, char *buf, size_t size);

/* Who had a hart from when to when, in order; made of its switches. free() the runs. */
struct trace_run {
	uint64_t from;
	uint64_t to;
	uint8_t vm;
	uint8_t vcpu;
};
struct trace_run *trace_runs(const struct trace_file *t, const struct trace_hart *hart,
			     size_t *count);

#endif
