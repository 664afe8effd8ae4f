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
	return board.imsic_ids;
}

u32 arch_vcpu_hart(const struct vcpu *vcpu)
{
	return vcpu->hart->index;
}

u32 arch_vcpu_file(const struct vcpu *vcpu)
{
	return vcpu->arch.file;
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

void guest_files_empty(const struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i]->hart == this_hart() && vm->vcpu[i]->arch.file)
			imsic_guest_clear(vm->vcpu[i]->arch.file);
}

/* The page of the file is the VM's as long as its memory map lives. */
static int map_file(struct vm *vm, const struct vcpu *vcpu)
{
	gpa_t gpa = GPA(vm->def.imsic.base + vcpu->index * vmdef_imsic_stride(&vm->def));
	int err = gmap_add_lent(&vm->gmap, gpa, HPA(arch_vcpu_file_page(vcpu)), PAGE_SIZE);

	if (err)
		refuse("%s refused: no memory for its address map", vm->def.name);
	return err;
}

int arch_vm_files(struct vm *vm)
{
	int err = 0;

	vm->arch.hstateen0 = HSTATEEN0_SENVCFG;
	if (!vm->def.imsic.size)
		return 0;
	vm->arch.hstateen0 |= HSTATEEN0_CSRIND | HSTATEEN0_AIA | HSTATEEN0_IMSIC;
	for (u32 i = 0; !err && i < vm->vcpus; i++) {
		struct vcpu *vcpu = vm->vcpu[i];
		int file = guest_files_take(&vcpu->hart->guest_files, vcpu);

		if (file < 0)
			continue;
		vcpu->arch.file = (u32)file;
		err = map_file(vm, vcpu);
	}
	return err;
}

/* Nobody sends any more: the guest and its wires have stopped, and its pages are unmapped. */
void arch_vm_files_exit(struct vm *vm)
{
	u64 harts_with = 0;

	for (u32 i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i]->arch.file)
			harts_with |= BIT(vm->vcpu[i]->hart->index);
	if (!harts_with)
		return;
	fence_remote(harts_with, &(struct fence){ .op = FENCE_FILES, .vm = vm });
	for (u32 i = 0; i < vm->vcpus; i++) {
		struct vcpu *vcpu = vm->vcpu[i];

		if (vcpu->arch.file)
			CHECK(guest_files_give(&vcpu->hart->guest_files, vcpu->arch.file, vcpu) ==
			      0);
	}
}
