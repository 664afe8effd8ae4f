/* SPDX-License-Identifier: BSD-2-Clause */
/* Shyper's own SBI extension: how the MVM's calls arrive. */
#include <asm/sbi.h>
#include <hv/hypercall.h>

struct sbi_ret sbi_hypercall(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	struct hypercall_result result = hypercall(vcpu, fid, arg);

	return (struct sbi_ret){ .error = result.status, .value = result.value };
}
