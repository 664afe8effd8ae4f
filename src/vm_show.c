/* SPDX-License-Identifier: BSD-2-Clause */
/* VMs in words. */
#include <asm/hart.h>
#include <hv/fiber.h>
#include <hv/format.h>
#include <hv/vm.h>
#include <hv/vm_show.h>

/* Where the next words go. */
struct text {
	char *at;
	size_t left;	/* bytes, the NUL's too */
};

static __printf(2, 3) void add(struct text *text, const char *fmt, ...)
{
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	n = (size_t)vformat(text->at, text->left, fmt, ap);
	va_end(ap);
	n = MIN(n, text->left - 1);
	text->at += n;
	text->left -= n;
}

static u64 exits(const struct vm *vm, u32 cause)
{
	u64 sum = 0;

	for (u32 i = 0; i < vm->vcpus; i++)
		sum += vm->vcpu[i]->exits[cause];
	return sum;
}

static u64 all_exits(const struct vm *vm)
{
	u64 sum = 0;

	for (u32 cause = 0; cause < EXIT_CAUSES; cause++)
		sum += exits(vm, cause);
	return sum;
}

static void add_end(struct text *to, const struct vm *vm)
{
	static const char *const reasons[] = {
		[VM_POWEROFF] = "powered off", [VM_REBOOT] = "reboots",
		[VM_FAILURE] = "reports failure", [VM_CRASH] = "crashed",
		[VM_STOP] = "was stopped",
	};

	add(to, "%s (code %u)", reasons[vm->reason], vm->exit_code);
}

void vm_show_end(const struct vm *vm, char *text, size_t size)
{
	add_end(&(struct text){ text, size }, vm);
}

void vm_show(const struct vm *vm, char *text, size_t size)
{
	static const char *const states[] = {
		[VM_MADE] = "made", [VM_RUNNING] = "running", [VM_STOPPING] = "stopping",
		[VM_DESTROYED] = "being removed",
	};
	struct text to = { text, size };
	enum vm_state state = vm_state(vm);
	bool paused = state == VM_RUNNING && __atomic_load_n(&vm->paused, __ATOMIC_RELAXED);

	add(&to, "VM %u %s: ", vm->id, vm->def.name);
	if (state == VM_ENDED)
		add_end(&to, vm);
	else
		add(&to, "%s", paused ? "paused" : states[state]);
	add(&to, ", vCPUs %u, harts", vm->vcpus);
	for (u32 i = 0; i < vm->vcpus; i++)
		add(&to, " %llu", (unsigned long long)vm->vcpu[i]->hart->hartid);
	add(&to, ", %llu MiB, %llu exits", (unsigned long long)(vm->gmap.ram >> 20),
	    (unsigned long long)all_exits(vm));
}

void vm_show_exits(const struct vm *vm, char *text, size_t size)
{
	static const char *const names[EXIT_CAUSES] = {
		[EXIT_SBI] = "sbi",
		[EXIT_MMIO_READ] = "mmio-read", [EXIT_MMIO_WRITE] = "mmio-write",
		[EXIT_VIRTUAL_INSTRUCTION] = "instruction", [EXIT_IPI] = "ipi",
		[EXIT_TIMER] = "timer", [EXIT_EXTERNAL] = "external", [EXIT_FAULT] = "fault",
		[EXIT_OTHER] = "other",
	};
	struct text to = { text, size };

	add(&to, "exits %llu:", (unsigned long long)all_exits(vm));
	for (u32 cause = 0; cause < EXIT_CAUSES; cause++) {
		fiber_breathe();
		add(&to, " %s %llu", names[cause], (unsigned long long)exits(vm, cause));
	}
}

void vm_show_vcpu(const struct vcpu *vcpu, char *text, size_t size)
{
	static const char *const states[] = {
		[VCPU_STOPPED] = "stopped", [VCPU_CLAIMED] = "starting",
		[VCPU_STARTING] = "starting", [VCPU_RUNNING] = "running",
		[VCPU_SUSPENDED] = "suspended", [VCPU_HALTED] = "halted",
	};

	format(text, size, "vCPU %u: %s on hart %llu", vcpu->index, states[vcpu_state(vcpu)],
	       (unsigned long long)vcpu->hart->hartid);
}
