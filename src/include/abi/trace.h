/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What Shyper records of its harts' doings. Each hart has a ring of records that it alone writes;
 * the oldest ones are overwritten, and whoever reads is told how many. Times are ticks of the
 * host's timer (shyper_system_info.timebase); those of all harts compare.
 */
#ifndef ABI_TRACE_H
#define ABI_TRACE_H

#include "types.h"

#define SHYPER_TRACE_VERSION 1	/* raised when something below changes its meaning */

/* Events: bits 1 << SHYPER_TRACE_* choose them. */
#define SHYPER_TRACE_SWITCH 0	/* the hart enters another vCPU, or becomes idle */
#define SHYPER_TRACE_WAKE 1	/* a blocked vCPU that shares its hart is ready */
#define SHYPER_TRACE_SLEEP 2	/* it blocks: WFI, or an SBI suspend */
#define SHYPER_TRACE_EXIT 3	/* an exit is done with */
#define SHYPER_TRACE_INTERRUPT 4	/* Shyper has made an interrupt of the vCPU pending */
#define SHYPER_TRACE_STATE 5	/* the vCPU's life: started, stopped, suspended … */
#define SHYPER_TRACE_WINDOW 6	/* a frame begins in which a partition has this window */
#define SHYPER_TRACE_IDLE 7	/* the idle hart wakes */
#define SHYPER_TRACE_EVENTS 8

#define SHYPER_TRACE_NOBODY 0xff	/* as vm: no vCPU */

/*
 * Sets of interrupts have a bit for each as in sip: 1 software, 5 timer, 9 external.
 *
 * event      vm, vcpu   detail          value                       data
 * SWITCH     to                         from: vm << 8 | vcpu        when that one left the guest
 * WAKE       who                        set that is pending         when its timer was due; 0: -
 * SLEEP      who                        -                           -
 * EXIT       whose      SHYPER_EXIT_*   ticks that it took          see below
 * INTERRUPT  whose                      set that is new             -
 * STATE      whose      SHYPER_VCPU_*   -                           -
 * WINDOW     whose      table           ticks that it lasts         when it begins
 * IDLE       -                          set that woke the hart      -
 *
 * data of an exit: SBI: extension << 32 | function; access to a device, or fault: guest physical
 * address; interrupt: its number; else 0. The hart was in the guest until time - value.
 */
struct shyper_trace_record {
	__u64 time;
	__u8 event;		/* SHYPER_TRACE_* */
	__u8 vm;		/* id */
	__u8 vcpu;
	__u8 detail;
	__u32 value;
	__u64 data;
};

/* States of a vCPU, as SHYPER_TRACE_STATE tells them. */
#define SHYPER_VCPU_STOPPED 0
#define SHYPER_VCPU_CLAIMED 1
#define SHYPER_VCPU_STARTING 2
#define SHYPER_VCPU_RUNNING 3
#define SHYPER_VCPU_SUSPENDED 4
#define SHYPER_VCPU_HALTED 5

/* Records of a ring: a power of two. */
#define SHYPER_TRACE_RING_MIN 64
#define SHYPER_TRACE_RING_MAX 65536

#define SHYPER_TRACE_CHUNK 168
struct shyper_trace_read {
	__u32 hart;		/* in: by number, from 0 */
	__u32 count;		/* out: valid records */
	__u64 sequence;		/* in: from where, 0 the first; out: where to go on */
	__u64 lost;		/* out: records that were overwritten before these */
	__u64 hartid;		/* out */
	__u64 now;		/* out: ticks; all records before have been in the ring */
	struct shyper_trace_record record[SHYPER_TRACE_CHUNK];
};

#endif
