// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls to Shyper. What they exchange lies in one page, since stacks and user memory are not where
 * Shyper could find them: an address for it is a physical one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/sbi.h>

#include "kmod.h"

/* Calls to Shyper with arguments in memory, the table of VMs; docs/kmod.md. */
DEFINE_MUTEX(shyper_lock);

static void *exchange;	/* a page, under shyper_lock */

static_assert(sizeof(struct shyper_log) <= PAGE_SIZE);
static_assert(sizeof(struct shyper_vm_info) <= PAGE_SIZE);
static_assert(sizeof(struct shyper_system_info) <= PAGE_SIZE);
static_assert(sizeof(struct shyper_trace_read) <= PAGE_SIZE);

static int errno_of(long status)
{
	switch (status) {
	case SHYPER_OK:
		return 0;
	case SHYPER_E_NOSYS:
		return -EOPNOTSUPP;
	case SHYPER_E_INVAL:
		return -EINVAL;
	case SHYPER_E_PERM:
		return -EPERM;
	case SHYPER_E_NOENT:
		return -ENOENT;
	case SHYPER_E_BUSY:
		return -EBUSY;
	case SHYPER_E_NOMEM:
		return -ENOMEM;
	case SHYPER_E_AGAIN:
		return -EAGAIN;
	default:
		/* SHYPER_E_FAULT too: the addresses were ours. */
		return -EIO;
	}
}

static_assert(sizeof(struct shyper_device_setup) <= PAGE_SIZE);

static const char *const names[] = {
	[SHYPER_HC_VERSION] = "version",
	[SHYPER_HC_REASON] = "reason",
	[SHYPER_HC_SYSTEM_INFO] = "system-info",
	[SHYPER_HC_VM_CREATE] = "vm-create",
	[SHYPER_HC_VM_DESTROY] = "vm-destroy",
	[SHYPER_HC_VM_BOOT] = "vm-boot",
	[SHYPER_HC_VM_STOP] = "vm-stop",
	[SHYPER_HC_VM_PAUSE] = "vm-pause",
	[SHYPER_HC_VM_RESUME] = "vm-resume",
	[SHYPER_HC_VM_INFO] = "vm-info",
	[SHYPER_HC_VM_MEMORY] = "vm-memory",
	[SHYPER_HC_EVENTS] = "events",
	[SHYPER_HC_LOG_READ] = "log-read",
	[SHYPER_HC_DEVICE_SETUP] = "device-setup",
	[SHYPER_HC_DEVICE_INFO] = "device-info",
	[SHYPER_HC_DEVICE_INTERRUPT] = "device-interrupt",
	[SHYPER_HC_DEVICE_RESET_DONE] = "device-reset-done",
	[SHYPER_HC_DEVICE_ABANDON] = "device-abandon",
	[SHYPER_HC_NET_INFO] = "net-info",
	[SHYPER_HC_NET_SET] = "net-set",
	[SHYPER_HC_SCHED_INFO] = "sched-info",
	[SHYPER_HC_SCHED_SET] = "sched-set",
	[SHYPER_HC_TRACE_START] = "trace-start",
	[SHYPER_HC_TRACE_STOP] = "trace-stop",
	[SHYPER_HC_TRACE_READ] = "trace-read",
	[SHYPER_HC_VM_PIN] = "vm-pin",
	[SHYPER_HC_SCHEDULE_INFO] = "schedule-info",
	[SHYPER_HC_SCHEDULE_SET] = "schedule-set",
	[SHYPER_HC_SCHEDULE_SWITCH] = "schedule-switch",
	[SHYPER_HC_SCHEDULE_SHIFT] = "schedule-shift",
	[SHYPER_HC_SCHEDULE_READ] = "schedule-read",
};

static DEFINE_PER_CPU(unsigned long [ARRAY_SIZE(names)], calls);

/* Needs no lock: Shyper puts calls in order itself. */
static struct sbiret call_free(unsigned long function, unsigned long a0, unsigned long a1,
			       unsigned long a2, unsigned long a3)
{
	this_cpu_inc(calls[function]);
	return sbi_ecall(SHYPER_EXTENSION, function, a0, a1, a2, a3, 0, 0);
}

static struct sbiret call(unsigned long function, unsigned long a0, unsigned long a1,
			  unsigned long a2, unsigned long a3)
{
	lockdep_assert_held(&shyper_lock);
	return call_free(function, a0, a1, a2, a3);
}

/* A call that may need several goes, between which others have the hart. */
static struct sbiret call_again(unsigned long function, unsigned long a0, unsigned long a1,
				unsigned long a2)
{
	struct sbiret ret;

	while ((ret = call(function, a0, a1, a2, 0)).error == SHYPER_E_AGAIN)
		cond_resched();
	return ret;
}

void hc_show(struct seq_file *out)
{
	for (unsigned int function = 0; function < ARRAY_SIZE(names); function++) {
		unsigned long sum = 0;
		int cpu;

		for_each_possible_cpu(cpu)
			sum += per_cpu(calls[function], cpu);
		seq_printf(out, "%-20s %10lu\n", names[function], sum);
	}
}

static int call_errno(unsigned long function, unsigned long a0, unsigned long a1,
		      unsigned long a2, unsigned long a3)
{
	return errno_of(call(function, a0, a1, a2, a3).error);
}

int hc_create(const void *tree, u32 size, phys_addr_t floor)
{
	struct sbiret ret = call_again(SHYPER_HC_VM_CREATE, virt_to_phys((void *)tree), size,
				       floor);

	return ret.error ? errno_of(ret.error) : (int)ret.value;
}

int hc_vm(unsigned long function, u32 id)
{
	return errno_of(call_again(function, id, 0, 0).error);
}

int hc_boot(u32 id, const struct shyper_boot *boot)
{
	memcpy(exchange, boot, sizeof(*boot));
	return call_errno(SHYPER_HC_VM_BOOT, id, virt_to_phys(exchange), sizeof(*boot), 0);
}

int hc_system_info(struct shyper_system_info *info)
{
	int err = call_errno(SHYPER_HC_SYSTEM_INFO, virt_to_phys(exchange), sizeof(*info), 0, 0);

	if (!err)
		memcpy(info, exchange, sizeof(*info));
	return err;
}

int hc_net_info(u32 id, u32 card, struct shyper_net_info *info)
{
	int err = call_errno(SHYPER_HC_NET_INFO, id, card, virt_to_phys(exchange), sizeof(*info));

	if (!err)
		memcpy(info, exchange, sizeof(*info));
	return err;
}

int hc_net_set(u32 id, u32 card, u32 what, u32 value)
{
	return call_errno(SHYPER_HC_NET_SET, id, card, what, value);
}

int hc_sched_info(u32 number, struct shyper_sched_info *info)
{
	int err = call_errno(SHYPER_HC_SCHED_INFO, number, virt_to_phys(exchange), sizeof(*info),
			     0);

	if (!err)
		memcpy(info, exchange, sizeof(*info));
	return err;
}

int hc_sched_set(const struct shyper_sched_set *set)
{
	return call_errno(SHYPER_HC_SCHED_SET, set->vm, set->priority | (u32)set->flags << 16,
			  set->budget, set->period);
}

int hc_schedule_info(struct shyper_schedule_info *info)
{
	int err = call_errno(SHYPER_HC_SCHEDULE_INFO, virt_to_phys(exchange), sizeof(*info), 0, 0);

	if (!err)
		memcpy(info, exchange, sizeof(*info));
	return err;
}

int hc_schedule_set(const void *tree, u32 size)
{
	return call_errno(SHYPER_HC_SCHEDULE_SET, virt_to_phys((void *)tree), size, 0, 0);
}

int hc_schedule_switch(unsigned long table)
{
	return call_errno(SHYPER_HC_SCHEDULE_SWITCH, table, 0, 0, 0);
}

int hc_schedule_shift(s64 us)
{
	return call_errno(SHYPER_HC_SCHEDULE_SHIFT, us, 0, 0, 0);
}

int hc_schedule_read(void *tree, u32 size)
{
	struct sbiret ret = call(SHYPER_HC_SCHEDULE_READ, virt_to_phys(tree), size, 0, 0);

	return ret.error ? errno_of(ret.error) : (int)ret.value;
}

int hc_trace_start(u32 events, u32 slots)
{
	return call_errno(SHYPER_HC_TRACE_START, events, slots, 0, 0);
}

void hc_trace_stop(void)
{
	call(SHYPER_HC_TRACE_STOP, 0, 0, 0, 0);
}

int hc_trace_read(struct shyper_trace_read *out)
{
	int err;

	memcpy(exchange, out, sizeof(*out));
	err = call_errno(SHYPER_HC_TRACE_READ, virt_to_phys(exchange), sizeof(*out), 0, 0);
	if (!err)
		memcpy(out, exchange, sizeof(*out));
	return err;
}

int hc_vm_pin(u32 id, u32 vcpu, u64 hart)
{
	return call_errno(SHYPER_HC_VM_PIN, id, vcpu, hart, 0);
}

int hc_vm_info(u32 id, struct shyper_vm_info *info)
{
	int err = call_errno(SHYPER_HC_VM_INFO, id, virt_to_phys(exchange), sizeof(*info), 0);

	if (!err)
		memcpy(info, exchange, sizeof(*info));
	return err;
}

int hc_memory(u32 id, u32 index, struct shyper_memory *memory)
{
	int err = call_errno(SHYPER_HC_VM_MEMORY, id, index, virt_to_phys(exchange),
			     sizeof(*memory));

	if (!err)
		memcpy(memory, exchange, sizeof(*memory));
	return err;
}

int hc_events(phys_addr_t page, u32 source)
{
	return call_errno(SHYPER_HC_EVENTS, page, source, 0, 0);
}

int hc_log_read(struct shyper_log *log)
{
	int err;

	memcpy(exchange, log, sizeof(*log));
	err = call_errno(SHYPER_HC_LOG_READ, virt_to_phys(exchange), sizeof(*log), 0, 0);
	if (!err)
		memcpy(log, exchange, sizeof(*log));
	return err;
}

int hc_device_setup(u32 id, u32 number, const struct shyper_device_setup *setup)
{
	memcpy(exchange, setup, sizeof(*setup));
	return call_errno(SHYPER_HC_DEVICE_SETUP, id, number, virt_to_phys(exchange),
			  sizeof(*setup));
}

/* --- Without the lock --- */

int hc_vm_info_to(u32 id, struct shyper_vm_info *info)
{
	return errno_of(call_free(SHYPER_HC_VM_INFO, id, virt_to_phys(info), sizeof(*info),
				  0).error);
}

int hc_device_info(u32 id, u32 number, struct shyper_device_info *info)
{
	return errno_of(call_free(SHYPER_HC_DEVICE_INFO, id, number, virt_to_phys(info),
				  sizeof(*info)).error);
}

/* These can fail only for a VM that is gone, or not there for it any more. */
void hc_device_reset_done(u32 id, u32 number)
{
	call_free(SHYPER_HC_DEVICE_RESET_DONE, id, number, 0, 0);
}

void hc_device_abandon(u32 id, u32 number)
{
	call_free(SHYPER_HC_DEVICE_ABANDON, id, number, 0, 0);
}

void hc_device_interrupt(u32 id, u32 number)
{
	call_free(SHYPER_HC_DEVICE_INTERRUPT, id, number, 1, 0);
}

/* --- With the lock again --- */

void hc_refused(struct shyper_refusal *refusal)
{
	struct sbiret ret = call(SHYPER_HC_REASON, virt_to_phys(exchange), sizeof(refusal->text),
				 0, 0);

	refusal->size = ret.error ? 0 : min_t(size_t, ret.value, sizeof(refusal->text));
	memcpy(refusal->text, exchange, refusal->size);
}

/* The version is anybody's to ask, the rest the MVM's alone. */
static int check(void)
{
	struct shyper_system_info *info = exchange;
	struct sbiret version = call(SHYPER_HC_VERSION, 0, 0, 0, 0);
	int err;

	if (version.error || version.value != SHYPER_ABI_VERSION) {
		pr_err("Shyper's interface has version %ld, this module is made for %d\n",
		       version.error ? -1 : version.value, SHYPER_ABI_VERSION);
		return -ENODEV;
	}
	err = call_errno(SHYPER_HC_SYSTEM_INFO, virt_to_phys(info), sizeof(*info), 0, 0);
	if (err == -EPERM)
		pr_err("this VM may not manage others: its definition lacks `management`\n");
	else if (err)
		pr_err("Shyper does not answer (error %d)\n", err);
	else
		pr_info("Shyper %.*s\n", (int)sizeof(info->version), info->version);
	return err ? -ENODEV : 0;
}

int hc_init(void)
{
	int err;

	if (sbi_probe_extension(SHYPER_EXTENSION) <= 0) {
		pr_err("this machine does not run under Shyper\n");
		return -ENODEV;
	}
	exchange = (void *)get_zeroed_page(GFP_KERNEL);
	if (!exchange)
		return -ENOMEM;
	mutex_lock(&shyper_lock);
	err = check();
	mutex_unlock(&shyper_lock);
	if (err)
		hc_exit();
	return err;
}

void hc_exit(void)
{
	free_page((unsigned long)exchange);
}
