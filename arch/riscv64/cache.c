/* SPDX-License-Identifier: BSD-2-Clause */
/* Cache maintenance (Zicbom). */
#include <asm/features.h>
#include <hv/cache.h>

void arch_cache_flush(const void *base, u64 size)
{
	u64 block = features.cbom_block, at = (uintptr_t)base, end = at + size;

	if (!block)
		return;
	for (at = ALIGN_DOWN(at, block); at < end; at += block)	/* cbo.flush */
		__asm__ volatile(".insn i MISC_MEM, 2, x0, %0, 2" ::"r"(at) : "memory");
	__asm__ volatile("fence iorw, iorw" ::: "memory");
}
