/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SBI server towards guests (SBI specification v2.0): one handler and one
 * file per extension. Handlers run on the calling vCPU's hart with the vCPU loaded.
 */
#ifndef ASM_SBI_H
#define ASM_SBI_H

#include <asm/sbi_def.h>
#include <asm/sbi_host.h>
#include <hv/types.h>

struct vcpu;
struct vm;

#define SHYPER_SBI_IMPL_ID 0x53485950	/* "SHYP" */
#define SHYPER_SBI_IMPL_VERSION 1

/*
 * One call: fid is the guest's a6, arg[0..5] its a0 .. a5. The result goes to its a0 and a1. An
 * unknown function is SBI_ERR_NOT_SUPPORTED.
 */
typedef struct sbi_ret sbi_handler(struct vcpu *vcpu, u64 fid, const u64 *arg);

struct sbi_extension {
	u64 id;
	sbi_handler *handle;
};

sbi_handler sbi_time, sbi_ipi, sbi_rfence, sbi_base, sbi_hsm, sbi_dbcn, sbi_pmu, sbi_srst, sbi_susp,
	sbi_sta;

/* Shyper's own (abi/hypercall.h). */
sbi_handler sbi_hypercall;

/* "Legacy Extensions": only a0 carries a result, so these hand a1 back as it was. */
sbi_handler sbi_legacy_putchar, sbi_legacy_getchar, sbi_legacy_shutdown;

static inline struct sbi_ret sbi_ok(u64 value)
{
	return (struct sbi_ret){ .error = SBI_SUCCESS, .value = value };
}

static inline struct sbi_ret sbi_error(long error)
{
	return (struct sbi_ret){ .error = error };
}

/* sbi_again() - the guest makes the same call again, after interrupts if any. */
struct sbi_ret sbi_again(const u64 *arg);

/* sbi_find() - the extension with this id; NULL: unknown. */
const struct sbi_extension *sbi_find(u64 extension);

/*
 * sbi_hart_mask() - a guest's hart_mask and hart_mask_base ("Hart list parameter") as a bit mask
 * of vCPU indices. False: it names a hart that the VM does not have (SBI_ERR_INVALID_PARAM).
 */
bool sbi_hart_mask(const struct vm *vm, u64 mask, u64 base, u64 *vcpus);

/* sbi_start_valid() - the guest may begin to execute at this physical address. */
bool sbi_start_valid(struct vm *vm, u64 addr);

#endif
