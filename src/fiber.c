/* SPDX-License-Identifier: BSD-2-Clause */
/* Work that steps back when its hart is wanted: two stacks and a switch between them. */
#include <hv/fiber.h>

#include <hv/check.h>
#include <hv/vm.h>

#define BOTTOM 0x666962657220656eu	/* the last word of the stack: nobody got that far */

static void swap(struct fiber *fiber)
{
	u64 to = fiber->sp;

	arch_fiber_switch(&fiber->sp, &to);
}

static void fiber_main(void *arg)
{
	struct fiber *fiber = arg;

	fiber->work(fiber->arg);
	fiber->going = false;
	swap(fiber);
}

void fiber_begin(struct fiber *fiber, void (*work)(void *arg), void *arg)
{
	CHECK(!fiber->going);
	fiber->work = work;
	fiber->arg = arg;
	fiber->stack[0] = BOTTOM;
	fiber->sp = arch_fiber_stack(fiber->stack + ARRAY_SIZE(fiber->stack), fiber_main, fiber);
	fiber->going = true;
}

bool fiber_run(struct fiber *fiber)
{
	struct fiber **own = arch_fiber_own();

	CHECK(fiber->going && !*own);
	*own = fiber;
	swap(fiber);
	*own = NULL;
	CHECK(fiber->stack[0] == BOTTOM);
	return fiber->going;
}

void fiber_breathe(void)
{
	struct fiber *fiber = *arch_fiber_own();

	if (fiber && arch_hart_wanted())
		swap(fiber);
}
