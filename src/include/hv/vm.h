/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual machines: made from a checked definition, booted, restarted, ended. One path for all.
 *
 * Life of a VM: MADE → RUNNING → STOPPING → (RUNNING again | ENDED). Whoever ends it, a guest's
 * own call or Shyper, only notes the reason and asks its vCPUs to halt; the last vCPU to halt
 * finishes the work, in steps, in the turns that it has on its hart. So nobody waits for anybody.
 */
#ifndef HV_VM_H
#define HV_VM_H

#include <asm/vm.h>
#include <hv/board.h>
#include <hv/fiber.h>
#include <hv/fit.h>
#include <hv/gmap.h>
#include <hv/irqchip.h>
#include <hv/log.h>
#include <hv/mmio.h>
#include <hv/types.h>
#include <hv/vcpu.h>
#include <hv/vm_load.h>
#include <hv/vmdef.h>

#define VMS 16
#define VM_CAUSE 160	/* bytes with the NUL */

struct machine;

/* The numbers of states and reasons are those of abi/hypercall.h, which src/hypercall.c asserts. */
enum vm_state { VM_MADE, VM_RUNNING, VM_STOPPING, VM_ENDED, VM_DESTROYED };

/* Why a VM ends, as its first caller said. */
enum vm_reason {
	VM_POWEROFF,		/* the guest is done */
	VM_REBOOT,		/* the guest wants to start again */
	VM_FAILURE,		/* the guest reports that it failed */
	VM_CRASH,		/* Shyper stopped it */
	VM_STOP,		/* the MVM stopped it */
};

struct vm {
	/* Fixed after vm_create(). */
	u32 id;
	struct vmdef def;
	const struct fit *fit;		/* where its images are; NULL: the MVM fills its memory */
	u32 vcpus;
	struct vcpu *vcpu[VMDEF_VCPUS];
	struct arch_vm arch;
	struct mmio_bus bus;
	const struct irqchip_ops *irqchip;
	void *irqchip_data;
	struct machine *machine;	/* the devices (drivers/guest/machine.c) */
	struct gmap gmap;

	/* Lock-free. */
	u32 state __attribute__((aligned(64)));	/* enum vm_state, changed by compare-and-swap */
	u32 active;		/* vCPUs that have not halted */
	u32 paused;		/* 1: no vCPU executes; of one that ended, nothing; atomic */
	bool stopped;		/* by the MVM: of the FIT, it does not run again; atomic */
	struct log_limit log_limit;	/* of what the guest does */
	struct log_limit end_limit;	/* of its ends and restarts */

	/* Written by the one who made the state STOPPING; read by the last to halt. */
	enum vm_reason reason;
	u32 exit_code;		/* of VM_FAILURE */
	u32 crashes;
	bool again;		/* when all is halted it boots again */
	struct vcpu *last;	/* to halt: it has to call vm_finish(); NULL: nothing to do */
	struct fiber fiber;	/* winds it up when all is halted */
	struct vm_layout load;	/* of the one who boots it */
	struct vm_entry entry;
	void *tree;		/* its device tree, if it is of the FIT; NULL: not made, or ended */
	u8 *seed;		/* VM_SEED random bytes there */
	u64 booted_at;		/* host ticks */
	u64 boots;
	u64 paused_at;		/* host ticks; management lock */
	char cause[VM_CAUSE];	/* of VM_CRASH; cut where it is longer */

	/* What is said when all is halted; the fiber's. */
	char words[LOG_LINE];
	struct log_line line;
};

/*
 * vm_create() - make a VM: memory, which is not clear yet, tables, devices, vCPUs. Boot hart, or
 * management lock. fit stays where it is as long as the VM lives. Returns 0, or a negative errno
 * after a log line that says what to change; nothing half-made remains. vm_admit() - from now on
 * others know it. vm_check_schedule() - may it still be a partition, if it is one? The schedule may
 * have changed since; 0, or -EINVAL after a log line.
 */
int __must_check vm_create(const struct vmdef *def, const struct fit *fit, struct vm **out);
int __must_check vm_check_schedule(struct vm *vm);
void vm_admit(struct vm *vm);

/*
 * vm_remove() - give back all that a VM holds which does not run, but for its memory; nobody knows
 * it any more. vm_remove_step() - clear some of that; true: there is more; false: it is given back,
 * and the pointer is dead. On the MVM's hart, with the management lock.
 */
void vm_remove(struct vm *vm);
bool vm_remove_step(struct vm *vm);

/* vm_release_memory() - RAM, tree and devices of a VM that no hart runs or has translations of. */
void vm_release_memory(struct vm *vm);

/*
 * vm_boot() - load the images and start vCPU 0 of a made VM. Boot hart. 0, or -errno after a log
 * line.
 */
int __must_check vm_boot(struct vm *vm);

/*
 * vm_boot_at() - the same for a VM whose memory the MVM has filled: writes the device tree to
 * guest physical address entry->fdt and begins at entry->pc. Management lock. 0; -EBUSY: it runs;
 * -EINVAL: an address is not in its memory.
 */
struct vm_entry;
int __must_check vm_boot_at(struct vm *vm, const struct vm_entry *entry, u64 initrd,
			    u64 initrd_size);

/*
 * vm_pause() - when it returns, no vCPU of the VM executes; time goes on for it, or stands still
 * (def.time_stops). If it restarts meanwhile, it does so paused. vm_resume() undoes it. Management
 * lock. 0; -EBUSY: it does not run, or is (not) paused already.
 */
int __must_check vm_pause(struct vm *vm);
int __must_check vm_resume(struct vm *vm);

/*
 * vm_stop() - the MVM ends it, also while it is about to run again. Any hart, lock-free. 0; -EBUSY:
 * it does not run.
 */
int __must_check vm_stop(struct vm *vm);

/*
 * vm_pin() - move a vCPU to another hart, whatever it is doing; nothing that is on its way to it is
 * lost. Of a VM of the MVM's; management lock. 0, or -errno, refused: see sched_claim().
 */
int __must_check vm_pin(struct vm *vm, u64 vcpu, u64 hartid);

/*
 * vms_started() - the boot hart has started what it had to: from now on the machine ends with the
 * last VM, at once when that has ended already. Before, a VM that ends leaves the others their
 * start.
 */
void vms_started(void);

/*
 * vm_end() - begin to stop a running VM. Any hart, lock-free; the first reason counts, later
 * calls do nothing.
 */
void vm_end(struct vm *vm, enum vm_reason reason, u32 code);

/* vm_crash() - vm_end(VM_CRASH) with a cause that says what the guest did; it goes to the log. */
void vm_crash(struct vm *vm, const char *fmt, ...) __printf(2, 3);

/*
 * vm_halted() - one vCPU has left the guest for good; its own hart. True: it was the last one, and
 * has to call vm_finish() until that returns false. Each is a short step of what is left to do: to
 * boot the VM again, or to give back what it has.
 */
bool vm_halted(struct vm *vm);
bool vm_finish(struct vm *vm);

/* vm_warn() - a rate-limited log line about what a guest did. */
#define vm_warn(vm, fmt, ...)                                                            \
	do {                                                                             \
		if (log_allowed(&(vm)->log_limit))                                       \
			log_warn("%s: " fmt, (vm)->def.name, ##__VA_ARGS__);             \
	} while (0)

/* vm_by_id() - the VM in this slot; NULL: none. vm_publish() - for vm_make.c: fill or clear it. */
struct vm *vm_by_id(u32 id);
void vm_publish(u32 id, struct vm *vm);

/* vms_made() - how many VMs there are, in whatever state. Any hart, no lock. */
u32 vms_made(void);

/* vm_state() - the state now; only the transitions that the caller itself may make are excluded. */
static inline enum vm_state vm_state(const struct vm *vm)
{
	return (enum vm_state)__atomic_load_n(&vm->state, __ATOMIC_ACQUIRE);
}

/*
 * vms_running() - VMs that run or are about to again. vms_status() - 0 when no VM ended in failure
 * or crash, else the exit status of the first one that did: its code where that fits 1 .. 253,
 * else 1.
 */
u32 vms_running(void);
u32 vms_status(void);

/*
 * The architecture supplies (arch/riscv64/vm.c): arch_harts_sync waits until the harts of a VM
 * (NULL: all harts) have all looked at their requests once more; arch_hart_wanted tells whether an
 * interrupt of Shyper's is pending on this hart; arch_hart_call has the hart call
 * a function that waits for nobody, between two instructions of its guest or asleep, and returns
 * when it has; arch_hart_get(n) is the nth hart by id that Shyper drives, or NULL behind the last;
 * arch_vm_window(mvm, of, open)
 * lets the MVM reach the RAM of another VM at its host addresses, or no longer; arch_vm_show lets a
 * VM that has not run yet read a page of Shyper's at a guest address (-EINVAL: beyond its G-stage),
 * arch_vm_hide ends that when it runs no more; arch_vm_init makes the G-stage from vm->gmap,
 * arch_vm_exit undoes it after its harts dropped all translations, arch_vm_reset prepares a boot,
 * arch_vcpu_init/exit allocate what a vCPU needs, arch_vm_fdt writes the guest's device tree,
 * arch_vm_fdt_seed finds the VM_SEED random bytes in it,
 * arch_hart_find tells the hart with this id, NULL: it does not run, arch_hart_claim pins a vCPU
 * to a hart id (NULL: any free hart): -EBUSY taken, -ENOENT absent, -ENOMEM none free;
 * arch_machine_off ends everything, with an exit status where the machine has a place for one.
 * arch_vm_time_stop holds the timers of a paused VM, arch_vm_time_go_on has its time go on as if
 * so many ticks had not been; management lock.
 */
int __must_check arch_vm_init(struct vm *vm);
void arch_vm_exit(struct vm *vm);
void arch_vm_reset(struct vm *vm);
void arch_vm_time_stop(struct vm *vm);
void arch_vm_time_go_on(struct vm *vm, u64 ticks);
void arch_harts_sync(const struct vm *vm);
bool arch_hart_wanted(void);
void arch_hart_call(const struct hart *hart, void (*call)(void *arg), void *arg);
struct hart *arch_hart_get(u64 number);
int __must_check arch_vm_window(struct vm *mvm, const struct vm *of, bool open);
int __must_check arch_vm_show(struct vm *vm, gpa_t at, hpa_t page);
void arch_vm_hide(struct vm *vm, gpa_t at, hpa_t page);
int __must_check arch_vcpu_init(struct vcpu *vcpu);
void arch_vcpu_exit(struct vcpu *vcpu);
int __must_check arch_vm_fdt(struct vm *vm, u64 initrd, u64 initrd_size, void *buf, size_t size);
#define VM_SEED 64
u8 *arch_vm_fdt_seed(void *tree);
struct hart *arch_hart_find(u64 hartid);
int __must_check arch_hart_claim(struct vcpu *vcpu, const u64 *hartid);
void arch_hart_release(struct vcpu *vcpu);
void arch_harts_count(u32 *harts, u32 *unused);

/*
 * And, for interrupts: arch_guest_irqchip() - what harts can give guests: BOARD_IMSIC,
 * BOARD_APLIC, or anything else for neither. arch_imsic_ids() - highest identity of the IMSICs.
 * arch_vm_files() - with def.imsic: a hardware interrupt file for each vCPU for which one is left,
 * mapped into the guest, whose G-stage there is; arch_vm_files_exit() gives them back, empty.
 * arch_vcpu_hart() - index of the vCPU's hart. arch_vcpu_file() - number of its hardware file; 0:
 * in memory; arch_vcpu_file_page() - where Shyper writes messages to it, with arch_msi_send(),
 * which orders them behind all earlier stores. arch_vcpu_imsic() - the IMSICs of its VM, where a
 * file in memory is.
 */
enum board_irqchip arch_guest_irqchip(void);
u32 arch_imsic_ids(void);
int __must_check arch_vm_files(struct vm *vm);
void arch_vm_files_exit(struct vm *vm);
u32 arch_vcpu_hart(const struct vcpu *vcpu);
u32 arch_vcpu_file(const struct vcpu *vcpu);
u64 arch_vcpu_file_page(const struct vcpu *vcpu);
struct vimsic;
void arch_vcpu_imsic(struct vcpu *vcpu, struct vimsic *imsic);
void arch_msi_send(u64 page, u32 id);
void __noreturn arch_machine_off(u32 status);

#endif
