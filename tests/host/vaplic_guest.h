/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests of the guest's APLIC share: registers by name, accesses, and a VM that records kicks
 * and MSIs.
 */
#ifndef VAPLIC_GUEST_H
#define VAPLIC_GUEST_H

#include <hv/vaplic.h>

#define DOMAINCFG 0x0U
#define SOURCECFG(s) (4 * (u64)(s))
#define SETIP(k) (0x1c00 + 4 * (u64)(k))
#define SETIPNUM 0x1cdcU
#define IN_CLRIP(k) (0x1d00 + 4 * (u64)(k))
#define CLRIPNUM 0x1ddcU
#define SETIE(k) (0x1e00 + 4 * (u64)(k))
#define SETIENUM 0x1edcU
#define CLRIE(k) (0x1f00 + 4 * (u64)(k))
#define CLRIENUM 0x1fdcU
#define SETIPNUM_LE 0x2000U
#define SETIPNUM_BE 0x2004U
#define GENMSI 0x3000U
#define TARGET(s) (0x3000 + 4 * (u64)(s))
#define IDC(vcpu) (0x4000 + 0x20 * (u64)(vcpu))
#define IDELIVERY(vcpu) (IDC(vcpu) + 0)
#define IFORCE(vcpu) (IDC(vcpu) + 4)
#define ITHRESHOLD(vcpu) (IDC(vcpu) + 8)
#define TOPI(vcpu) (IDC(vcpu) + 0x18)
#define CLAIMI(vcpu) (IDC(vcpu) + 0x1c)

#define IE 0x100U
#define DM 0x4U
#define FIXED 0x80000000U
#define HART(n) ((u32)(n) << 18)

#define MSIS 2048

/* One chip and what it told its VM. */
struct guest {
	struct vaplic chip;
	u32 kicks[VAPLIC_VCPUS];
	u32 msis;			/* sent since the last look, in msi[] */
	struct {
		u32 vcpu;
		u32 eiid;
	} msi[MSIS];
};

/* Hooks of a struct guest, whose address is their ctx. */
extern const struct vaplic_hooks guest_hooks;

void guest_init(struct guest *guest, const struct vaplic_geometry *geometry,
		const struct vaplic_wire_ops *wire_ops);

/* An access that must be answered. */
u32 rd(struct guest *guest, u64 offset);
void wr(struct guest *guest, u64 offset, u32 value);

void line(struct guest *guest, u32 source, bool level);
void pulse(struct guest *guest, u32 source);
bool external(struct guest *guest, u32 vcpu);	/* irqchip_ops.pending() */
void restart(struct guest *guest);

/* Bit of a source in an array of registers. */
bool bit(struct guest *guest, u64 array, u32 source);

/* A source with this mode, enabled, with this target. */
void set_up(struct guest *guest, u32 source, enum vaplic_mode mode, u32 target);

#endif
