/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU goes to another hart: its interrupt file, its timers, what is wired to it. Its registers
 * are in memory by then, and no hart runs it.
 */
#include <asm/csr.h>
#include <asm/hart.h>
#include <asm/imsic.h>
#include <hv/host_irq.h>
#include <hv/machine.h>
#include <hv/timer.h>
#include <hv/vcpu.h>
#include <hv/vimsic.h>
#include <hv/vm.h>

void arch_vcpu_depart(struct vcpu *vcpu)
{
	arch_vcpu_park(vcpu);
	timer_hold(&vcpu->arch.timer);
	machine_vcpu_depart(vcpu->vm, vcpu->index);
}

/* What has to be done on the harts themselves. */
struct move {
	struct vcpu *vcpu;
	u32 file;	/* the old one */
	struct vimsic_state state;
};

static void read_file(void *arg)
{
	struct move *move = arg;

	if (move->vcpu->vm->def.irqs)
		host_irq_sync();	/* what wires of the board have sent is in it */
	imsic_guest_out(move->file, &move->state);
}

static void arrive(void *arg)
{
	const struct move *move = arg;
	struct vcpu *vcpu = move->vcpu;

	/* The guest's own were executed elsewhere. */
	__asm__ volatile("fence.i" ::: "memory");
	if (vcpu->arch.file)
		imsic_guest_in(vcpu->arch.file, &move->state);
	timer_go_on(&vcpu->arch.timer);
	machine_vcpu_arrive(vcpu->vm, vcpu->index);
}

/* hv/vimsic.h, "From hardware to memory". Every hart passes: none is in vimsic_send() yet. */
static void file_to_memory(struct vcpu *vcpu, struct move *move)
{
	struct arch_vcpu *arch = &vcpu->arch;

	move->file = arch->file;
	vimsic_recall(arch->imsic, vcpu->index);
	arch->file = 0;
	guest_file_unmap(vcpu);
	machine_vcpu_reroute(vcpu->vm, vcpu->index);
	vm_fence(vcpu->vm);
	arch_harts_sync(NULL);
	arch_hart_call(vcpu->hart, read_file, move);
	vimsic_import(arch->imsic, vcpu->index, &move->state);
	guest_file_give(vcpu, move->file);
}

/* The same, "From memory to hardware"; arrive() does the rest. Without a file it stays. */
static void file_to_hart(struct vcpu *vcpu, struct vimsic_state *state)
{
	struct arch_vcpu *arch = &vcpu->arch;

	if (guest_file_take(vcpu) == 0 && arch->file)
		vimsic_export(arch->imsic, vcpu->index, arch_vcpu_file_page(vcpu), state);
	vm_fence(vcpu->vm);	/* who does not see the page yet comes to Shyper */
	arch->csr.hstatus = (arch->csr.hstatus & ~HSTATUS_VGEIN) |
			    (u64)arch->file << HSTATUS_VGEIN_SHIFT;
	vm_audit(vcpu->vm);
}

/*
 * The old hart keeps no translation of the VM, for it gets no fences of it from now on. Whoever has
 * looked up the old hart, to send a fence there, has done so before the sync: thus what it changed
 * is seen by the vCPU, which begins without translations.
 */
void arch_vcpu_move(struct vcpu *vcpu, struct hart *hart)
{
	static struct move move;	/* under the management lock */
	struct hart *old = vcpu->hart;

	move.vcpu = vcpu;
	if (vcpu->arch.file)
		file_to_memory(vcpu, &move);
	else
		vm_fence(vcpu->vm);
	__atomic_store_n(&vcpu->hart, hart, __ATOMIC_RELEASE);
	vmid_nowhere(&vcpu->arch.place);
	if (vcpu->arch.imsic)
		file_to_hart(vcpu, &move.state);
	machine_vcpu_reroute(vcpu->vm, vcpu->index);
	arch_harts_sync(NULL);
	machine_vcpu_rerouted(vcpu->vm, vcpu->index, old->index);
	arch_hart_call(hart, arrive, &move);
}
