/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes and boots a VM from a tree and a payload, and leaves it: wire_vm TREE PAYLOAD. */
#include <stdio.h>

#include "vm.h"

int main(int argc, char **argv)
{
	int vm;

	if (argc != 3)
		return 2;
	open_device();
	vm = create(argv[1]);
	load(vm, argv[2], KERNEL);
	boot(vm, 0);
	puts("booted");
	return failures != 0;
}
