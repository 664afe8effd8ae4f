/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wires of devices, by whichever interrupt controller there is: all are level-sensitive and come
 * to the calling hart. With an IMSIC the identity is the source's number.
 */
#include "guest.h"

#define DOMAINCFG APLIC_BASE
#define DOMAINCFG_IE 0x100U
#define DOMAINCFG_DM 0x004U
#define SOURCECFG(source) (APLIC_BASE + 4UL * (source))
#define LEVEL_HIGH 6U
#define SETIP(source) (APLIC_BASE + 0x1c00 + (source) / 32 * 4UL)
#define SETIENUM (APLIC_BASE + 0x1edc)
#define SETIPNUM_LE (APLIC_BASE + 0x2000)
#define TARGET(source) (APLIC_BASE + 0x3000 + 4UL * (source))
#define HART_SHIFT 18
#define IDC(hart) (APLIC_BASE + 0x4000 + 0x20UL * (hart))
#define IDELIVERY 0x00
#define ITHRESHOLD 0x08
#define CLAIMI 0x1c

/* The assembler does not know all of them by name. */
#define SISELECT 0x150
#define SIREG 0x151
#define STOPEI "0x15c"

enum irqchip irqchip(void)
{
	static enum irqchip found;

	if (!found)
		found = have_ssaia() ? IRQCHIP_IMSIC :
			TRY(read_u32(DOMAINCFG)).cause == TRAP_NONE ? IRQCHIP_APLIC : IRQCHIP_PLIC;
	return found;
}

u64 imsic_read(unsigned long select)
{
	csr_write(SISELECT, select);
	return csr_read(SIREG);
}

void imsic_write(unsigned long select, u64 value)
{
	csr_write(SISELECT, select);
	csr_write(SIREG, value);
}

static u32 context(void)
{
	return 2 * (u32)this_hart()->id + 1;
}

static void listen_plic(u32 source)
{
	unsigned long enables = plic_enable(context(), source);

	write_u32(plic_prio(source), 1);
	write_u32(plic_threshold(context()), 0);
	write_u32(enables, read_u32(enables) | 1U << source % 32);
}

static void listen_aplic(u32 source, u32 domaincfg, u32 by)
{
	write_u32(DOMAINCFG, domaincfg);
	write_u32(SOURCECFG(source), LEVEL_HIGH);
	write_u32(TARGET(source), (u32)this_hart()->id << HART_SHIFT | by);
	write_u32(SETIENUM, source);
}

void wire_listen(u32 source)
{
	unsigned long idc = IDC(this_hart()->id), eie = IMSIC_EIE0 + source / 64 * 2;

	switch (irqchip()) {
	case IRQCHIP_PLIC:
		listen_plic(source);
		break;
	case IRQCHIP_APLIC:
		write_u32(idc + ITHRESHOLD, 0);
		write_u32(idc + IDELIVERY, 1);
		listen_aplic(source, DOMAINCFG_IE, 1);
		break;
	case IRQCHIP_IMSIC:
		imsic_write(eie, imsic_read(eie) | BIT(source % 64));
		imsic_write(IMSIC_EITHRESHOLD, 0);
		imsic_write(IMSIC_EIDELIVERY, 1);
		listen_aplic(source, DOMAINCFG_IE | DOMAINCFG_DM, source);
		break;
	}
}

bool wire_pending(u32 source)
{
	if (irqchip() == IRQCHIP_PLIC)
		return read_u32(plic_pending(source)) >> source % 32 & 1;
	if (irqchip() == IRQCHIP_APLIC)
		return read_u32(SETIP(source)) >> source % 32 & 1;
	return imsic_read(IMSIC_EIP0 + source / 64 * 2) >> source % 64 & 1;
}

u32 wire_claim(void)
{
	unsigned long top;

	if (irqchip() == IRQCHIP_PLIC)
		return read_u32(plic_claim(context()));
	if (irqchip() == IRQCHIP_APLIC)
		return read_u32(IDC(this_hart()->id) + CLAIMI) >> 16;
	__asm__ volatile("csrrw %0, " STOPEI ", zero" : "=r"(top)::"memory");
	return (u32)(top >> 16);
}

/* By messages: AIA specification, 4.9.2. An APLIC that delivers directly looks at the level. */
void wire_done(u32 source)
{
	if (irqchip() == IRQCHIP_PLIC)
		write_u32(plic_claim(context()), source);
	else if (irqchip() == IRQCHIP_IMSIC)
		write_u32(SETIPNUM_LE, source);
}
