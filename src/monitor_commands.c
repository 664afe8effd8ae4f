/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's commands. They look, and change nothing but what the monitor shows of the log. */
#include <asm/hart.h>
#include <hv/format.h>
#include <hv/page.h>
#include <hv/string.h>
#include <hv/vm.h>
#include <hv/vm_show.h>

#include "monitor_commands.h"

struct monitor_log monitor_log = { .level = LOG_INFO };

static bool show_vms(const char *argument, u32 step, char *text, size_t size)
{
	const struct vm *vm = vm_by_id(step);

	(void)argument;
	if (vm)
		vm_show(vm, text, size);
	return step < VMS;
}

static const struct vm *named(const char *id)
{
	char *end;
	unsigned long n = strtoul(id, &end, 10);

	return *id && !*end && n < VMS ? vm_by_id((u32)n) : NULL;
}

static bool show_vm(const char *argument, u32 step, char *text, size_t size)
{
	const struct vm *vm = named(argument);

	if (!vm) {
		format(text, size, "there is no VM '%s'; vms lists them", argument);
		return step == 0;
	}
	if (step == 0)
		vm_show(vm, text, size);
	else if (step == 1)
		vm_show_exits(vm, text, size);
	else if (step - 2 < vm->vcpus)
		vm_show_vcpu(vm->vcpu[step - 2], text, size);
	return step < 2 + vm->vcpus;
}

static bool show_memory(const char *argument, u32 step, char *text, size_t size)
{
	struct page_counts pages;

	(void)argument;
	page_count(&pages);
	format(text, size, "pages of 4 KiB: %llu in all, %llu free, %llu Shyper's own",
	       (unsigned long long)pages.total, (unsigned long long)pages.free,
	       (unsigned long long)pages.hv);
	return step == 0;
}

/* By way of the VMs: those that vm_by_id() yields may be read. The first there, and how many. */
static const struct vcpu *vcpu_on(const struct hart *hart, u32 *count)
{
	const struct vcpu *first = NULL;

	*count = 0;
	for (u32 id = 0; id < VMS; id++) {
		const struct vm *vm = vm_by_id(id);

		for (u32 i = 0; vm && i < vm->vcpus; i++) {
			if (vm->vcpu[i]->hart != hart)
				continue;
			first = first ? first : vm->vcpu[i];
			++*count;
		}
	}
	return first;
}

static bool show_harts(const char *argument, u32 step, char *text, size_t size)
{
	const struct hart *hart = &harts[step];
	const struct vcpu *vcpu;
	u32 count;

	(void)argument;
	if (step >= hart_count)
		return false;
	vcpu = vcpu_on(hart, &count);
	if (count > 1)
		format(text, size, "hart %llu: vCPU %u of VM %u %s, and %u more",
		       (unsigned long long)hart->hartid, vcpu->index, vcpu->vm->id,
		       vcpu->vm->def.name, count - 1);
	else if (vcpu)
		format(text, size, "hart %llu: vCPU %u of VM %u %s",
		       (unsigned long long)hart->hartid, vcpu->index, vcpu->vm->id,
		       vcpu->vm->def.name);
	else
		format(text, size, "hart %llu: %s", (unsigned long long)hart->hartid,
		       __atomic_load_n(&hart->online, __ATOMIC_RELAXED) ? "free" :
									  "did not start");
	return true;
}

static bool show_log(const char *argument, u32 step, char *text, size_t size)
{
	if (*argument && !log_level_parse(argument, strlen(argument), &monitor_log.level)) {
		format(text, size, "there is no level '%s'; there are err, warn, info, debug",
		       argument);
	} else {
		format(text, size, "lines up to level %s, from the oldest that is kept:",
		       log_level_name[monitor_log.level]);
		monitor_log.next = 0;
	}
	return step == 0;
}

static bool show_help(const char *argument, u32 step, char *text, size_t size);

static const struct monitor_command commands[] = {
	{ "help", "this list", show_help },
	{ "vms", "the VMs", show_vms },
	{ "vm ID", "one VM: its exits by cause, its vCPUs", show_vm },
	{ "harts", "who runs where", show_harts },
	{ "memory", "pages of the machine", show_memory },
	{ "log LEVEL", "the log again, and from now on up to: err, warn, info, debug", show_log },
};

static bool show_help(const char *argument, u32 step, char *text, size_t size)
{
	(void)argument;
	if (step >= ARRAY_SIZE(commands))
		return false;
	format(text, size, "%-10s %s", commands[step].usage, commands[step].help);
	return true;
}

static bool show_unknown(const char *argument, u32 step, char *text, size_t size)
{
	if (step)
		return show_help(argument, step - 1, text, size);
	format(text, size, "there is no command '%s'; there are:", argument);
	return true;
}

static const struct monitor_command unknown = { .show = show_unknown };

/* The word is the command's; one that takes no argument gets none. */
static bool is_command(const struct monitor_command *command, const char *word, size_t n,
		       const char *argument)
{
	const char *usage = command->usage;

	return !strncmp(usage, word, n) && (usage[n] == ' ' || (!usage[n] && !*argument));
}

const struct monitor_command *monitor_command(const char *line, const char **argument)
{
	size_t n = 0;

	while (line[n] && line[n] != ' ')
		n++;
	*argument = line + n;
	while (**argument == ' ')
		++*argument;
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		if (is_command(&commands[i], line, n, *argument))
			return &commands[i];
	*argument = line;
	return &unknown;
}
