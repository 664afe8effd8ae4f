/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the harts can do, found out at run time: from the ISA string and by trying the CSRs.
 */
#ifndef ASM_FEATURES_H
#define ASM_FEATURES_H

#include <hv/types.h>

struct board_hart;

enum feature {
	FEATURE_SSTC,		/* stimecmp, and henvcfg.STCE sticks: guests own vstimecmp */
	FEATURE_STIMECMP,	/* stimecmp for Shyper itself */
	FEATURE_SVNAPOT,
	FEATURE_SVPBMT,
	FEATURE_FP,		/* F and D */
	FEATURE_VECTOR,
	FEATURE_ZICBOM,
	FEATURE_ZICBOZ,
	FEATURE_HSTATEEN,
	FEATURE_AIA,		/* Ssaia, with an IMSIC that the board's tree describes */
};

/* What every hart of the board has in common. Fixed after boot. */
struct features {
	u64 bits;		/* 1 << enum feature */
	u8 gstage_modes;	/* bit n: hgatp mode Sv39x4 + n works */
	u8 vmid_bits;
	u64 henvcfg;		/* the value every hart runs guests with */
	u64 hedeleg;		/* what stuck of the wanted delegation */
	u32 cbom_block;		/* bytes of a cache block; 0: caches cannot be flushed */
	u32 vlenb;		/* bytes per vector register; 0: no vector unit */
	u64 units;		/* UNITS_* that there are (asm/units.h) */
};

extern struct features features;

static inline bool feature(enum feature f)
{
	return features.bits & BIT(f);
}

/*
 * features_boot() - detect on the boot hart; features_hart() - compare a further hart: false, with
 * *missing set, when it lacks something the boot hart has and so cannot run the same guests.
 */
void features_boot(const struct board_hart *hart);
bool features_hart(const struct board_hart *hart, const char **missing);

#endif
