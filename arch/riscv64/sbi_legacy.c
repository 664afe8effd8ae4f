/* SPDX-License-Identifier: BSD-2-Clause */
/* The legacy calls that old payloads still use: console and shutdown ("Legacy Extensions"). */
#include <asm/sbi.h>
#include <hv/console.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

static struct sbi_ret putchar(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	char byte = (char)arg[0];

	(void)fid;
	console_vm_write(vcpu->vm->id, &byte, 1);
	return sbi_ok(0);
}

static struct sbi_ret getchar(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	char byte;

	(void)fid;
	(void)arg;
	return sbi_error(console_vm_read(vcpu->vm, &byte, 1) ? (u8)byte : -1);
}

static struct sbi_ret shutdown(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	(void)fid;
	(void)arg;
	vm_end(vcpu->vm, VM_POWEROFF, 0);
	return sbi_ok(0);
}

const struct sbi_extension sbi_legacy_putchar = {
	.name = "putchar", .first = SBI_EXT_LEGACY_CONSOLE_PUTCHAR,
	.last = SBI_EXT_LEGACY_CONSOLE_PUTCHAR, .handle = putchar, .legacy = true,
};

const struct sbi_extension sbi_legacy_getchar = {
	.name = "getchar", .first = SBI_EXT_LEGACY_CONSOLE_GETCHAR,
	.last = SBI_EXT_LEGACY_CONSOLE_GETCHAR, .handle = getchar, .legacy = true,
};

const struct sbi_extension sbi_legacy_shutdown = {
	.name = "shutdown", .first = SBI_EXT_LEGACY_SHUTDOWN, .last = SBI_EXT_LEGACY_SHUTDOWN,
	.handle = shutdown, .legacy = true,
};
