/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System reset and the test finisher. Says `reset ready` and obeys one key:
 * c cold reboot, w warm reboot, r reboot by the finisher, h a reboot asked for by another hart;
 * s shutdown, f shutdown for a failure, p finisher PASS, x finisher FAIL with code 7.
 * After each reboot the machine must be as new; that is checked before the next key.
 */
#include "guest.h"

static unsigned long boots = 1; /* in .data: a reboot loads the image again */
static volatile bool running;

static void busy(unsigned long arg)
{
	running = true;
	for (;;)
		arg++;
}

static void reboot_here(unsigned long arg)
{
	sbi(SBI_EXT_SRST, 0, arg, SBI_SRST_NO_REASON);
}

static void check_fresh_plic(u32 ctx)
{
	check_eq("PLIC priority", read_u32(plic_prio(UART_IRQ)), 0);
	check_eq("PLIC enable", read_u32(plic_enable(ctx, UART_IRQ)), 0);
	/* OpenSBI leaves 7 here; make_dirty leaves 5. */
	CHECK("PLIC threshold", read_u32(plic_threshold(ctx)) != 5, "not reset");
}

static void check_fresh_aplic(void)
{
	check_eq("APLIC domaincfg", read_u32(APLIC_BASE) & 0x100, 0);
	check_eq("APLIC sourcecfg", read_u32(APLIC_BASE + 4 * UART_IRQ), 0);
	check_eq("APLIC setie", read_u32(APLIC_BASE + 0x1e00), 0);
	check_eq("APLIC idelivery", read_u32(APLIC_BASE + 0x4000 + 0x20 * boot_hart), 0);
}

/* QEMU's own keeps all of it. */
static void check_fresh_imsic(void)
{
	u64 any = imsic_read(IMSIC_EIDELIVERY) | imsic_read(IMSIC_EITHRESHOLD) |
		  imsic_read(IMSIC_EIE0) | imsic_read(IMSIC_EIP0);

	CHECK_SHYPER("interrupt file is empty", any == 0, "0x%lx", any);
}

static void check_fresh(void)
{
	unsigned long hart = other_hart();

	check_eq("image loaded again", boots, 1);
	if (irqchip() == IRQCHIP_PLIC)
		check_fresh_plic(2 * (u32)boot_hart + 1);
	else
		check_fresh_aplic();
	if (irqchip() == IRQCHIP_IMSIC)
		check_fresh_imsic();
	check_eq("UART IER", read_u8(UART_BASE + 1), 0);
	check_eq("UART MCR loop off", read_u8(UART_BASE + 4) & 0x10, 0);
	check_eq("boot satp", harts[boot_hart].first_satp, 0);
	check_eq("boot SIE", harts[boot_hart].first_status & SSTATUS_SIE, 0);
	check_eq("no interrupt pending", csr_read(sip), 0);
	if (hart < MAX_HARTS)
		check_eq("other hart stopped", (unsigned long)hart_status(hart), SBI_HSM_STOPPED);
}

/* Leaves traces that a reboot must remove. */
static void make_dirty(void)
{
	boots++;
	wire_listen(UART_IRQ);
	if (irqchip() == IRQCHIP_PLIC)
		write_u32(plic_threshold(2 * (u32)boot_hart + 1), 5);
	if (irqchip() == IRQCHIP_IMSIC) {
		imsic_write(IMSIC_EITHRESHOLD, 5);
		imsic_write(IMSIC_EIP0, -1UL);
	}
	write_u8(UART_BASE + 1, 0x0f);
	csr_write(sie, SIE_SSIE | SIE_STIE | SIE_SEIE);
	csr_set(sip, SIE_SSIE);
	set_timer(0);
	if (other_hart() < MAX_HARTS) {
		hart_run(other_hart(), busy, 0);
		WAIT_FOR(running, 1000);
	}
	mmu_on();
}

static void check_bad(unsigned long type, unsigned long reason)
{
	long error = sbi(SBI_EXT_SRST, 0, type, reason).error;

	/* A vendor's type may be either; OpenSBI says "not supported" to reserved ones too. */
	CHECK("bad reset", error == SBI_ERR_INVALID_PARAM ||
				   (error == SBI_ERR_NOT_SUPPORTED && !under_shyper()) ||
				   (error == SBI_ERR_NOT_SUPPORTED && type >= 0xf0000000),
	      "type 0x%lx reason 0x%lx: error %ld", type, reason, error);
}

static void obey(int key)
{
	make_dirty();
	switch (key) {
	case 'c':
		sbi(SBI_EXT_SRST, 0, SBI_SRST_COLD_REBOOT, SBI_SRST_NO_REASON);
		break;
	case 'w':
		sbi(SBI_EXT_SRST, 0, SBI_SRST_WARM_REBOOT, SBI_SRST_NO_REASON);
		break;
	case 'h':
		if (hart_count() > 2)
			hart_run(hart_count() - 1 == boot_hart ? boot_hart - 1 : hart_count() - 1,
				 reboot_here, SBI_SRST_COLD_REBOOT);
		break;
	case 'r':
		write_u32(FINISHER_BASE, FINISHER_RESET);
		break;
	case 's':
		sbi(SBI_EXT_SRST, 0, SBI_SRST_SHUTDOWN, SBI_SRST_NO_REASON);
		break;
	case 'f':
		sbi(SBI_EXT_SRST, 0, SBI_SRST_SHUTDOWN, SBI_SRST_SYSTEM_FAILURE);
		break;
	case 'p':
		write_u32(FINISHER_BASE, FINISHER_PASS);
		break;
	case 'x':
		write_u32(FINISHER_BASE, 7U << 16 | FINISHER_FAIL);
		break;
	}
	WAIT_FOR(false, 3000);
	CHECK("reset", false, "key %d did nothing", key);
}

void payload(void)
{
	int key;

	check_fresh();
	check_bad(3, 0);
	check_bad(0xefffffff, 0);
	check_bad(0xf0000000, 0);
	check_bad(0xffffffff, 0);
	check_bad(SBI_SRST_SHUTDOWN, 2);
	check_bad(SBI_SRST_SHUTDOWN, 0xdfffffff);
	check_bad(SBI_SRST_COLD_REBOOT, 2);
	write_u32(FINISHER_BASE, 0);
	write_u32(FINISHER_BASE, 0x1234);
	CHECK("finisher ignores other values", true, " ");
	say("reset ready\n");
	key = get_char(20000);
	obey(key);
}
