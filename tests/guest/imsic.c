/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hart's interrupt file: every register by siselect and sireg, claims by stopei, the page that
 * MSIs are written to, and each message taken once, between harts too. The same whether the file is
 * the hardware's or Shyper's own. It is empty when the guest finds it.
 */
#include "exec.h"
#include "guest.h"

#define IMSIC_PAGE 0x1000UL
#define IDS 255UL

/* The assembler does not know all of them by name. */
#define SISELECT 0x150
#define SIREG 0x151
#define STOPEI 0x15c
#define STOPI 0xdb0

#define EIP(word) (0x80UL + 2 * (unsigned long)(word))
#define EIE(word) (0xc0UL + 2 * (unsigned long)(word))
#define WORDS 4U
#define ALL (~0UL)

#define TOP(id) ((unsigned long)(id) << 16 | (id))
#define ROUNDS 500UL

static volatile unsigned long taken[IDS + 1];
static volatile unsigned long wrong;
static volatile bool leave;

static unsigned long claim(void)
{
	unsigned long top;

	__asm__ volatile("csrrw %0, 0x15c, zero" : "=r"(top)::"memory");
	return top;
}

static unsigned long page_of(unsigned long hart)
{
	return IMSIC_BASE + hart * IMSIC_PAGE;
}

static void send(unsigned long hart, unsigned long id)
{
	__asm__ volatile("fence w, o" ::: "memory");
	write_u32(page_of(hart), (u32)id);
}

static bool has_pending(unsigned long id)
{
	return imsic_read(EIP(id / 64)) >> id % 64 & 1;
}

static void send_self(unsigned long id)
{
	send(boot_hart, id);
	WAIT_FOR(has_pending(id), 1000);
}

static void clear(void)
{
	imsic_write(IMSIC_EIDELIVERY, 0);
	imsic_write(IMSIC_EITHRESHOLD, 0);
	for (u32 w = 0; w < WORDS; w++) {
		imsic_write(EIE(w), 0);
		imsic_write(EIP(w), 0);
	}
}

static void check_found_empty(void)
{
	unsigned long any = imsic_read(IMSIC_EIDELIVERY) | imsic_read(IMSIC_EITHRESHOLD);

	for (u32 w = 0; w < WORDS; w++)
		any |= imsic_read(EIP(w)) | imsic_read(EIE(w));
	CHECK_SHYPER("empty when found", any == 0, "0x%lx", any);
}

static void check_control(void)
{
	u32 bad = 0;

	imsic_write(IMSIC_EIDELIVERY, 1);
	check_eq("eidelivery on", imsic_read(IMSIC_EIDELIVERY), 1);
	imsic_write(IMSIC_EIDELIVERY, 0x40000000);
	CHECK_SHYPER("eidelivery of an APLIC", imsic_read(IMSIC_EIDELIVERY) != 0x40000000, "taken");
	imsic_write(IMSIC_EIDELIVERY, 0);
	for (unsigned long p = 0; p <= IDS; p++) {
		imsic_write(IMSIC_EITHRESHOLD, p);
		bad += imsic_read(IMSIC_EITHRESHOLD) != p;
	}
	check_eq("eithreshold holds all identities", bad, 0);
	imsic_write(IMSIC_EITHRESHOLD, 0);
}

static void check_arrays(void)
{
	u32 bad = 0;

	for (u32 w = 0; w < WORDS; w++) {
		unsigned long first = w ? 0 : 1;

		imsic_write(EIE(w), ALL);
		imsic_write(EIP(w), ALL);
		bad += imsic_read(EIE(w)) != ALL - first || imsic_read(EIP(w)) != ALL - first;
		csr_clear(SIREG, 0x10);
		bad += imsic_read(EIP(w)) != ALL - first - 0x10;
		csr_set(SIREG, 0x11);
		bad += imsic_read(EIP(w)) != ALL - first;
		imsic_write(EIE(w), 0x123456789abcdef0);
		bad += imsic_read(EIE(w)) != 0x123456789abcdef0;
	}
	check_eq("eip and eie", bad, 0);
	clear();
}

static unsigned long cause_of(unsigned long select, bool write)
{
	csr_write(SISELECT, select);
	return TRY(({
		if (write)
			csr_write(SIREG, ALL);
		else
			csr_read(SIREG);
	})).cause;
}

/* What siselect may say and sireg then is; and that nothing of it changes the file. */
static void check_selects(void)
{
	u32 odd = 0, outside = 0, reserved = 0, past = 0, iprio = 0;

	for (unsigned long s = 0; s < 0x200; s++) {
		bool illegal = cause_of(s, true) == CAUSE_ILLEGAL &&
			       cause_of(s, false) == CAUSE_ILLEGAL;
		bool zero = cause_of(s, true) == TRAP_NONE && imsic_read(s) == 0;

		if (s < 0x30 || (s >= 0x40 && s < 0x70) || s > 0xff)
			outside += !illegal;
		else if (s % 2 && (s < 0x40 || s >= 0x80))
			odd += !illegal;
		else if (s < 0x40)
			iprio += !zero;
		else if (s < 0x80 && s != IMSIC_EIDELIVERY && s != IMSIC_EITHRESHOLD)
			reserved += !zero;
		else if (s >= 0x80 && s % 0x40 >= 2 * WORDS)
			past += !zero;
		clear();
	}
	/* Bare harts of some CPU models have other registers there. */
	CHECK_SHYPER("no register outside", outside == 0, "%u traps are missing", outside);
	check_eq("no odd registers", odd, 0);
	CHECK_SHYPER("iprio is zero", iprio == 0, "%u are not", iprio);
	CHECK_SHYPER("reserved is zero", reserved == 0, "%u are not", reserved);
	CHECK_SHYPER("zero past the last identity", past == 0, "%u are not", past);
	csr_write(SISELECT, ALL);
	CHECK("siselect has 9 bits at least", (csr_read(SISELECT) & 0x1ff) == 0x1ff, "0x%lx",
	      csr_read(SISELECT));
}

static void check_claims(void)
{
	static const u32 ids[] = { 255, 64, 2, 63, 128, 1 };
	static const u32 order[] = { 1, 2, 63, 64, 128, 255 };
	u32 bad = 0;

	for (u32 w = 0; w < WORDS; w++)
		imsic_write(EIE(w), ALL);
	check_eq("claim of nothing", claim(), 0);
	for (u32 i = 0; i < ARRAY_SIZE(ids); i++)
		send_self(ids[i]);
	for (u32 i = 0; i < ARRAY_SIZE(order); i++) {
		bad += csr_read(STOPEI) != TOP(order[i]);
		bad += claim() != TOP(order[i]);
	}
	check_eq("claims by number", bad, 0);
	check_eq("all claimed", claim(), 0);
	send_self(5);
	send_self(5);
	csr_write(STOPEI, 0);
	check_eq("one of two, and any write claims", claim(), 0);
	clear();
}

static bool seip(void)
{
	return csr_read(sip) & SIE_SEIE;
}

static void check_signal(void)
{
	csr_set(sie, SIE_SEIE);
	send_self(40);
	CHECK("nothing enabled", !seip(), "SEIP");
	imsic_write(EIE(0), 1UL << 40);
	CHECK("nothing delivered", !seip() && csr_read(STOPI) == 0, "SEIP");
	check_eq("stopei does not ask for delivery", csr_read(STOPEI), TOP(40));
	imsic_write(IMSIC_EIDELIVERY, 1);
	CHECK("delivered", seip(), "no SEIP");
	check_eq("stopi tells", csr_read(STOPI) >> 16, IRQ_EXT);
	imsic_write(IMSIC_EITHRESHOLD, 40);
	CHECK("held by the threshold", !seip() && csr_read(STOPEI) == 0, "SEIP");
	imsic_write(IMSIC_EITHRESHOLD, 41);
	CHECK("passes the threshold", seip(), "no SEIP");
	imsic_write(EIP(0), 0);
	CHECK("taken back", !seip() && csr_read(STOPI) == 0, "SEIP");
	csr_clear(sie, SIE_SEIE);
	clear();
}

static unsigned long any_pending(void)
{
	unsigned long any = 0;

	for (u32 w = 0; w < WORDS; w++)
		any |= imsic_read(EIP(w));
	return any;
}

static void check_page(void)
{
	unsigned long page = page_of(boot_hart), sum = 0;
	struct trap t;

	for (unsigned long at = 0; at < IMSIC_PAGE; at += 4)
		sum += read_u32(page + at);
	check_eq("pages read as zero", sum, 0);
	for (unsigned long at = 8; at < IMSIC_PAGE; at += 4)
		write_u32(page + at, 7);
	send(boot_hart, 0);
	send(boot_hart, IDS + 1);
	send(boot_hart, 2047);
	send(boot_hart, 0xffffffff);
	write_u32(page + 4, 7);		/* in big endian: no identity that exists */
	WAIT_FOR(false, 2);
	check_eq("nothing was sent", any_pending(), 0);
	t = TRY(write_u8(page, 7));
	check_cause("byte", t, CAUSE_STORE_ACCESS);
	t = TRY(write_u64(page, 7));
	check_cause("doubleword", t, CAUSE_STORE_ACCESS);
	t = TRY((void)read_u16(page));
	check_cause("read of a halfword", t, CAUSE_LOAD_ACCESS);
	check_eq("nothing was sent by those", any_pending(), 0);
	t = TRY(write_u32(IMSIC_BASE - IMSIC_PAGE, 7));
	check_cause("page before the first", t, CAUSE_STORE_ACCESS);
}

static u32 user_code[2] __attribute__((aligned(8)));

static void check_user(void)
{
	static const u32 numbers[] = { SISELECT, SIREG, STOPEI, STOPI };

	mmu_on();
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct trap t;

		user_code[0] = numbers[i] << 20 | 10 << 7 | 2 << 12 | 0x73;
		user_code[1] = 0x73;
		__asm__ volatile("fence.i" ::: "memory");
		t = user_run((unsigned long)user_code - RAM_BASE + USER_BASE, 0);
		check_cause("not for U-mode", t, CAUSE_ILLEGAL);
	}
	mmu_off();
}

static void on_external(void)
{
	unsigned long top;

	while ((top = claim()) != 0) {
		if ((top >> 16) != (top & 0x7ff) || top >> 16 > IDS)
			wrong++;
		else
			__atomic_fetch_add(&taken[top >> 16], 1, __ATOMIC_SEQ_CST);
	}
}

static void listen(void)
{
	for (u32 w = 0; w < WORDS; w++)
		imsic_write(EIE(w), ALL);
	imsic_write(IMSIC_EIDELIVERY, 1);
	csr_set(sie, SIE_SEIE);
	irqs_on();
}

static void deafen(void)
{
	irqs_off();
	csr_clear(sie, SIE_SEIE);
	clear();
}

/* Each identity again as soon as it was taken. */
static unsigned long rounds(unsigned long hart, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		unsigned long id = 1 + i % IDS, before = taken[id];

		send(hart, id);
		if (!WAIT_FOR(taken[id] == before + 1, 2000))
			return i;
	}
	return n;
}

static void check_interrupts(void)
{
	irq_handle(IRQ_EXT, on_external);
	listen();
	check_eq("messages to itself", rounds(boot_hart, ROUNDS), ROUNDS);
	deafen();
	check_eq("all claims made sense", wrong, 0);
}

static void listener(unsigned long ready)
{
	listen();
	*(volatile bool *)ready = true;
	while (!leave)
		wfi();
	deafen();
}

static void suspended(unsigned long ready)
{
	listen();
	*(volatile bool *)ready = true;
	while (!leave)
		sbi(SBI_EXT_HSM, SBI_HSM_SUSPEND, SBI_HSM_RETENTIVE);
	deafen();
}

static void check_other(unsigned long hart, const char *name, void (*run)(unsigned long ready))
{
	static volatile bool ready;

	ready = leave = false;
	hart_run(hart, run, (unsigned long)&ready);
	WAIT_FOR(ready, 1000);
	check_eq(name, rounds(hart, ROUNDS), ROUNDS);
	leave = true;
	send(hart, 1);
	CHECK("it leaves", hart_wait_stopped(hart), "it is still there");
	send(hart, 9);
	send(hart, 1);
	check_eq("all claims made sense there", wrong, 0);
}

void payload(void)
{
	check_found_empty();
	clear();
	check_control();
	check_arrays();
	check_selects();
	check_claims();
	check_signal();
	check_page();
	check_user();
	check_interrupts();
	if (other_hart() >= MAX_HARTS)
		return;
	check_other(other_hart(), "messages to a hart in WFI", listener);
	check_other(other_hart(), "messages to a suspended hart", suspended);
}
