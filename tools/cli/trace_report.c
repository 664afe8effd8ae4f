/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper trace report: what a recorded trace says of harts and VMs, in sums. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/describe.h"
#include "lib/table.h"
#include "lib/trace_file.h"
#include "verb.h"

struct latency {
	uint64_t count;
	uint64_t sum;	/* ticks */
	uint64_t max;
};

struct vcpu {
	bool seen;
	uint64_t ran;
	uint64_t runs;
	uint64_t wakes;
	uint64_t interrupts;
	uint64_t exits[SHYPER_EXIT_CAUSES];
	uint64_t exit_ticks[SHYPER_EXIT_CAUSES];
	struct latency wake;	/* from a wake-up, or when the timer was due, to the guest */
	struct latency window;	/* from a window's begin to the guest; count: windows */
	uint64_t planned;	/* ticks of these */
	/* While counting: */
	uint64_t woken;		/* 0: it runs or sleeps */
	uint64_t slept;
};

struct sums {
	const struct trace_file *t;
	json_t *harts;
	struct vcpu vcpu[SHYPER_VMS][SHYPER_VCPUS];
};

static struct vcpu *vcpu_of(struct sums *sums, uint32_t vm, uint32_t vcpu)
{
	struct vcpu *v = vm < SHYPER_VMS && vcpu < SHYPER_VCPUS ? &sums->vcpu[vm][vcpu] : NULL;

	if (v)
		v->seen = true;
	return v;
}

static void add_latency(struct latency *latency, uint64_t ticks)
{
	latency->count++;
	latency->sum += ticks;
	if (ticks > latency->max)
		latency->max = ticks;
}

/* --- Counting -------------------------------------------------------------------------------- */

static void count_wake(struct vcpu *v, const struct shyper_trace_record *record)
{
	bool due = record->data > v->slept && record->data <= record->time;

	v->wakes++;
	v->woken = due ? record->data : record->time;
}

static void count_enter(struct vcpu *v, const struct shyper_trace_record *record)
{
	if (v->woken)
		add_latency(&v->wake, record->time - v->woken);
	v->woken = 0;
}

static void count_record(struct vcpu *v, const struct shyper_trace_record *record)
{
	switch (record->event) {
	case SHYPER_TRACE_SWITCH:
		count_enter(v, record);
		break;
	case SHYPER_TRACE_WAKE:
		count_wake(v, record);
		break;
	case SHYPER_TRACE_SLEEP:
		v->slept = record->time;
		v->woken = 0;
		break;
	case SHYPER_TRACE_EXIT:
		v->exits[record->detail]++;
		v->exit_ticks[record->detail] += record->value;
		break;
	case SHYPER_TRACE_INTERRUPT:
		v->interrupts += (uint64_t)__builtin_popcount(record->value);
		break;
	}
}

/* Its first run that reaches into a window tells when that began. */
static void count_window(struct sums *sums, const struct shyper_trace_record *record,
			 const struct trace_run *run, size_t runs, size_t *at)
{
	uint64_t begin = record->data, end = begin + record->value;
	struct vcpu *v = vcpu_of(sums, record->vm, record->vcpu);

	if (!v || begin < sums->t->start || end > sums->t->end || end < begin)
		return;
	v->planned += record->value;
	while (*at < runs && run[*at].to <= begin)
		++*at;
	for (size_t i = *at; i < runs && run[i].from < end; i++) {
		if (run[i].vm != record->vm || run[i].vcpu != record->vcpu)
			continue;
		add_latency(&v->window, run[i].from > begin ? run[i].from - begin : 0);
		break;
	}
}

static json_t *count_hart(struct sums *sums, const struct trace_hart *hart)
{
	static const uint32_t why[] = { 1, 5, 9 };
	uint64_t length = sums->t->end - sums->t->start;
	uint64_t ran = 0, switches = 0, woken[3] = { 0 };
	size_t runs, at = 0;
	struct trace_run *run = trace_runs(sums->t, hart, &runs);

	for (size_t i = 0; i < runs; i++) {
		struct vcpu *v = vcpu_of(sums, run[i].vm, run[i].vcpu);

		ran += run[i].to - run[i].from;
		if (!v)
			continue;
		v->ran += run[i].to - run[i].from;
		v->runs++;
	}
	for (size_t i = 0; i < hart->count; i++) {
		const struct shyper_trace_record *record = &hart->record[i];
		struct vcpu *v = vcpu_of(sums, record->vm, record->vcpu);

		switches += record->event == SHYPER_TRACE_SWITCH;
		for (size_t n = 0; record->event == SHYPER_TRACE_IDLE && n < 3; n++)
			woken[n] += record->value >> why[n] & 1;
		if (record->event == SHYPER_TRACE_WINDOW)
			count_window(sums, record, run, runs, &at);
		else if (v)
			count_record(v, record);
	}
	free(run);
	return json_pack("{sI sf sf sI s{sI sI sI} sI}", "hart", (json_int_t)hart->hartid, "run",
			 trace_seconds(sums->t, ran), "share", length ? 100 * (double)ran /
			 (double)length : 0.0, "switches", (json_int_t)switches, "woken",
			 "software", (json_int_t)woken[0], "timer", (json_int_t)woken[1],
			 "external", (json_int_t)woken[2], "lost", (json_int_t)hart->lost);
}

/* --- As JSON --------------------------------------------------------------------------------- */

static json_t *json_of_latency(const struct trace_file *t, const struct latency *latency)
{
	return json_pack("{sI sf sf}", "count", (json_int_t)latency->count, "max",
			 trace_seconds(t, latency->max), "mean", latency->count ?
			 trace_seconds(t, latency->sum) / (double)latency->count : 0.0);
}

static json_t *json_of_exits(const struct trace_file *t, const struct vcpu *v)
{
	json_t *exits = json_object();

	for (uint32_t i = 0; i < SHYPER_EXIT_CAUSES; i++)
		json_object_set_new(exits, describe_exit(i),
				    json_pack("{sI sf}", "count", (json_int_t)v->exits[i],
					      "seconds", trace_seconds(t, v->exit_ticks[i])));
	return exits;
}

static void add_vcpu(const struct sums *sums, uint32_t vm, uint32_t number, json_t *list)
{
	const struct trace_file *t = sums->t;
	const struct vcpu *v = &sums->vcpu[vm][number];
	json_t *windows = json_of_latency(t, &v->window);
	char buf[32];

	json_object_set_new(windows, "planned", json_real(trace_seconds(t, v->planned)));
	json_array_append_new(list, json_pack("{si ss si sf sI sI sI so so so}", "vm", (int)vm,
		"name", trace_vm(t, vm, buf, sizeof(buf)), "vcpu", (int)number, "run",
		trace_seconds(t, v->ran), "runs", (json_int_t)v->runs, "wakeups",
		(json_int_t)v->wakes, "interrupts", (json_int_t)v->interrupts, "latency",
		json_of_latency(t, &v->wake), "windows", windows, "exits", json_of_exits(t, v)));
}

static json_t *op(struct session *s, const json_t *args)
{
	const char *name = json_string_value(json_object_get(args, "file"));
	struct sums *sums = calloc(1, sizeof(*sums));
	struct trace_file t;
	json_t *vcpus, *result;
	uint64_t lost = 0;

	if (trace_file_load(&t, name, &s->error)) {
		free(sums);
		return NULL;
	}
	sums->t = &t;
	sums->harts = json_array();
	for (uint32_t i = 0; i < t.harts; i++) {
		if (t.hart[i].there)
			json_array_append_new(sums->harts, count_hart(sums, &t.hart[i]));
		lost += t.hart[i].lost;
	}
	vcpus = json_array();
	for (uint32_t i = 0; i < SHYPER_VMS * SHYPER_VCPUS; i++)
		if (sums->vcpu[i / SHYPER_VCPUS][i % SHYPER_VCPUS].seen)
			add_vcpu(sums, i / SHYPER_VCPUS, i % SHYPER_VCPUS, vcpus);
	result = json_pack("{sf so so}", "seconds", trace_seconds(&t, t.end - t.start), "harts",
			   sums->harts, "vcpus", vcpus);
	if (lost)
		session_note(s, "%llu records were lost; sums are of those that are there",
			     (unsigned long long)lost);
	free(sums);
	trace_file_free(&t);
	return result;
}

/* --- For people ------------------------------------------------------------------------------ */

static double real(const json_t *one, const char *part, const char *key)
{
	return json_number_value(json_object_get(part ? json_object_get(one, part) : one, key));
}

#define TEXT(name, format, ...) \
	static const char *text_##name(const json_t *one, char *buf, size_t size) \
	{ \
		snprintf(buf, size, format, __VA_ARGS__); \
		return buf; \
	}

TEXT(hart, "%.0f", real(one, NULL, "hart"))
TEXT(run, "%.6f s", real(one, NULL, "run"))
TEXT(share, "%.2f %%", real(one, NULL, "share"))
TEXT(switches, "%.0f", real(one, NULL, "switches"))
TEXT(woken, "%.0f / %.0f / %.0f", real(one, "woken", "timer"), real(one, "woken", "external"),
     real(one, "woken", "software"))
TEXT(lost, "%.0f", real(one, NULL, "lost"))
TEXT(vm, "%s", json_string_value(json_object_get(one, "name")))
TEXT(vcpu, "%.0f", real(one, NULL, "vcpu"))
TEXT(runs, "%.0f", real(one, NULL, "runs"))
TEXT(wakeups, "%.0f", real(one, NULL, "wakeups"))
TEXT(interrupts, "%.0f", real(one, NULL, "interrupts"))
TEXT(latency, "%.1f / %.1f us", 1e6 * real(one, "latency", "mean"),
     1e6 * real(one, "latency", "max"))
TEXT(windows, "%.0f", real(one, "windows", "count"))
TEXT(late, "%.1f us", 1e6 * real(one, "windows", "max"))

static void print_exits(const json_t *vcpus)
{
	const json_t *vcpu;
	const char *cause;
	json_t *exits;
	size_t i;

	json_array_foreach(vcpus, i, vcpu) {
		printf("exits of %s vCPU %.0f:", json_string_value(json_object_get(vcpu, "name")),
		       real(vcpu, NULL, "vcpu"));
		json_object_foreach(json_object_get(vcpu, "exits"), cause, exits)
			if (real(exits, NULL, "count") > 0)
				printf(" %s %.0f (%.1f us)", cause, real(exits, NULL, "count"),
				       1e6 * real(exits, NULL, "seconds") /
				       real(exits, NULL, "count"));
		putchar('\n');
	}
}

static void print(const json_t *result)
{
	static const struct column harts[] = {
		{ "HART", SCOLS_FL_RIGHT, text_hart }, { "RUN", SCOLS_FL_RIGHT, text_run },
		{ "SHARE", SCOLS_FL_RIGHT, text_share },
		{ "SWITCHES", SCOLS_FL_RIGHT, text_switches },
		{ "WOKEN (TIMER/EXTERNAL/SOFTWARE)", SCOLS_FL_RIGHT, text_woken },
		{ "LOST", SCOLS_FL_RIGHT, text_lost },
	};
	static const struct column vcpus[] = {
		{ "VM", 0, text_vm }, { "VCPU", SCOLS_FL_RIGHT, text_vcpu },
		{ "RUN", SCOLS_FL_RIGHT, text_run }, { "RUNS", SCOLS_FL_RIGHT, text_runs },
		{ "WAKEUPS", SCOLS_FL_RIGHT, text_wakeups },
		{ "LATENCY (MEAN/MAX)", SCOLS_FL_RIGHT, text_latency },
		{ "INTERRUPTS", SCOLS_FL_RIGHT, text_interrupts },
		{ "WINDOWS", SCOLS_FL_RIGHT, text_windows },
		{ "LATEST", SCOLS_FL_RIGHT, text_late },
	};
	const json_t *list = json_object_get(result, "vcpus");

	printf("%.6f s\n\n", real(result, NULL, "seconds"));
	table_print(json_object_get(result, "harts"), harts, sizeof(harts) / sizeof(harts[0]));
	putchar('\n');
	table_print(list, vcpus, sizeof(vcpus) / sizeof(vcpus[0]));
	putchar('\n');
	print_exits(list);
}

const struct verb verb_trace_report = {
	.name = "trace report",
	.argument = "FILE",
	.key = "file",
	.help = "sum up a recorded trace",
	.here = true,
	.op = op,
	.print = print,
};
