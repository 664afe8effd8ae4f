/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables made of pages of the page allocator.
 */
#include <asm/ptable.h>

#include <hv/page.h>

static int pages_alloc(void *ctx, u64 size, hpa_t *out)
{
	(void)ctx;
	return page_alloc(size, size, OWNER_HV, out);
}

static void pages_free(void *ctx, hpa_t table, u64 size)
{
	(void)ctx;
	page_free(table, size, OWNER_HV);
}

const struct ptable_memory ptable_pages = { .alloc = pages_alloc, .free = pages_free };
