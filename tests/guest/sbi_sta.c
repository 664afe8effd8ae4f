/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SBI STA: the calls, and that the time said is what was missing. With BUSY_MS of work beside
 * another VM that never sleeps, at least a third of the time is another's; alone, nothing is.
 */
#include "guest.h"

#define SBI_EXT_STA 0x535441
#define BUSY_MS 200
#define GAP (MS / 100)	/* the hart was away when two reads of time are this far apart */

struct sta {
	volatile u32 sequence;
	volatile u32 flags;
	volatile u64 steal;
	volatile u8 preempted;
	volatile u8 pad[47];
};

static struct sta sta __attribute__((aligned(64)));

static struct sbiret show(unsigned long low, unsigned long high, unsigned long flags)
{
	return sbi(SBI_EXT_STA, 0, low, high, flags);
}

static void check_errors(unsigned long at)
{
	check_err("flags", show(at, 0, 1), SBI_ERR_INVALID_PARAM);
	check_err("flags of none", show(-1UL, -1UL, 1), SBI_ERR_INVALID_PARAM);
	check_err("not aligned", show(at + 32, 0, 0), SBI_ERR_INVALID_PARAM);
	check_err("a device", show(UART_BASE, 0, 0), SBI_ERR_INVALID_ADDRESS);
	check_err("nothing", show(0, 0, 0), SBI_ERR_INVALID_ADDRESS);
	check_err("the end of the address space", show(-64UL, 0, 0), SBI_ERR_INVALID_ADDRESS);
	check_err("high half", show(at, 1, 0), SBI_ERR_INVALID_ADDRESS);
	check_err("half of nowhere", show(at, -1UL, 0), SBI_ERR_INVALID_ADDRESS);
	check_err("fid 1", sbi(SBI_EXT_STA, 1, at, 0, 0), SBI_ERR_NOT_SUPPORTED);
}

/* Ticks in which this hart was away, as seen from here. */
static u64 work(void)
{
	u64 away = 0, last = rdtime();

	for (u64 end = last + BUSY_MS * MS; last < end;) {
		u64 now = rdtime();

		if (now - last > GAP)
			away += now - last;
		last = now;
	}
	return away;
}

static void check_time(void)
{
	u64 away = work() * (1000000000UL / TIMEBASE), said = sta.steal;

	say("# away %lu ns, said %lu ns\n", away, said);
	CHECK("the time that was missing", said <= away + away / 50 + 1000000 &&
	      away <= said + said / 50 + 1000000, "%lu, not %lu", said, away);
	CHECK("sequence is even", !(sta.sequence & 1), "%u", sta.sequence);
	CHECK("flags are 0", !sta.flags, "%u", sta.flags);
	CHECK("it runs", !sta.preempted, " ");
}

static void check_end(void)
{
	struct sta before;

	check_err("no longer", show(-1UL, -1UL, 0), SBI_SUCCESS);
	memcpy(&before, (void *)&sta, sizeof(sta));
	work();
	CHECK("nothing is written then", !memcmp(&before, (void *)&sta, sizeof(sta)), " ");
}

void payload(void)
{
	u64 said;

	CHECK("probe", sbi_probe(SBI_EXT_STA), "missing");
	check_errors((unsigned long)&sta);
	memset((void *)&sta, 0xa5, sizeof(sta));
	check_err("show", show((unsigned long)&sta, 0, 0), SBI_SUCCESS);
	said = sta.steal;
	CHECK("begins with 0", !sta.pad[0] && !sta.pad[46] && !sta.flags && !said, "%lu", said);
	check_err("show anew", show((unsigned long)&sta, 0, 0), SBI_SUCCESS);
	check_time();
	check_end();
}
