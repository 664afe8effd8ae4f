/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever a guest can do to its interrupt controller: each register of the APLIC by each width,
 * aligned or not, targets that do not exist, messages to pages that are others', CSRs that are not
 * there. It gets access faults and illegal instructions, and its own APLIC still works at the end.
 */
#include "exec.h"
#include "guest.h"

#define DOMAINCFG APLIC_BASE
#define SOURCECFG(s) (APLIC_BASE + 4UL * (s))
#define SETIPNUM (APLIC_BASE + 0x1cdc)
#define CLRIPNUM (APLIC_BASE + 0x1ddc)
#define SETIENUM (APLIC_BASE + 0x1edc)
#define CLRIENUM (APLIC_BASE + 0x1fdc)
#define SETIPNUM_LE (APLIC_BASE + 0x2000)
#define SETIPNUM_BE (APLIC_BASE + 0x2004)
#define GENMSI (APLIC_BASE + 0x3000)
#define TARGET(s) (APLIC_BASE + 0x3000 + 4UL * (s))
#define SOURCES 1024UL
#define IMSIC_END (IMSIC_BASE + 0x100000)
#define IMSIC_M 0x24000000UL	/* of firmware, on the board below */
#define FUZZ 20000UL

static unsigned long seed = 88172645463325252UL;

static unsigned long next(unsigned long *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

static void poke(unsigned long at, unsigned long width, unsigned long value)
{
	switch (width) {
	case 1:
		write_u8(at, (u8)value);
		break;
	case 2:
		write_u16(at, (u16)value);
		break;
	case 4:
		write_u32(at, (u32)value);
		break;
	default:
		write_u64(at, value);
	}
}

static void peek(unsigned long at, unsigned long width)
{
	switch (width) {
	case 1:
		read_u8(at);
		break;
	case 2:
		read_u16(at);
		break;
	case 4:
		read_u32(at);
		break;
	default:
		read_u64(at);
	}
}

/* Refused as a bare board refuses it, at this address. */
static bool refused(struct trap t, unsigned long at, bool write)
{
	unsigned long access = write ? CAUSE_STORE_ACCESS : CAUSE_LOAD_ACCESS;

	return t.value == at && (t.cause == access || t.cause == access - 1);
}

static bool both_refused(unsigned long at, unsigned long width)
{
	struct trap load = TRY(peek(at, width)), store = TRY(poke(at, width, -1UL));

	return refused(load, at, false) && refused(store, at, true);
}

/* Of other widths than 4, and of 4 across two registers, nothing is known here. */
static void check_widths(void)
{
	static const struct {
		unsigned long offset, width;
	} odd[] = { { 0, 1 }, { 1, 1 }, { 3, 1 }, { 0, 2 }, { 1, 2 }, { 2, 2 }, { 3, 2 }, { 0, 8 },
		    { 4, 8 }, { 1, 4 }, { 2, 4 }, { 3, 4 }, { 1, 8 } };
	unsigned long bad = 0, first = 0;

	for (unsigned long at = APLIC_BASE; at < APLIC_BASE + APLIC_SIZE - 12; at += 4) {
		/* A doubleword has two registers in all that are aligned to it. */
		for (u32 i = 0; i < ARRAY_SIZE(odd); i++) {
			if (odd[i].width == 8 && (at + odd[i].offset) % 8 == 4 && odd[i].offset % 4)
				continue;
			if (both_refused(at + odd[i].offset, odd[i].width))
				continue;
			first = bad++ ? first : at + odd[i].offset;
		}
	}
	CHECK("only words", bad == 0, "%lu accesses were not refused, the first at 0x%lx", bad,
	      first);
}

static const u32 patterns[] = { 0, 0xffffffff, 0x80000104, 1, 0x400, 0xfffc07ff, 0x3ff };

static void check_words(void)
{
	unsigned long traps = 0;

	for (unsigned long at = APLIC_BASE; at < APLIC_BASE + APLIC_SIZE; at += 4) {
		for (u32 i = 0; i < ARRAY_SIZE(patterns); i++)
			traps += TRY(write_u32(at, patterns[i])).cause != TRAP_NONE;
		traps += TRY(read_u32(at)).cause != TRAP_NONE;
	}
	check_eq("each word can be written and read", traps, 0);
	check_cause("and none behind them", TRY(read_u32(APLIC_BASE + APLIC_SIZE)),
		    CAUSE_LOAD_ACCESS);
}

/* Sources that it does not have, and of those that it has, targets that do not exist. */
static void check_targets(void)
{
	static const u32 modes[] = { 0, 1, 2, 3, 4, 5, 6, 7, 0x400, 0x7ff };
	static const u32 targets[] = {
		0xffffffff, 0xfffc0000, 0x0003f001, 0x0003f7ff, 0x00040001, 0x000407ff, 0x00080001,
		0x000c0100, 0, 0x7ff, 0x100, 0x3fffU << 18 | 1, 0x00001001,
	};

	for (unsigned long s = 1; s < SOURCES; s++) {
		for (u32 i = 0; i < ARRAY_SIZE(targets); i++) {
			write_u32(DOMAINCFG, i % 2 ? 0x104 : 0x100);
			write_u32(SOURCECFG(s), modes[(s + i) % ARRAY_SIZE(modes)]);
			write_u32(TARGET(s), targets[i]);
			write_u32(SETIENUM, (u32)s);
			write_u32(SETIPNUM, (u32)s);
			write_u32(SETIPNUM_LE, (u32)s);
			write_u32(SETIPNUM_BE, __builtin_bswap32((u32)s));
			write_u32(CLRIPNUM, (u32)s);
			write_u32(GENMSI, targets[i]);
		}
		write_u32(CLRIENUM, (u32)s);
		write_u32(SOURCECFG(s), 0);
	}
	CHECK("targets that are not there", true, " ");
}

/* Of all those targets one exists here, and its identity 1; 256 and 2047 are beyond the last. */
static void check_arrived(void)
{
	unsigned long others = 0;

	for (unsigned long word = 1; word < 4; word++)
		others |= imsic_read(IMSIC_EIP0 + 2 * word);
	check_eq("the target that exists", imsic_read(IMSIC_EIP0), 1UL << 1);
	check_eq("and no identity beside it", others, 0);
}

/* Pages of the board's interrupt files, where this VM has none. */
static void check_pages(void)
{
	unsigned long own = IMSIC_BASE + (have_ssaia() ? hart_count() * 0x1000 : 0), bad = 0;

	for (unsigned long at = own; at < IMSIC_END; at += 0x1000) {
		bad += !both_refused(at, 4);
		bad += !refused(TRY(write_u32(at + 4, 0x01000000)), at + 4, true);
	}
	for (unsigned long at = IMSIC_M; at < IMSIC_M + 0x8000; at += 0x1000)
		bad += !both_refused(at, 4);
	check_eq("pages of others", bad, 0);
}

static void check_own_page(void)
{
	unsigned long bad = 0;

	for (unsigned long at = IMSIC_BASE; have_ssaia() && at < IMSIC_BASE + 0x1000; at += 0xffc) {
		for (unsigned long offset = 0; offset < 4; offset++) {
			bad += !both_refused(at + offset, 1) || !both_refused(at + offset, 2);
			bad += offset && !both_refused(at + offset, 4);
		}
	}
	bad += have_ssaia() && !both_refused(IMSIC_BASE, 8);
	check_eq("its own page takes words", bad, 0);
}

/* csrrw, csrrs, csrrc of x10, by number. */
static unsigned long access_csr(u32 number, u32 funct3, unsigned long value)
{
	struct exec e;

	exec_fill(&e);
	e.x[10] = value;
	exec_insn(&e, number << 20 | 10 << 15 | funct3 << 12 | 11 << 7 | 0x73, EXEC_INSIDE);
	return e.cause;
}

/* siselect, sireg, stopei, stopi; and those of other modes, which a guest has not. */
static void check_csrs(void)
{
	static const u32 mine[] = { 0x150, 0x151, 0x15c, 0xdb0 };
	static const u32 others[] = { 0x250, 0x251, 0x25c, 0xeb0, 0x350, 0x351, 0x35c, 0xfb0,
				      0x608, 0x609, 0x612, 0x615, 0x616, 0x607, 0xe12, 0x308 };
	unsigned long odd = 0, there = 0;

	for (unsigned long select = 0; select < 0x1200; select++) {
		for (u32 funct3 = 1; funct3 <= 3; funct3++) {
			access_csr(0x150, 1, select);
			for (u32 i = 1; i < ARRAY_SIZE(mine); i++) {
				unsigned long cause = access_csr(mine[i], funct3, next(&seed));

				odd += cause != TRAP_NONE && cause != CAUSE_ILLEGAL;
			}
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(others); i++)
		there += access_csr(others[i], 2, 0) != CAUSE_ILLEGAL;
	check_eq("CSRs answer, or are not there", odd, 0);
	check_eq("CSRs of others", there, 0);
}

static void fuzz(unsigned long start)
{
	unsigned long state = start;

	for (unsigned long i = 0; i < FUZZ; i++) {
		unsigned long at = APLIC_BASE + next(&state) % APLIC_SIZE, width = 4;

		if (next(&state) % 4 == 0)
			at = IMSIC_BASE + next(&state) % 0x40000;
		if (next(&state) % 8)
			at &= -4UL;
		else
			width = 1UL << next(&state) % 4;
		trap_arm();
		if (next(&state) % 4)
			poke(at, width, next(&state) >> next(&state) % 64);
		else
			peek(at, width);
		trap_disarm();
		if (have_ssaia() && i % 16 == 0)
			csr_write(0x15c, 0);
	}
}

/* What is left works: a source that is sent by hand arrives. */
static void check_works(void)
{
	unsigned long pending, others = 0;

	for (unsigned long s = 1; s < SOURCES; s++) {
		write_u32(SOURCECFG(s), 1);
		others += s > RTC_IRQ && read_u32(SOURCECFG(s));
		write_u32(SOURCECFG(s), 0);
	}
	check_eq("sources that it does not have", others, 0);
	if (have_ssaia()) {
		imsic_write(IMSIC_EIP0, 0);
		write_u32(DOMAINCFG, 0x104);
		write_u32(SOURCECFG(UART_IRQ), 1);
		write_u32(TARGET(UART_IRQ), (u32)boot_hart << 18 | 42);
	} else {
		write_u32(DOMAINCFG, 0x100);
		write_u32(SOURCECFG(UART_IRQ), 1);
		write_u32(TARGET(UART_IRQ), (u32)boot_hart << 18 | 1);
	}
	write_u32(SETIENUM, UART_IRQ);
	write_u32(SETIPNUM, UART_IRQ);
	if (have_ssaia()) {
		WAIT_FOR((pending = imsic_read(IMSIC_EIP0)) >> 42 & 1, 1000);
		CHECK("it works yet", pending == 1UL << 42, "0x%lx", pending);
	} else {
		pending = read_u32(APLIC_BASE + 0x4018 + 0x20 * boot_hart);
		CHECK("it works yet", pending == (UART_IRQ << 16 | 1), "0x%lx", pending);
	}
}

void payload(void)
{
	unsigned long other = other_hart();

	check_widths();
	check_words();
	check_targets();
	if (have_ssaia())
		check_arrived();
	check_pages();
	check_own_page();
	if (have_ssaia())
		check_csrs();
	if (other < MAX_HARTS)
		hart_run(other, fuzz, 0x9e3779b97f4a7c15UL);
	fuzz(seed);
	if (other < MAX_HARTS)
		CHECK("the other one too", WAIT_FOR(hart_status(other) == SBI_HSM_STOPPED, 60000),
		      "it hangs");
	check_works();
}
