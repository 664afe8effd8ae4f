/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layout shared between assembly and C: offsets into struct hart and struct vcpu. Asserted
 * field by field in arch/riscv64/hart.c and vcpu.c. Usable from assembly.
 */
#ifndef ASM_OFFSETS_H
#define ASM_OFFSETS_H

/* struct hart, addressed by tp */
#define HART_FIXUP 0
#define HART_TRAP_SP 8
#define HART_STACK_TOP 16
#define HART_TRAP_FRAME 24

/* struct hs_trap_frame: x1..x31 at 8n, then: */
#define FRAME_SEPC 256
#define FRAME_SCAUSE 264
#define FRAME_STVAL 272

/* struct vcpu: the guest's x1..x31 at 8n, then: */
#define VCPU_PC 256
#define VCPU_HOST_SP 264
#define VCPU_HOST_TP 272

#endif
