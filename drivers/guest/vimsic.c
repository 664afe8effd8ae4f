/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's IMSICs, without a lock.
 *
 * A sender sets a bit of eip, passes a full fence, then reads where the file is and whether it lets
 * the identity through. The owner changes those words, passes a full fence, then reads eip. Of the
 * two fences one is the later, and who has it sees what the other wrote. So
 *
 * - whatever becomes deliverable is seen by the sender, who kicks, or by the owner, who looks at
 *   vimsic_pending() after each change;
 * - a bit that is set while the file leaves for hardware is taken along by the owner, or taken back
 *   and forwarded by the sender, or both see it; then the atomic clear has one winner.
 *
 * Who finds the bit set already leaves all this to the one who set it: the MSIs become one, as they
 * do in hardware, and the chain of read-modify-writes hands on what each sender wrote before.
 *
 * Only the owner claims, so the identity that it found is still pending when it clears it. An MSI
 * of a better identity that arrives in between came after the claim.
 */
#include <hv/bitmap.h>
#include <hv/check.h>
#include <hv/string.h>
#include <hv/vimsic.h>

#define SETEIPNUM_LE 0x0U
#define SETEIPNUM_BE 0x4U

#define EIDELIVERY_VALID 1ULL		/* guest files have no 0x40000000 */
#define EITHRESHOLD_VALID 0x7ffULL	/* WLRL; past ids means the same as 0 */

static inline u64 load(const u64 *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void store(u64 *word, u64 value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* Between a change and the look at what others changed: see the top of this file. */
static inline void full_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline u32 words(const struct vimsic *imsic)
{
	return (imsic->ids + 1) / 64;
}

/* The identities that exist among the 64 of a word. */
static inline u64 word_valid(const struct vimsic *imsic, u32 word)
{
	return word >= words(imsic) ? 0 : word ? ~0ULL : ~1ULL;
}

static inline bool below_threshold(const struct vimsic_file *file, u32 id)
{
	u64 threshold = load(&file->eithreshold);

	return threshold == 0 || id < threshold;
}

/* Does the file signal its vCPU when this identity is pending? */
static inline bool delivers(const struct vimsic_file *file, u32 id)
{
	return load(&file->eidelivery) && bitmap_test(file->eie, id) && below_threshold(file, id);
}

/* The bit is set for a file in memory. True: the file has left, and the MSI has to follow it. */
static bool left_behind(struct vimsic *imsic, u32 vcpu, u32 id, u64 *hw)
{
	struct vimsic_file *file = &imsic->file[vcpu];

	full_fence();
	*hw = vimsic_hw(imsic, vcpu);
	if (*hw)
		return bitmap_clear_atomic(file->eip, id);
	if (delivers(file, id))
		imsic->hooks->kick(imsic->ctx, vcpu);
	return false;
}

void vimsic_send(struct vimsic *imsic, u32 vcpu, u32 id)
{
	u64 hw;

	if (vcpu >= imsic->vcpus || id == 0 || id > imsic->ids)
		return;
	hw = vimsic_hw(imsic, vcpu);
	if (!hw && (bitmap_set_atomic(imsic->file[vcpu].eip, id) ||
		    !left_behind(imsic, vcpu, id, &hw)))
		return;
	imsic->hooks->forward(imsic->ctx, hw, id);
}

/* The pending and enabled identity of the lowest number, unless the threshold excludes it; or 0. */
static u32 top(const struct vimsic *imsic, const struct vimsic_file *file)
{
	for (u32 i = 0; i < words(imsic); i++) {
		u64 both = load(&file->eip[i]) & load(&file->eie[i]);
		u32 id = 64 * i + (u32)(both ? __builtin_ctzll(both) : 0);

		if (both)
			return below_threshold(file, id) ? id : 0;
	}
	return 0;
}

u32 vimsic_pending(const struct vimsic *imsic, u32 vcpu)
{
	const struct vimsic_file *file = &imsic->file[vcpu];

	return load(&file->eidelivery) ? top(imsic, file) : 0;
}

bool vimsic_stopei(struct vimsic *imsic, u32 vcpu, bool claim, u64 *old)
{
	struct vimsic_file *file = &imsic->file[vcpu];
	u32 id = top(imsic, file);

	if (vimsic_hw(imsic, vcpu))
		return false;
	if (claim && id)
		bitmap_clear_atomic(file->eip, id);
	*old = (u64)id << 16 | id;
	return true;
}

/* The word behind a register and its writable bits; NULL: all its bits are read-only zeros. */
static u64 *reg_word(const struct vimsic *imsic, struct vimsic_file *file, u32 select, u64 *valid)
{
	u32 word = (select - VIMSIC_EIP0) % (VIMSIC_EIE0 - VIMSIC_EIP0) / 2;

	if (select == VIMSIC_EIDELIVERY) {
		*valid = EIDELIVERY_VALID;
		return &file->eidelivery;
	}
	if (select == VIMSIC_EITHRESHOLD) {
		*valid = EITHRESHOLD_VALID;
		return &file->eithreshold;
	}
	*valid = select < VIMSIC_EIP0 ? 0 : word_valid(imsic, word);
	if (!*valid)
		return NULL;
	return select < VIMSIC_EIE0 ? &file->eip[word] : &file->eie[word];
}

/* In one step, since senders set bits of eip meanwhile. Returns the value before. */
static u64 change(u64 *word, enum csr_op op, u64 operand, u64 valid)
{
	switch (op) {
	case CSR_OP_READ:
		break;
	case CSR_OP_WRITE:
		return __atomic_exchange_n(word, operand & valid, __ATOMIC_ACQ_REL);
	case CSR_OP_SET:
		return __atomic_fetch_or(word, operand & valid, __ATOMIC_ACQ_REL);
	case CSR_OP_CLEAR:
		return __atomic_fetch_and(word, ~operand, __ATOMIC_ACQ_REL);
	}
	return load(word);
}

bool vimsic_access(struct vimsic *imsic, u32 vcpu, u64 select, enum csr_op op, u64 operand,
		   u64 *old)
{
	struct vimsic_file *file = &imsic->file[vcpu];
	u64 valid, *word;

	if (select < VIMSIC_EIDELIVERY || select > VIMSIC_LAST ||
	    (select >= VIMSIC_EIP0 && select % 2))
		return false;
	word = reg_word(imsic, file, (u32)select, &valid);
	if (!word) {
		*old = 0;
		return true;
	}
	if (vimsic_hw(imsic, vcpu))
		return false;
	*old = change(word, op, operand, valid);
	full_fence();
	return true;
}

static u64 take(u64 *word)
{
	return __atomic_exchange_n(word, 0, __ATOMIC_ACQ_REL);
}

void vimsic_export(struct vimsic *imsic, u32 vcpu, u64 hw, struct vimsic_state *out)
{
	struct vimsic_file *file = &imsic->file[vcpu];

	CHECK(hw && !vimsic_hw(imsic, vcpu));
	memset(out, 0, sizeof(*out));
	__atomic_store_n(&file->hw, hw, __ATOMIC_RELEASE);
	full_fence();
	out->eidelivery = take(&file->eidelivery);
	out->eithreshold = take(&file->eithreshold);
	for (u32 i = 0; i < words(imsic); i++) {
		out->eip[i] = take(&file->eip[i]);
		out->eie[i] = take(&file->eie[i]);
	}
}

void vimsic_recall(struct vimsic *imsic, u32 vcpu)
{
	CHECK(vimsic_hw(imsic, vcpu));
	__atomic_store_n(&imsic->file[vcpu].hw, 0, __ATOMIC_RELEASE);
	/* Before the caller looks who may still be sending by the old word. */
	full_fence();
}

void vimsic_import(struct vimsic *imsic, u32 vcpu, const struct vimsic_state *state)
{
	struct vimsic_file *file = &imsic->file[vcpu];

	CHECK(!vimsic_hw(imsic, vcpu));
	for (u32 i = 0; i < words(imsic); i++) {
		store(&file->eie[i], state->eie[i] & word_valid(imsic, i));
		__atomic_fetch_or(&file->eip[i], state->eip[i] & word_valid(imsic, i),
				  __ATOMIC_ACQ_REL);
	}
	store(&file->eithreshold, state->eithreshold & EITHRESHOLD_VALID);
	store(&file->eidelivery, state->eidelivery & EIDELIVERY_VALID);
	full_fence();
}

/* The bus gives naturally aligned accesses inside the region; vimsic_send() checks the vCPU. */
static enum mmio_result page_access(void *dev, struct mmio_access *acc)
{
	struct vimsic *imsic = dev;
	u32 vcpu = (u32)(acc->offset / PAGE_SIZE);
	u32 value = (u32)acc->value;

	if (acc->width != 4)
		return MMIO_FAULT;
	if (!acc->write)
		acc->value = 0;
	else if (acc->offset % PAGE_SIZE == SETEIPNUM_LE)
		vimsic_send(imsic, vcpu, value);
	else if (acc->offset % PAGE_SIZE == SETEIPNUM_BE)
		vimsic_send(imsic, vcpu, __builtin_bswap32(value));
	return MMIO_OK;
}

static void clear_file(struct vimsic_file *file)
{
	store(&file->eidelivery, 0);
	store(&file->eithreshold, 0);
	for (u32 i = 0; i < VIMSIC_WORDS; i++) {
		store(&file->eie[i], 0);
		store(&file->eip[i], 0);
	}
}

void vimsic_reset(struct vimsic *imsic)
{
	for (u32 i = 0; i < imsic->vcpus; i++)
		clear_file(&imsic->file[i]);
}

void vimsic_init(struct vimsic *imsic, u32 vcpus, u32 ids, const struct vimsic_hooks *hooks,
		 void *ctx)
{
	CHECK(vcpus >= 1 && vcpus <= VIMSIC_VCPUS);
	CHECK(ids >= 63 && ids <= VIMSIC_IDS_MAX && ids % 64 == 63);
	memset(imsic, 0, sizeof(*imsic));
	imsic->vcpus = vcpus;
	imsic->ids = ids;
	imsic->hooks = hooks;
	imsic->ctx = ctx;
}

const struct mmio_ops vimsic_mmio_ops = {
	.name = "imsic",
	.access = page_access,
};
