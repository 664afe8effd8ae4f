/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices of one VM as a whole (drivers/guest/machine.c): QEMU's virt board, as far as the
 * definition wants it.
 */
#ifndef HV_MACHINE_H
#define HV_MACHINE_H

#include <hv/types.h>

struct virtio_net;
struct virtio_remote;
struct vm;

/*
 * machine_init() - make the devices and put them on the VM's bus; its vCPUs and memory exist.
 * 0, or -errno after a log line, with nothing left. machine_exit() undoes it; the VM does not run.
 */
/*
 * machine_stop() - the VM is over: no interrupt of the board goes to it any more, and no other VM's
 * output into its memory, which is given back next. Any hart, no lock is held.
 */
int __must_check machine_init(struct vm *vm);
void machine_stop(struct vm *vm);
void machine_exit(struct vm *vm);

/* machine_ended() - it has ended and is kept: its memory is left alone until machine_reset(). */
void machine_ended(struct vm *vm);

/*
 * machine_reset() - all devices back to power-on; steps back in between (hv/fiber.h). The VM does
 * not run.
 */
void machine_reset(struct vm *vm);

/* machine_remote() - device n of those that the MVM serves; NULL: the VM has no such device. */
struct virtio_remote *machine_remote(struct vm *vm, u64 n);

/* machine_card() - network device n; NULL: the VM has no such device. */
struct virtio_net *machine_card(struct vm *vm, u64 n);

/* machine_vcpu_halt() - a vCPU leaves its hart for good; on that hart: forgets its timers. */
void machine_vcpu_halt(struct vm *vm, u32 vcpu);

/*
 * A vCPU goes to another hart. machine_vcpu_depart() - on its old hart: its timers stop;
 * _arrive() - on the new one: they go on. machine_vcpu_reroute() - its hart or its interrupt file
 * is another: what is wired to it goes there. _rerouted() - no hart knows the old one any more, and
 * that was this.
 */
void machine_vcpu_depart(struct vm *vm, u32 vcpu);
void machine_vcpu_arrive(struct vm *vm, u32 vcpu);
void machine_vcpu_reroute(struct vm *vm, u32 vcpu);
void machine_vcpu_rerouted(struct vm *vm, u32 vcpu, u32 hart_index);

/*
 * machine_console_write() - the VM prints by a call to firmware; returns how much was taken, see
 * console_vm_write(). On a hart of the VM.
 */
size_t machine_console_write(struct vm *vm, const char *text, size_t size);

/* machine_console_input() - bytes for the VM's console; returns how many it took. Any hart. */
size_t machine_console_input(struct vm *vm, const u8 *data, size_t size);

/*
 * machine_console_read() - take received bytes from the VM's UART for an SBI call, as firmware
 * that shares the board's UART does. On a hart of the VM.
 */
size_t machine_console_read(struct vm *vm, char *buf, size_t size);

#endif
