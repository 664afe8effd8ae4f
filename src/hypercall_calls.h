/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to hypercall*.c: the handlers that stand in other files, and what they share. All run
 * with the management lock held.
 */
#ifndef HYPERCALL_CALLS_H
#define HYPERCALL_CALLS_H

#include <hv/hypercall.h>
#include <hv/types.h>

struct vm;

/* hypercall_done() - the result of a call that has no value, from an internal errno. */
struct hypercall_result hypercall_done(int err);

/* hypercall_give() - copy a struct of size bytes to the caller, who has room for so many. */
struct hypercall_result hypercall_give(struct vm *caller, u64 to, u64 room, const void *from,
				       u64 size);

/* hypercall_named() - the VM that an id names; `self`: the MVM too. NULL after a refusal. */
struct vm *hypercall_named(u64 id, bool self);

/*
 * hypercall_tree() - a copy of a tree of the caller's, aligned to a page. 0, -EINVAL: its size,
 * -EFAULT, -ENOMEM. hypercall_tree_free() gives it back.
 */
int __must_check hypercall_tree(struct vm *caller, u64 from, u64 size, void **tree);
void hypercall_tree_free(void *tree, u64 size);

struct hypercall_result hc_vm_create(struct vm *caller, const u64 *arg);
struct hypercall_result hc_vm_destroy(struct vm *caller, const u64 *arg);

struct hypercall_result hc_device_setup(struct vm *caller, const u64 *arg);
struct hypercall_result hc_device_info(struct vm *caller, const u64 *arg);
struct hypercall_result hc_device_interrupt(struct vm *caller, const u64 *arg);
struct hypercall_result hc_device_reset_done(struct vm *caller, const u64 *arg);
struct hypercall_result hc_device_abandon(struct vm *caller, const u64 *arg);

struct hypercall_result hc_net_info(struct vm *caller, const u64 *arg);
struct hypercall_result hc_net_set(struct vm *caller, const u64 *arg);

struct hypercall_result hc_sched_info(struct vm *caller, const u64 *arg);
struct hypercall_result hc_sched_set(struct vm *caller, const u64 *arg);
struct hypercall_result hc_trace_start(struct vm *caller, const u64 *arg);
struct hypercall_result hc_trace_stop(struct vm *caller, const u64 *arg);
struct hypercall_result hc_trace_read(struct vm *caller, const u64 *arg);
struct hypercall_result hc_schedule_info(struct vm *caller, const u64 *arg);
struct hypercall_result hc_schedule_set(struct vm *caller, const u64 *arg);
struct hypercall_result hc_schedule_switch(struct vm *caller, const u64 *arg);
struct hypercall_result hc_schedule_shift(struct vm *caller, const u64 *arg);
struct hypercall_result hc_schedule_read(struct vm *caller, const u64 *arg);

/* hypercall_devices_reset() - the MVM boots anew: it serves no device any more. */
void hypercall_devices_reset(void);

/* hypercall_vms_reset() - and nobody goes on with the VM that it was creating. */
void hypercall_vms_reset(void);

#endif
