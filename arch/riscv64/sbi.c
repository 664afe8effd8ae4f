/* SPDX-License-Identifier: BSD-2-Clause */
/* Dispatch of the guest's SBI calls. */
#include <abi/hypercall.h>
#include <asm/csr.h>
#include <asm/exit.h>
#include <asm/sbi.h>
#include <hv/gmap.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

/* By heat: the first ones are what a running guest calls. */
static const struct sbi_extension extensions[] = {
	{ SBI_EXT_TIME, sbi_time },
	{ SBI_EXT_IPI, sbi_ipi },
	{ SBI_EXT_RFENCE, sbi_rfence },
	{ SBI_EXT_BASE, sbi_base },
	{ SBI_EXT_HSM, sbi_hsm },
	{ SBI_EXT_DBCN, sbi_dbcn },
	{ SBI_EXT_PMU, sbi_pmu },
	{ SBI_EXT_SRST, sbi_srst },
	{ SBI_EXT_SUSP, sbi_susp },
	{ SBI_EXT_STA, sbi_sta },
	{ SHYPER_EXTENSION, sbi_hypercall },
	{ SBI_EXT_LEGACY_CONSOLE_PUTCHAR, sbi_legacy_putchar },
	{ SBI_EXT_LEGACY_CONSOLE_GETCHAR, sbi_legacy_getchar },
	{ SBI_EXT_LEGACY_SHUTDOWN, sbi_legacy_shutdown },
};

const struct sbi_extension *sbi_find(u64 extension)
{
	const struct sbi_extension *end = extensions + ARRAY_SIZE(extensions);

	for (const struct sbi_extension *e = extensions; e != end; e++)
		if (e->id == extension)
			return e;
	return NULL;
}

__hot enum exit_action exit_sbi(struct vcpu *vcpu, bool all)
{
	u64 *gpr = vcpu->arch.gpr;
	const struct sbi_extension *extension = sbi_find(gpr[GPR_A7]);
	struct sbi_ret ret;

	(void)all;
	vcpu->exits[EXIT_SBI]++;
	ret = likely(extension) ? extension->handle(vcpu, gpr[GPR_A6], &gpr[GPR_A0]) :
				  sbi_error(SBI_ERR_NOT_SUPPORTED);
	gpr[GPR_A0] = (u64)ret.error;
	gpr[GPR_A1] = ret.value;
	return ACTION_NEXT4;
}

/* exit_sbi() puts the pc behind the ecall. */
struct sbi_ret sbi_again(const u64 *arg)
{
	csr_write(CSR_SEPC, csr_read(CSR_SEPC) - ACTION_NEXT4);
	return (struct sbi_ret){ .error = (long)arg[0], .value = arg[1] };
}

bool sbi_hart_mask(const struct vm *vm, u64 mask, u64 base, u64 *vcpus)
{
	u64 all = BIT(vm->vcpus) - 1;

	if (base == (u64)SBI_HART_MASK_BASE_ALL) {
		*vcpus = all;
		return true;
	}
	*vcpus = base < 64 ? mask << base : 0;
	return (base < 64 ? *vcpus >> base : 0) == mask && !(*vcpus & ~all);
}

bool sbi_start_valid(struct vm *vm, u64 addr)
{
	return IS_ALIGNED(addr, (u64)2) && gmap_ram_ptr(&vm->gmap, GPA(addr), 2);
}
