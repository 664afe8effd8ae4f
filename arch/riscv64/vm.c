/* SPDX-License-Identifier: BSD-2-Clause */
/* The RISC-V part of a VM: its G-stage and its device tree. */
#include <asm/boot.h>
#include <asm/csr.h>
#include <asm/features.h>
#include <asm/guest_fdt.h>
#include <asm/hart.h>
#include <asm/sbi_def.h>
#include <asm/sbi_host.h>
#include <hv/board.h>
#include <hv/check.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/random.h>
#include <hv/refuse.h>
#include <hv/timer.h>
#include <hv/vm.h>
#include <libfdt.h>

struct vmid_space vm_vmids;

#define FINISHER_HW_PASS 0x5555u
#define FINISHER_HW_FAIL 0x3333u

static int map_blocks(struct vm *vm)
{
	const struct gmap_block *block;
	int err;

	gmap_for_each(&vm->gmap, block) {
		err = ptable_map(&vm->arch.gstage, block->gpa, block->hpa, block->size,
				 block->kind == GMAP_RAM ? GSTAGE_RAM : GSTAGE_DEVICE);
		if (err)
			return err;
	}
	return 0;
}

static void dump_line(void *ctx, const char *text)
{
	const struct vm *vm = ctx;

	log_info("%s: %s %s", vm->def.name, vm->arch.gstage.geo->name, text);
}

void vm_audit(const struct vm *vm)
{
#ifdef DEBUG
	struct ptable_run bad;

	CHECK(ptable_audit(&vm->arch.gstage, OWNER_VM(vm->id), &bad) == 0);
#else
	(void)vm;
#endif
}

int arch_vm_init(struct vm *vm)
{
	const struct vmdef_device *imsic = &vm->def.imsic;
	u64 top = MAX(gmap_top(&vm->gmap), imsic->size ? imsic->base + imsic->size : 0);
	const struct ptable_geometry *geo = ptable_gstage(top, features.gstage_modes);
	struct ptable *gstage = &vm->arch.gstage;
	u8 max_leaf = vm->def.max_leaf ? vm->def.max_leaf : 30;
	int err;

	if (!geo) {
		refuse("%s: memory ends at 0x%llx, which no G-stage mode of this board reaches",
			vm->def.name, (unsigned long long)top);
		return -ERANGE;
	}
	err = ptable_init(gstage, geo, &ptable_pages, NULL,
			  feature(FEATURE_SVNAPOT) && max_leaf >= 16, max_leaf);
	if (err)
		return err;
	err = map_blocks(vm);
	if (err) {
		ptable_destroy(gstage);
		return err;
	}
	ptable_fenced(gstage);	/* no hart has walked it yet */
	vmid_init(&vm_vmids, &vm->arch.vmid);
	vm->arch.hgatp = (u64)geo->mode << ATP_MODE_SHIFT | gstage->root.v >> PAGE_SHIFT;
	ptable_dump(gstage, dump_line, vm);
	vm_audit(vm);
	return 0;
}

u64 arch_vm_host_time(const struct arch_vm *vm, u64 guest_time)
{
	u64 now = arch_time(), guest_now = now + vm->time_delta;

	if (guest_time <= guest_now)
		return now;
	return guest_time - guest_now < TIMER_NEVER - now ? now + (guest_time - guest_now) :
							    TIMER_NEVER;
}

/* The harts that its vCPUs are, or were last, pinned to. */
static u64 harts_of(const struct vm *vm)
{
	u64 mask = 0;

	for (u32 i = 0; i < vm->vcpus; i++)
		mask |= BIT(vm->vcpu[i]->hart->index);
	return mask;
}

void vm_fence(struct vm *vm)
{
	fence_remote(harts_of(vm), &(struct fence){ .op = FENCE_GVMA });
	ptable_fenced(&vm->arch.gstage);
}

void arch_vm_reset(struct vm *vm)
{
	vm->arch.time_delta = 0 - arch_time();
	if (vm->def.imsic.size)
		fence_remote(harts_of(vm), &(struct fence){ .op = FENCE_FILES, .vm = vm });
}

void arch_vm_time_stop(struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpus; i++)
		arch_hart_call(vm->vcpu[i]->hart, vcpu_time_stop, vm->vcpu[i]);
}

void arch_vm_time_go_on(struct vm *vm, u64 ticks)
{
	vm->arch.time_delta -= ticks;
	for (u32 i = 0; i < vm->vcpus; i++)
		arch_hart_call(vm->vcpu[i]->hart, vcpu_time_go_on, vm->vcpu[i]);
}

void arch_harts_sync(const struct vm *vm)
{
	u64 all = 0;

	for (u32 i = 0; i < hart_count; i++)
		if (__atomic_load_n(&harts[i].online, __ATOMIC_ACQUIRE))
			all |= BIT(i);
	fence_remote(vm ? harts_of(vm) : all, &(struct fence){ .op = FENCE_NOTHING });
}

struct fiber **arch_fiber_own(void)
{
	return &this_hart()->fiber;
}

bool arch_hart_wanted(void)
{
	return (csr_read(CSR_SIP) & csr_read(CSR_SIE)) || (csr_read(CSR_HIP) & csr_read(CSR_HIE));
}

void arch_hart_call(const struct hart *hart, void (*call)(void *arg), void *arg)
{
	fence_remote(BIT(hart->index), &(struct fence){ .op = FENCE_CALL, .call = call,
							.arg = arg });
}

static int window_block(struct vm *mvm, const struct vm *of, const struct gmap_block *block,
			bool open)
{
	owner_t owner = OWNER_VM(of->id), with = OWNER_VM(mvm->id);
	int err;

	if (block->kind != GMAP_RAM)
		return 0;
	if (!open) {
		err = ptable_unmap(&mvm->arch.gstage, block->hpa, block->size);
		if (!err)
			page_unshare(HPA(block->hpa), block->size, owner, with);
		return err;
	}
	err = page_share(HPA(block->hpa), block->size, owner, with);
	if (err)
		return err;
	err = ptable_map(&mvm->arch.gstage, block->hpa, block->hpa, block->size, GSTAGE_RAM);
	if (err)
		page_unshare(HPA(block->hpa), block->size, owner, with);
	return err;
}

int arch_vm_window(struct vm *mvm, const struct vm *of, bool open)
{
	const struct gmap_block *block, *undo;
	int err = 0;

	gmap_for_each(&of->gmap, block) {
		err = window_block(mvm, of, block, open);
		if (err)
			break;
	}
	/* What was opened before the one that failed is closed again, which needs no memory. */
	for (undo = of->gmap.block; open && err && undo != block; undo++)
		CHECK(window_block(mvm, of, undo, false) == 0);
	vm_fence(mvm);
	return err;
}

int arch_vm_show(struct vm *vm, gpa_t at, hpa_t page)
{
	owner_t with = OWNER_VM(vm->id);
	int err = page_share(page, PAGE_SIZE, OWNER_HV, with);

	if (err)
		return err;
	err = ptable_map(&vm->arch.gstage, at.v, page.v, PAGE_SIZE, GSTAGE_VIEW);
	if (err)
		page_unshare(page, PAGE_SIZE, OWNER_HV, with);
	return err;
}

/*
 * Without a fence: who has translations of it left, never enters the VM again, nor another with its
 * number before all is flushed (asm/vmid.h).
 */
void arch_vm_hide(struct vm *vm, gpa_t at, hpa_t page)
{
	CHECK(ptable_unmap(&vm->arch.gstage, at.v, PAGE_SIZE) == 0);
	page_unshare(page, PAGE_SIZE, OWNER_HV, OWNER_VM(vm->id));
}

static bool hart_online(const struct hart *hart)
{
	return __atomic_load_n(&hart->online, __ATOMIC_ACQUIRE);
}

/* By id: harts[0] is the one that booted, which firmware draws by lot. */
struct hart *arch_hart_get(u64 number)
{
	for (u32 i = 0; i < hart_count; i++) {
		u64 lower = 0;

		for (u32 j = 0; j < hart_count; j++)
			lower += hart_online(&harts[j]) && harts[j].hartid < harts[i].hartid;
		if (hart_online(&harts[i]) && lower == number)
			return &harts[i];
	}
	return NULL;
}

struct hart *arch_hart_find(u64 hartid)
{
	struct hart *hart = hart_by_id(hartid);

	return hart && hart_online(hart) ? hart : NULL;
}

void arch_harts_count(u32 *all, u32 *unused)
{
	*all = 0;
	*unused = 0;
	for (u32 i = 0; i < hart_count; i++) {
		if (!hart_online(&harts[i]))
			continue;
		*all += 1;
		*unused += sched_count(&harts[i].sched) == 0;
	}
}

void arch_vm_exit(struct vm *vm)
{
	fence_remote(harts_of(vm), &(struct fence){ .op = FENCE_GVMA, .size = FENCE_ALL });
	ptable_destroy(&vm->arch.gstage);
}

int arch_vm_fdt(struct vm *vm, u64 initrd, u64 initrd_size, void *buf, size_t size)
{
	/* All harts offer what the boot hart does (features_hart()). */
	const struct board_hart *host = vm->vcpu[0]->hart->board;
	struct guest_isa_caps caps = {
		.sstc = feature(FEATURE_SSTC),
		.svpbmt = feature(FEATURE_SVPBMT),
		.vector = feature(FEATURE_VECTOR),
		.ssaia = vm->def.imsic.size,
		.cbom = feature(FEATURE_ZICBOM),
		.cboz = feature(FEATURE_ZICBOZ),
	};
	char isa[BOARD_ISA];
	u8 seed[VM_SEED];
	struct guest_fdt_params params = {
		.def = &vm->def,
		.board_fdt = board.fdt,
		.board_irqchip = board.irqchip_node < 0 ? 0 :
				 fdt_get_phandle(board.fdt, board.irqchip_node),
		.imsic_ids = board.imsic_guest_ids,
		.isa = isa,
		.mmu = host->mmu,
		.timebase = board.timebase,
		.cbom_block = host->cbom_block,
		.cboz_block = host->cboz_block,
		.cbop_block = host->cbop_block,
		.initrd = initrd,
		.initrd_size = initrd_size,
		.rng_seed = seed,
		.rng_seed_size = sizeof(seed),
	};
	int err = guest_isa_build(host->isa, &caps, isa, sizeof(isa));

	if (err)
		return err;
	random_bytes(seed, sizeof(seed));
	return guest_fdt_build(&params, buf, size);
}

u8 *arch_vm_fdt_seed(void *tree)
{
	int size;
	u8 *seed = fdt_getprop_w(tree, fdt_path_offset(tree, "/chosen"), "rng-seed", &size);

	CHECK(seed && size == VM_SEED);
	return seed;
}

static int claim(struct vcpu *vcpu, struct hart *hart)
{
	vcpu->hart = hart;
	return sched_claim(&hart->sched, vcpu);
}

/* Of harts that will have it one that serves the fewest. */
static int claim_any(struct vcpu *vcpu)
{
	for (u32 others = 0; others < SCHED_VCPUS; others++)
		for (u32 i = 0; i < hart_count; i++)
			if (hart_online(&harts[i]) && sched_count(&harts[i].sched) == others &&
			    claim(vcpu, &harts[i]) == 0)
				return 0;
	return -ENOMEM;
}

int arch_hart_claim(struct vcpu *vcpu, const u64 *hartid)
{
	struct hart *hart = hartid ? arch_hart_find(*hartid) : NULL;
	int err;

	if (!hartid)
		err = claim_any(vcpu);
	else
		err = hart ? claim(vcpu, hart) : -ENOENT;
	if (err)
		vcpu->hart = NULL;
	return err;
}

void arch_hart_release(struct vcpu *vcpu)
{
	if (vcpu->hart)
		sched_release(&vcpu->hart->sched, vcpu);
}

/*
 * The test finisher of virtual boards takes an exit status with it, of which firmware knows
 * nothing: wait a second, lest it overwrites the status before the machine has acted on it.
 */
static void finish(u32 status)
{
	volatile u32 *finisher = (volatile u32 *)(uintptr_t)board.finisher.base;
	u64 start = arch_time();

	if (!board.finisher.size)
		return;
	*finisher = status ? FINISHER_HW_FAIL | status << 16 : FINISHER_HW_PASS;
	while (arch_time() - start < arch_timebase())
		;
}

void arch_machine_off(u32 status)
{
	console_flush();
	finish(status);
	sbi_call(SBI_EXT_SRST, SBI_EXT_SRST_SYSTEM_RESET, SBI_SRST_RESET_TYPE_SHUTDOWN,
		 status ? SBI_SRST_RESET_REASON_SYSTEM_FAILURE : SBI_SRST_RESET_REASON_NONE, 0);
	log_err("the firmware cannot power off; all harts halt");
	for (;;)
		__asm__ volatile("wfi");
}
