/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What vCPUs that are moved from hart to hart may lose: IPIs, messages, timers, what their
 * interrupt files have enabled. Harts wake each other in a ring, from WFI, from suspension and in
 * loops; each counts what it has missed. A byte of input ends it: `q`.
 */
#include "guest.h"

#define SISELECT 0x150
#define SIREG 0x151
#define EIDELIVERY 0x70UL
#define EIP0 0x80UL
#define EIE0 0xc0UL
#define IDS 255UL
#define LATE (5000 * MS)	/* no host is that slow */

struct station {
	volatile unsigned long sent;		/* rounds that the one before has begun */
	volatile unsigned long got;
	volatile unsigned long ipis, messages, timers;
	volatile unsigned long wrong;
} __attribute__((aligned(64)));

static struct station station[MAX_HARTS];
static unsigned long harts_here;
static bool imsic;
static volatile bool stop;

static void wr(unsigned long select, unsigned long value)
{
	csr_write(SISELECT, select);
	csr_write(SIREG, value);
}

static unsigned long rd(unsigned long select)
{
	csr_write(SISELECT, select);
	return csr_read(SIREG);
}

static void on_soft(void)
{
	csr_clear(sip, SIE_SSIE);
	station[this_hart()->id].ipis++;
}

/* Identities come in order, 1 to 255 and again; what is enabled stays so. */
static void on_external(void)
{
	struct station *me = &station[this_hart()->id];
	unsigned long top;

	for (;;) {
		__asm__ volatile("csrrw %0, 0x15c, zero" : "=r"(top)::"memory");
		if (!top)
			return;
		me->wrong += top >> 16 != 1 + me->messages % IDS;
		me->messages++;
	}
}

static void on_timer(void)
{
	set_timer(-1UL);
	station[this_hart()->id].timers++;
}

static void listen(void)
{
	if (imsic) {
		for (unsigned long w = 0; w < 4; w++)
			wr(EIE0 + 2 * w, -1UL);
		wr(EIDELIVERY, 1);
	}
	csr_set(sie, SIE_SSIE | SIE_STIE | (imsic ? SIE_SEIE : 0));
	irqs_on();
}

/* An IPI and a message to the next one, which it has to have before there are others. */
static void send(unsigned long to, unsigned long round)
{
	__asm__ volatile("fence w, o" ::: "memory");
	send_ipi(1UL << to, 0);
	if (imsic)
		write_u32(IMSIC_BASE + to * 0x1000, (u32)(1 + round % IDS));
}

static bool arrived(const struct station *me, unsigned long round)
{
	return me->ipis > round && (!imsic || me->messages > round);
}

/* Sleeps in turn by WFI, by HSM, and not at all. The timer ends what nothing else does. */
static bool await(struct station *me, unsigned long round)
{
	unsigned long end = rdtime() + LATE;

	while (!arrived(me, round)) {
		if (stop || rdtime() > end)
			return false;
		if (round % 3 == 2)
			continue;
		irqs_off();
		if (!arrived(me, round)) {
			set_timer(rdtime() + MS);
			if (round % 3)
				wfi();
			else
				sbi(SBI_EXT_HSM, SBI_HSM_SUSPEND, SBI_HSM_RETENTIVE);
		}
		irqs_on();
	}
	return true;
}

/* The file of a hart keeps what it has, wherever it is. */
static bool file_is_whole(void)
{
	bool whole = true;

	if (!imsic)
		return true;
	irqs_off();
	for (unsigned long w = 0; w < 4; w++)
		whole &= rd(EIE0 + 2 * w) == (w ? -1UL : -2UL);
	whole &= rd(EIDELIVERY) == 1;
	irqs_on();
	return whole;
}

static void ring(unsigned long id)
{
	struct station *me = &station[id];
	unsigned long next = (id + 1) % harts_here;

	listen();
	for (unsigned long round = 0; !stop; round++) {
		if (id == boot_hart)
			send(next, round);
		if (!await(me, round)) {
			me->wrong += !stop;
			break;
		}
		me->got = round + 1;
		me->wrong += !file_is_whole();
		sbi(SBI_EXT_RFENCE, SBI_RFENCE_SFENCE_VMA, 1UL << next, 0);
		if (id != boot_hart)
			send(next, round);
		else if (round % 64 == 0 && get_char(0) == 'q')
			stop = true;
		else if (round % 256 == 255)
			say("round %lu\n", round + 1);
	}
	irqs_off();
	stop = true;
}

void payload(void)
{
	unsigned long timers;

	harts_here = hart_count();
	imsic = have_ssaia();
	irq_handle(IRQ_SOFT, on_soft);
	irq_handle(IRQ_TIMER, on_timer);
	irq_handle(IRQ_EXT, on_external);
	say("ring of %lu, %s\n", harts_here, imsic ? "messages" : "IPIs");
	for (unsigned long i = 0; i < harts_here; i++)
		if (i != boot_hart)
			hart_run(i, ring, i);
	ring(boot_hart);
	for (unsigned long i = 0; i < harts_here; i++)
		if (i != boot_hart)
			CHECK("it ends", hart_wait_stopped(i), "hart %lu", i);
	timers = 0;
	for (unsigned long i = 0; i < harts_here; i++) {
		CHECK("nothing was lost", station[i].wrong == 0, "hart %lu: %lu, round %lu, %lu "
		      "IPIs, %lu messages", i, station[i].wrong, station[i].got, station[i].ipis,
		      station[i].messages);
		timers += station[i].timers;
	}
	say("rounds %lu, timers %lu\n", station[boot_hart].got, timers);
}
