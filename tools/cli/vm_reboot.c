/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper vm reboot NAME|ID and shyper vm reset NAME|ID: end a guest, which reboot without --force
 * leaves to the guest itself, and boot it, images read anew.
 */
#include "lib/eventlog.h"
#include "lib/load.h"
#include "lib/store.h"
#include "verb.h"
#include "vm_ask.h"

static const struct vm_ask reboot = { "reboot", "reboot", "reboot inside it" };

static json_t *stop_and_boot(struct session *s, struct session_vm *vm, const char *event)
{
	if (load_stop(s, vm) || load_boot(s, vm))
		return NULL;
	eventlog_add(vm->id, vm->info.name, event, NULL);
	return verb_done(vm, event);
}

/* The daemon boots a guest that has rebooted, too: whoever is first. */
static json_t *ask_and_boot(struct session *s, const json_t *args, struct session_vm *vm)
{
	uint64_t boots = vm->info.boots;

	if (vm->info.state != SHYPER_VM_RUNNING) {
		error_set(&s->error, "VM %u (%s) is not running; `shyper vm boot` starts it",
			  vm->id, vm->info.name);
		return NULL;
	}
	if (vm_ask(s, args, vm, &reboot))
		return NULL;
	store_hold(vm->id, false);
	eventlog_add(vm->id, vm->info.name, "asked to reboot", NULL);
	if (vm_ask_await(s, args, vm, &reboot))
		return NULL;
	return vm->info.boots != boots ? verb_done(vm, "rebooted") :
	       stop_and_boot(s, vm, "rebooted");
}

static json_t *serve(struct session *s, const json_t *args, bool at_once, const char *event)
{
	struct session_vm vm;
	json_t *result = NULL;

	if (session_find(s, args, true, &vm))
		return NULL;
	if (verb_is_late(args, &vm))
		result = verb_done(&vm, "booted by somebody else");
	else if (at_once)
		result = stop_and_boot(s, &vm, event);
	else
		result = ask_and_boot(s, args, &vm);
	session_done(&vm);
	return result;
}

static json_t *op_reboot(struct session *s, const json_t *args)
{
	return serve(s, args, verb_flag(args, "force"), "rebooted");
}

static json_t *op_reset(struct session *s, const json_t *args)
{
	return serve(s, args, true, "reset");
}

static const struct verb_option options[] = {
	{ "force", 'f', NULL, "at once, whatever the guest is doing" },
	VM_ASK_TIMEOUT,
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_vm_reboot = {
	.name = "vm reboot",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "have a guest end itself, or end it, and boot it again",
	.options = options,
	.op = op_reboot,
	.print = verb_print_done,
};

const struct verb verb_vm_reset = {
	.name = "vm reset",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "like the reset button of a machine",
	.op = op_reset,
	.print = verb_print_done,
};
