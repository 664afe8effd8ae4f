/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The performance monitoring unit that a vCPU sees through the SBI PMU extension (v2.0, chapter
 * 11): the hardware counters cycle and instret, and firmware counters over the events that Shyper
 * counts for the vCPU. A model without CSR access: whoever calls it reads the host's counters.
 *
 * Logical counters: 0 is cycle, 2 is instret, 1 does not exist. So a hardware counter's number is
 * its distance from CSR cycle and its bit in the counter-enable CSRs, which Linux relies on when it
 * asks for one of the two by number. 3 and up are firmware counters; each can count any event of
 * VPMU_FW_COUNTED.
 *
 * All of it belongs to the vCPU's own hart; no lock.
 */
#ifndef ASM_VPMU_H
#define ASM_VPMU_H

#include <asm/sbi_def.h>
#include <hv/types.h>

#define VPMU_CYCLE 0
#define VPMU_INSTRET 2
#define VPMU_FW_FIRST 3
#define VPMU_FW_COUNTERS 12
#define VPMU_COUNTERS (VPMU_FW_FIRST + VPMU_FW_COUNTERS)	/* what num_counters answers */

/*
 * Firmware events that have a vpmu_count() somewhere; the others are not offered. Misaligned
 * accesses are the guest's own or the firmware's business, and guests have no H extension whose
 * fences they could send.
 */
#define VPMU_FW_COUNTED GENMASK(SBI_PMU_FW_SFENCE_VMA_ASID_RECEIVED, SBI_PMU_FW_ACCESS_LOAD)

struct vpmu {
	u64 fw_event[SBI_PMU_FW_EVENTS];	/* what happened since reset, by SBI event code */
	/*
	 * Of each counter: while it is started, its value less that of its source (the host's
	 * CSR, or fw_event[]); while it is stopped, its value.
	 */
	u64 offset[VPMU_COUNTERS];
	u8 event[VPMU_COUNTERS];	/* firmware counters: event code, when configured */
	u32 started;			/* bit per counter */
	u32 configured;			/* bit per counter: given out by config_matching */
};

/* The host's counters at the time of a call. */
struct vpmu_host {
	u64 cycle;
	u64 instret;
};

/* vpmu_reset() - the state a VM boots with: cycle and instret run as the host's do. */
void vpmu_reset(struct vpmu *vpmu);

/* vpmu_count() - a firmware event happened. Exit path. */
static inline void vpmu_count(struct vpmu *vpmu, u32 event)
{
	vpmu->fw_event[event]++;
}

/*
 * vpmu_hw_direct() - the guest may read this counter's CSR (VPMU_CYCLE, VPMU_INSTRET) itself,
 * because it shows the host's value.
 */
static inline bool vpmu_hw_direct(const struct vpmu *vpmu, u32 which)
{
	return (vpmu->started & BIT(which)) && vpmu->offset[which] == 0;
}

/*
 * vpmu_hcounteren() - the bits CY and IR of hcounteren that agree with vpmu_hw_direct(). To be
 * asked after vpmu_reset() and after each vpmu_sbi() of start, stop and config_matching.
 */
static inline u64 vpmu_hcounteren(const struct vpmu *vpmu)
{
	return (u64)vpmu_hw_direct(vpmu, VPMU_CYCLE) << VPMU_CYCLE |
	       (u64)vpmu_hw_direct(vpmu, VPMU_INSTRET) << VPMU_INSTRET;
}

/*
 * vpmu_hw_read() - what the guest's read of cycle or instret yields, given the host's value. A
 * read in VU-mode is allowed only by the guest's scounteren, which the caller checks.
 */
static inline u64 vpmu_hw_read(const struct vpmu *vpmu, u32 which, u64 host_value)
{
	return vpmu->offset[which] + (vpmu->started & BIT(which) ? host_value : 0);
}

/*
 * vpmu_sbi() - carry out PMU function fid with the guest's a0 .. a4 in arg[]. Returns the SBI
 * error; *value is sbiret.value, 0 unless the function succeeds and has one.
 */
long vpmu_sbi(struct vpmu *vpmu, u64 fid, const u64 arg[5], const struct vpmu_host *host,
	      u64 *value);

#endif
