/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SBI PMU extension towards a guest. Counting is always on and costs an increment where the
 * event happens; starting and stopping a counter only moves its offset.
 */
#include <asm/vpmu.h>

#define CSR_CYCLE 0xC00

#define COUNTER_BIT(n) (1u << (n))
#define HW_COUNTERS (COUNTER_BIT(VPMU_CYCLE) | COUNTER_BIT(VPMU_INSTRET))
#define FW_COUNTERS ((u32)GENMASK(VPMU_COUNTERS - 1, VPMU_FW_FIRST))

#define CONFIG_FLAGS                                                                         \
	(SBI_PMU_CFG_FLAG_SKIP_MATCH | SBI_PMU_CFG_FLAG_CLEAR_VALUE |                        \
	 SBI_PMU_CFG_FLAG_AUTO_START | SBI_PMU_CFG_FLAG_SET_VUINH |                          \
	 SBI_PMU_CFG_FLAG_SET_VSINH | SBI_PMU_CFG_FLAG_SET_UINH |                            \
	 SBI_PMU_CFG_FLAG_SET_SINH | SBI_PMU_CFG_FLAG_SET_MINH)
#define START_FLAGS (SBI_PMU_START_SET_INIT_VALUE | SBI_PMU_START_FLAG_INIT_SNAPSHOT)
#define STOP_FLAGS (SBI_PMU_STOP_FLAG_RESET | SBI_PMU_STOP_FLAG_TAKE_SNAPSHOT)

void vpmu_reset(struct vpmu *vpmu)
{
	*vpmu = (struct vpmu){ .started = HW_COUNTERS };
}

/* Takes the lowest counter out of a set that is not empty. */
static u32 take_first(u32 *set)
{
	u32 first = (u32)__builtin_ctz(*set);

	*set &= *set - 1;
	return first;
}

static bool exists(u64 counter)
{
	return counter < VPMU_COUNTERS && ((HW_COUNTERS | FW_COUNTERS) & COUNTER_BIT(counter));
}

/* The set that base and mask name; false when it holds a counter that does not exist. */
static bool counter_set(u64 base, u64 mask, u32 *set)
{
	u64 wide;

	*set = 0;
	if (mask == 0)
		return true;
	if (base >= VPMU_COUNTERS)
		return false;
	wide = mask << base;
	if (wide >> base != mask || (wide & ~(u64)(HW_COUNTERS | FW_COUNTERS)))
		return false;
	*set = (u32)wide;
	return true;
}

static u64 source(const struct vpmu *vpmu, u32 counter, const struct vpmu_host *host)
{
	if (counter == VPMU_CYCLE)
		return host->cycle;
	if (counter == VPMU_INSTRET)
		return host->instret;
	return vpmu->fw_event[vpmu->event[counter]];
}

static void start(struct vpmu *vpmu, u32 counter, const struct vpmu_host *host)
{
	vpmu->offset[counter] -= source(vpmu, counter, host);
	vpmu->started |= COUNTER_BIT(counter);
}

static void stop(struct vpmu *vpmu, u32 counter, const struct vpmu_host *host)
{
	vpmu->offset[counter] += source(vpmu, counter, host);
	vpmu->started &= ~COUNTER_BIT(counter);
}

static long get_info(u64 counter, u64 *value)
{
	if (!exists(counter))
		return SBI_ERR_INVALID_PARAM;
	if (counter >= VPMU_FW_FIRST)
		*value = (u64)SBI_PMU_COUNTER_INFO_TYPE_FW << SBI_PMU_COUNTER_INFO_TYPE_SHIFT;
	else
		*value = (CSR_CYCLE + counter) | 63 << SBI_PMU_COUNTER_INFO_WIDTH_SHIFT;
	return SBI_SUCCESS;
}

/* The counters that can count an event; none for an event we do not know. */
static u32 counters_for(u64 event_idx, u64 event_data)
{
	u64 type = event_idx >> SBI_PMU_EVENT_IDX_TYPE_SHIFT;
	u64 code = event_idx & SBI_PMU_EVENT_IDX_CODE_MASK;

	if (event_data)
		return 0;
	if (type == SBI_PMU_EVENT_TYPE_HW && code == SBI_PMU_HW_CPU_CYCLES)
		return COUNTER_BIT(VPMU_CYCLE);
	if (type == SBI_PMU_EVENT_TYPE_HW && code == SBI_PMU_HW_INSTRUCTIONS)
		return COUNTER_BIT(VPMU_INSTRET);
	if (type == SBI_PMU_EVENT_TYPE_FW && code < SBI_PMU_FW_EVENTS &&
	    (VPMU_FW_COUNTED & BIT(code)))
		return FW_COUNTERS;
	return 0;
}

/*
 * A counter goes on counting only when the guest had it configured and running, or wants it
 * started; the cycle and instret of a booting guest, which run unasked, stop here.
 */
static void configure(struct vpmu *vpmu, u32 counter, u64 flags, u8 event,
		      const struct vpmu_host *host)
{
	u32 bit = COUNTER_BIT(counter);
	bool run = (flags & SBI_PMU_CFG_FLAG_AUTO_START) ||
		   (vpmu->started & vpmu->configured & bit);

	if (vpmu->started & bit)
		stop(vpmu, counter, host);
	vpmu->configured |= bit;
	vpmu->event[counter] = event;
	if (flags & SBI_PMU_CFG_FLAG_CLEAR_VALUE)
		vpmu->offset[counter] = 0;
	if (run)
		start(vpmu, counter, host);
}

/*
 * A counter that is configured is taken, even while it is stopped, until counter_stop resets it:
 * Linux asks for all counters of a group before it starts the first. The mode filters are hints,
 * for which the host's counters have no use.
 */
static long config_matching(struct vpmu *vpmu, const u64 arg[5], const struct vpmu_host *host,
			    u64 *value)
{
	u64 flags = arg[2], event_idx = arg[3];
	u32 set, able = counters_for(event_idx, arg[4]);

	if (!counter_set(arg[0], arg[1], &set) || (flags & ~(u64)CONFIG_FLAGS))
		return SBI_ERR_INVALID_PARAM;
	if (flags & SBI_PMU_CFG_FLAG_SKIP_MATCH)
		set &= -set & able;
	else
		set &= able & ~vpmu->configured;
	if (!set)
		return SBI_ERR_NOT_SUPPORTED;
	*value = take_first(&set);
	configure(vpmu, (u32)*value, flags, (u8)event_idx, host);
	return SBI_SUCCESS;
}

/*
 * Starts what can be started; the error tells that part of the set already ran. A firmware
 * counter without an event cannot count, so it is no valid counter here.
 */
static long counter_start(struct vpmu *vpmu, const u64 arg[5], const struct vpmu_host *host)
{
	u64 flags = arg[2];
	u32 set, fresh;

	if (!counter_set(arg[0], arg[1], &set) || (flags & ~(u64)START_FLAGS) ||
	    flags == START_FLAGS || (set & FW_COUNTERS & ~vpmu->configured))
		return SBI_ERR_INVALID_PARAM;
	if (flags & SBI_PMU_START_FLAG_INIT_SNAPSHOT)
		return SBI_ERR_NO_SHMEM;
	fresh = set & ~vpmu->started;
	while (fresh) {
		u32 counter = take_first(&fresh);

		set &= ~COUNTER_BIT(counter);
		if (flags & SBI_PMU_START_SET_INIT_VALUE)
			vpmu->offset[counter] = arg[3];
		start(vpmu, counter, host);
	}
	return set ? SBI_ERR_ALREADY_STARTED : SBI_SUCCESS;
}

/* Stops what runs; the error tells that part of the set did not. Linux stops all at its boot. */
static long counter_stop(struct vpmu *vpmu, const u64 arg[5], const struct vpmu_host *host)
{
	u64 flags = arg[2];
	u32 set, running, stopped;

	if (!counter_set(arg[0], arg[1], &set) || (flags & ~(u64)STOP_FLAGS))
		return SBI_ERR_INVALID_PARAM;
	if (flags & SBI_PMU_STOP_FLAG_TAKE_SNAPSHOT)
		return SBI_ERR_NO_SHMEM;
	running = set & vpmu->started;
	stopped = set & ~vpmu->started;
	while (running)
		stop(vpmu, take_first(&running), host);
	if (flags & SBI_PMU_STOP_FLAG_RESET)
		vpmu->configured &= ~set;
	return stopped ? SBI_ERR_ALREADY_STOPPED : SBI_SUCCESS;
}

static long fw_read(const struct vpmu *vpmu, u64 counter, u64 *value)
{
	if (counter < VPMU_FW_FIRST || !exists(counter))
		return SBI_ERR_INVALID_PARAM;
	*value = vpmu->offset[counter];
	if (vpmu->started & COUNTER_BIT(counter))
		*value += vpmu->fw_event[vpmu->event[counter]];
	return SBI_SUCCESS;
}

/* The upper half of a 64-bit counter on RV32; on RV64 always 0. */
static long fw_read_hi(u64 counter)
{
	return counter < VPMU_FW_FIRST || !exists(counter) ? SBI_ERR_INVALID_PARAM : SBI_SUCCESS;
}

long vpmu_sbi(struct vpmu *vpmu, u64 fid, const u64 arg[5], const struct vpmu_host *host,
	      u64 *value)
{
	*value = 0;
	switch (fid) {
	case SBI_EXT_PMU_NUM_COUNTERS:
		*value = VPMU_COUNTERS;
		return SBI_SUCCESS;
	case SBI_EXT_PMU_COUNTER_GET_INFO:
		return get_info(arg[0], value);
	case SBI_EXT_PMU_COUNTER_CONFIG_MATCHING:
		return config_matching(vpmu, arg, host, value);
	case SBI_EXT_PMU_COUNTER_START:
		return counter_start(vpmu, arg, host);
	case SBI_EXT_PMU_COUNTER_STOP:
		return counter_stop(vpmu, arg, host);
	case SBI_EXT_PMU_COUNTER_FW_READ:
		return fw_read(vpmu, arg[0], value);
	case SBI_EXT_PMU_COUNTER_FW_READ_HI:
		return fw_read_hi(arg[0]);
	default:
		/* The snapshot memory is optional; event_get_info is of v3.0. */
		return SBI_ERR_NOT_SUPPORTED;
	}
}
