/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A partition that does its worst on all its harts, for ever, and keeps a record of its windows.
 * Its boot arguments say what it does, and how many windows to record: "watch 400". None ever
 * sleeps. Made for -icount shift=0 and one hart, where the cycle counter is the machine's clock:
 * 1 ns for each instruction, on the schedule's time base. A jump of it by GAP is time between
 * windows.
 */
#include <libfdt.h>

#include "guest.h"

#define GAP 1000000UL
#define GRID 1000000UL	/* where windows begin */
#define RUNS 32
#define FIRST 24	/* windows before those that are recorded: until all have started */
#define BEHIND 4		/* windows until it prints */

/* libfdt.a was built with a stack protector. */
unsigned long __stack_chk_guard = 0x5a5a5a5a5a5a5a5aUL;
void __stack_chk_fail(void);

/* Windows one after the other with the same time from the last one's begin. */
struct run {
	unsigned long us;
	unsigned long count;
};

static struct record {
	unsigned long last;	/* time seen last */
	unsigned long begin;	/* of this window */
	unsigned long windows;	/* that are over */
	unsigned long time;	/* in those recorded */
	unsigned long min, max;	/* begin behind the grid */
	unsigned long runs;
	struct run run[RUNS];
} record[MAX_HARTS];

static unsigned long wanted;

void __stack_chk_fail(void)
{
	finish();
}

static void add_run(struct record *r, unsigned long us)
{
	struct run *run = &r->run[r->runs ? r->runs - 1 : 0];

	if (r->runs && run->us == us) {
		run->count++;
	} else if (r->runs < RUNS) {
		r->run[r->runs].us = us;
		r->run[r->runs++].count = 1;
	}
}

static void show(const char *what)
{
	for (unsigned long i = 0; i < hart_count(); i++) {
		const struct record *r = &record[i];

		say("%s vCPU %lu: windows %lu time %lu begin %lu to %lu\n", what, i, r->windows,
		    r->time, r->min, r->max);
		for (unsigned long n = 0; n < r->runs; n++)
			say("%s vCPU %lu: every %lu us %lu\n", what, i, r->run[n].us,
			    r->run[n].count);
	}
	say("%s shown\n", what);
}

static __attribute__((noinline)) void next_window(struct record *r, unsigned long now)
{
	unsigned long late = now % GRID;

	if (r->windows > FIRST)
		add_run(r, (now - r->begin + 500) / 1000);
	if (r->windows > FIRST && r->windows <= FIRST + wanted)
		r->time += r->last - r->begin;
	r->windows++;
	if (r->windows > FIRST && r->windows <= FIRST + wanted) {
		r->min = late < r->min || !r->min ? late : r->min;
		r->max = late > r->max ? late : r->max;
	}
	r->begin = now;
}

/* The time: the shortest way, for it decides how exact the record is. */
static inline void look(struct record *r)
{
	unsigned long now = csr_read(cycle);

	if (now - r->last > GAP)
		next_window(r, now);
	r->last = now;
}

static void show_when_due(const struct record *r, const char *what)
{
	static bool shown;

	if (shown || r->windows < FIRST + wanted + BEHIND || this_hart()->id != boot_hart)
		return;
	shown = true;
	show(what);
}

/* Instructions that are quick to simulate. */
static void busy(unsigned long n)
{
	while (n--)
		__asm__ volatile("");
}

/* ---- What partitions do ---- */

/* Only watches, with interrupts off. It looks again long before its window ends. */
static void watch(unsigned long what)
{
	struct record *r = &record[this_hart()->id];

	irqs_off();
	for (;;) {
		unsigned long windows = r->windows;

		look(r);
		if (r->windows == windows)
			continue;
		show_when_due(r, (const char *)what);
		busy(200000 / hart_count());
	}
}

/* Keeps its hart busy with interrupts off. */
static void spin(unsigned long what)
{
	struct record *r = &record[this_hart()->id];

	irqs_off();
	for (;;) {
		look(r);
		busy(2000);
		show_when_due(r, (const char *)what);
	}
}

static void clear_ipi(void)
{
	csr_clear(sip, SIE_SSIE);
}

/* Interrupts and fences for all its harts, as many as it can. */
static void ipi(unsigned long what)
{
	struct record *r = &record[this_hart()->id];
	unsigned long all = (1UL << hart_count()) - 1;

	irq_handle(IRQ_SOFT, clear_ipi);
	csr_set(sie, SIE_SSIE);
	irqs_on();
	for (;;) {
		look(r);
		send_ipi(all, 0);
		sbi_call(SBI_EXT_RFENCE, SBI_RFENCE_SFENCE_VMA, all, 0, 0, -1UL, 0, 0);
		show_when_due(r, (const char *)what);
	}
}

static bool sstc;

static void past_timer(void)
{
	if (sstc)
		csr_write(CSR_STIMECMP, rdtime() + 1);
	else
		set_timer(rdtime() + 1);
}

/* Timers in the past, by its own and by calls, interrupted all the time. */
static void timer(unsigned long what)
{
	struct record *r = &record[this_hart()->id];

	sstc = have_sstc();
	irq_handle(IRQ_TIMER, past_timer);
	csr_set(sie, SIE_STIE);
	irqs_on();
	for (;;) {
		look(r);
		set_timer(0);
		busy(500);
		show_when_due(r, (const char *)what);
	}
}

static const struct {
	const char *name;
	void (*run)(unsigned long what);
} kinds[] = { { "watch", watch }, { "ipi", ipi }, { "timer", timer }, { "spin", spin } };

static unsigned long decimal(const char *text)
{
	unsigned long n = 0;

	while (*text >= '0' && *text <= '9')
		n = 10 * n + (unsigned long)(*text++ - '0');
	return n;
}

void payload(void)
{
	const void *fdt = (const void *)boot_dtb;
	const char *args = fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "bootargs", NULL);
	unsigned long n = hart_count();

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].name);

		if (!args || strncmp(args, kinds[i].name, length))
			continue;
		wanted = decimal(args + length + 1);
		for (unsigned long hart = 0; hart < n; hart++)
			if (hart != boot_hart)
				hart_run(hart, kinds[i].run, (unsigned long)kinds[i].name);
		kinds[i].run((unsigned long)kinds[i].name);
	}
	CHECK("kind of partition", false, "none");
}
