/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows that were missed or late: Shyper counts, kmod wakes the daemon when there are more. */
#include "health.h"

#include "../lib/clock.h"
#include "../lib/eventlog.h"
#include "watch.h"

#define HARTS 64	/* most that Shyper drives */

/* Of all vCPUs of a VM. */
struct sum {
	uint64_t missed;
	uint64_t late;
	uint64_t late_max;	/* ticks */
};

static void add_hart(const struct shyper_sched_info *hart, struct sum *sums)
{
	for (uint32_t i = 0; i < hart->vcpus && i < SHYPER_VCPUS; i++) {
		const struct shyper_sched_vcpu *vcpu = &hart->vcpu[i];
		struct sum *sum = &sums[vcpu->vm % SHYPER_VMS];

		if (hart->policy != SHYPER_SCHED_PARTITION)
			return;
		sum->missed += vcpu->missed;
		sum->late += vcpu->late;
		if (vcpu->late_max > sum->late_max)
			sum->late_max = vcpu->late_max;
	}
}

/* False: there are no partitions. */
static bool add_all(const struct watch *w, struct sum *sums)
{
	struct shyper_schedule_info schedule;
	struct shyper_sched_hart hart = { 0 };

	if (device.schedule_info(w->s.fd, &schedule) < 0)
		return false;
	for (; hart.number < HARTS && !device.sched_info(w->s.fd, &hart); hart.number++)
		add_hart(&hart.info, sums);
	return true;
}

static double us_of(struct watch *w, uint64_t ticks)
{
	struct shyper_system_info system;

	return session_system(&w->s, &system) ? 0 : 1e6 * (double)ticks / (double)system.timebase;
}

static void tell(struct watch *w, uint32_t id, const struct sum *sum)
{
	struct watch_vm *vm = &w->vm[id];
	struct health *health = &vm->health;
	int64_t now = clock_ms();

	health->due = 0;
	if (sum->missed == health->missed && sum->late == health->late)
		return;
	if (now < health->next) {
		health->due = health->next;
		return;
	}
	if (sum->missed > health->missed)
		eventlog_add(id, vm->info.name, "missed windows",
			     json_pack("{sI}", "missed", (json_int_t)sum->missed));
	if (sum->late > health->late)
		eventlog_add(id, vm->info.name, "overrun",
			     json_pack("{sI sI}", "late", (json_int_t)sum->late, "late_max_us",
				       (json_int_t)us_of(w, sum->late_max)));
	health->missed = sum->missed;
	health->late = sum->late;
	health->next = now + HEALTH_PAUSE * 1000;
}

void health_scan(struct watch *w)
{
	struct sum sums[SHYPER_VMS] = { 0 };

	if (!add_all(w, sums))
		return;
	for (uint32_t id = 1; id < SHYPER_VMS; id++) {
		if (w->vm[id].fd >= 0)
			tell(w, id, &sums[id]);
	}
}

int64_t health_wait(const struct watch *w)
{
	int64_t now = clock_ms(), wait = -1;

	for (uint32_t id = 1; id < SHYPER_VMS; id++) {
		int64_t due = w->vm[id].fd < 0 ? 0 : w->vm[id].health.due;
		int64_t left = due > now ? due - now : 0;

		if (due && (wait < 0 || left < wait))
			wait = left;
	}
	return wait;
}
