/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hart of the board and what Shyper keeps for it. tp holds the address of the hart's struct
 * whenever Shyper runs.
 */
#ifndef ASM_HART_H
#define ASM_HART_H

#include <asm/offsets.h>
#include <asm/units.h>
#include <asm/vmid.h>
#include <hv/guest_files.h>
#include <hv/sched.h>
#include <hv/types.h>

#define HARTS 64	/* most harts that Shyper drives; hart masks are one u64 */

struct board_hart;
struct fiber;
struct trace_ring;
struct vcpu;
struct vm;

/* Integer registers and trap CSRs of a trap that Shyper itself caused. */
struct hs_trap_frame {
	u64 gpr[32];	/* gpr[0] unused */
	u64 sepc;
	u64 scause;
	u64 stval;
};

enum fence_op {
	FENCE_I,		/* fence.i */
	FENCE_VVMA,		/* hfence.vvma, all ASIDs of the running VMID */
	FENCE_VVMA_ASID,	/* hfence.vvma of one ASID */
	FENCE_NOTHING,		/* no fence: the requester only waits until the hart has looked */
	FENCE_GVMA,		/* hfence.gvma, everything */
	FENCE_FILES,		/* no fence: empty the interrupt files that vCPUs of vm have here */
	FENCE_CALL,		/* no fence: call(arg) */
};

/* A TLB or instruction-fetch fence that one hart asks others to execute. */
struct fence {
	enum fence_op op;
	union {
		u64 start;	/* guest virtual address */
		void (*call)(void *arg);
	};
	union {
		u64 size;	/* bytes; FENCE_ALL: the whole address space */
		void *arg;
	};
	u64 asid;
	struct vm *vm;	/* FENCE_VVMA*: whose translations */
};
#define FENCE_ALL (~(u64)0)

struct hart {
	/* This hart only; the first four are known to assembly (asm/offsets.h). */
	u64 fixup;			/* a fault in HS-mode continues here, once; 0: panic */
	u64 trap_sp;			/* stack for a fatal trap of Shyper itself */
	u64 stack_top;			/* the hart's own stack; a guard page lies below it */
	struct hs_trap_frame trap;	/* where that trap's registers go */
	struct vcpu *loaded;		/* whose VS CSRs are in the hart; NULL: nobody's. Atomic:
					 * others ask (sbi_rfence.c) */
	struct vcpu_csrs nobody;	/* those that are there then */
	struct units units;
	struct timer *timers;		/* soft timers, soonest first */
	u64 kicks;			/* how often hart_kicked() */
	struct vmid_hart vmid;		/* what this hart's TLB may hold */
	struct fiber *fiber;		/* on whose stack it is; NULL: its own */
	u64 watched;			/* guest interrupt files that vCPUs which sleep wait for */

	struct trace_ring *trace;	/* hv/trace.h; atomic, NULL: nothing is recorded */

	/* Fixed after boot. */
	u32 index;			/* 0 .. harts - 1, the boot hart is 0 */
	u64 hartid;
	const struct board_hart *board;	/* what the device tree says of it */
	volatile u32 *kick;		/* a 1 written here interrupts it; NULL: firmware must */
	struct guest_files guest_files;	/* of its IMSIC */

	struct sched sched;		/* the vCPUs pinned here; says itself who may touch what */

	/* Others touch this: on its own cache line. */
	u64 fence_from __attribute__((aligned(64)));	/* harts with a fence for us; atomic bits */
	u64 fence_left;		/* harts that have not done our fence; they clear their bits */
	u32 errand;		/* ERRAND_* that are due; atomic */
	u32 online;		/* 1 when the hart is set up; atomic */
	struct fence fence_out;	/* ours, constant while fence_left is not 0 */
};

extern struct hart harts[HARTS];	/* entries 0 .. hart_count - 1 are valid */
extern u32 hart_count;

static inline struct hart *this_hart(void)
{
	struct hart *hart;

	__asm__("mv %0, tp" : "=r"(hart));
	return hart;
}

/* hart_by_id() - the hart with this hartid; NULL: none that Shyper drives. Any context. */
struct hart *hart_by_id(u64 hartid);

/*
 * hart_kick() - make the hart leave the guest or WFI and look at its requests: by a message to its
 * IMSIC, by the ACLINT's SSWI, or by the firmware, whichever is there first. Any hart; the caller
 * has posted the request before.
 */
void hart_kick(struct hart *hart);

/* hart_kick_init() - find out how each hart is kicked. Boot hart, after host_irq_init(). */
void hart_kick_init(void);

/* hart_kicked() - the calling hart was: it looks at what is not a vCPU's. Interrupts off. */
void hart_kicked(void);

/*
 * hart_errand() - have the hart do something soon, with no lock held and no vCPU in the guest. Any
 * hart, any context, lock-free.
 */
#define ERRAND_MONITOR 1	/* monitor_serve() */
#define ERRAND_TRACE 2		/* arch_trace() */
#define ERRAND_CONSOLE 4	/* console_serve() */
void hart_errand(struct hart *hart, u32 errand);

/*
 * hart_start_others() - start all harts but the calling one by SBI HSM and wait, bounded, until
 * each is online. Boot hart, once. Harts that fail are logged and stay out.
 */
void hart_start_others(void);

/* hart_init() - bring the calling hart's CSRs into Shyper's state. Each hart, once. */
void hart_init(void);

/* hart_loop() - run the vCPUs pinned to this hart whenever one may run, else sleep. */
void __noreturn hart_loop(void);

/*
 * fence_remote() - have every hart of mask (bit = hart index) execute the fence, the calling one
 * too when its bit is set, and wait until all have. Serves fences of others meanwhile, so that
 * two harts fencing each other do not deadlock; each target answers within one exit.
 */
void fence_remote(u64 mask, const struct fence *fence);

/* fence_serve() - execute what others asked this hart for. */
void fence_serve(void);

/* hfence.gvma and hfence.vvma over everything (of the VMID in hgatp), on this hart. */
static inline void hfence_gvma_all(void)
{
	__asm__ volatile(".insn r SYSTEM, 0, 0x31, x0, x0, x0" ::: "memory");
}

static inline void hfence_vvma_all(void)
{
	__asm__ volatile(".insn r SYSTEM, 0, 0x11, x0, x0, x0" ::: "memory");
}

/* fence_self() - execute a fence on this hart alone, and count it for the vCPU that it reaches. */
void fence_self(const struct fence *fence);

#endif
