/* SPDX-License-Identifier: BSD-2-Clause */
/* One Sv39 table for all harts: devices and RAM by gigabyte, and a single 4 KiB page. */
#include "guest.h"

#define PTE_V 0x01UL
#define PTE_RW 0xc7UL /* V R W A D */
#define PTE_RWX 0xcfUL
#define PTE_USER 0xdfUL
#define SATP_SV39 (8UL << 60)

static u64 root[512] __attribute__((aligned(4096)));
static u64 middle[512] __attribute__((aligned(4096)));
static u64 leaves[512] __attribute__((aligned(4096)));

static u64 pte(unsigned long pa, unsigned long flags)
{
	return pa >> 12 << 10 | flags;
}

void mmu_on(void)
{
	root[0] = pte(0, PTE_RW);
	root[RAM_BASE >> 30] = pte(RAM_BASE, PTE_RWX);
	root[USER_BASE >> 30] = pte(RAM_BASE, PTE_USER);
	root[MMU_PAGE >> 30] = pte((unsigned long)middle, PTE_V);
	middle[0] = pte((unsigned long)leaves, PTE_V);
	__asm__ volatile("sfence.vma" ::: "memory");
	csr_write(satp, SATP_SV39 | (unsigned long)root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
}

void mmu_off(void)
{
	csr_write(satp, 0);
	__asm__ volatile("sfence.vma" ::: "memory");
}

void mmu_page_unfenced(unsigned long pa, unsigned long flags)
{
	*(volatile u64 *)leaves = pte(pa, flags);
	__asm__ volatile("fence rw, rw" ::: "memory");
}

void mmu_next_page(unsigned long pa, unsigned long flags)
{
	leaves[1] = pte(pa, flags);
	__asm__ volatile("sfence.vma" ::: "memory");
}

void mmu_page(unsigned long pa, unsigned long flags)
{
	mmu_page_unfenced(pa, flags);
	__asm__ volatile("sfence.vma" ::: "memory");
}
