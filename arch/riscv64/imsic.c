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

static void fill(void (*write)(u64 select, u64 value), u64 eie)
{
	write(EIDELIVERY, 0);
	write(EITHRESHOLD, 0);
	for (u64 i = 0; i <= board.imsic_ids / 64; i++) {
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
	fill(own_write, ~(u64)0);
	own_write(EIDELIVERY, 1);
	guest_files_init(&this_hart()->guest_files, count_guest_files());
}

u32 imsic_claim(void)
{
	/* stopei: identity in bits 26:16; writing it clears that identity's pending bit. */
	return (u32)(csr_swap(CSR_STOPEI, 0) >> 16) & 0x7ff;
}

void imsic_guest_clear(u32 file)
{
	u64 hstatus = csr_read(CSR_HSTATUS), select = csr_read(CSR_VSISELECT);

	csr_write(CSR_HSTATUS, (hstatus & ~HSTATUS_VGEIN) | (u64)file << HSTATUS_VGEIN_SHIFT);
	fill(guest_write, 0);
	csr_write(CSR_VSISELECT, select);
	csr_write(CSR_HSTATUS, hstatus);
}

u64 imsic_guest_page(const struct hart *hart, u32 file)
{
	return hart->board->imsic + (u64)file * PAGE_SIZE;
}
