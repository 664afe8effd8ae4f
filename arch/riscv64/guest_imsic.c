/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware interrupt files for vCPUs: which vCPU has which, and its page in the guest's address
 * space, where other vCPUs and devices send messages without Shyper.
 */
#include <asm/csr.h>
#include <asm/features.h>
#include <asm/hart.h>
#include <asm/imsic.h>
#include <hv/board.h>
#include <hv/check.h>
#include <hv/errno.h>
#include <hv/host_irq.h>
#include <hv/refuse.h>
#include <hv/vm.h>

enum board_irqchip arch_guest_irqchip(void)
{
	if (board.irqchip == BOARD_IMSIC && !feature(FEATURE_AIA))
		return BOARD_NO_IRQCHIP;
	return board.irqchip;
}

u32 arch_imsic_ids(void)
{
	return board.imsic_guest_ids;
}

u32 arch_vcpu_hart(const struct vcpu *vcpu)
{
	return vcpu->hart->index;
}

u32 arch_vcpu_file(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->arch.file, __ATOMIC_ACQUIRE);
}

u64 arch_vcpu_file_page(const struct vcpu *vcpu)
{
	return imsic_guest_page(vcpu->hart, vcpu->arch.file);
}

void arch_vcpu_imsic(struct vcpu *vcpu, struct vimsic *imsic)
{
	vcpu->arch.imsic = imsic;
}

void arch_msi_send(u64 page, u32 id)
{
	/* RVWMO: stores before an I/O write. seteipnum_le is at offset 0. */
	__asm__ volatile("fence w, o" ::: "memory");
	*(volatile u32 *)(uintptr_t)page = id;
}

/* Wires of the board go nowhere by now; what they have sent may be under way yet. */
void guest_files_empty(const struct vm *vm)
{
	if (vm->def.irqs)
		host_irq_sync();
	for (u32 i = 0; i < vm->def.irqs; i++)
		host_irq_forget(vm->def.irq[i].host);
	for (u32 i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i]->hart == this_hart() && vm->vcpu[i]->arch.file)
			imsic_guest_clear(vm->vcpu[i]->arch.file);
}

static u64 page_in_guest(const struct vcpu *vcpu)
{
	const struct vmdef *def = &vcpu->vm->def;

	return def->imsic.base + vcpu->index * vmdef_imsic_stride(def);
}

/* The page of the file is the VM's as long as the vCPU has the file. */
static int lend(struct vcpu *vcpu, u32 file)
{
	struct vm *vm = vcpu->vm;
	hpa_t page = HPA(imsic_guest_page(vcpu->hart, file));
	int err = page_lend_device(page, PAGE_SIZE, OWNER_VM(vm->id));

	if (err)
		return err;
	err = ptable_map(&vm->arch.gstage, page_in_guest(vcpu), page.v, PAGE_SIZE, GSTAGE_DEVICE);
	if (err)
		page_return_device(page, PAGE_SIZE, OWNER_VM(vm->id));
	return err;
}

int guest_file_take(struct vcpu *vcpu)
{
	struct guest_files *files = &vcpu->hart->guest_files;
	int file = guest_files_take(files, vcpu), err;

	if (file < 0)
		return 0;
	err = lend(vcpu, (u32)file);
	if (err)
		CHECK(guest_files_give(files, (u32)file, vcpu) == 0);
	else
		__atomic_store_n(&vcpu->arch.file, (u32)file, __ATOMIC_RELEASE);
	return err;
}

void guest_file_unmap(struct vcpu *vcpu)
{
	CHECK(ptable_unmap(&vcpu->vm->arch.gstage, page_in_guest(vcpu), PAGE_SIZE) == 0);
}

void guest_file_give(struct vcpu *vcpu, u32 file)
{
	page_return_device(HPA(imsic_guest_page(vcpu->hart, file)), PAGE_SIZE,
			   OWNER_VM(vcpu->vm->id));
	CHECK(guest_files_give(&vcpu->hart->guest_files, file, vcpu) == 0);
}

int arch_vm_files(struct vm *vm)
{
	vm->arch.hstateen0 = HSTATEEN0_SENVCFG;
	if (!vm->def.imsic.size)
		return 0;
	vm->arch.hstateen0 |= HSTATEEN0_CSRIND | HSTATEEN0_AIA | HSTATEEN0_IMSIC;
	for (u32 i = 0; i < vm->vcpus; i++) {
		int err = guest_file_take(vm->vcpu[i]);

		if (err) {
			refuse("%s refused: no memory for its address map", vm->def.name);
			return err;
		}
	}
	ptable_fenced(&vm->arch.gstage);	/* no hart has walked it yet */
	vm_audit(vm);
	return 0;
}

/* Nobody sends any more: the guest and its wires have stopped, and its G-stage is gone. */
void arch_vm_files_exit(struct vm *vm)
{
	u64 its_harts = 0;

	for (u32 i = 0; i < vm->vcpus; i++)
		if (vm->def.imsic.size && vm->vcpu[i]->hart)
			its_harts |= BIT(vm->vcpu[i]->hart->index);
	if (!its_harts)
		return;
	fence_remote(its_harts, &(struct fence){ .op = FENCE_FILES, .vm = vm });
	for (u32 i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i]->arch.file)
			guest_file_give(vm->vcpu[i], vm->vcpu[i]->arch.file);
}
