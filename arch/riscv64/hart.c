/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The harts: bringing them up and the loop that each runs for ever. What others want of a hart or
 * of its vCPUs arrives as a bit somewhere plus a supervisor software interrupt.
 */
#include <asm/boot.h>
#include <asm/csr.h>
#include <asm/features.h>
#include <asm/hart.h>
#include <asm/imsic.h>
#include <asm/sbi_def.h>
#include <asm/sbi_host.h>
#include <hv/board.h>
#include <hv/console.h>
#include <hv/host_irq.h>
#include <hv/log.h>
#include <hv/monitor.h>
#include <hv/page.h>
#include <hv/panic.h>
#include <hv/timer.h>
#include <hv/trace.h>
#include <hv/vcpu.h>

struct hart harts[HARTS];
u32 hart_count;

_Static_assert(offsetof(struct hart, fixup) == HART_FIXUP, "asm/offsets.h");
_Static_assert(offsetof(struct hart, trap_sp) == HART_TRAP_SP, "asm/offsets.h");
_Static_assert(offsetof(struct hart, stack_top) == HART_STACK_TOP, "asm/offsets.h");
_Static_assert(offsetof(struct hart, trap) == HART_TRAP_FRAME, "asm/offsets.h");
_Static_assert(offsetof(struct hs_trap_frame, sepc) == FRAME_SEPC, "asm/offsets.h");
_Static_assert(offsetof(struct hs_trap_frame, scause) == FRAME_SCAUSE, "asm/offsets.h");
_Static_assert(offsetof(struct hs_trap_frame, stval) == FRAME_STVAL, "asm/offsets.h");

struct hart *hart_by_id(u64 hartid)
{
	for (u32 i = 0; i < hart_count; i++)
		if (harts[i].hartid == hartid)
			return &harts[i];
	return NULL;
}

u64 arch_hart_id(void)
{
	return this_hart()->hartid;
}

/*
 * IMSIC: AIA specification 3.5, seteipnum_le takes an identity, IMSIC_KICK is 1. SSWI: RISC-V
 * ACLINT specification 1.0, SETSSIP takes 1.
 */
void hart_kick_init(void)
{
	_Static_assert(IMSIC_KICK == 1, "one value for both");
	for (u32 i = 0; i < hart_count; i++) {
		const struct board_hart *at = harts[i].board;
		u64 reg = feature(FEATURE_AIA) ? at->imsic : at->sswi;

		harts[i].kick = (volatile u32 *)(uintptr_t)reg;
	}
}

void hart_kick(struct hart *hart)
{
	/* The request must be visible before the interrupt (RVWMO: a store before an I/O write). */
	__asm__ volatile("fence w, o" ::: "memory");
	if (hart->kick)
		*hart->kick = 1;
	else
		sbi_call(SBI_EXT_IPI, SBI_EXT_IPI_SEND_IPI, 1, hart->hartid, 0);
}

void hart_errand(struct hart *hart, u32 errand)
{
	if (__atomic_fetch_or(&hart->errand, errand, __ATOMIC_ACQ_REL))
		return;
	/* Firmware would take a thousand instructions for the hart's own. */
	if (hart == this_hart())
		csr_set(CSR_SIP, IP(IRQ_SSI));
	else
		hart_kick(hart);
}

/* What a guest's own faults and interrupts need so that they never reach Shyper. */
static void delegate(void)
{
	csr_write(CSR_HEDELEG, features.hedeleg);
	csr_write(CSR_HIDELEG, IP(IRQ_VSSI) | IP(IRQ_VSTI) | IP(IRQ_VSEI));
	csr_write(CSR_HIE, feature(FEATURE_AIA) ? IP(IRQ_SGEI) : 0);
	csr_write(CSR_HVIP, 0);
	csr_write(CSR_HENVCFG, features.henvcfg);
	if (!feature(FEATURE_AIA))
		return;
	csr_write(CSR_HVIEN, 0);
	csr_write(CSR_HVIPRIO1, 0);
	csr_write(CSR_HVIPRIO2, 0);
}

void hart_init(void)
{
	u64 status = SSTATUS_UXL_64;

	if (feature(FEATURE_FP))
		status |= SSTATUS_FS_INITIAL;	/* the guest's FS counts only with ours on */
	if (feature(FEATURE_VECTOR))
		status |= SSTATUS_VS_INITIAL;
	csr_write(CSR_SSTATUS, status);
	csr_write(CSR_HGATP, 0);
	delegate();
	this_hart()->nobody = (struct vcpu_csrs){
		.vstimecmp = TIMER_NEVER,
		.hstatus = csr_read(CSR_HSTATUS),
		.sstatus = csr_read(CSR_SSTATUS),
	};
	arch_timer_set(TIMER_NEVER);
	if (feature(FEATURE_AIA))
		imsic_hart_init();
	host_irq_hart_init();
	csr_write(CSR_SIE, IP(IRQ_SSI) | IP(IRQ_STI) | IP(IRQ_SEI));
	__atomic_store_n(&this_hart()->online, 1, __ATOMIC_RELEASE);
}

/* Apart, so that a kick which brings none saves no registers for it. */
static void __attribute__((noinline)) run_errand(struct hart *hart)
{
	u32 errand = __atomic_exchange_n(&hart->errand, 0, __ATOMIC_ACQ_REL);

	if (errand & ERRAND_MONITOR)
		monitor_serve();
	if (errand & ERRAND_TRACE)
		arch_trace();
	if (errand & ERRAND_CONSOLE)
		console_serve();
}

/* Its interrupt is cleared before the requests are read: one posted later interrupts again. */
void hart_kicked(void)
{
	struct hart *hart = this_hart();

	hart->kicks++;
	__asm__ volatile("fence" ::: "memory");
	if (unlikely(panic_active()))
		panic_halt_hart();
	fence_serve();
	if (unlikely(__atomic_load_n(&hart->errand, __ATOMIC_RELAXED)))
		run_errand(hart);
}

/* Files that have something, of vCPUs that sleep: each says so once. */
void hart_serve_files(void)
{
	struct hart *hart = this_hart();
	u64 due = hart->watched ? csr_read(CSR_HGEIP) & hart->watched : 0;

	if (!due)
		return;
	csr_clear(CSR_HGEIE, due);
	hart->watched &= ~due;
	vcpu_leave();
}

void hart_serve(void)
{
	u64 pending = csr_read(CSR_SIP);

	if (pending & IP(IRQ_SSI)) {
		csr_clear(CSR_SIP, IP(IRQ_SSI));
		hart_kicked();
	}
	if (pending & IP(IRQ_STI))
		timer_expire();
	if (pending & IP(IRQ_SEI))
		host_irq_handle();
}

static void hart_sleep(void)
{
	if (tracing())
		trace_switch(NULL);
	__asm__ volatile("wfi" ::: "memory");
	trace(SHYPER_TRACE_IDLE, NULL, 0, (u32)(csr_read(CSR_SIP) & csr_read(CSR_SIE)), 0);
}

void hart_loop(void)
{
	struct hart *hart = this_hart();

	for (;;) {
		hart_serve();
		hart_serve_files();
		if (!sched_turn(&hart->sched))
			hart_sleep();
	}
}

/* First C code of every hart but the boot hart (head.S). */
void __noreturn hart_main(void)
{
	const char *missing;

	if (!features_hart(this_hart()->board, &missing)) {
		log_err("hart %llu lacks %s, which the boot hart has; it stays unused",
			(unsigned long long)this_hart()->hartid, missing);
		sbi_call(SBI_EXT_HSM, SBI_EXT_HSM_HART_STOP, 0, 0, 0);
	}
	hart_init();
	hart_loop();
}

/* It has found that it lacks something. */
static bool has_stopped(const struct hart *hart)
{
	struct sbi_ret ret = sbi_call(SBI_EXT_HSM, SBI_EXT_HSM_HART_GET_STATUS, hart->hartid, 0, 0);

	return ret.error == SBI_SUCCESS && ret.value == SBI_HSM_STATE_STOPPED;
}

/* A hart of a virtual machine may not run at all for seconds. */
static bool wait_online(struct hart *hart)
{
	u64 deadline = arch_time() + 10 * arch_timebase();

	while (!__atomic_load_n(&hart->online, __ATOMIC_ACQUIRE))
		if (arch_time() > deadline || has_stopped(hart))
			return false;
	return true;
}

void hart_start_others(void)
{
	for (u32 i = 0; i < hart_count; i++) {
		struct hart *hart = &harts[i];
		struct sbi_ret ret;

		if (hart == this_hart())
			continue;
		ret = sbi_call(SBI_EXT_HSM, SBI_EXT_HSM_HART_START, hart->hartid,
			       (u64)(uintptr_t)hart_entry, (u64)(uintptr_t)hart);
		if (ret.error != SBI_SUCCESS)
			log_err("hart %llu does not start: SBI error %ld",
				(unsigned long long)hart->hartid, ret.error);
		else if (!wait_online(hart))
			log_err("hart %llu was started but does not come online",
				(unsigned long long)hart->hartid);
	}
}
