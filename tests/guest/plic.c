/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PLIC: every register reads back, priorities and thresholds hold interrupts back, claim and
 * complete, and each interrupt is taken once when two harts want it. The source is the UART's
 * transmitter-empty interrupt.
 */
#include "guest.h"

#define IER (UART_BASE + 1)
#define IER_THRE 2
#define SOURCES 96U
#define ROUNDS 200UL

static u32 ctx;
static volatile unsigned long taken;
static volatile unsigned long spurious;
static volatile unsigned long done;
static volatile bool leave;

static void raise(void)
{
	write_u8(IER, 0);
	write_u8(IER, IER_THRE);
}

static void lower(void)
{
	write_u8(IER, 0);
}

static bool pending(u32 irq)
{
	return read_u32(plic_pending(irq)) & 1U << irq % 32;
}

static bool seip(void)
{
	return csr_read(sip) & SIE_SEIE;
}

static void check_priorities(void)
{
	u32 bad = 0;

	write_u32(plic_prio(0), 7);
	check_eq("source 0 has no priority", read_u32(plic_prio(0)), 0);
	for (u32 irq = 1; irq < SOURCES; irq++) {
		u32 want = irq % 8;

		write_u32(plic_prio(irq), want);
		bad += read_u32(plic_prio(irq)) != want;
	}
	check_eq("priorities read back", bad, 0);
	write_u32(plic_prio(1), 0xffffffff);
	CHECK("priority keeps legal bits", read_u32(plic_prio(1)) <= 7, "0x%x",
	      read_u32(plic_prio(1)));
	for (u32 irq = 1; irq < SOURCES; irq++)
		write_u32(plic_prio(irq), 0);
}

static void check_contexts(void)
{
	u32 bad = 0;
	u32 n = (u32)hart_count();

	for (u32 h = 0; h < n; h++) {
		u32 c = 2 * h + 1;

		for (u32 irq = 0; irq < SOURCES; irq += 32) {
			write_u32(plic_enable(c, irq), 0x5a5a5a5a ^ h ^ irq);
			bad += ((read_u32(plic_enable(c, irq)) ^ 0x5a5a5a5a ^ h ^ irq) &
				(irq ? ~0U : ~1U)) != 0;
		}
		write_u32(plic_threshold(c), (h + 3) % 8);
	}
	for (u32 h = 0; h < n; h++) {
		u32 c = 2 * h + 1;

		bad += ((read_u32(plic_enable(c, 64)) ^ 0x5a5a5a5a ^ h ^ 64)) != 0;
		bad += read_u32(plic_threshold(c)) != (h + 3) % 8;
		for (u32 irq = 0; irq < SOURCES; irq += 32)
			write_u32(plic_enable(c, irq), 0);
		write_u32(plic_threshold(c), 0);
	}
	check_eq("contexts read back, apart from each other", bad, 0);
	write_u32(plic_enable(ctx, 0), 1);
	CHECK_SHYPER("source 0 cannot be enabled", !(read_u32(plic_enable(ctx, 0)) & 1), "it is");
	write_u32(plic_enable(ctx, 0), 0);
	write_u32(plic_threshold(ctx), 0xffffffff);
	CHECK("threshold keeps legal bits", read_u32(plic_threshold(ctx)) <= 7, "0x%x",
	      read_u32(plic_threshold(ctx)));
	write_u32(plic_threshold(ctx), 0);
	write_u32(plic_pending(UART_IRQ), 0xffffffff);
	check_eq("pending is read-only", read_u32(plic_pending(UART_IRQ)), 0);
}

static void check_idle(void)
{
	check_eq("claim of nothing", read_u32(plic_claim(ctx)), 0);
	write_u32(plic_claim(ctx), 0);
	write_u32(plic_claim(ctx), 9999);
	write_u32(plic_claim(ctx), UART_IRQ);
	check_eq("completions nobody waits for", read_u32(plic_claim(ctx)), 0);
}

/* Printing moves the UART's line, so the checks are told when the story is over. */
static void check_story(void)
{
	bool up, disabled, no_priority, on, equal, below, quiet, again, low;
	u32 first, second, third;

	raise();
	up = WAIT_FOR(pending(UART_IRQ), 1000);
	disabled = seip();
	write_u32(plic_enable(ctx, UART_IRQ), 1U << UART_IRQ);
	no_priority = seip();
	write_u32(plic_prio(UART_IRQ), 3);
	on = WAIT_FOR(seip(), 1000);
	write_u32(plic_threshold(ctx), 3);
	equal = seip();
	write_u32(plic_threshold(ctx), 2);
	below = WAIT_FOR(seip(), 1000);
	first = read_u32(plic_claim(ctx));
	quiet = !pending(UART_IRQ) && !seip();
	second = read_u32(plic_claim(ctx));
	write_u32(plic_claim(ctx), UART_IRQ);
	again = WAIT_FOR(seip(), 1000);
	third = read_u32(plic_claim(ctx));
	lower();
	write_u32(plic_claim(ctx), UART_IRQ);
	low = WAIT_FOR(seip(), 2);
	write_u32(plic_threshold(ctx), 0);

	CHECK("pending", up, "no");
	CHECK("disabled: not for us", !disabled, "SEIP");
	CHECK("priority 0: not for us", !no_priority, "SEIP");
	CHECK("SEIP", on, "clear");
	CHECK("equal threshold holds back", !equal, "SEIP");
	CHECK("lower threshold lets pass", below, "SEIP clear");
	check_eq("claim", first, UART_IRQ);
	CHECK("claimed: not pending", quiet, "pending");
	check_eq("claimed once", second, 0);
	/* QEMU's PLIC looks at edges only. */
	CHECK_SHYPER("completed with the line high: again", again, "SEIP clear");
	CHECK_SHYPER("claim again", third == UART_IRQ, "%u", third);
	CHECK("completed with the line low: quiet", !low, "SEIP");
}

/* A completion for a source that the context does not enable is ignored. */
static void check_disabled_complete(void)
{
	bool ignored, completed;
	u32 irq;

	raise();
	WAIT_FOR(seip(), 1000);
	irq = read_u32(plic_claim(ctx));
	write_u32(plic_enable(ctx, UART_IRQ), 0);
	write_u32(plic_claim(ctx), UART_IRQ);
	write_u32(plic_enable(ctx, UART_IRQ), 1U << UART_IRQ);
	ignored = !WAIT_FOR(seip(), 2);
	write_u32(plic_claim(ctx), UART_IRQ);
	completed = WAIT_FOR(seip(), 1000);
	lower();
	write_u32(plic_claim(ctx), read_u32(plic_claim(ctx)));

	check_eq("claim for a late completion", irq, UART_IRQ);
	CHECK_SHYPER("completion while disabled is ignored", ignored, "SEIP");
	CHECK_SHYPER("completed", completed, "SEIP clear");
}

static void on_external(void)
{
	u32 own = 2 * (u32)this_hart()->id + 1;
	u32 irq = read_u32(plic_claim(own));

	if (irq == UART_IRQ) {
		lower();
		__atomic_fetch_add(&taken, 1, __ATOMIC_SEQ_CST);
		write_u32(plic_claim(own), irq);
		__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	} else if (irq == 0) {
		__atomic_fetch_add(&spurious, 1, __ATOMIC_SEQ_CST);
	}
}

static bool rounds(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		raise();
		if (!WAIT_FOR(done == i + 1, 2000))
			return false;
	}
	return true;
}

static void listener(unsigned long ready)
{
	u32 own = 2 * (u32)this_hart()->id + 1;

	write_u32(plic_enable(own, UART_IRQ), 1U << UART_IRQ);
	write_u32(plic_threshold(own), 0);
	csr_set(sie, SIE_SEIE);
	irqs_on();
	*(volatile bool *)ready = true;
	while (!leave)
		;
}

static void check_interrupts(void)
{
	irq_handle(IRQ_EXT, on_external);
	csr_set(sie, SIE_SEIE);
	irqs_on();
	CHECK("interrupts", rounds(ROUNDS), "%lu of %lu", done, ROUNDS);
	irqs_off();
	check_eq("each taken once", taken, ROUNDS);
}

static void check_two(unsigned long hart)
{
	static volatile bool ready;

	taken = spurious = done = 0;
	hart_run(hart, listener, (unsigned long)&ready);
	WAIT_FOR(ready, 1000);
	irqs_on();
	CHECK("two harts listen", rounds(ROUNDS), "%lu of %lu", done, ROUNDS);
	irqs_off();
	check_eq("each taken by one of them", taken, ROUNDS);
	write_u32(plic_enable(ctx, UART_IRQ), 0);
	taken = done = 0;
	CHECK("only the other listens", rounds(ROUNDS), "%lu of %lu", done, ROUNDS);
	check_eq("all went there", taken, ROUNDS);
	say("# lost races: %lu\n", spurious);
	leave = true;
	hart_wait_stopped(hart);
}

void payload(void)
{
	ctx = 2 * (u32)boot_hart + 1;
	lower();
	write_u32(plic_threshold(ctx), 0);
	check_priorities();
	check_contexts();
	check_idle();
	check_story();
	check_disabled_complete();
	check_interrupts();
	if (other_hart() < MAX_HARTS)
		check_two(other_hart());
	lower();
}
