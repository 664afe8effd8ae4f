/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of schedulers: VMs end without anything left to do. */
#include <stdlib.h>

#include <hv/vm.h>

bool vm_finish(struct vm *vm)
{
	(void)vm;
	abort();
}

bool arch_hart_wanted(void)
{
	abort();
}
