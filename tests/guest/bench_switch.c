/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it costs to change from one vCPU to another, in whole-machine instructions, for runs under
 * -icount shift=0: two VMs on one hart execute this and give their turn to each other by WRS.NTO.
 * Prints `bench NAME value` per state of the FP and vector units. Both are always in the same
 * phase, or one turn apart.
 */
#include "guest.h"

#define REPEAT 2000UL
#define INSNS_PER_TICK (1000000000UL / TIMEBASE)

static void pass_turn(void)
{
	__asm__ volatile(".4byte 0x00d00073" ::: "memory");	/* wrs.nto */
}

static void leave_alone(void)
{
}

static void use_fp(void)
{
	__asm__ volatile("fmv.d.x f0, zero");
}

static void use_vector(void)
{
	__asm__ volatile(".option push\n.option arch, +v\nvsetivli zero, 1, e8, m1, ta, ma\n"
			 "vmv.v.i v0, 1\n.option pop");
}

static void phase(const char *name, unsigned long status, void (*use)(void))
{
	unsigned long start;

	csr_clear(sstatus, SSTATUS_FS | SSTATUS_VS);
	csr_set(sstatus, status);
	for (unsigned long i = 0; i < 8; i++) {
		use();
		pass_turn();
	}
	start = rdtime();
	for (unsigned long i = 0; i < REPEAT; i++) {
		use();
		pass_turn();
	}
	say("bench %s %lu\n", name, (rdtime() - start) * INSNS_PER_TICK / (2 * REPEAT));
}

#define CLEAN(unit) ((unit) & ((unit) << 1))

void payload(void)
{
	bool v = have_vector();

	phase("switch", 0, leave_alone);
	phase("switch_fp_clean", CLEAN(SSTATUS_FS), leave_alone);
	phase("switch_fp", SSTATUS_FS, use_fp);
	if (v) {
		phase("switch_vector_clean", CLEAN(SSTATUS_VS), leave_alone);
		phase("switch_vector", SSTATUS_VS, use_vector);
	}
	CHECK("bench ran", true, " ");
}
