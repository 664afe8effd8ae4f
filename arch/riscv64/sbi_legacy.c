/* SPDX-License-Identifier: BSD-2-Clause */
/* The legacy calls that old payloads still use: console and shutdown ("Legacy Extensions"). */
#include <asm/sbi.h>
#include <hv/console.h>
#include <hv/machine.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

static struct sbi_ret result(long value, const u64 *arg)
{
	return (struct sbi_ret){ .error = value, .value = arg[1] };
}

struct sbi_ret sbi_legacy_putchar(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	char byte = (char)arg[0];

	(void)fid;
	return machine_console_write(vcpu->vm, &byte, 1) ? result(0, arg) : sbi_again(arg);
}

struct sbi_ret sbi_legacy_getchar(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	char byte;

	(void)fid;
	return result(console_vm_read(vcpu->vm, &byte, 1) ? (u8)byte : -1, arg);
}

struct sbi_ret sbi_legacy_shutdown(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	(void)fid;
	vm_end(vcpu->vm, VM_POWEROFF, 0);
	return result(0, arg);
}
