/* SPDX-License-Identifier: BSD-2-Clause */
/* The PMU extension: counters and what they say of themselves, matching, start, stop, firmware. */
#include "guest.h"

enum {
	NUM_COUNTERS,
	GET_INFO,
	CONFIG_MATCHING,
	START,
	STOP,
	FW_READ,
	FW_READ_HI,
};

#define SKIP_MATCH 0x01UL
#define CLEAR_VALUE 0x02UL
#define AUTO_START 0x04UL
#define SET_INIT_VALUE 0x01UL
#define STOP_RESET 0x01UL
#define INFO_FIRMWARE (1UL << 63)
#define EVENT_CYCLES 1UL
#define EVENT_INSTRUCTIONS 2UL
#define FW_EVENT(n) (0xf0000UL | (n))
#define FW_ACCESS_LOAD 2UL
#define FW_ACCESS_STORE 3UL
#define FW_ILLEGAL_INSN 4UL
#define FW_SET_TIMER 5UL
#define FW_IPI_SENT 6UL
#define FW_IPI_RECEIVED 7UL
#define FW_FENCE_I_SENT 8UL
#define FW_FENCE_I_RECEIVED 9UL
#define FW_SFENCE_VMA_SENT 10UL
#define FW_SFENCE_VMA_RECEIVED 11UL
#define FW_SFENCE_VMA_ASID_SENT 12UL
#define FW_SFENCE_VMA_ASID_RECEIVED 13UL

static unsigned long counters;
static unsigned long all;

static void check_counters(void)
{
	struct sbiret r = sbi(SBI_EXT_PMU, NUM_COUNTERS);
	unsigned long bad = 0;

	counters = (unsigned long)r.value;
	CHECK("number of counters", !r.error && counters >= 3 && counters <= 64, "error %ld %lu",
	      r.error, counters);
	for (unsigned long i = 0; i < counters; i++) {
		r = sbi(SBI_EXT_PMU, GET_INFO, i);
		if (r.error && i == 1)
			continue; /* time is no counter of the PMU */
		bad += r.error != 0;
		if (!r.error)
			all |= BIT(i);
	}
	check_eq("info of each", bad, 0);
	check_err("info beyond", sbi(SBI_EXT_PMU, GET_INFO, counters), SBI_ERR_INVALID_PARAM);
	check_err("info of 64", sbi(SBI_EXT_PMU, GET_INFO, 64), SBI_ERR_INVALID_PARAM);
	check_err("info of -1", sbi(SBI_EXT_PMU, GET_INFO, -1UL), SBI_ERR_INVALID_PARAM);
}

static struct sbiret match(unsigned long flags, unsigned long event)
{
	return sbi(SBI_EXT_PMU, CONFIG_MATCHING, 0, all, flags, event, 0);
}

static unsigned long read_hw(unsigned long i)
{
	return (unsigned long)sbi(SBI_EXT_PMU, GET_INFO, i).value & 0xfff;
}

static void start_stop(const char *name, unsigned long i)
{
	say("# %s on counter %lu\n", name, i);
	check_err("already started", sbi(SBI_EXT_PMU, START, i, 1, 0, 0), SBI_ERR_ALREADY_STARTED);
	check_err("stop", sbi(SBI_EXT_PMU, STOP, i, 1, 0), SBI_SUCCESS);
	check_err("already stopped", sbi(SBI_EXT_PMU, STOP, i, 1, 0), SBI_ERR_ALREADY_STOPPED);
	check_err("start again", sbi(SBI_EXT_PMU, START, i, 1, 0, 0), SBI_SUCCESS);
	check_err("stop and reset", sbi(SBI_EXT_PMU, STOP, i, 1, STOP_RESET), SBI_SUCCESS);
}

static void check_hardware(const char *name, unsigned long event, unsigned long csr)
{
	struct sbiret r = match(CLEAR_VALUE | AUTO_START, event);
	unsigned long start;

	check_err(name, r, SBI_SUCCESS);
	if (r.error)
		return;
	CHECK_SHYPER("its CSR", read_hw((unsigned long)r.value) == csr, "counter %ld", r.value);
	start = csr == 0xc00 ? csr_read(cycle) : csr_read(instret);
	for (volatile int i = 0; i < 1000; i++)
		;
	CHECK("it counts", (csr == 0xc00 ? csr_read(cycle) : csr_read(instret)) > start + 1000,
	      "no");
	start_stop(name, (unsigned long)r.value);
}

static void cause_timer(void)
{
	set_timer(-1UL);
}

static void cause_ipi(void)
{
	send_ipi(1, boot_hart);
	csr_clear(sip, SIE_SSIE);
}

static void cause_fence(void)
{
	sbi(SBI_EXT_RFENCE, SBI_RFENCE_FENCE_I, 1, boot_hart);
}

static void cause_sfence(void)
{
	sbi(SBI_EXT_RFENCE, SBI_RFENCE_SFENCE_VMA, 1, boot_hart, 0, 0);
}

static void cause_sfence_asid(void)
{
	sbi(SBI_EXT_RFENCE, SBI_RFENCE_SFENCE_VMA_ASID, 1, boot_hart, 0, 0, 1);
}

static void cause_load(void)
{
	TRY(read_u8(NOWHERE));
}

static void cause_store(void)
{
	TRY(write_u8(NOWHERE, 0));
}

static void cause_illegal(void)
{
	TRY(__asm__ volatile("csrr t0, hstatus" ::: "t0"));
}

static void check_firmware(const char *name, unsigned long event, void (*cause)(void))
{
	struct sbiret r = match(CLEAR_VALUE | AUTO_START, FW_EVENT(event));
	unsigned long i = (unsigned long)r.value;

	check_err(name, r, SBI_SUCCESS);
	if (r.error)
		return;
	CHECK("is firmware", (unsigned long)sbi(SBI_EXT_PMU, GET_INFO, i).value & INFO_FIRMWARE,
	      "counter %lu", i);
	check_eq("from zero", (unsigned long)sbi(SBI_EXT_PMU, FW_READ, i).value, 0);
	for (int n = 0; n < 10; n++)
		cause();
	if (!under_shyper())
		return; /* OpenSBI 1.5 misses the first start, and never says "already" */
	check_eq("counts", (unsigned long)sbi(SBI_EXT_PMU, FW_READ, i).value, 10);
	check_err("high half", sbi(SBI_EXT_PMU, FW_READ_HI, i), SBI_SUCCESS);
	check_err("stop", sbi(SBI_EXT_PMU, STOP, i, 1, 0), SBI_SUCCESS);
	cause();
	check_eq("stopped", (unsigned long)sbi(SBI_EXT_PMU, FW_READ, i).value, 10);
	check_err("start at 1000", sbi(SBI_EXT_PMU, START, i, 1, SET_INIT_VALUE, 1000),
		  SBI_SUCCESS);
	cause();
	check_eq("counts from there", (unsigned long)sbi(SBI_EXT_PMU, FW_READ, i).value, 1001);
	start_stop(name, i);
}

/* What OpenSBI sees of these depends on what it delegates. */
static void check_more(void)
{
	check_firmware("access fault, load", FW_ACCESS_LOAD, cause_load);
	check_firmware("access fault, store", FW_ACCESS_STORE, cause_store);
	check_firmware("illegal instruction", FW_ILLEGAL_INSN, cause_illegal);
	check_firmware("IPI received", FW_IPI_RECEIVED, cause_ipi);
	check_firmware("fence.i received", FW_FENCE_I_RECEIVED, cause_fence);
	check_firmware("sfence.vma sent", FW_SFENCE_VMA_SENT, cause_sfence);
	check_firmware("sfence.vma received", FW_SFENCE_VMA_RECEIVED, cause_sfence);
	check_firmware("sfence.vma asid sent", FW_SFENCE_VMA_ASID_SENT, cause_sfence_asid);
	check_firmware("sfence.vma asid received", FW_SFENCE_VMA_ASID_RECEIVED,
		       cause_sfence_asid);
}

static void check_errors(void)
{
	check_err("start beyond", sbi(SBI_EXT_PMU, START, counters, 1, 0, 0),
		  SBI_ERR_INVALID_PARAM);
	check_err("stop beyond", sbi(SBI_EXT_PMU, STOP, counters, 1, 0), SBI_ERR_INVALID_PARAM);
	check_err("start base -1", sbi(SBI_EXT_PMU, START, -1UL, 1, 0, 0), SBI_ERR_INVALID_PARAM);
	check_err("match beyond",
		  sbi(SBI_EXT_PMU, CONFIG_MATCHING, counters, 1, 0, EVENT_CYCLES, 0),
		  SBI_ERR_INVALID_PARAM);
	CHECK("no such event", match(0, 0x30001).error, "matched");
	CHECK("no such firmware event", match(0, FW_EVENT(0x7fff)).error, "matched");
	CHECK("event -1", match(0, -1UL).error, "matched");
	CHECK_SHYPER("unknown flags", match(1UL << 20, EVENT_CYCLES).error, "accepted");
	check_err("read of a hardware counter", sbi(SBI_EXT_PMU, FW_READ, 0),
		  SBI_ERR_INVALID_PARAM);
	check_err("read beyond", sbi(SBI_EXT_PMU, FW_READ, counters), SBI_ERR_INVALID_PARAM);
	check_err("read -1", sbi(SBI_EXT_PMU, FW_READ, -1UL), SBI_ERR_INVALID_PARAM);
	check_err("fid 40", sbi(SBI_EXT_PMU, 40), SBI_ERR_NOT_SUPPORTED);
}

void payload(void)
{
	check_counters();
	check_hardware("cycles", EVENT_CYCLES, 0xc00);
	check_hardware("instructions", EVENT_INSTRUCTIONS, 0xc02);
	check_firmware("set_timer", FW_SET_TIMER, cause_timer);
	check_firmware("IPI sent", FW_IPI_SENT, cause_ipi);
	check_firmware("fence.i sent", FW_FENCE_I_SENT, cause_fence);
	if (under_shyper())
		check_more();
	check_errors();
}
