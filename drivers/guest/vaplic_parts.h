/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to vaplic*.c: all that the domain knows of one source is one word, so that every change
 * is one compare-and-swap. The rules are at the top of vaplic_source.c.
 */
#ifndef VAPLIC_PARTS_H
#define VAPLIC_PARTS_H

#include <hv/vaplic.h>

/* A source's word; its upper half is target[i] as the guest reads it. */
#define SOURCE_MODE ((u64)7)	/* enum vaplic_mode */
#define SOURCE_PENDING BIT(3)
#define SOURCE_ENABLED BIT(4)
#define SOURCE_LEVEL BIT(5)	/* the wire of an emulated device is high */
#define SOURCE_HELD BIT(6)	/* a pulse, or an attached wire, that has not been taken */
#define SOURCE_IE BIT(7)	/* domaincfg.IE */
#define SOURCE_MSI BIT(8)	/* domaincfg.DM */
#define SOURCE_OWN BIT(9)	/* it exists */
#define SOURCE_WIRE BIT(10)	/* it is attached to a wire of the board */
#define SOURCE_SENDER BIT(16)	/* the unit of a count: harts that have an MSI of it on its way */
#define SOURCE_SENDERS GENMASK(23, 16)
#define SOURCE_TARGET GENMASK(63, 32)

#define DOMAINCFG_IE 0x100U
#define DOMAINCFG_DM 0x4U

#define TARGET_HART_SHIFT 18
#define TARGET_HART 0xfffc0000U
#define TARGET_EIID 0x7ffU
#define TARGET_IPRIO 0xffU

static inline u32 source_target(u64 word)
{
	return (u32)(word >> 32);
}

static inline u32 target_hart(u32 target)
{
	return target >> TARGET_HART_SHIFT;
}

static inline enum vaplic_mode source_mode(u64 word)
{
	return (enum vaplic_mode)(word & SOURCE_MODE);
}

static inline bool source_is_edge(u64 word)
{
	return source_mode(word) == VAPLIC_EDGE1 || source_mode(word) == VAPLIC_EDGE0;
}

static inline bool source_is_level(u64 word)
{
	return source_mode(word) == VAPLIC_LEVEL1 || source_mode(word) == VAPLIC_LEVEL0;
}

static inline bool source_is_wire(u64 word)
{
	return word & SOURCE_WIRE;
}

static inline u64 source_load(const struct vaplic *aplic, u32 source)
{
	return __atomic_load_n(&aplic->source[source], __ATOMIC_ACQUIRE);
}

static inline bool source_exists(const struct vaplic *aplic, u32 source)
{
	return source < VAPLIC_SOURCES && source_load(aplic, source) & SOURCE_OWN;
}

/* What the IDC of the target may report: pending and enabled, delivered directly. */
static inline bool source_asserts(u64 word)
{
	return (word & (SOURCE_PENDING | SOURCE_ENABLED | SOURCE_MSI)) ==
	       (SOURCE_PENDING | SOURCE_ENABLED);
}

/* ithreshold of a vCPU lets this priority pass. */
static inline bool idc_passes(const struct vaplic_idc *idc, u32 iprio)
{
	u32 threshold = __atomic_load_n(&idc->ithreshold, __ATOMIC_RELAXED);

	return !threshold || iprio < threshold;
}

/* Between a change and the look at who is concerned: see the top of vaplic_source.c. */
static inline void full_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The rectified input, as far as the word knows: of an attached wire, that it has interrupted. */
bool source_input(u64 word);

/* One change of a word; arg is the change's own. Pure: it may be called several times. */
typedef u64 source_change(u64 word, u32 arg);

/* What the guest's registers, the wires and the domain do to a source. */
source_change source_set_mode;		/* arg: enum vaplic_mode */
source_change source_set_target;	/* arg: as written */
source_change source_set_domain;	/* arg: domaincfg */
source_change source_set_enabled;	/* arg: 0 or 1 */
source_change source_set_pending;	/* arg unused */
source_change source_clear_pending;	/* arg unused */
source_change source_set_level;		/* arg: 0 or 1 */
source_change source_pulse;		/* arg unused */
source_change source_interrupt;		/* arg unused; an attached wire */
source_change source_restart;		/* arg: domaincfg */

/*
 * source_update() - make a change and all that follows from it: pending bits by the rules of the
 * mode, MSIs, kicks. Returns the word before.
 */
u64 source_update(struct vaplic *aplic, u32 source, source_change *change, u32 arg);

/*
 * source_claim() - a claim of a source whose word was judged to be claimed; false: it has changed
 * since, judge anew.
 */
bool source_claim(struct vaplic *aplic, u32 source, u64 word);

/*
 * source_configure() - a change that may concern the board's wire behind the source; without the
 * lock. _locked: with it.
 */
void source_configure(struct vaplic *aplic, u32 source, source_change *change, u32 arg);
void source_configure_locked(struct vaplic *aplic, u32 source, source_change *change, u32 arg);

/* source_lower() - an attached wire is low; the board's source may interrupt again. */
void source_lower(struct vaplic *aplic, u32 source);

/* vaplic_send() - an MSI to whom target says; to nobody, if that is nobody. */
void vaplic_send(struct vaplic *aplic, u32 target);

#endif
