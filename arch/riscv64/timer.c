/* SPDX-License-Identifier: BSD-2-Clause */
/* The hart's own timer: stimecmp where Sstc exists, else SBI TIME. */
#include <asm/csr.h>
#include <asm/features.h>
#include <asm/sbi_def.h>
#include <asm/sbi_host.h>
#include <hv/board.h>
#include <hv/timer.h>

u64 arch_time(void)
{
	return csr_read(CSR_TIME);
}

u64 arch_timebase(void)
{
	return board.timebase;
}

void arch_timer_set(u64 deadline)
{
	if (feature(FEATURE_STIMECMP))
		csr_write(CSR_STIMECMP, deadline);
	else
		sbi_call(SBI_EXT_TIME, SBI_EXT_TIME_SET_TIMER, deadline, 0, 0);
}
