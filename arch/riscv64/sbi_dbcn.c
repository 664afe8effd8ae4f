/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI DBCN ("Debug Console Extension"): the VM's console. */
#include <asm/sbi.h>
#include <hv/console.h>
#include <hv/gmap.h>
#include <hv/machine.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

/* At most this much per call, so that an exit stays short; the guest calls again. */
#define CHUNK 64

/* The range lies in the guest's RAM, all of it. */
static bool range_ok(struct vm *vm, const u64 *arg)
{
	return arg[2] == 0 && (arg[0] == 0 || gmap_is_ram(&vm->gmap, GPA(arg[1]), arg[0]));
}

static struct sbi_ret console_write(struct vm *vm, const u64 *arg)
{
	char text[CHUNK];
	size_t size = MIN(arg[0], (u64)CHUNK);

	if (!range_ok(vm, arg) || gmap_read(&vm->gmap, GPA(arg[1]), text, size))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	return sbi_ok(machine_console_write(vm, text, size));
}

static struct sbi_ret console_read(struct vm *vm, const u64 *arg)
{
	char text[CHUNK];
	size_t size;

	if (!range_ok(vm, arg))
		return sbi_error(SBI_ERR_INVALID_PARAM);
	size = console_vm_read(vm, text, MIN(arg[0], (u64)CHUNK));
	if (gmap_write(&vm->gmap, GPA(arg[1]), text, size))
		return sbi_error(SBI_ERR_FAILED);
	return sbi_ok(size);
}

struct sbi_ret sbi_dbcn(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	char byte = (char)arg[0];

	switch (fid) {
	case SBI_EXT_DBCN_CONSOLE_WRITE:
		return console_write(vcpu->vm, arg);
	case SBI_EXT_DBCN_CONSOLE_READ:
		return console_read(vcpu->vm, arg);
	case SBI_EXT_DBCN_CONSOLE_WRITE_BYTE:
		return machine_console_write(vcpu->vm, &byte, 1) ? sbi_ok(0) : sbi_again(arg);
	}
	return sbi_error(SBI_ERR_NOT_SUPPORTED);
}
