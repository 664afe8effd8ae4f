/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper vm shutdown NAME|ID: have a guest shut itself down, or end it at once. Either way the user
 * wants it down, so its restart policy does not apply until it is booted again.
 */
#include "lib/eventlog.h"
#include "lib/load.h"
#include "lib/store.h"
#include "verb.h"
#include "vm_ask.h"

static const struct vm_ask powerdown = { "powerdown", "shut down", "power it off from inside" };

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

/* It has ended, and may have been booted by somebody since. */
static json_t *settle(struct session *s, struct session_vm *vm, uint64_t boots)
{
	if (vm->info.boots != boots)
		return verb_done(vm, "shut down; somebody has booted it again");
	if (vm->info.reason != SHYPER_END_POWEROFF && vm->info.reason != SHYPER_END_STOP) {
		error_set(&s->error, "VM %u (%s) did not shut down, it ended by %s", vm->id,
			  vm->info.name, session_reason(vm->info.reason));
		return NULL;
	}
	return load_stop(s, vm) ? NULL : verb_done(vm, "shut down");
}

static json_t *shut_down(struct session *s, const json_t *args, struct session_vm *vm)
{
	uint64_t boots = vm->info.boots;
	bool held = store_is_held(vm->id);

	/* Before it is asked: the end may come at once, and the daemon looks then. */
	store_hold(vm->id, true);
	if (vm_ask(s, args, vm, &powerdown)) {
		store_hold(vm->id, held);
		return NULL;
	}
	eventlog_add(vm->id, vm->info.name, "asked to shut down", NULL);
	if (!verb_flag(args, "wait"))
		return verb_done(vm, "asked to shut down");
	return vm_ask_await(s, args, vm, &powerdown) ? NULL : settle(s, vm, boots);
}

static json_t *op(struct session *s, const json_t *args)
{
	struct session_vm vm;
	json_t *result = NULL;

	if (session_find(s, args, true, &vm))
		return NULL;
	if (verb_flag(args, "force") || vm.info.state != SHYPER_VM_RUNNING)
		result = stop(s, &vm);
	else
		result = shut_down(s, args, &vm);
	session_done(&vm);
	return result;
}

static const struct verb_option options[] = {
	{ "force", 'f', NULL, "at once, whatever the guest is doing" },
	{ "wait", 'w', NULL, "return when it has ended (always so with --force)" },
	VM_ASK_TIMEOUT,
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_vm_shutdown = {
	.name = "vm shutdown",
	.alias = "vm stop",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "have a guest shut itself down, or end it",
	.options = options,
	.op = op,
	.print = verb_print_done,
};
