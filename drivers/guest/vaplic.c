/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of the guest's APLIC, its IDC structures and its life. What becomes of a source,
 * and why no lock is needed for that: vaplic_source.c. Sections are those of the AIA specification
 * 1.0.
 */
#include <hv/check.h>
#include <hv/errno.h>
#include <hv/string.h>

#include "vaplic_parts.h"

/* Table in section 4.5. */
#define DOMAINCFG 0x0U
#define SOURCECFG_END 0x1000U
#define BANKS 0x1c00U
#define BANK_SIZE 0x100U
#define BANK_WORDS 0x80U	/* bytes of its array */
#define BANK_NUMBER 0xdcU	/* offset of its register that takes a number */
#define SETIPNUM_LE 0x2000U
#define SETIPNUM_BE 0x2004U
#define GENMSI 0x3000U
#define IDCS 0x4000U

#define IDC_SIZE 0x20U
#define IDELIVERY 0x0U
#define IFORCE 0x4U
#define ITHRESHOLD 0x8U
#define TOPI 0x18U
#define CLAIMI 0x1cU

#define DOMAINCFG_FIXED 0x80000000U
#define SOURCECFG_D 0x400U
#define TOPI_SOURCE_SHIFT 16

/*
 * How often a claim judges anew: after another vCPU's claim, after a wire that was found low.
 * Beyond that it answers "none", as claims may; what is left keeps the input high.
 */
#define CLAIM_TRIES (2 * VAPLIC_VCPUS)

static inline u32 read32(const u32 *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void kick(const struct vaplic *aplic, u32 vcpu)
{
	aplic->hooks->kick(aplic->ctx, vcpu);
}

/* ---- Sources as the registers show them ---- */

static bool wire_input(const struct vaplic *aplic, u32 source)
{
	return aplic->wire_ops->input(aplic->ctx, source);
}

static bool is_pending(const struct vaplic *aplic, u32 source)
{
	u64 word = source_load(aplic, source);

	if (!source_is_wire(word) || source_mode(word) == VAPLIC_INACTIVE)
		return word & SOURCE_PENDING;
	if (source_is_level(word) && !(word & SOURCE_MSI))
		return wire_input(aplic, source);
	return word & SOURCE_PENDING || aplic->wire_ops->pending(aplic->ctx, source);
}

static bool is_high(const struct vaplic *aplic, u32 source)
{
	u64 word = source_load(aplic, source);

	if (source_is_wire(word) && (source_is_edge(word) || source_is_level(word)))
		return wire_input(aplic, source);
	return source_input(word);
}

static bool is_enabled(const struct vaplic *aplic, u32 source)
{
	return source_load(aplic, source) & SOURCE_ENABLED;
}

static void set_pending(struct vaplic *aplic, u32 source)
{
	u64 word = source_load(aplic, source);

	if (source_mode(word) == VAPLIC_INACTIVE)
		return;
	if (source_is_wire(word) && word & SOURCE_MSI)
		aplic->wire_ops->set_pending(aplic->ctx, source);
	else
		source_update(aplic, source, source_set_pending, 0);
}

static void clear_pending(struct vaplic *aplic, u32 source)
{
	u64 word = source_update(aplic, source, source_clear_pending, 0);

	if (!source_is_wire(word) || source_mode(word) == VAPLIC_INACTIVE)
		return;
	/* Delivered directly, a level is not to be cleared; the board may see that otherwise. */
	if (!source_is_level(word) || word & SOURCE_MSI)
		aplic->wire_ops->clear_pending(aplic->ctx, source);
}

static void enable(struct vaplic *aplic, u32 source)
{
	source_configure(aplic, source, source_set_enabled, 1);
}

static void disable(struct vaplic *aplic, u32 source)
{
	source_configure(aplic, source, source_set_enabled, 0);
}

/*
 * Sections 4.5.5 to 4.5.12: four banks of equal form, an array with a bit for each source and a
 * register that takes a source's number.
 */
static const struct bank {
	bool (*read)(const struct vaplic *aplic, u32 source);	/* NULL: zero */
	void (*write)(struct vaplic *aplic, u32 source);
} banks[] = {
	{ is_pending, set_pending },	/* setip, setipnum */
	{ is_high, clear_pending },	/* in_clrip, clripnum */
	{ is_enabled, enable },		/* setie, setienum */
	{ NULL, disable },		/* clrie, clrienum */
};

static u32 read_bits(const struct vaplic *aplic, const struct bank *bank, u32 first)
{
	u32 value = 0;

	for (u32 i = 0; bank->read && i < 32; i++)
		if (source_exists(aplic, first + i) && bank->read(aplic, first + i))
			value |= 1U << i;
	return value;
}

static void write_number(struct vaplic *aplic, const struct bank *bank, u32 source)
{
	if (source_exists(aplic, source))
		bank->write(aplic, source);
}

static void write_bits(struct vaplic *aplic, const struct bank *bank, u32 first, u32 bits)
{
	for (; bits; bits &= bits - 1)
		write_number(aplic, bank, first + (u32)__builtin_ctz(bits));
}

static u32 access_bank(struct vaplic *aplic, u32 offset, const struct mmio_access *acc)
{
	const struct bank *bank = &banks[offset / BANK_SIZE];
	u32 reg = offset % BANK_SIZE;

	if (reg == BANK_NUMBER && acc->write)
		write_number(aplic, bank, (u32)acc->value);
	if (reg >= BANK_WORDS)
		return 0;
	if (!acc->write)
		return read_bits(aplic, bank, 8 * reg);
	write_bits(aplic, bank, 8 * reg, (u32)acc->value);
	return 0;
}

static u32 access_sourcecfg(struct vaplic *aplic, u32 source, const struct mmio_access *acc)
{
	u32 value = (u32)acc->value, mode = value & SOURCE_MODE;

	if (!source_exists(aplic, source))
		return 0;
	if (!acc->write)
		return source_mode(source_load(aplic, source));
	/* No child to delegate to; modes 2 and 3 are reserved. */
	if (value & SOURCECFG_D || mode == 2 || mode == 3)
		mode = VAPLIC_INACTIVE;
	source_configure(aplic, source, source_set_mode, mode);
	return 0;
}

static u32 access_target(struct vaplic *aplic, u32 source, const struct mmio_access *acc)
{
	if (!source_exists(aplic, source))
		return 0;
	if (!acc->write)
		return source_target(source_load(aplic, source));
	source_configure(aplic, source, source_set_target, (u32)acc->value);
	return 0;
}

/* ---- The domain ---- */

/* domaincfg for what somebody wrote: IE as it is, DM where there is a choice, BE never. */
static u32 domaincfg_of(const struct vaplic *aplic, u32 value)
{
	u32 dm = !aplic->eiids ? 0 : !aplic->direct ? DOMAINCFG_DM : value & DOMAINCFG_DM;

	return DOMAINCFG_FIXED | (value & DOMAINCFG_IE) | dm;
}

/* Each source that exists has its copy. */
static void set_domain(struct vaplic *aplic, u32 domaincfg, source_change *change)
{
	__atomic_store_n(&aplic->domaincfg, domaincfg, __ATOMIC_RELAXED);
	for (u32 source = 1; source < aplic->sources; source++)
		if (source_exists(aplic, source))
			source_configure_locked(aplic, source, change, domaincfg);
	full_fence();
	for (u32 vcpu = 0; vcpu < aplic->vcpus; vcpu++)
		kick(aplic, vcpu);
}

static u32 access_domaincfg(struct vaplic *aplic, const struct mmio_access *acc)
{
	u32 now = domaincfg_of(aplic, (u32)acc->value);

	if (!acc->write)
		return read32(&aplic->domaincfg);
	spin_lock(&aplic->lock);
	if (now != aplic->domaincfg)
		set_domain(aplic, now, source_set_domain);
	spin_unlock(&aplic->lock);
	return 0;
}

static bool msis_under_way(const struct vaplic *aplic)
{
	for (u32 source = 1; source < aplic->sources; source++)
		if (source_load(aplic, source) & SOURCE_SENDERS)
			return true;
	return false;
}

/* Section 4.5.15. Never busy: what was sent before has arrived, and this one has when we return. */
static enum mmio_result access_genmsi(struct vaplic *aplic, struct mmio_access *acc)
{
	u32 value = (u32)acc->value & (TARGET_HART | TARGET_EIID);

	bool msi = read32(&aplic->domaincfg) & DOMAINCFG_DM;

	if (!acc->write) {
		acc->value = msi ? read32(&aplic->genmsi) : 0;
	} else if (msi) {
		if (msis_under_way(aplic))
			return MMIO_AGAIN;
		__atomic_store_n(&aplic->genmsi, value, __ATOMIC_RELAXED);
		vaplic_send(aplic, value);
	}
	return MMIO_OK;
}

static u32 access_page(struct vaplic *aplic, const struct mmio_access *acc)
{
	u32 offset = (u32)acc->offset, value = (u32)acc->value;

	if (offset == DOMAINCFG)
		return access_domaincfg(aplic, acc);
	if (offset < SOURCECFG_END)
		return access_sourcecfg(aplic, offset / 4, acc);
	if (offset > GENMSI)
		return access_target(aplic, (offset - GENMSI) / 4, acc);
	if (offset - BANKS < ARRAY_SIZE(banks) * BANK_SIZE)
		return access_bank(aplic, offset - BANKS, acc);
	if (acc->write && offset == SETIPNUM_LE)
		write_number(aplic, &banks[0], value);
	if (acc->write && offset == SETIPNUM_BE)
		write_number(aplic, &banks[0], __builtin_bswap32(value));
	return 0;
}

/* ---- Direct delivery: section 4.8 ---- */

/*
 * The best source that asserts for this vCPU, and its word: least priority number, then least
 * source number. 0: none.
 */
static u32 best(const struct vaplic *aplic, u32 vcpu, u64 *found)
{
	u32 source = 0, floor = TARGET_IPRIO + 1;

	for (u32 i = 0; i < VAPLIC_WORDS && 64 * i < aplic->sources; i++) {
		u64 left = __atomic_load_n(&aplic->ready[i], __ATOMIC_ACQUIRE);

		for (; left; left &= left - 1) {
			u32 candidate = 64 * i + (u32)__builtin_ctzll(left);
			u64 word = source_load(aplic, candidate);
			u32 target = source_target(word), iprio = target & TARGET_IPRIO;

			if (!source_asserts(word) || target_hart(target) != vcpu ||
			    iprio >= floor || !idc_passes(&aplic->idc[vcpu], iprio))
				continue;
			floor = iprio;
			source = candidate;
			*found = word;
		}
	}
	return source;
}

static bool pending(void *chip, u32 vcpu)
{
	const struct vaplic *aplic = chip;
	const struct vaplic_idc *idc;
	u64 word;

	if (vcpu >= aplic->vcpus)
		return false;
	if ((read32(&aplic->domaincfg) & (DOMAINCFG_IE | DOMAINCFG_DM)) != DOMAINCFG_IE)
		return false;
	idc = &aplic->idc[vcpu];
	return read32(&idc->idelivery) && (read32(&idc->iforce) || best(aplic, vcpu, &word));
}

/* A level-sensitive wire of the board is as high as it is now, not as when it interrupted. */
static bool found_low(struct vaplic *aplic, u32 source, u64 word)
{
	if (!source_is_wire(word) || !source_is_level(word) || wire_input(aplic, source))
		return false;
	source_lower(aplic, source);
	return true;
}

/* topi, and claimi if it is a claim. */
static u32 top(struct vaplic *aplic, u32 vcpu, bool claim)
{
	for (u32 tries = 0; tries < CLAIM_TRIES; tries++) {
		u64 word;
		u32 source = best(aplic, vcpu, &word);

		if (!source)
			return 0;
		if (found_low(aplic, source, word))
			continue;
		if (!claim || source_claim(aplic, source, word))
			return source << TOPI_SOURCE_SHIFT | (source_target(word) & TARGET_IPRIO);
	}
	return 0;
}

/* A word of an IDC, changed by the guest or by a claim. */
static void set_idc(struct vaplic *aplic, u32 vcpu, u32 *word, u32 value)
{
	if (__atomic_exchange_n(word, value, __ATOMIC_RELAXED) != value) {
		full_fence();
		kick(aplic, vcpu);
	}
}

static u32 claim(struct vaplic *aplic, u32 vcpu)
{
	u32 value = top(aplic, vcpu, true);
	u32 *iforce = &aplic->idc[vcpu].iforce;

	if (!value && read32(iforce))
		set_idc(aplic, vcpu, iforce, 0);
	return value;
}

static u32 read_idc(struct vaplic *aplic, u32 vcpu, u32 reg)
{
	const struct vaplic_idc *idc = &aplic->idc[vcpu];

	switch (reg) {
	case IDELIVERY:
		return read32(&idc->idelivery);
	case IFORCE:
		return read32(&idc->iforce);
	case ITHRESHOLD:
		return read32(&idc->ithreshold);
	case TOPI:
		return top(aplic, vcpu, false);
	case CLAIMI:
		return claim(aplic, vcpu);
	}
	return 0;
}

static void write_idc(struct vaplic *aplic, u32 vcpu, u32 reg, u32 value)
{
	struct vaplic_idc *idc = &aplic->idc[vcpu];

	/* The first two are WARL, and only 0 and 1 are legal. */
	if (reg == IDELIVERY)
		set_idc(aplic, vcpu, &idc->idelivery, value & 1);
	else if (reg == IFORCE)
		set_idc(aplic, vcpu, &idc->iforce, value & 1);
	else if (reg == ITHRESHOLD)
		set_idc(aplic, vcpu, &idc->ithreshold, value & TARGET_IPRIO);
}

static u32 access_idc(struct vaplic *aplic, u64 offset, const struct mmio_access *acc)
{
	u64 vcpu = offset / IDC_SIZE;
	u32 reg = offset % IDC_SIZE;

	if (!aplic->direct || vcpu >= aplic->vcpus)
		return 0;
	if (!acc->write)
		return read_idc(aplic, (u32)vcpu, reg);
	write_idc(aplic, (u32)vcpu, reg, (u32)acc->value);
	return 0;
}

/* Kept out of the paths that are taken all the time, which then need no stack frame. */
static __noinline enum mmio_result access_any(struct vaplic *aplic, struct mmio_access *acc)
{
	u32 value;

	/* Section 4.5: other widths "should preferably report an access fault". */
	if (acc->width != 4)
		return MMIO_FAULT;
	if (acc->offset == GENMSI)
		return access_genmsi(aplic, acc);
	value = acc->offset < IDCS ? access_page(aplic, acc) :
				     access_idc(aplic, acc->offset - IDCS, acc);
	if (!acc->write)
		acc->value = value;
	return MMIO_OK;
}

/* A claim while nothing asserts in the whole VM: how a guest's handler finds out it is done. */
static inline bool empty_claim(const struct vaplic *aplic, const struct mmio_access *acc)
{
	u64 offset = acc->offset - IDCS;	/* below IDCS it wraps, beyond all vCPUs */
	u64 any = 0;

	if (acc->width != 4 || acc->write || offset % IDC_SIZE != CLAIMI ||
	    offset / IDC_SIZE >= aplic->vcpus || read32(&aplic->idc[offset / IDC_SIZE].iforce))
		return false;
	for (u32 i = 0; 64 * i < aplic->sources; i++)
		any |= __atomic_load_n(&aplic->ready[i], __ATOMIC_RELAXED);
	return !any;
}

/* The end of a handler, where a level-sensitive source makes MSIs. */
static inline bool again_and_low(const struct vaplic *aplic, const struct mmio_access *acc)
{
	u64 word;

	if (acc->offset != SETIPNUM_LE || !acc->write || acc->width != 4 ||
	    (u32)acc->value >= VAPLIC_SOURCES)
		return false;
	word = source_load(aplic, (u32)acc->value);
	return source_is_level(word) && !source_is_wire(word) && !source_input(word);
}

static enum mmio_result vaplic_access(void *dev, struct mmio_access *acc)
{
	struct vaplic *aplic = dev;

	if (empty_claim(aplic, acc))
		acc->value = 0;
	else if (!again_and_low(aplic, acc))
		return access_any(aplic, acc);
	return MMIO_OK;
}

/* ---- Wires ---- */

static void set_line(void *chip, u32 source, bool level)
{
	struct vaplic *aplic = chip;

	/* An attached source may have a level; it does not count. */
	if (source_exists(aplic, source) && !(source_load(aplic, source) & SOURCE_LEVEL) == level)
		source_update(aplic, source, source_set_level, level);
}

static void pulse(void *chip, u32 source)
{
	struct vaplic *aplic = chip;

	if (source_exists(aplic, source) && !source_is_wire(source_load(aplic, source)))
		source_update(aplic, source, source_pulse, 0);
}

bool vaplic_wire_interrupt(struct vaplic *aplic, u32 source)
{
	u64 word;

	if (!source_exists(aplic, source) || !source_is_wire(source_load(aplic, source)))
		return true;
	word = source_update(aplic, source, source_interrupt, 0);
	return !source_is_level(word);
}

int vaplic_attach(struct vaplic *aplic, u32 source)
{
	if (!source_exists(aplic, source))
		return -EINVAL;
	if (source_is_wire(source_load(aplic, source)))
		return -EBUSY;
	__atomic_fetch_or(&aplic->source[source], SOURCE_WIRE, __ATOMIC_RELAXED);
	return 0;
}

void vaplic_detach(struct vaplic *aplic, u32 source)
{
	if (!source_exists(aplic, source) || !source_is_wire(source_load(aplic, source)))
		return;
	source_configure(aplic, source, source_set_mode, VAPLIC_INACTIVE);
	__atomic_fetch_and(&aplic->source[source], ~SOURCE_WIRE, __ATOMIC_RELAXED);
}

/* ---- Life ---- */

static void reset(void *chip)
{
	struct vaplic *aplic = chip;

	spin_lock(&aplic->lock);
	aplic->genmsi = 0;
	memset(aplic->idc, 0, sizeof(aplic->idc));
	set_domain(aplic, domaincfg_of(aplic, 0), source_restart);
	spin_unlock(&aplic->lock);
	/* No source is active: who is sending yet is the last. */
	while (msis_under_way(aplic))
		;
}

void vaplic_init(struct vaplic *aplic, const struct vaplic_geometry *geometry,
		 const struct vaplic_hooks *hooks, const struct vaplic_wire_ops *wire_ops,
		 void *ctx)
{
	CHECK(geometry->vcpus >= 1 && geometry->vcpus <= VAPLIC_VCPUS);
	CHECK(geometry->sources >= 2 && geometry->sources <= VAPLIC_SOURCES);
	CHECK(geometry->eiids <= VAPLIC_EIID_MAX && (geometry->direct || geometry->eiids));
	CHECK(!geometry->eiids || hooks->msi);
	memset(aplic, 0, sizeof(*aplic));
	aplic->vcpus = geometry->vcpus;
	aplic->sources = geometry->sources;
	aplic->eiids = geometry->eiids;
	aplic->direct = geometry->direct;
	aplic->hooks = hooks;
	aplic->wire_ops = wire_ops;
	aplic->ctx = ctx;
	aplic->domaincfg = domaincfg_of(aplic, 0);
	for (u32 source = 1; source < geometry->sources; source++)
		if (!geometry->own || geometry->own[source / 64] & BIT(source % 64))
			aplic->source[source] = source_set_domain(SOURCE_OWN, aplic->domaincfg) &
						~SOURCE_TARGET;
}

const struct irqchip_ops vaplic_irqchip_ops = {
	.name = "vaplic",
	.set_line = set_line,
	.pulse = pulse,
	.pending = pending,
	.reset = reset,
};

const struct mmio_ops vaplic_mmio_ops = {
	.name = "aplic",
	.access = vaplic_access,
};
