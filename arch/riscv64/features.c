/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run-time detection. The ISA string says what exists; CSRs are tried as well, since firmware may
 * hide a feature (mcounteren, menvcfg, mstateen0) and WARL fields show only by reading back.
 */
#include <asm/csr.h>
#include <asm/features.h>
#include <asm/fp.h>
#include <asm/units.h>
#include <hv/board.h>

struct features features;

/* Everything a guest may handle itself; ecalls from VS and guest-page faults are ours. */
#define HEDELEG_WANTED                                                                   \
	(BIT(CAUSE_FETCH_MISALIGNED) | BIT(CAUSE_FETCH_ACCESS) | BIT(CAUSE_ILLEGAL) |     \
	 BIT(CAUSE_BREAKPOINT) | BIT(CAUSE_LOAD_MISALIGNED) | BIT(CAUSE_LOAD_ACCESS) |    \
	 BIT(CAUSE_STORE_MISALIGNED) | BIT(CAUSE_STORE_ACCESS) | BIT(CAUSE_ECALL_U) |     \
	 BIT(CAUSE_FETCH_PAGE) | BIT(CAUSE_LOAD_PAGE) | BIT(CAUSE_STORE_PAGE) |           \
	 BIT(CAUSE_SOFTWARE_CHECK) | BIT(CAUSE_HARDWARE_ERROR))

static void set(u64 *bits, enum feature f, bool present)
{
	if (present)
		*bits |= BIT(f);
}

/*
 * Firmware that does not know an extension leaves it off in menvcfg, and henvcfg does not show
 * that. At this address, which is none, nothing worse than another fault can come of trying.
 */
#define CBO_FLUSH "2"
#define CBO_ZERO "4"
#define cbo_works(operation)                                                             \
	({                                                                               \
		csr_write(CSR_SCAUSE, 0);                                                \
		__asm__ volatile("	lla t0, 1f\n"                                    \
				 "	sd t0, %[fix](tp)\n"                             \
				 "	.insn i MISC_MEM, 2, x0, %[at], " operation "\n" \
				 "1:	sd zero, %[fix](tp)\n"                           \
				 : : [at] "r"(ALIGN_DOWN(UINT64_MAX, PAGE_SIZE)),        \
				     [fix] "i"(HART_FIXUP)                               \
				 : "t0", "memory");                                      \
		csr_read(CSR_SCAUSE) != CAUSE_ILLEGAL;                                   \
	})

/*
 * henvcfg as guests shall have it. CBIE = 01: a guest's cbo.inval flushes, so that it can never
 * uncover what lay in memory before Shyper scrubbed it for this guest.
 */
static u64 henvcfg_detect(const char *isa)
{
	u64 wanted = HENVCFG_STCE | HENVCFG_PBMTE, got;

	if (board_isa_has(isa, "zicbom") && cbo_works(CBO_FLUSH))
		wanted |= HENVCFG_CBCFE | HENVCFG_CBIE_FLUSH;
	if (board_isa_has(isa, "zicboz") && cbo_works(CBO_ZERO))
		wanted |= HENVCFG_CBZE;
	if (!csr_probe_write(CSR_HENVCFG, wanted) || !csr_probe_read(CSR_HENVCFG, &got))
		return 0;
	return got & wanted;
}

/* Block sizes that make sense, where the guest, and so HS-mode, may flush. */
static u32 cbom_block_detect(const struct board_hart *hart, u64 henvcfg)
{
	u32 block = hart->cbom_block;
	bool sound = block >= 8 && block <= PAGE_SIZE && !(block & (block - 1));

	return (henvcfg & HENVCFG_CBCFE) && sound ? block : 0;
}

static u8 gstage_modes_detect(void)
{
	u8 modes = 0;

	for (u64 mode = HGATP_MODE_SV39X4; mode <= HGATP_MODE_SV57X4; mode++) {
		csr_write(CSR_HGATP, mode << ATP_MODE_SHIFT);
		if (csr_read(CSR_HGATP) >> ATP_MODE_SHIFT == mode)
			modes |= (u8)BIT(mode - HGATP_MODE_SV39X4);
	}
	return modes;
}

static u8 vmid_bits_detect(void)
{
	u64 vmid;

	csr_write(CSR_HGATP, HGATP_MODE_SV39X4 << ATP_MODE_SHIFT | HGATP_VMID_MASK);
	vmid = (csr_read(CSR_HGATP) & HGATP_VMID_MASK) >> HGATP_VMID_SHIFT;
	csr_write(CSR_HGATP, 0);
	return (u8)__builtin_popcountll(vmid);
}

static void detect(struct features *f, const struct board_hart *hart)
{
	const char *isa = hart->isa;
	u64 value;

	*f = (struct features){ .henvcfg = henvcfg_detect(isa) };
	f->cbom_block = cbom_block_detect(hart, f->henvcfg);
	/* No memory types for guests where scrubbed pages cannot be flushed (hv/cache.h). */
	if (!f->cbom_block)
		f->henvcfg &= ~HENVCFG_PBMTE;
	set(&f->bits, FEATURE_STIMECMP,
	    board_isa_has(isa, "sstc") && csr_probe_read(CSR_STIMECMP, &value));
	set(&f->bits, FEATURE_SSTC,
	    (f->henvcfg & HENVCFG_STCE) && csr_probe_read(CSR_VSTIMECMP, &value));
	set(&f->bits, FEATURE_SVNAPOT, board_isa_has(isa, "svnapot"));
	set(&f->bits, FEATURE_SVPBMT, f->henvcfg & HENVCFG_PBMTE);
	set(&f->bits, FEATURE_ZICBOM, f->henvcfg & HENVCFG_CBCFE);
	set(&f->bits, FEATURE_ZICBOZ, f->henvcfg & HENVCFG_CBZE);
	set(&f->bits, FEATURE_FP, board_isa_has(isa, "f") && board_isa_has(isa, "d"));
	set(&f->bits, FEATURE_HSTATEEN, csr_probe_read(CSR_HSTATEEN0, &value));
	set(&f->bits, FEATURE_AIA,
	    board_isa_has(isa, "ssaia") && hart->imsic && csr_probe_read(CSR_STOPEI, &value));
	if (board_isa_has(isa, "v")) {
		csr_set(CSR_SSTATUS, SSTATUS_VS_INITIAL);
		f->vlenb = (u32)vec_vlenb();
		set(&f->bits, FEATURE_VECTOR, true);
	}
	f->units = (f->bits & BIT(FEATURE_FP) ? UNITS_FP : 0) |
		   (f->bits & BIT(FEATURE_VECTOR) ? UNITS_VECTOR : 0);
	f->gstage_modes = gstage_modes_detect();
	f->vmid_bits = vmid_bits_detect();
	csr_write(CSR_HEDELEG, HEDELEG_WANTED);
	f->hedeleg = csr_read(CSR_HEDELEG);
}

void features_boot(const struct board_hart *hart)
{
	detect(&features, hart);
}

bool features_hart(const struct board_hart *hart, const char **missing)
{
	struct features own;

	*missing = "the hypervisor extension (H)";
	if (!board_isa_has(hart->isa, "h"))
		return false;
	detect(&own, hart);
	*missing = NULL;
	if (~own.bits & features.bits)
		*missing = "an extension";
	else if (own.vlenb != features.vlenb)
		*missing = "the same vector length";
	else if (~own.gstage_modes & features.gstage_modes)
		*missing = "a G-stage mode";
	else if (own.vmid_bits < features.vmid_bits)
		*missing = "VMID bits";
	else if (own.cbom_block != features.cbom_block)
		*missing = "the same cache block size";
	else if (own.henvcfg != features.henvcfg || own.hedeleg != features.hedeleg)
		*missing = "a henvcfg or hedeleg bit";
	return !*missing;
}
