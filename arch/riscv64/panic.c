/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of Shyper: says why, with what is known of the hart, and stops all harts. Everything
 * here must work when little else does; a panic inside a panic halts silently.
 */
#include <asm/boot.h>
#include <asm/csr.h>
#include <asm/hart.h>
#include <hv/check.h>
#include <hv/format.h>
#include <hv/log.h>
#include <hv/panic.h>
#include <hv/vm.h>

bool panic_halts;

/* Exit statuses, where the machine has a place for one. */
#define PANIC_STATUS 255
#define REFUSED_STATUS 254

static u32 panicking;	/* 1 + index of the first hart here; atomic */

static const char *const register_names[32] = {
	"zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
	"a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3",
	"t4", "t5", "t6",
};

void __noreturn panic_halt_hart(void)
{
	csr_write(CSR_SIE, 0);
	for (;;)
		__asm__ volatile("wfi");
}

bool panic_active(void)
{
	return __atomic_load_n(&panicking, __ATOMIC_RELAXED) != 0;
}

bool panic_elsewhere(void)
{
	u32 first = __atomic_load_n(&panicking, __ATOMIC_RELAXED);

	return first && first != this_hart()->index + 1;
}

static void __noreturn off(u32 status)
{
	if (!panic_halts)
		arch_machine_off(status);
	panic_halt_hart();
}

/* Only the first hart goes on. When it faults again while it prints, it goes off without a word. */
static void begin(void)
{
	u32 first = 0, self = this_hart()->index + 1;

	if (!__atomic_compare_exchange_n(&panicking, &first, self, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED)) {
		if (first == self)
			off(PANIC_STATUS);
		panic_halt_hart();
	}
	log_panic_mode();
}

static void __noreturn end(void)
{
	for (u32 i = 0; i < hart_count; i++)
		if (&harts[i] != this_hart() && __atomic_load_n(&harts[i].online, __ATOMIC_RELAXED))
			hart_kick(&harts[i]);
	log_err("all harts stop%s", panic_halts ? "" : ", the machine goes off");
	off(PANIC_STATUS);
}

static bool in_text(u64 addr)
{
	return addr >= (uintptr_t)_image_start && addr < (uintptr_t)_text_end;
}

/* Offsets into the image, as in shyper.dis: the chain of frame pointers, else a likely one. */
static void backtrace(u64 pc, u64 ra, u64 sp)
{
	const struct hart *hart = this_hart();
	u64 top = ALIGN_UP(sp + 1, KIB(4)), found = 0;

	if (hart->stack_top && sp < hart->stack_top && hart->stack_top - sp <= KIB(16))
		top = hart->stack_top;
	log_err("backtrace (image at 0x%llx): +0x%llx +0x%llx",
		(unsigned long long)(uintptr_t)_image_start,
		(unsigned long long)(pc - (uintptr_t)_image_start),
		(unsigned long long)(ra - (uintptr_t)_image_start));
	if (!IS_ALIGNED(sp, 8u) || !in_text(pc))
		return;
	for (u64 at = sp; at < top && found < 16; at += 8) {
		u64 value = *(const u64 *)(uintptr_t)at;

		if (in_text(value)) {
			log_err("  [sp+0x%llx] +0x%llx", (unsigned long long)(at - sp),
				(unsigned long long)(value - (uintptr_t)_image_start));
			found++;
		}
	}
}

void boot_refuse(const char *fmt, ...)
{
	char text[LOG_LINE];
	va_list ap;

	va_start(ap, fmt);
	vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_err("boot: %s", text);
	off(REFUSED_STATUS);
}

void panic(const char *fmt, ...)
{
	char text[LOG_LINE];
	va_list ap;

	begin();
	va_start(ap, fmt);
	vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_err("PANIC: %s", text);
	if (hart_count)
		backtrace((uintptr_t)__builtin_return_address(0),
			  (uintptr_t)__builtin_return_address(0),
			  (uintptr_t)__builtin_frame_address(0));
	end();
}

void panic_trap(const struct hs_trap_frame *frame)
{
	begin();
	log_err("PANIC: trap in Shyper: scause 0x%llx stval 0x%llx sepc 0x%llx (+0x%llx)",
		(unsigned long long)frame->scause, (unsigned long long)frame->stval,
		(unsigned long long)frame->sepc,
		(unsigned long long)(frame->sepc - (uintptr_t)_image_start));
	for (u32 i = 1; i + 3 < 35; i += 4) {
		char line[LOG_LINE];
		int used = 0;

		for (u32 j = i; j < MIN(i + 4, 32u); j++)
			used += format(line + used, sizeof(line) - (size_t)used, " %4s %016llx",
				       register_names[j], (unsigned long long)frame->gpr[j]);
		log_err("%s", line);
	}
	/* A stack that is itself broken is not read. */
	if (frame->stval < frame->gpr[GPR_SP] - PAGE_SIZE ||
	    frame->stval > frame->gpr[GPR_SP] + PAGE_SIZE)
		backtrace(frame->sepc, frame->gpr[GPR_RA], frame->gpr[GPR_SP]);
	end();
}
