/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of sticky event bits that the MVM shares with Shyper (abi/hypercall.h, struct
 * shyper_events), and its one interrupt.
 */
#ifndef HV_EVENTS_H
#define HV_EVENTS_H

#include <hv/types.h>

struct vm;

/*
 * events_attach() - post to this page of the MVM's RAM and request this source of its irqchip.
 * Management lock. 0; -EINVAL: unaligned, or no source of the chip; -EFAULT: not its RAM.
 * events_detach() - nobody posts any more, e.g. because the MVM boots anew. With no lock held that
 * another hart may wait for, but the management lock.
 */
int __must_check events_attach(struct vm *mvm, u64 page, u32 source);
void events_detach(void);

/* events_state() - the state of the VM with this id has changed. Any hart, lock-free. */
void events_state(u32 id);

/* events_health() - a window of this partition was missed or began late. Any hart, lock-free. */
void events_health(u32 id);

/*
 * events_doorbell() - the driver in VM id has notified a queue of its device; events_device() -
 * something else about that device has changed. Any hart, lock-free.
 */
void events_doorbell(u32 id, u32 device, u32 queue);
void events_device(u32 id, u32 device);

#endif
