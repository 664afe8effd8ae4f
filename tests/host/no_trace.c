/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of code that has points of the trace: nobody records. */
#include <stdlib.h>

#include <hv/trace.h>
#include <hv/vcpu.h>

void trace_add(u8 event, const struct vcpu *vcpu, u8 detail, u32 value, u64 data)
{
	(void)event;
	(void)vcpu;
	(void)detail;
	(void)value;
	(void)data;
	abort();
}

void trace_switch(const struct vcpu *to)
{
	(void)to;
	abort();
}

void trace_left(void)
{
	abort();
}

u32 arch_vcpu_trace_wake(const struct vcpu *vcpu, u64 *due)
{
	(void)vcpu;
	(void)due;
	abort();
}

u32 arch_vcpu_trace_pending(const struct vcpu *vcpu)
{
	(void)vcpu;
	abort();
}
