/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls to the firmware below Shyper. */
#include <asm/sbi_def.h>
#include <asm/sbi_host.h>

struct sbi_ret sbi_call(u64 extension, u64 function, u64 arg0, u64 arg1, u64 arg2)
{
	register u64 a0 __asm__("a0") = arg0;
	register u64 a1 __asm__("a1") = arg1;
	register u64 a2 __asm__("a2") = arg2;
	register u64 a6 __asm__("a6") = function;
	register u64 a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	return (struct sbi_ret){ .error = (long)a0, .value = a1 };
}

bool sbi_probe(u64 extension)
{
	struct sbi_ret ret = sbi_call(SBI_EXT_BASE, SBI_EXT_BASE_PROBE_EXTENSION, extension, 0, 0);

	return ret.error == SBI_SUCCESS && ret.value != 0;
}
