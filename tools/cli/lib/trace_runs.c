/* SPDX-License-Identifier: BSD-2-Clause */
/* Who had a hart when, from its switches: of one that follows a gap, from who was there before. */
#include <stdbool.h>
#include <stdlib.h>

#include "trace_file.h"

struct maker {
	struct trace_run *run;
	size_t count;
	struct trace_run now;	/* vm: SHYPER_TRACE_NOBODY: the hart is idle */
	bool unknown;		/* since now.from */
};

static void leave(struct maker *m, uint64_t at)
{
	if (at < m->now.from)
		at = m->now.from;
	m->now.to = at;
	if (m->now.vm != SHYPER_TRACE_NOBODY && at > m->now.from)
		m->run[m->count++] = m->now;
	m->now.vm = SHYPER_TRACE_NOBODY;
	m->unknown = false;
}

static void take_switch(struct maker *m, const struct shyper_trace_record *record)
{
	if (m->unknown) {
		m->now.vm = (uint8_t)(record->value >> 8);
		m->now.vcpu = (uint8_t)record->value;
	}
	leave(m, record->data < record->time ? record->data : record->time);
	m->now = (struct trace_run){ .from = record->time, .vm = record->vm,
				     .vcpu = record->vcpu };
}

struct trace_run *trace_runs(const struct trace_file *t, const struct trace_hart *hart,
			     size_t *count)
{
	struct maker m = { .run = calloc(hart->count + hart->gaps + 1, sizeof(*m.run)),
			   .now = { .from = t->start, .vm = SHYPER_TRACE_NOBODY } };
	size_t gap = 0;

	if (!m.run)
		abort();
	for (size_t i = 0; i < hart->count; i++) {
		if (gap < hart->gaps && hart->gap[gap] == i) {
			leave(&m, i ? hart->record[i - 1].time : t->start);
			m.now.from = hart->record[i].time;
			m.unknown = true;
			while (gap < hart->gaps && hart->gap[gap] == i)
				gap++;
		}
		if (hart->record[i].event == SHYPER_TRACE_SWITCH)
			take_switch(&m, &hart->record[i]);
	}
	leave(&m, t->end);
	*count = m.count;
	return m.run;
}
