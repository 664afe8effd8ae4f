/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The schedule that is in force. Two places hold it and the next one; the frames point to one of
 * them. Harts ask once a frame, under the lock, and copy what they get.
 */
#include <hv/frames.h>

#include <libfdt.h>

#include <asm/hart.h>
#include <hv/errno.h>
#include <hv/log.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/timer.h>
#include <hv/vm.h>

#include "vmdef_parse.h"

static struct {
	/* By who makes VMs, one at a time. In microseconds, for checks; then in ticks. */
	struct schedule us[2];
	struct schedule ticks[2];
	u32 last;		/* which of the two was installed last */
	u64 tree[VMDEF_TREE_SIZE / sizeof(u64)];	/* of that one */

	struct spinlock lock;	/* of the rest */
	struct frames frames;	/* frame.number 0: there is no schedule */
} live;

/* Under the lock. */
static void advance(u64 now)
{
	if (live.frames.frame.number)
		frames_advance(&live.frames, now);
}

bool schedule_frame(u64 now, struct frame *out)
{
	spin_lock(&live.lock);
	advance(now);
	*out = live.frames.frame;
	spin_unlock(&live.lock);
	return out->number != 0;
}

const struct schedule *schedule_live(void)
{
	return live.us[live.last].tables ? &live.us[live.last] : NULL;
}

const void *schedule_tree(size_t *size)
{
	*size = fdt_totalsize(live.tree);
	return schedule_live() ? live.tree : NULL;
}

/* --- What is asked of the board and the VMs ------------------------------------------------ */

static int refuse_partition(struct vmdef_error *error, const char *name, const char *property,
			    const char *why, u64 n)
{
	return vmdef_refuse_in(error, "/partitions", property, "%s: %s %lu", name, why, n);
}

static int check_harts(const struct schedule *s, struct vmdef_error *error)
{
	for (u32 i = 0; i < s->partitions; i++)
		for (u32 j = 0; j < s->partition[i].harts; j++) {
			const struct hart *hart = hart_by_id(s->partition[i].hart[j]);

			if (!hart || !__atomic_load_n(&hart->online, __ATOMIC_ACQUIRE))
				return refuse_partition(error, s->partition[i].name, "harts",
							"the board has no hart",
							s->partition[i].hart[j]);
		}
	return 0;
}

/* Its harts are those of its partition, in this order. */
static int check_vm(const struct schedule *s, const struct vmdef *def, struct vmdef_error *error)
{
	const struct schedule_partition *p = schedule_partition(s, def->name);

	if (!p)
		return vmdef_refuse_in(error, "/sched", "policy", "the schedule has no partition "
				       "%s", def->name);
	if (p->harts != def->vcpus)
		return vmdef_refuse_in(error, "/", "vcpus", "is %u; partition %s has %u harts",
				       def->vcpus, p->name, p->harts);
	for (u32 i = 0; i < def->harts; i++)
		if (def->hart[i] != p->hart[i])
			return vmdef_refuse_in(error, "/", "harts", "vCPU %u has hart %lu, in "
					       "partition %s hart %lu", i, def->hart[i], p->name,
					       p->hart[i]);
	return 0;
}

static int check_vms(const struct schedule *s, struct vmdef_error *error)
{
	for (u32 i = 0; i < VMS; i++) {
		const struct vm *vm = vm_by_id(i);

		if (vm && vm->def.sched.windowed && check_vm(s, &vm->def, error))
			return -EINVAL;
	}
	return 0;
}

int schedule_admit(struct vmdef *def, struct vmdef_error *error)
{
	const struct schedule *s = schedule_live();

	if (!s)
		return vmdef_refuse_in(error, "/sched", "policy", "is \"partition\", but there is "
				       "no schedule");
	if (check_vm(s, def, error))
		return -EINVAL;
	def->harts = def->vcpus;
	memcpy(def->hart, schedule_partition(s, def->name)->hart, sizeof(def->hart));
	return 0;
}

/* --- Changes ------------------------------------------------------------------------------- */

static bool pending(void)
{
	bool is;

	spin_lock(&live.lock);
	advance(arch_time());
	is = live.frames.next_schedule != NULL;
	spin_unlock(&live.lock);
	return is;
}

static void start(const struct schedule *s)
{
	spin_lock(&live.lock);
	if (live.frames.frame.number) {
		live.frames.next_schedule = s;
		live.frames.next_table = 0;
	} else {
		frames_begin(&live.frames, s, arch_time());
	}
	spin_unlock(&live.lock);
}

int schedule_install(const struct schedule *s, const void *fdt, struct vmdef_error *error)
{
	const struct schedule *now = schedule_live();
	u32 place = 1 - live.last;

	if (check_harts(s, error) || check_vms(s, error) ||
	    (now && schedule_check_change(now, s, error)))
		return -EINVAL;
	if (pending()) {
		(void)vmdef_refuse_in(error, "/", "", "the schedule before waits for the end of "
				      "the frame");
		return -EBUSY;
	}
	/* A hart may be in the frame before this one, in the place that is filled now. */
	if (now)
		arch_harts_sync(NULL);
	live.us[place] = live.ticks[place] = *s;
	schedule_scale(&live.ticks[place], arch_timebase());
	live.last = place;
	memcpy(live.tree, fdt, fdt_totalsize(fdt));
	start(&live.ticks[place]);
	return 0;
}

int schedule_switch(u64 table)
{
	const struct schedule *s = schedule_live();
	int err = 0;

	if (!s || table >= s->tables)
		return -ENOENT;
	spin_lock(&live.lock);
	advance(arch_time());
	/* It begins with its first table: only that was checked to starve nobody. */
	if (live.frames.next_schedule)
		err = -EBUSY;
	else
		live.frames.next_table = (u32)table;
	spin_unlock(&live.lock);
	return err;
}

void schedule_frames(struct frames *out)
{
	spin_lock(&live.lock);
	advance(arch_time());
	*out = live.frames;
	spin_unlock(&live.lock);
}

int schedule_shift(s64 us)
{
	const struct schedule *s = schedule_live();

	for (u32 i = 0; s && i < s->tables; i++) {
		s64 half = (s64)s->table[i].frame / 2;

		if (us > half || us < -half)
			return -ERANGE;
	}
	if (!s)
		return -ENOENT;
	spin_lock(&live.lock);
	advance(arch_time());
	live.frames.shift += us * (s64)arch_timebase() / 1000000;
	spin_unlock(&live.lock);
	return 0;
}
