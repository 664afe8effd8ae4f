/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's registers: reset, and moving them between memory and the hart. FP and vector registers
 * are lent apart from the others (units.c).
 */
#include <asm/csr.h>
#include <asm/exit.h>
#include <asm/features.h>
#include <asm/hart.h>
#include <asm/units.h>
#include <hv/errno.h>
#include <hv/page.h>
#include <hv/pa.h>
#include <hv/string.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

_Static_assert(offsetof(struct vcpu, arch.gpr) == 0, "asm/offsets.h");
_Static_assert(offsetof(struct vcpu, arch.pc) == VCPU_PC, "asm/offsets.h");
_Static_assert(offsetof(struct vcpu, arch.host_sp) == VCPU_HOST_SP, "asm/offsets.h");
_Static_assert(offsetof(struct vcpu, arch.host_tp) == VCPU_HOST_TP, "asm/offsets.h");

static size_t vector_size(void)
{
	return ALIGN_UP(32 * (u64)features.vlenb + VECTOR_CSRS, PAGE_SIZE);
}

static bool is_loaded(const struct vcpu *vcpu)
{
	return this_hart()->loaded == vcpu;
}

static void timer_fired(struct timer *timer)
{
	struct vcpu *vcpu = container_of(timer, struct vcpu, arch.timer);

	if (is_loaded(vcpu)) {
		csr_set(CSR_HVIP, IP(IRQ_VSTI));
		return;
	}
	if (!feature(FEATURE_SSTC))
		vcpu->arch.csr.hvip |= IP(IRQ_VSTI);
	if (!vcpu->out)
		vcpu_leave();
}

int arch_vcpu_init(struct vcpu *vcpu)
{
	hpa_t vector;

	vcpu->arch.timer.fire = timer_fired;
	if (!feature(FEATURE_VECTOR))
		return 0;
	if (page_alloc(vector_size(), PAGE_SIZE, OWNER_HV, &vector))
		return -ENOMEM;
	vcpu->arch.vector = pa_ptr(vector);
	return 0;
}

void arch_vcpu_exit(struct vcpu *vcpu)
{
	if (vcpu->arch.vector)
		page_free(HPA(vcpu->arch.vector), vector_size(), OWNER_HV);
	vcpu->arch.vector = NULL;
}

/*
 * State after SBI HSM hart_start ("HSM: Hart start"): pc, a0 = hart id, a1 = opaque, satp = 0,
 * SIE = 0; everything else is zero, so that nothing of an earlier life or owner is there.
 * FS and VS start Off, as the guest's own kernel expects of firmware.
 */
void arch_vcpu_reset(struct vcpu *vcpu, const struct vcpu_start *start)
{
	struct arch_vcpu *arch = &vcpu->arch;

	memset(arch->gpr, 0, sizeof(arch->gpr));
	memset(&arch->csr, 0, sizeof(arch->csr));
	arch->pc = start->pc;
	arch->gpr[GPR_A0] = vcpu->index;
	arch->gpr[GPR_A1] = start->arg;
	arch->csr.vsstatus = SSTATUS_UXL_64;
	arch->csr.vstimecmp = TIMER_NEVER;
	arch->csr.hcounteren = COUNTEREN_CY | COUNTEREN_TM | COUNTEREN_IR;
	arch->csr.hstatus = HSTATUS_VSXL_64 | HSTATUS_SPV | HSTATUS_SPVP |
			    (vcpu->shared && !vcpu->alone ? HSTATUS_VTW : 0) |
			    (u64)arch->file << HSTATUS_VGEIN_SHIFT;
	arch->csr.sstatus = SSTATUS_SPP | SSTATUS_UXL_64;
	arch->csr.htimedelta = vcpu->vm->arch.time_delta;
	arch->csr.hstateen0 = vcpu->vm->arch.hstateen0;
	units_reset(vcpu);
	vpmu_reset(&arch->pmu);
	/* Others wrote the code, and translations of an earlier life may be left. */
	vmid_nowhere(&arch->place);
	__asm__ volatile("fence.i" ::: "memory");
}

void arch_vcpu_resume(struct vcpu *vcpu, const struct vcpu_start *start)
{
	vcpu->arch.pc = start->pc;
	vcpu->arch.gpr[GPR_A0] = vcpu->index;
	vcpu->arch.gpr[GPR_A1] = start->arg;
	csr_write(CSR_VSATP, 0);
	csr_clear(CSR_VSSTATUS, SSTATUS_SIE);
	csr_set(CSR_SSTATUS, SSTATUS_SPP);
	csr_set(CSR_HSTATUS, HSTATUS_SPV | HSTATUS_SPVP);
}

/*
 * AIA specification 6.3.3: without a guest file, and with hvip.VSEIP set, vstopi has the external
 * interrupt whatever hvictl says. QEMU 10.0 has it only when IID and IPRIO name it, and then
 * whether it is pending or not; so they follow hvip, which is right for both.
 */
static u64 hvictl(bool external)
{
	return external ? HVICTL_EXTERNAL : 0;
}

/*
 * Out go those of one vCPU, in come those of another. Some only come in: guests cannot write them.
 * vsatp came out before.
 */
static inline __attribute__((always_inline)) void csrs_swap(struct vcpu_csrs *out,
							    const struct vcpu_csrs *in)
{
	u64 bits = features.bits;

#define SWAP(csr, name) (out->name = csr_swap(csr, in->name))
	SWAP(CSR_VSSTATUS, vsstatus);
	SWAP(CSR_VSTVEC, vstvec);
	SWAP(CSR_VSSCRATCH, vsscratch);
	SWAP(CSR_VSEPC, vsepc);
	SWAP(CSR_VSCAUSE, vscause);
	SWAP(CSR_VSTVAL, vstval);
	SWAP(CSR_VSIE, vsie);
	SWAP(CSR_HVIP, hvip);
	SWAP(CSR_SCOUNTEREN, scounteren);
	SWAP(CSR_SENVCFG, senvcfg);
	SWAP(CSR_HSTATUS, hstatus);
	SWAP(CSR_SSTATUS, sstatus);
	if (bits & BIT(FEATURE_SSTC))
		SWAP(CSR_VSTIMECMP, vstimecmp);
	if (bits & BIT(FEATURE_AIA)) {
		SWAP(CSR_VSISELECT, vsiselect);
		csr_write(CSR_HVICTL, hvictl(in->hvip & IP(IRQ_VSEI)));
	}
#undef SWAP
	if (bits & BIT(FEATURE_HSTATEEN))
		csr_write(CSR_HSTATEEN0, in->hstateen0);
	csr_write(CSR_HCOUNTEREN, in->hcounteren);
	csr_write(CSR_HTIMEDELTA, in->htimedelta);
	csr_write(CSR_VSATP, in->vsatp);
}

/* hgatp with the VM's number, and the fences that a change of VM or vCPU needs. vsatp is 0. */
static void gstage_enter(struct vcpu *vcpu, struct hart *hart)
{
	struct arch_vm *vm = &vcpu->vm->arch;
	struct vmid_enter enter = vmid_enter(&vm_vmids, &vm->vmid, &hart->vmid, hart->index,
					     vcpu->index, &vcpu->arch.place);

	if (enter.flush_all)
		hfence_gvma_all();
	vcpu->arch.hgatp = vm->hgatp | (u64)enter.number << HGATP_VMID_SHIFT;
	csr_write(CSR_HGATP, vcpu->arch.hgatp);
	if (enter.flush_vcpu) {
		hfence_vvma_all();
		__asm__ volatile("fence.i" ::: "memory");	/* it may be what was due */
	}
}

static void watch_timer(struct vcpu *vcpu)
{
	u64 deadline = arch_vm_host_time(&vcpu->vm->arch, vcpu->arch.csr.vstimecmp);

	if (deadline != TIMER_NEVER)
		timer_arm(&vcpu->arch.timer, deadline);
}

/*
 * Only interrupts that the vCPU has enabled end its sleep, and so the hart's. vstimecmp of the
 * loaded one does so by itself. Its file does not everywhere: QEMU 10.0 asks which file
 * hstatus.VGEIN names only while a guest executes. But a bit of hgeie makes its file interrupt the
 * hart always (privileged specification, "Hypervisor Guest External Interrupt Registers").
 */
void arch_vcpu_watch(struct vcpu *vcpu)
{
	struct arch_vcpu *arch = &vcpu->arch;
	u64 vsie = is_loaded(vcpu) ? csr_read(CSR_VSIE) : arch->csr.vsie;

	if (arch->watched)
		return;
	arch->watched = true;
	if (feature(FEATURE_SSTC) && !is_loaded(vcpu) && vsie & IP(IRQ_STI))
		watch_timer(vcpu);
	if (arch->file && vsie & IP(IRQ_SEI)) {
		this_hart()->watched |= BIT(arch->file);
		csr_set(CSR_HGEIE, BIT(arch->file));
	}
}

void arch_vcpu_unwatch(struct vcpu *vcpu)
{
	struct arch_vcpu *arch = &vcpu->arch;

	if (!arch->watched)
		return;
	arch->watched = false;
	if (feature(FEATURE_SSTC))
		timer_cancel(&arch->timer);
	if (arch->file) {
		this_hart()->watched &= ~BIT(arch->file);
		csr_clear(CSR_HGEIE, BIT(arch->file));
	}
}

/* Timers are in host ticks. With Sstc there is none: a vCPU that may not run does not sleep. */
void vcpu_time_stop(void *arg)
{
	struct vcpu *vcpu = arg;
	struct timer *timer = &vcpu->arch.timer;

	vcpu->arch.held = TIMER_NEVER;
	if (feature(FEATURE_SSTC) || !timer->armed)
		return;
	vcpu->arch.held = timer->deadline;
	timer_cancel(timer);
}

/* Its hart may not have taken it out yet. */
void vcpu_time_go_on(void *arg)
{
	struct vcpu *vcpu = arg;
	u64 before = vcpu->arch.csr.htimedelta, now = vcpu->vm->arch.time_delta;
	u64 held = vcpu->arch.held, stood = before - now;

	vcpu->arch.csr.htimedelta = now;
	if (is_loaded(vcpu))
		csr_write(CSR_HTIMEDELTA, now);
	arch_vcpu_unwatch(vcpu);
	if (held < TIMER_NEVER - stood)
		timer_arm(&vcpu->arch.timer, held + stood);
}

/* What few switches need; apart, so that the others save no registers for it. */
static __attribute__((noinline)) void watch_anew(struct vcpu *before)
{
	arch_vcpu_unwatch(before);	/* as one that is loaded */
	arch_vcpu_watch(before);
}

/*
 * No walk may pair the old vsatp with the new hgatp: it is active even in HS-mode. Translations
 * are known to be the vCPU's own or not.
 */
static inline __attribute__((always_inline)) void
switch_to(struct hart *hart, struct vcpu *vcpu, struct vcpu *before, bool known)
{
	struct vcpu_csrs *out = before ? &before->arch.csr : &hart->nobody;

	out->vsatp = csr_swap(CSR_VSATP, 0);
	if (known)
		csr_write(CSR_HGATP, vcpu->arch.hgatp);
	else
		gstage_enter(vcpu, hart);
	csrs_swap(out, &vcpu->arch.csr);
	if (unlikely(before && vcpu_sleeps(before)))
		watch_anew(before);
}

static __attribute__((noinline)) void switch_anew(struct hart *hart, struct vcpu *vcpu,
						  struct vcpu *before)
{
	csr_write(CSR_HEDELEG, units_hedeleg(vcpu));
	units_load(vcpu, before);
	switch_to(hart, vcpu, before, false);
}

static __attribute__((noinline)) void switch_vector(struct hart *hart, struct vcpu *vcpu,
						    struct vcpu *before)
{
	units_load(vcpu, before);
	switch_to(hart, vcpu, before, true);
}

static __attribute__((noinline)) void switch_fp(struct hart *hart, struct vcpu *vcpu,
						struct vcpu *before)
{
	units_lend_fp(&hart->units, before, vcpu);
	switch_to(hart, vcpu, before, true);
}

static __attribute__((noinline)) void load_watched(struct vcpu *vcpu)
{
	arch_vcpu_unwatch(vcpu);
	arch_vcpu_load(vcpu);
}

void arch_vcpu_load(struct vcpu *vcpu)
{
	struct hart *hart = this_hart();
	struct vcpu *before;
	u64 wanted;

	if (unlikely(vcpu->arch.watched)) {
		load_watched(vcpu);
		return;
	}
	if (hart->loaded == vcpu)
		return;
	/* Who makes its translations stale sees it here, or is seen right below. */
	before = __atomic_exchange_n(&hart->loaded, vcpu, __ATOMIC_SEQ_CST);
	wanted = units_wanted(vcpu);
	if (unlikely(!vmid_current(&vm_vmids, &vcpu->arch.place)))
		switch_anew(hart, vcpu, before);
	else if (likely(!wanted))
		switch_to(hart, vcpu, before, true);
	else if (likely(wanted == UNITS_FP))
		switch_fp(hart, vcpu, before);
	else
		switch_vector(hart, vcpu, before);
}

/* Nothing of the loaded vCPU stays in the hart: no translation root, no interrupt, no register. */
static void vacate(struct vcpu *vcpu)
{
	struct hart *hart = this_hart();

	vcpu->arch.csr.vsatp = csr_swap(CSR_VSATP, 0);
	csr_write(CSR_HGATP, 0);
	csrs_swap(&vcpu->arch.csr, &hart->nobody);
	__atomic_store_n(&hart->loaded, NULL, __ATOMIC_RELEASE);
}

void arch_vcpu_park(struct vcpu *vcpu)
{
	arch_vcpu_unwatch(vcpu);
	if (is_loaded(vcpu))
		vacate(vcpu);
	units_save(vcpu);
}

void arch_vcpu_unload(struct vcpu *vcpu)
{
	arch_vcpu_unwatch(vcpu);
	timer_cancel(&vcpu->arch.timer);
	vcpu->arch.held = TIMER_NEVER;
	if (is_loaded(vcpu)) {
		/* It may start anew. */
		vmid_vcpu_stale(&vcpu->vm->arch.vmid, this_hart()->index);
		vacate(vcpu);
	}
	units_forget(vcpu);
}

struct vcpu *arch_vcpu_current(void)
{
	return this_hart()->loaded;
}

void arch_vcpu_enter(struct vcpu *vcpu)
{
	vcpu_enter(vcpu);
}

void arch_vcpu_soft(struct vcpu *vcpu)
{
	vpmu_count(&vcpu->arch.pmu, SBI_PMU_FW_IPI_RECEIVED);
	csr_set(CSR_HVIP, IP(IRQ_VSSI));
}

void arch_vcpu_external(struct vcpu *vcpu, bool level)
{
	(void)vcpu;
	if (level)
		csr_set(CSR_HVIP, IP(IRQ_VSEI));
	else
		csr_clear(CSR_HVIP, IP(IRQ_VSEI));
	if (feature(FEATURE_AIA))
		csr_write(CSR_HVICTL, hvictl(level));
}

void arch_vcpu_soft_saved(struct vcpu *vcpu)
{
	vpmu_count(&vcpu->arch.pmu, SBI_PMU_FW_IPI_RECEIVED);
	vcpu->arch.csr.hvip |= IP(IRQ_VSSI);
}

void arch_vcpu_external_saved(struct vcpu *vcpu, bool level)
{
	if (level)
		vcpu->arch.csr.hvip |= IP(IRQ_VSEI);
	else
		vcpu->arch.csr.hvip &= ~IP(IRQ_VSEI);
}

/* What vsip would be. Bits of hvip are one higher than those that the guest sees. */
static u64 saved_vsip(const struct vcpu *vcpu)
{
	const struct arch_vcpu *arch = &vcpu->arch;
	u64 pending = arch->csr.hvip >> 1;

	if (feature(FEATURE_SSTC) &&
	    arch_time() + vcpu->vm->arch.time_delta >= arch->csr.vstimecmp)
		pending |= IP(IRQ_STI);
	if (arch->file && csr_read(CSR_HGEIP) & BIT(arch->file))
		pending |= IP(IRQ_SEI);
	return pending & (IP(IRQ_SSI) | IP(IRQ_STI) | IP(IRQ_SEI));
}

void arch_vcpu_alone(struct vcpu *vcpu)
{
	u64 hstatus = vcpu->arch.csr.hstatus & ~HSTATUS_VTW;

	if (!is_loaded(vcpu))
		vcpu->arch.csr.hstatus = hstatus | (vcpu->alone ? 0 : HSTATUS_VTW);
	else if (vcpu->alone)
		csr_clear(CSR_HSTATUS, HSTATUS_VTW);
	else
		csr_set(CSR_HSTATUS, HSTATUS_VTW);
}

static u64 awaited(const struct vcpu *vcpu)
{
	if (is_loaded(vcpu))
		return csr_read(CSR_VSIP) & csr_read(CSR_VSIE);
	return saved_vsip(vcpu) & vcpu->arch.csr.vsie;
}

bool arch_vcpu_wakes(const struct vcpu *vcpu)
{
	return awaited(vcpu);
}

u32 arch_vcpu_deaf(const struct vcpu *vcpu)
{
	u64 vsie = is_loaded(vcpu) ? csr_read(CSR_VSIE) : vcpu->arch.csr.vsie;

	return (vsie & IP(IRQ_SSI) ? 0 : VCPU_REQ_SOFT) |
	       (vsie & IP(IRQ_SEI) ? 0 : VCPU_REQ_EXTERNAL);
}

u32 arch_vcpu_trace_wake(const struct vcpu *vcpu, u64 *due)
{
	u64 pending = awaited(vcpu);

	*due = 0;
	if (feature(FEATURE_SSTC) && pending & IP(IRQ_STI))
		*due = (is_loaded(vcpu) ? csr_read(CSR_VSTIMECMP) : vcpu->arch.csr.vstimecmp) -
		       vcpu->vm->arch.time_delta;
	return (u32)pending;
}

/* Bits of hvip are one higher than those that the guest sees. */
u32 arch_vcpu_trace_pending(const struct vcpu *vcpu)
{
	return (u32)((is_loaded(vcpu) ? csr_read(CSR_HVIP) : vcpu->arch.csr.hvip) >> 1);
}
