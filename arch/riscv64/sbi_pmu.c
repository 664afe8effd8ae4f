/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI PMU ("Performance Monitoring Unit Extension"): the model is vpmu.c; this is its hardware. */
#include <asm/csr.h>
#include <asm/sbi.h>
#include <asm/vpmu.h>
#include <hv/vcpu.h>

struct sbi_ret sbi_pmu(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	struct vpmu_host host = { .cycle = csr_read(CSR_CYCLE), .instret = csr_read(CSR_INSTRET) };
	struct sbi_ret ret;

	ret.error = vpmu_sbi(&vcpu->arch.pmu, fid, arg, &host, &ret.value);
	/* A counter that no longer shows the host's value is read through an exit. */
	vcpu->arch.csr.hcounteren = COUNTEREN_TM | vpmu_hcounteren(&vcpu->arch.pmu);
	csr_write(CSR_HCOUNTEREN, vcpu->arch.csr.hcounteren);
	return ret;
}
