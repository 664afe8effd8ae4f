/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions that a payload provokes are recorded; all others end it as a failure. */
#include "guest.h"

/* Called by crt0.S alone. */
void trap(struct frame *f);
void user_enter(unsigned long entry, unsigned long a0);
void user_exit(void);

static void (*irq_fn[16])(void);

void irq_handle(unsigned int irq, void (*fn)(void))
{
	irq_fn[irq] = fn;
}

static void unexpected(const char *what, const struct frame *f)
{
	check_line(what, false);
	say("hart %lu scause 0x%lx stval 0x%lx sepc 0x%lx ra 0x%lx\n", this_hart()->id,
	    csr_read(scause), csr_read(stval), csr_read(sepc), f->x[1]);
	finish();
}

static unsigned long insn_length(unsigned long pc)
{
	return (*(u16 *)pc & 3) == 3 ? 4 : 2;
}

static unsigned long resume_pc(const struct frame *f, unsigned long cause, unsigned long status)
{
	if (!(status & SSTATUS_SPP))
		return (unsigned long)user_exit;
	if (cause == CAUSE_FETCH_ACCESS || cause == CAUSE_FETCH_PAGE ||
	    cause == CAUSE_FETCH_MISALIGNED)
		return f->x[1];
	return f->x[0] + insn_length(f->x[0]);
}

void trap(struct frame *f)
{
	struct hart *h = this_hart();
	unsigned long cause = csr_read(scause);
	struct trap *t = &h->trap;

	if ((long)cause < 0) {
		unsigned int irq = cause & 15;

		h->irqs[irq]++;
		if (!irq_fn[irq])
			unexpected("interrupt", f);
		irq_fn[irq]();
		return;
	}
	if (!h->armed)
		unexpected("trap", f);
	t->cause = cause;
	t->value = csr_read(stval);
	t->epc = f->x[0];
	t->status = csr_read(sstatus);
	t->count++;
	f->x[0] = resume_pc(f, cause, t->status);
	csr_set(sstatus, SSTATUS_SPP);
}

void trap_arm(void)
{
	struct hart *h = this_hart();

	h->trap = (struct trap){.cause = TRAP_NONE};
	h->armed = true;
	__asm__ volatile("" ::: "memory");
}

struct trap trap_disarm(void)
{
	struct hart *h = this_hart();

	__asm__ volatile("" ::: "memory");
	h->armed = false;
	return h->trap;
}

struct trap user_run(unsigned long entry, unsigned long a0)
{
	return TRY(user_enter(entry, a0));
}

bool have_sstc(void)
{
	struct trap t = TRY(csr_write(CSR_STIMECMP, ~0UL));

	return t.cause == TRAP_NONE;
}

/* stopei: there is an IMSIC. */
bool have_ssaia(void)
{
	struct trap t = TRY(csr_read(0x15c));

	return t.cause == TRAP_NONE;
}

/* sstatus.VS is hardwired to zero without vectors. */
bool have_vector(void)
{
	unsigned long old = csr_read(sstatus);
	unsigned long got;

	csr_set(sstatus, SSTATUS_VS);
	got = csr_read(sstatus) & SSTATUS_VS;
	csr_write(sstatus, old);
	return got != 0;
}
