/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot arguments, and the VMs of the boot FIT. */
#include <hv/board.h>
#include <hv/check.h>
#include <hv/errno.h>
#include <hv/fit.h>
#include <hv/frames.h>
#include <hv/log.h>
#include <hv/main.h>
#include <hv/pa.h>
#include <hv/page.h>
#include <hv/panic.h>
#include <hv/string.h>
#include <hv/vm.h>

static struct fit boot_fit;

static bool is(const char *arg, size_t len, const char *text)
{
	return len == strlen(text) && !memcmp(arg, text, len);
}

static bool option(const char *arg, size_t len)
{
	static const char loglevel[] = "loglevel=";
	const size_t prefix = sizeof(loglevel) - 1;
	enum log_level level;

	if (len > prefix && !memcmp(arg, loglevel, prefix) &&
	    log_level_parse(arg + prefix, len - prefix, &level))
		log_level_set(level);
	else if (is(arg, len, "panic=off"))
		panic_halts = false;
	else if (is(arg, len, "panic=halt"))
		panic_halts = true;
	else
		return arch_option(arg, len);
	return true;
}

void main_options(const char *bootargs)
{
	while (*bootargs) {
		const char *end = strchr(bootargs, ' ');
		size_t len = end ? (size_t)(end - bootargs) : strlen(bootargs);

		if (len && !option(bootargs, len))
			log_warn("boot argument '%.*s' is unknown and ignored", (int)len, bootargs);
		bootargs += len + (end != NULL);
	}
}

/* The tree where libfdt can read it: data inside a FIT is only 4-byte aligned. Boot hart alone. */
static const void *aligned_tree(const struct fit_image *image)
{
	static u64 copy[VMDEF_TREE_SIZE / sizeof(u64)];

	if ((uintptr_t)image->data % sizeof(u64) == 0 || image->size > sizeof(copy))
		return image->data;
	return memcpy(copy, image->data, image->size);
}

/* The FIT's schedule, if this is it. */
static void take_schedule(u32 n)
{
	static struct schedule schedule;	/* large; the boot hart alone is here */
	struct vmdef_error error;
	struct fit_image image;
	const void *tree;

	if (fit_vm(&boot_fit, n, &image))
		return;
	tree = aligned_tree(&image);
	if (!schedule_is(tree, image.size))
		return;
	if (schedule_parse(&schedule, tree, image.size, &error) ||
	    schedule_install(&schedule, tree, &error))
		log_err("schedule refused: node %s%s%s: %s", error.node,
			error.property[0] ? ", property " : "", error.property, error.reason);
}

/* One VM of the FIT; what is wrong with it is logged and hurts no other. */
static void make_vm(u32 n)
{
	static struct vmdef def;	/* large; the boot hart alone is here */
	struct vmdef_error error;
	struct fit_image image;
	struct vm *vm;

	if (fit_vm(&boot_fit, n, &image)) {
		log_err("VM %u: its definition is not in the boot image", n);
		return;
	}
	if (schedule_is(aligned_tree(&image), image.size))
		return;
	if (vmdef_parse(&def, aligned_tree(&image), image.size, &error)) {
		log_err("VM %u refused: node %s%s%s: %s", n, error.node,
			error.property[0] ? ", property " : "", error.property, error.reason);
		return;
	}
	if (vm_create(&def, &boot_fit, &vm) == 0)	/* else it has been logged */
		vm_admit(vm);
}

/* True when there is such a VM and it starts. */
static bool start_vm(u32 id)
{
	struct vm *vm = vm_by_id(id);

	return vm && vm->def.autostart && vm_boot(vm) == 0;
}

void main_start(void)
{
	char why[128];
	u32 running = 0;

	if (!board.initrd.size)
		boot_refuse("no boot image: give Shyper a FIT as its initrd (QEMU: -initrd)");
	if (fit_open(&boot_fit, pa_ptr(HPA(board.initrd.base)), board.initrd.size, why,
		     sizeof(why)))
		boot_refuse("boot image: %s", why);
	/* All refusals are seen before a VM may take over the terminal. */
	for (u32 n = 0; n < fit_vms(&boot_fit); n++)
		take_schedule(n);
	for (u32 n = 0; n < fit_vms(&boot_fit); n++)
		make_vm(n);
	for (u32 id = 0; id < VMS; id++)
		running += start_vm(id);
	if (!running)
		boot_refuse("no VM of the boot image runs");
	vms_started();
}
