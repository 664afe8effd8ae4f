/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated RAM for host tests; see sim_ram.h.
 */
#include <sim_ram.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>

#include <hv/cache.h>
#include <hv/check.h>
#include <hv/pa.h>

static u8 *ram;
static u64 ram_base;
static u64 ram_size;

void (*sim_ram_observer)(void);

void sim_ram_init(u64 base, u64 size)
{
	sim_ram_exit();
	ram = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(ram, MAP_FAILED);
	madvise(ram, size, MADV_HUGEPAGE);
	ram_base = base;
	ram_size = size;
}

void sim_ram_exit(void)
{
	sim_ram_observer = NULL;
	if (ram)
		munmap(ram, ram_size);
	ram = NULL;
	ram_size = 0;
}

static void observe(void)
{
	void (*observer)(void) = sim_ram_observer;

	if (!observer)
		return;
	sim_ram_observer = NULL;
	observer();
	sim_ram_observer = observer;
}

void *pa_ptr(hpa_t pa)
{
	observe();
	if (pa.v - ram_base >= ram_size)
		fail_msg("no RAM at %#llx", (unsigned long long)pa.v);
	return ram + (pa.v - ram_base);
}

hpa_t ptr_pa(const void *ptr)
{
	u64 offset = (u64)((const u8 *)ptr - ram);

	assert_true(offset < ram_size);
	return HPA(ram_base + offset);
}

/* In expect_assert_failure() a panic is the expected end; anywhere else it fails the test. */
void panic(const char *fmt, ...)
{
	static char text[256];	/* outlives the jump out of here */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mock_assert(0, text, __FILE__, __LINE__);
	abort();
}

void arch_cache_flush(const void *base, u64 size)
{
	(void)base;
	(void)size;
}
