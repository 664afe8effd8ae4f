/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits: what happens between a guest's trap into Shyper and its continuation. All functions run
 * on the vCPU's own hart with the vCPU loaded; none allocates, locks or blocks by itself.
 */
#ifndef ASM_EXIT_H
#define ASM_EXIT_H

/* What trap.S does next; it knows the numbers. */
#define EXIT_RESUME 0	/* the guest continues */
#define EXIT_LEAVE 1	/* the hart leaves the guest */
#define EXIT_NEED_ALL 2	/* again, with the callee-saved registers saved too */

#ifndef __ASSEMBLER__

#include <hv/types.h>

struct vcpu;

/* What an exit handler says; the guest's pc moves in exit_handle() alone, by the number said. */
enum exit_action {
	ACTION_SAME = 0,	/* continue at sepc, as it is now */
	ACTION_ALL = 1,		/* nothing done: needs all registers */
	ACTION_NEXT2 = 2,	/* done with a 16-bit instruction */
	ACTION_NEXT4 = 4,	/* done with a 32-bit instruction */
};

/* Functions of the commonest exits: together in the image, nothing on their stack to overrun. */
#define __hot __attribute__((section(".text.hot"), no_stack_protector))

/* Called from trap.S: dispatch one exit. all: the vCPU's gpr[] is complete. */
struct exit_return {
	struct vcpu *vcpu;
	u64 result;	/* EXIT_* */
};
struct exit_return exit_handle(struct vcpu *vcpu, bool all);

/* The same in place of it on a hart that records its exits (exit_trace.c). */
struct exit_return exit_handle_traced(struct vcpu *vcpu, bool all);

/* Run the guest until an exit leaves it (trap.S). */
void vcpu_enter(struct vcpu *vcpu);

/*
 * inject_exception() - have the guest take an exception at its current pc, as hardware would
 * (privileged specification, "Trap Entry" of VS-mode).
 */
void inject_exception(struct vcpu *vcpu, u64 cause, u64 tval);

/* exit_gpr_needs_all() - this register is not in gpr[] unless trap.S saved all: s0 .. s11. */
static inline bool exit_gpr_needs_all(u32 reg)
{
	return 0x0ffc0300U >> reg & 1;
}

/* The exit handlers; `all` as above. */
enum exit_action exit_sbi(struct vcpu *vcpu, bool all);
enum exit_action exit_load(struct vcpu *vcpu, bool all);
enum exit_action exit_store(struct vcpu *vcpu, bool all);
enum exit_action exit_fetch(struct vcpu *vcpu, bool all);
enum exit_action exit_virtual_instruction(struct vcpu *vcpu, bool all);

/*
 * guest_fetch() - the 2 or 4 bytes of the instruction at a guest virtual address, with the
 * guest's rights. 0; -EFAULT: the guest got the exception that its own fetch would have caused.
 */
int __must_check guest_fetch(struct vcpu *vcpu, gva_t pc, u32 *insn);

/* guest_fetch_half() - see guest_access.S. */
int guest_fetch_half(u64 gva, u16 *out);

/* Boot argument hlvx=1: never trust htinst, always fetch the instruction (for tests). */
extern bool exit_force_hlvx;

#endif
#endif
