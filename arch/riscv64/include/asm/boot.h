/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot path's pieces that other files of this architecture use. */
#ifndef ASM_BOOT_H
#define ASM_BOOT_H

#include <hv/board.h>
#include <hv/types.h>

struct hs_trap_frame;

/* The image's ends, from the linker script; all page aligned. */
extern const char _image_start[], _text_end[], _rodata_end[], _image_end[];
extern const char boot_stack_guard[];

/* Entry of a further hart (head.S), reached through SBI HSM hart_start. */
void hart_entry(void);

/* What stvec holds (trap.S): the second on a hart that records its exits. */
void trap_entry(void);
void trap_entry_traced(void);

/* Called from assembly only. */
void __noreturn boot_main(u64 hartid, const void *fdt);
void __noreturn hart_main(void);
void __noreturn panic_trap(const struct hs_trap_frame *frame);

/* hart_serve() - do what interrupts that are pending in Shyper ask for. Each hart for itself. */
void hart_serve(void);

/* hart_serve_files() - after it, where vCPUs may sleep whose interrupt files wake the hart. */
void hart_serve_files(void);

/*
 * hvmap_init() - make Shyper's own page tables (identity, W^X, guard pages below all stacks) and
 * allocate the harts' stacks; the calling hart runs with them on return. Boot hart, after
 * page_init(). 0 or -ENOMEM.
 */
int __must_check hvmap_init(void);
/* satp of Shyper; every hart runs with it. */
extern u64 hv_satp;

#endif
