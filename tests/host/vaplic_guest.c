/* SPDX-License-Identifier: BSD-2-Clause */
/* See vaplic_guest.h. Without cmocka, so that the fuzzer uses it too. */
#include <stdlib.h>
#include <string.h>

#include "vaplic_guest.h"

static void record_kick(void *ctx, u32 vcpu)
{
	struct guest *guest = ctx;

	if (vcpu >= guest->chip.vcpus)
		abort();
	guest->kicks[vcpu]++;
}

static void record_msi(void *ctx, u32 vcpu, u32 eiid)
{
	struct guest *guest = ctx;

	if (vcpu >= guest->chip.vcpus || !eiid || eiid > guest->chip.eiids || guest->msis == MSIS)
		abort();
	guest->msi[guest->msis].vcpu = vcpu;
	guest->msi[guest->msis++].eiid = eiid;
}

const struct vaplic_hooks guest_hooks = { .kick = record_kick, .msi = record_msi };

void guest_init(struct guest *guest, const struct vaplic_geometry *geometry,
		const struct vaplic_wire_ops *wire_ops)
{
	memset(guest, 0, sizeof(*guest));
	vaplic_init(&guest->chip, geometry, &guest_hooks, wire_ops, guest);
}

u32 rd(struct guest *guest, u64 offset)
{
	struct mmio_access acc = { .offset = offset, .width = 4, .value = ~(u64)0 };

	if (vaplic_mmio_ops.access(&guest->chip, &acc) != MMIO_OK || acc.value >> 32)
		abort();
	return (u32)acc.value;
}

void wr(struct guest *guest, u64 offset, u32 value)
{
	struct mmio_access acc = { .offset = offset, .width = 4, .value = value, .write = true };

	if (vaplic_mmio_ops.access(&guest->chip, &acc) != MMIO_OK)
		abort();
}

void line(struct guest *guest, u32 source, bool level)
{
	vaplic_irqchip_ops.set_line(&guest->chip, source, level);
}

void pulse(struct guest *guest, u32 source)
{
	vaplic_irqchip_ops.pulse(&guest->chip, source);
}

bool external(struct guest *guest, u32 vcpu)
{
	return vaplic_irqchip_ops.pending(&guest->chip, vcpu);
}

void restart(struct guest *guest)
{
	vaplic_irqchip_ops.reset(&guest->chip);
}

bool bit(struct guest *guest, u64 array, u32 source)
{
	return rd(guest, array + 4 * (u64)(source / 32)) >> source % 32 & 1;
}

void set_up(struct guest *guest, u32 source, enum vaplic_mode mode, u32 target)
{
	wr(guest, SOURCECFG(source), mode);
	wr(guest, TARGET(source), target);
	wr(guest, SETIENUM, source);
}
