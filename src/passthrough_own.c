/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices of the board that are Shyper's own: claimed at boot, so that no VM gets them; but console
 * and RTC can be lent to a VM whose definition names them.
 */
#include <hv/passthrough.h>

#include <libfdt.h>

#include <hv/board.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/fdt_read.h>
#include <hv/page.h>
#include <hv/vm.h>

#include "passthrough_resolve.h"

/* The pages that a device's registers touch. */
static struct page_span pages_of(u64 base, u64 size)
{
	u64 start = ALIGN_DOWN(base, PAGE_SIZE);

	return (struct page_span){ start, ((base + (size - 1)) | (PAGE_SIZE - 1)) - start + 1 };
}

static bool is_memory(const struct page_span *span)
{
	for (u32 i = 0; i < board.ranges; i++) {
		if (range_overlaps(span->base, span->size, board.memory[i].base,
				   board.memory[i].size))
			return true;
	}
	return false;
}

/* Devices may share pages, so what is claimed already is left out, page by page. */
static int claim(u64 base, u64 size)
{
	struct page_span span = pages_of(base, size);
	int err;

	if (is_memory(&span))
		return -EBUSY;
	err = page_claim_device(HPA(span.base), span.size, OWNER_HV);
	for (u64 at = 0; err == -EBUSY && at < span.size; at += PAGE_SIZE) {
		hpa_t page = HPA(span.base + at);

		if (page_owner(page) != OWNER_HV &&
		    page_claim_device(page, PAGE_SIZE, OWNER_HV))
			return -ENOMEM;
	}
	return err == -EBUSY ? 0 : err;
}

/* A node whose registers are nothing that a CPU could reach has nothing to protect. */
static int claim_node(const void *fdt, int node)
{
	int parent = fdt_parent_offset(fdt, node), err = 0;
	u64 base, size;

	if (parent < 0 || !fdt_read_untranslated(fdt, node))
		return 0;
	for (u32 i = 0; !err && fdt_read_reg(fdt, parent, node, i, &base, &size); i++)
		err = claim(base, size);
	return err;
}

/* What Shyper lends: it reads the RTC at boot only. */
static u32 lendable(struct board_range range[2])
{
	u32 n = 0;

	if (board.uart.base)
		range[n++] = (struct board_range){ board.uart.base, board.uart.size };
	if (board.rtc.size)
		range[n++] = board.rtc;
	return n;
}

int passthrough_reserve(const struct board *from)
{
	struct board_range own[2];
	u32 owns = lendable(own);
	int node, err = 0;

	for (u32 i = 0; !err && i < owns; i++)
		err = claim(own[i].base, own[i].size);
	for (node = 0; !err && node >= 0; node = fdt_next_node(from->fdt, node, NULL)) {
		if (passthrough_withheld(from->fdt, node))
			err = claim_node(from->fdt, node);
	}
	return err;
}

void passthrough_lend(struct vm *vm)
{
	struct board_range own[2];
	u32 owns = lendable(own);

	for (u32 i = 0; i < owns; i++) {
		struct page_span span = pages_of(own[i].base, own[i].size);

		if (!passthrough_covers(&vm->def, own[i].base) ||
		    page_owner(HPA(span.base)) != OWNER_HV)
			continue;
		page_free_device(HPA(span.base), span.size, OWNER_HV);
		if (own[i].base == board.uart.base)
			console_lend(vm);
	}
}

void passthrough_return(struct vm *vm)
{
	struct board_range own[2];
	u32 owns = lendable(own);

	for (u32 i = 0; i < owns; i++) {
		struct page_span span = pages_of(own[i].base, own[i].size);

		if (!passthrough_covers(&vm->def, own[i].base) ||
		    page_owner(HPA(span.base)) != OWNER_ABSENT ||
		    page_claim_device(HPA(span.base), span.size, OWNER_HV))
			continue;
		if (own[i].base == board.uart.base)
			console_return(vm);
	}
}
