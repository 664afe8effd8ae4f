/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a payload is made of: checks, printing, traps, harts. A payload supplies payload();
 * the library prints a line per check, `done N passed, M failed`, and powers off: SRST shutdown
 * without a reason when all passed, with reason "system failure" otherwise.
 * Only the boot hart prints; other harts report through variables.
 */
#ifndef GUEST_H
#define GUEST_H

#include <hv/string.h>
#include <hv/types.h>

#include "board.h"
#include "csr.h"
#include "sbi.h"

#define MAX_HARTS 32
#define TRAP_NONE (~0UL)

/* The last trap taken while armed. cause is TRAP_NONE when there was none. */
struct trap {
	unsigned long cause;
	unsigned long value;
	unsigned long epc;
	unsigned long status;
	unsigned long count;
};

/* Saved by the trap vector; x[0] holds the pc to return to. */
struct frame {
	unsigned long x[32];
};

/* One per hart id; tp points to it. crt0.S knows the first five fields. */
struct hart {
	unsigned long id;
	unsigned long stack; /* top of its stack */
	unsigned long first_status; /* sstatus when it last entered the image */
	unsigned long first_a0;
	unsigned long first_satp;
	void (*run)(unsigned long arg);
	unsigned long arg;
	bool armed;
	struct trap trap;
	volatile unsigned long irqs[16]; /* taken, by interrupt number */
};

extern struct hart harts[MAX_HARTS];
extern unsigned long boot_hart; /* a0 at entry */
extern unsigned long boot_dtb; /* a1 at entry */
extern char hart_entry[]; /* where hart_run starts a hart: a1 points to its struct hart */

/* Supplied by each payload, run on the boot hart with interrupts off. */
void payload(void);

static inline struct hart *this_hart(void)
{
	struct hart *h;

	__asm__ volatile("mv %0, tp" : "=r"(h));
	return h;
}

/* ---- output: %s %c %d %u %x, with l for long (%ld %lu %lx); \n becomes \r\n ---- */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_char(char c);
/* The next byte received, or -1 when none came in so many ms. */
int get_char(unsigned long ms);

/* ---- checks ---- */
bool check_line(const char *name, bool good);
/* The detail is printed only when cond is false; the check ends the payload never. */
#define CHECK(name, cond, ...) \
	do { \
		if (!check_line(name, cond)) { \
			say(__VA_ARGS__); \
			say("\n"); \
		} \
	} while (0)
/* Holds only under Shyper, where bare OpenSBI 1.5 is known to differ. */
#define CHECK_SHYPER(name, cond, ...) \
	do { \
		if (under_shyper()) \
			CHECK(name, cond, __VA_ARGS__); \
		else \
			say("skip %s\n", name); \
	} while (0)
void check_eq(const char *name, unsigned long got, unsigned long want);
void check_err(const char *name, struct sbiret ret, long want);
/* cause TRAP_NONE: no trap was expected. */
void check_trap(const char *name, struct trap t, unsigned long cause, unsigned long value);
void check_cause(const char *name, struct trap t, unsigned long cause);
void finish(void) __attribute__((noreturn));

/* ---- traps: an exception outside TRY ends the payload as a failure ---- */
void trap_arm(void);
struct trap trap_disarm(void);
/* Runs code; an exception in it is recorded and the instruction skipped (a fetch fault: to ra). */
#define TRY(code) \
	({ \
		trap_arm(); \
		code; \
		trap_disarm(); \
	})
/* Installs fn for an interrupt (NULL removes it); an unhandled interrupt ends the payload. */
void irq_handle(unsigned int irq, void (*fn)(void));
/* Runs the instructions from `entry` in U-mode until they trap; sp, gp, tp must not be used. */
struct trap user_run(unsigned long entry, unsigned long a0);
bool have_sstc(void);
bool have_ssaia(void);
bool have_vector(void);

/* ---- wires of devices, level-sensitive, by whichever interrupt controller there is ---- */
enum irqchip {
	IRQCHIP_PLIC = 1,
	IRQCHIP_APLIC, /* without IMSICs */
	IRQCHIP_IMSIC,
};
enum irqchip irqchip(void);
/* From now on the source's interrupts come to this hart's SEIP; sie is the caller's. */
void wire_listen(u32 source);
/* Has it interrupted this hart, and is not claimed yet? */
bool wire_pending(u32 source);
/* Takes the source that has interrupted this hart, 0: none; wire_done() when it is served. */
u32 wire_claim(void);
void wire_done(u32 source);
/* Registers of this hart's interrupt file, by siselect. */
#define IMSIC_EIDELIVERY 0x70
#define IMSIC_EITHRESHOLD 0x72
#define IMSIC_EIP0 0x80
#define IMSIC_EIE0 0xc0
u64 imsic_read(unsigned long select);
void imsic_write(unsigned long select, u64 value);

/* ---- time and harts ---- */
#define MS (TIMEBASE / 1000)
/* True as soon as cond is; false when it is still not after so many ms. */
#define WAIT_FOR(cond, ms) \
	({ \
		unsigned long end_ = rdtime() + (ms) * MS; \
		bool met_; \
		do \
			met_ = !!(cond); \
		while (!met_ && rdtime() < end_); \
		met_; \
	})
/* Hart ids are 0 … count - 1 on the virt board. */
unsigned long hart_count(void);
/* A hart that is not the boot hart; MAX_HARTS when there is none. */
unsigned long other_hart(void);
/* Starts hart id at run(arg) with interrupts off; the hart stops when run returns. */
struct sbiret hart_run(unsigned long id, void (*run)(unsigned long arg), unsigned long arg);
/* True when the hart is seen stopped within a minute: the host may be slow. */
bool hart_wait_stopped(unsigned long id);

/* ---- Sv39: identity map by 1G pages, devices RW, RAM RWX; RAM again for U at USER_BASE ---- */
#define USER_BASE 0x100000000UL
void mmu_on(void);
void mmu_off(void);
/* Maps 4 KiB of RAM at MMU_PAGE with these PTE flags (V R W X U G A D from bit 0). */
#define MMU_PAGE 0x140000000UL
void mmu_page(unsigned long pa, unsigned long flags);
/* The same without an sfence.vma. */
void mmu_page_unfenced(unsigned long pa, unsigned long flags);
/* The page behind it, at MMU_PAGE + 4096. */
void mmu_next_page(unsigned long pa, unsigned long flags);

#endif
