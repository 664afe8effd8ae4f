/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm shutdown --force NAME|ID: end a VM at once. Its restart policy does not undo that. */
#include "lib/eventlog.h"
#include "lib/load.h"
#include "lib/store.h"
#include "verb.h"

static json_t *stop(struct session *s, struct session_vm *vm)
{
	bool ran = vm->info.state == SHYPER_VM_RUNNING || vm->info.state == SHYPER_VM_STOPPING;

	store_hold(vm->id, true);
	if (load_stop(s, vm))
		return NULL;
	if (!ran)
		return verb_done(vm, "was not running; it stays so");
	eventlog_add(vm->id, vm->info.name, "stopped", NULL);
	return verb_done(vm, "stopped");
}

static json_t *op(struct session *s, const json_t *args)
{
	struct session_vm vm;
	json_t *result = NULL;

	if (session_find(s, args, true, &vm))
		return NULL;
	if (vm.id == 0)
		error_set(&s->error, "VM 0 is this machine; use shyper system shutdown");
	else if (!verb_flag(args, "force"))
		error_set(&s->error, "VM %u (%s) cannot be asked to shut down (it has no port for "
			  "a guest agent); power it off from inside, or use --force", vm.id,
			  vm.info.name);
	else
		result = stop(s, &vm);
	session_done(&vm);
	return result;
}

static const struct verb_option options[] = {
	{ "force", 'f', NULL, "at once, whatever the guest is doing" },
	{ "wait", 'w', NULL, "return when it has ended (always so with --force)" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_vm_shutdown = {
	.name = "vm shutdown",
	.alias = "vm stop",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "end a running VM",
	.options = options,
	.op = op,
	.print = verb_print_done,
};
