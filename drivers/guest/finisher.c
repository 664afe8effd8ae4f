/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's test finisher. It has no state: it only tells the VM what the guest asks for. */
#include <hv/finisher.h>

#define PASS 0x5555
#define FAIL 0x3333
#define RESET 0x7777

static void decode(const struct finisher *finisher, u32 value)
{
	u32 code = value >> 16;

	switch (value & 0xffff) {
	case PASS:
		finisher->event(finisher->ctx, FINISHER_PASS, code);
		break;
	case FAIL:
		finisher->event(finisher->ctx, FINISHER_FAIL, code);
		break;
	case RESET:
		finisher->event(finisher->ctx, FINISHER_RESET, code);
		break;
	}
}

static enum mmio_result finisher_access(void *dev, struct mmio_access *acc)
{
	if (!acc->write)
		acc->value = 0;
	else if (acc->offset == 0 && (acc->width == 2 || acc->width == 4))
		decode(dev, (u32)acc->value);
	return MMIO_OK;
}

void finisher_init(struct finisher *finisher,
		   void (*event)(void *ctx, enum finisher_event event, u32 code), void *ctx)
{
	*finisher = (struct finisher){ .event = event, .ctx = ctx };
}

const struct mmio_ops finisher_mmio_ops = {
	.name = "finisher",
	.access = finisher_access,
};
