/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is to be told of a VM, in words for people: the log, the board's console and the monitor.
 * Any hart, no lock: whoever got the VM from vm_by_id() may read it until its hart next serves
 * fences; what changes meanwhile is as it was at some moment. Text is cut at size bytes.
 */
#ifndef HV_VM_SHOW_H
#define HV_VM_SHOW_H

#include <hv/types.h>

struct vcpu;
struct vm;

/*
 * vm_show() - "VM 1 web: running, vCPUs 2, harts 1 2, 512 MiB, 4711 exits"; how it ended, when it
 * has.
 */
void vm_show(const struct vm *vm, char *text, size_t size);

/* vm_show_end() - why it ended: "powered off (code 0)". */
void vm_show_end(const struct vm *vm, char *text, size_t size);

/* vm_show_exits() - "exits 4711: sbi 12 mmio-read 0 …", of all its vCPUs. */
void vm_show_exits(const struct vm *vm, char *text, size_t size);

/* vm_show_vcpu() - "vCPU 0: running on hart 1". */
void vm_show_vcpu(const struct vcpu *vcpu, char *text, size_t size);

#endif
