/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The management VM beside partitions: changes their table and shifts their frames. Prints every
 * frame that it has seen, then what Shyper counted of them. One partition has no VM, and gets none.
 */
#include <abi/hypercall.h>
#include <libfdt.h>

#include "guest.h"

#define FRAMES 64
#define NEWCOMER "newcomer"	/* the partition without a VM */
#define OTHER "somebody"	/* of the same length */

/* libfdt.a was built with a stack protector. */
unsigned long __stack_chk_guard = 0x5a5a5a5a5a5a5a5aUL;
void __stack_chk_fail(void);

static struct shyper_schedule_info schedule;

static struct {
	const char *what;
	struct shyper_schedule_info frame;
} seen[FRAMES];
static unsigned int frames;

static struct shyper_sched_info hart;

static long hc(unsigned long function, unsigned long a, unsigned long b, unsigned long c)
{
	return sbi_call(SHYPER_EXTENSION, function, a, b, c, 0, 0, 0).error;
}

static void look(void)
{
	if (hc(SHYPER_HC_SCHEDULE_INFO, (unsigned long)&schedule, sizeof(schedule), 0))
		CHECK("schedule", false, "there is none");
}

static void sleep_ms(void)
{
	csr_write(CSR_STIMECMP, rdtime() + MS);
	wfi();
}

/* Until a frame has begun that has this number or a later one. */
static void wait_frame(unsigned long number)
{
	do {
		sleep_ms();
		look();
	} while (schedule.frame < number);
}

static void keep_frames(const char *what, unsigned long n)
{
	for (unsigned long first = schedule.frame, i = 0; i <= n && frames < FRAMES; i++) {
		wait_frame(first + i);
		seen[frames].what = what;
		seen[frames++].frame = schedule;
	}
}

static void show_hart(unsigned long n)
{
	if (hc(SHYPER_HC_SCHED_INFO, n, (unsigned long)&hart, sizeof(hart)))
		CHECK("hart", false, "%lu", n);
	for (unsigned int i = 0; i < hart.vcpus; i++)
		say("hart %lu vm %u windows %lu ran %lu missed %lu\n", hart.hart,
		    hart.vcpu[i].vm, hart.vcpu[i].windows, hart.vcpu[i].ran,
		    hart.vcpu[i].missed);
}

static void show(void)
{
	for (unsigned int i = 0; i < frames; i++)
		say("%s: frame %lu table %u start %lu length %lu\n", seen[i].what,
		    seen[i].frame.frame, seen[i].frame.table, seen[i].frame.start,
		    seen[i].frame.length);
	for (unsigned long n = 1; n < 4; n++)
		show_hart(n);
}

static void shift(const char *what, long us, unsigned long n)
{
	if (hc(SHYPER_HC_SCHEDULE_SHIFT, (unsigned long)us, 0, 0))
		CHECK(what, false, "%ld us", us);
	keep_frames(what, n);
}

static void change(unsigned long table)
{
	if (hc(SHYPER_HC_SCHEDULE_SWITCH, table, 0, 0))
		CHECK("change", false, "to %lu", table);
	keep_frames("change", 2);
}

/* What is asked for and cannot be changes nothing. */
static void refusals(void)
{
	static char tree[64] __attribute__((aligned(8)));

	CHECK("no such table", hc(SHYPER_HC_SCHEDULE_SWITCH, 2, 0, 0) == SHYPER_E_NOENT, "2");
	CHECK("shift by more than half a frame",
	      hc(SHYPER_HC_SCHEDULE_SHIFT, 10001, 0, 0) == SHYPER_E_INVAL, "10001");
	CHECK("early by more", hc(SHYPER_HC_SCHEDULE_SHIFT, -10001UL, 0, 0) == SHYPER_E_INVAL, "-");
	CHECK("no tree", hc(SHYPER_HC_SCHEDULE_SET, (unsigned long)tree, sizeof(tree), 0) ==
	      SHYPER_E_INVAL, "zeroes");
	CHECK("no memory", hc(SHYPER_HC_SCHEDULE_SET, 16, sizeof(tree), 0) == SHYPER_E_FAULT, "16");
	CHECK("no room", hc(SHYPER_HC_SCHEDULE_INFO, (unsigned long)&schedule, 8, 0) ==
	      SHYPER_E_INVAL, "8");
	CHECK("no shares", hc(SHYPER_HC_SCHED_SET, 1, 3, 0) == SHYPER_E_INVAL, "a partition's");
}

static unsigned long read_schedule(char *tree)
{
	return (unsigned long)sbi_call(SHYPER_EXTENSION, SHYPER_HC_SCHEDULE_READ,
				       (unsigned long)tree, SHYPER_TREE_MAX, 0, 0, 0, 0).value;
}

/* The same with another name for one partition. */
static void set_renamed(const char *from, const char *to)
{
	static char tree[SHYPER_TREE_MAX] __attribute__((aligned(8)));
	unsigned long size = read_schedule(tree), frame;
	int length = (int)strlen(from) + 1;
	int node = fdt_node_offset_by_prop_value(tree, -1, "vm-name", from, length);
	long set;

	CHECK("rename", !fdt_setprop_inplace(tree, node, "vm-name", to, length), "%s", from);
	do {
		set = hc(SHYPER_HC_SCHEDULE_SET, (unsigned long)tree, size, 0);
	} while (set == SHYPER_E_BUSY);
	CHECK("renamed", set == SHYPER_OK, "%ld", set);
	look();
	frame = schedule.frame;
	wait_frame(frame + 1);
}

static void put_text(char *tree, const char *name, const char *value)
{
	fdt_property(tree, name, value, (int)strlen(value) + 1);
}

static unsigned long make_newcomer(char *tree, int room)
{
	fdt64_t reg[2] = {cpu_to_fdt64(0x80000000UL), cpu_to_fdt64(0x4000000UL)};

	fdt_create(tree, room);
	fdt_finish_reservemap(tree);
	fdt_begin_node(tree, "");
	put_text(tree, "compatible", "shyper,vm-v1");
	fdt_property_u32(tree, "#address-cells", 2);
	fdt_property_u32(tree, "#size-cells", 2);
	put_text(tree, "vm-name", NEWCOMER);
	fdt_property_u32(tree, "vcpus", 1);
	fdt_begin_node(tree, "memory@80000000");
	fdt_property(tree, "reg", reg, sizeof(reg));
	fdt_end_node(tree);
	fdt_begin_node(tree, "sched");
	put_text(tree, "policy", "partition");
	fdt_end_node(tree);
	fdt_end_node(tree);
	fdt_finish(tree);
	return fdt_totalsize(tree);
}

static unsigned long pages_free(void)
{
	static struct shyper_system_info info;

	(void)hc(SHYPER_HC_SYSTEM_INFO, (unsigned long)&info, sizeof(info), 0);
	return info.pages_free;
}

static long create(const char *tree, unsigned long size)
{
	return hc(SHYPER_HC_VM_CREATE, (unsigned long)tree, size, 0);
}

/* Between the steps in which a partition is made another schedule comes, which has it not. */
static void partition_of_another_schedule(void)
{
	static char tree[4096] __attribute__((aligned(8)));
	static char reason[256];
	unsigned long size = make_newcomer(tree, sizeof(tree)), before = pages_free();
	long err = create(tree, size);

	CHECK("is being made", err == SHYPER_E_AGAIN, "%ld", err);
	set_renamed(NEWCOMER, OTHER);
	do {
		err = create(tree, size);
	} while (err == SHYPER_E_AGAIN);
	hc(SHYPER_HC_REASON, (unsigned long)reason, sizeof(reason) - 1, 0);
	say("# refused: %s\n", reason);
	CHECK("refused in the end", err == SHYPER_E_INVAL, "%ld", err);
	do {
		err = create(tree, size);
	} while (err == SHYPER_E_AGAIN);
	CHECK("refused at once", err == SHYPER_E_INVAL, "%ld", err);
	CHECK("no page is lost", pages_free() == before, "%lu, before %lu", pages_free(), before);
	set_renamed(OTHER, NEWCOMER);
}

/* A schedule that waits for the end of the frame begins with its first table, and no other. */
static void change_too_early(void)
{
	static char tree[SHYPER_TREE_MAX] __attribute__((aligned(8)));
	unsigned long size = read_schedule(tree), before;
	long set, change;

	do {
		look();
		before = schedule.frame;
		set = hc(SHYPER_HC_SCHEDULE_SET, (unsigned long)tree, size, 0);
		change = hc(SHYPER_HC_SCHEDULE_SWITCH, 1, 0, 0);
		look();
	} while (schedule.frame != before || set == SHYPER_E_BUSY);
	CHECK("the same schedule again", set == SHYPER_OK, "%ld", set);
	CHECK("no other table of it yet", change == SHYPER_E_BUSY, "%ld", change);
	wait_frame(before + 1);
	CHECK("first table", schedule.table == 0, "%u", schedule.table);
}

void __stack_chk_fail(void)
{
	finish();
}

void payload(void)
{
	csr_set(sie, SIE_STIE);
	look();
	refusals();
	partition_of_another_schedule();
	change_too_early();
	wait_frame(4);
	shift("hard", 300, 3);
	shift("hard", -300, 3);
	change(1);
	shift("smooth", 700, 4);
	shift("smooth", -700, 4);
	change(0);
	show();
	CHECK("conductor", true, " ");
}
