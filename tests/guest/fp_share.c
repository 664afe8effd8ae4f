/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FP and vector registers beside other VMs on the same hart: zero at first, then always what was
 * loaded last, whatever the status bits say of it and however the hart was given away. Runs for
 * FP_SHARE_MS of the guest's time and counts what was not so.
 */
#include "fp.h"

#define FP_SHARE_MS 1000
#define UNITS (SSTATUS_FS | SSTATUS_VS)
#define CLEAN ((2UL << 13) | (2UL << 9))

static struct vec zero_v, in_v, out_v;
static bool vector;
static unsigned long misses;	/* of illegal instructions, to raise the exception */

static void pass_turn(void)
{
	__asm__ volatile(".4byte 0x00d00073" ::: "memory");	/* wrs.nto */
}

static void doze(void)
{
	set_timer(rdtime() + 200);
	csr_set(sie, SIE_STIE);
	wfi();
	set_timer(-1UL);
}

static void spin(u64 ticks)
{
	for (u64 end = rdtime() + ticks; rdtime() < end;)
		;
}

/* The status as it was before, so that a unit may come back Clean or Dirty. */
static void with_units(unsigned long status, void (*what)(void))
{
	unsigned long before = csr_read(sstatus);

	csr_clear(sstatus, UNITS);
	csr_set(sstatus, status);
	what();
	csr_clear(sstatus, UNITS);
	csr_set(sstatus, before & UNITS);
}

static void illegal(void)
{
	misses += TRY(__asm__ volatile(".4byte 0xffffffff")).cause != CAUSE_ILLEGAL;
	pass_turn();
	misses += TRY(__asm__ volatile(".4byte 0xffffffff")).cause != CAUSE_ILLEGAL;
}

static void use_while_off(void)
{
	pass_turn();
	misses += TRY(__asm__ volatile("fmv.d.x f0, zero")).cause != CAUSE_ILLEGAL;
}

static void disturb(unsigned long n)
{
	switch (n % 8) {
	case 0:
		pass_turn();
		break;
	case 1:		/* a guest may call Clean what it has saved nowhere */
		with_units(CLEAN, pass_turn);
		break;
	case 2:
		with_units(0, pass_turn);
		break;
	case 3:
		with_units(0, doze);
		break;
	case 4:
		doze();
		break;
	case 5:
		with_units(0, use_while_off);
		break;
	case 6:
		illegal();
		break;
	case 7:
		spin(n % 64 ? 50 : 6 * MS);
		break;
	}
}

static bool fp_round(u64 seed)
{
	struct fp in, out;

	for (unsigned long i = 0; i < 32; i++)
		in.f[i] = (seed + i) * 0x9e3779b97f4a7c15UL;
	in.fcsr = (seed % 5) << 5 | (seed & 31);
	fp_load(&in);
	disturb(seed);
	fp_store(&out);
	return !memcmp(&in, &out, sizeof(in));
}

static bool vec_round(u64 seed)
{
	for (unsigned long i = 0; i < 32 * vec_vlenb(); i++)
		in_v.reg[i] = (u8)((seed + i) * 0x9dU >> 3);
	in_v.vl = seed % 8;
	in_v.vtype = 0xc0 | (seed & 3) << 3;	/* ta, ma, e8 to e64, m1 */
	in_v.vcsr = seed % 8;
	in_v.vl %= vec_vlenb() / (1UL << (seed & 3)) + 1;
	vec_load(&in_v);
	disturb(seed);
	vec_store(&out_v);
	return !memcmp(&in_v, &out_v, sizeof(in_v));
}

static void check_zero(void)
{
	static const struct fp zero;
	struct fp fp;

	fp_store(&fp);
	CHECK("FP registers are zero at first", !memcmp(&fp, &zero, sizeof(fp)), "0x%lx", fp.f[0]);
	if (!vector)
		return;
	vec_store(&out_v);
	CHECK("no vtype at first", out_v.vtype == 1UL << 63, "0x%lx", out_v.vtype);
	out_v.vtype = 0;
	CHECK("vector registers are zero at first", !memcmp(&out_v, &zero_v, sizeof(out_v)), " ");
}

void payload(void)
{
	u64 end = rdtime() + FP_SHARE_MS * MS;
	unsigned long rounds = 0, bad = 0;
	u64 seed;

	vector = have_vector();
	if (vector)
		csr_set(sstatus, SSTATUS_VS);
	check_zero();
	__asm__ volatile("rdcycle %0" : "=r"(seed));
	for (; rdtime() < end; rounds++) {
		bad += !fp_round(seed + rounds);
		if (vector)
			bad += !vec_round(seed + 3 * rounds);
	}
	CHECK("kept", !bad, "%lu of %lu rounds", bad, rounds);
	CHECK("illegal instructions are", !misses, "%lu were not", misses);
	say("# %lu rounds\n", rounds);
}
