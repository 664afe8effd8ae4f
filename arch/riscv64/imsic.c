/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hart's interrupt files. Their registers are reached through a select and a data CSR: those of
 * Shyper's own file through siselect and sireg, those of the guest file that hstatus.VGEIN names
 * through vsiselect and vsireg (AIA specification, 2.1 and 3.8).
 */
#include <asm/csr.h>
#include <asm/hart.h>
#include <asm/imsic.h>
#include <hv/board.h>
#include <hv/vimsic.h>

/* AIA specification, 3.8: registers of an interrupt file. On RV64 only even eip and eie exist. */
#define EIDELIVERY 0x70
#define EITHRESHOLD 0x72
#define EIP0 0x80
#define EIE0 0xc0

static void own_write(u64 select, u64 value)
{
	csr_write(CSR_SISELECT, select);
	csr_write(CSR_SIREG, value);
}

static void guest_write(u64 select, u64 value)
{
	csr_write(CSR_VSISELECT, select);
	csr_write(CSR_VSIREG, value);
}

static void fill(void (*write)(u64 select, u64 value), u32 ids, u64 eie)
{
	write(EIDELIVERY, 0);
	write(EITHRESHOLD, 0);
	for (u64 i = 0; i <= ids / 64; i++) {
		write(EIE0 + 2 * i, eie);
		write(EIP0 + 2 * i, 0);
	}
}

/* hgeie, privileged specification: bits 1 to GEILEN can be written, bit 0 cannot. */
static u32 count_guest_files(void)
{
	u64 bits;

	csr_write(CSR_HGEIE, ~(u64)0);
	bits = csr_read(CSR_HGEIE);
	csr_write(CSR_HGEIE, 0);
	return MIN((u32)__builtin_popcountll(bits), ((u32)1 << board.imsic_guest_bits) - 1);
}

/*
 * Identities that nobody sends may well be enabled: senders are devices that Shyper programs and
 * its own harts, for no guest has a page of this file.
 */
void imsic_hart_init(void)
{
	fill(own_write, board.imsic_ids, ~(u64)0);
	own_write(EIDELIVERY, 1);
	guest_files_init(&this_hart()->guest_files, count_guest_files());
	for (u32 file = 1; file <= this_hart()->guest_files.count; file++)
		imsic_guest_clear(file);	/* of what firmware left */
}

u32 imsic_claim(void)
{
	/* stopei: identity in bits 26:16; writing it clears that identity's pending bit. */
	return (u32)(csr_swap(CSR_STOPEI, 0) >> 16) & 0x7ff;
}

bool imsic_take(u32 identity)
{
	u64 bit = BIT(identity % 64);

	csr_write(CSR_SISELECT, EIP0 + identity / 64 * 2);
	return csr_take(CSR_SIREG, bit) & bit;
}

/* What the loaded vCPU has in the CSRs that lead to a guest file. */
struct guest_select {
	u64 hstatus;
	u64 vsiselect;
};

static struct guest_select guest_begin(u32 file)
{
	struct guest_select old = { csr_read(CSR_HSTATUS), csr_read(CSR_VSISELECT) };

	csr_write(CSR_HSTATUS, (old.hstatus & ~HSTATUS_VGEIN) | (u64)file << HSTATUS_VGEIN_SHIFT);
	return old;
}

static void guest_end(const struct guest_select *old)
{
	csr_write(CSR_VSISELECT, old->vsiselect);
	csr_write(CSR_HSTATUS, old->hstatus);
}

void imsic_guest_clear(u32 file)
{
	struct guest_select old = guest_begin(file);

	fill(guest_write, board.imsic_guest_ids, 0);
	guest_end(&old);
}

static u64 guest_take(u64 select)
{
	csr_write(CSR_VSISELECT, select);
	return csr_swap(CSR_VSIREG, 0);
}

void imsic_guest_out(u32 file, struct vimsic_state *state)
{
	struct guest_select old = guest_begin(file);

	state->eidelivery = guest_take(EIDELIVERY);
	state->eithreshold = guest_take(EITHRESHOLD);
	for (u64 i = 0; i <= board.imsic_guest_ids / 64; i++) {
		state->eie[i] = guest_take(EIE0 + 2 * i);
		state->eip[i] = guest_take(EIP0 + 2 * i);
	}
	guest_end(&old);
}

/* Delivery comes last, when the rest says what may be delivered. */
void imsic_guest_in(u32 file, const struct vimsic_state *state)
{
	struct guest_select old = guest_begin(file);

	for (u64 i = 0; i <= board.imsic_guest_ids / 64; i++) {
		guest_write(EIE0 + 2 * i, state->eie[i]);
		csr_write(CSR_VSISELECT, EIP0 + 2 * i);
		csr_set(CSR_VSIREG, state->eip[i]);
	}
	guest_write(EITHRESHOLD, state->eithreshold);
	guest_write(EIDELIVERY, state->eidelivery);
	guest_end(&old);
}

u64 imsic_guest_page(const struct hart *hart, u32 file)
{
	return hart->board->imsic + (u64)file * PAGE_SIZE;
}
