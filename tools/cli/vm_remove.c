/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm remove NAME|ID: end the VM if it runs, give its memory back, forget it. */
#include "lib/eventlog.h"
#include "lib/load.h"
#include "lib/store.h"
#include "verb.h"
#include "vm_remove.h"

json_t *vm_remove(struct session *s, struct session_vm *vm)
{
	int err;

	store_hold(vm->id, true);
	if (load_stop(s, vm))
		return NULL;
	err = device.command(vm->fd, DEVICE_DESTROY);
	if (err < 0) {
		session_refused(s, vm->fd, err, "VM %u (%s) cannot be removed", vm->id,
				vm->info.name);
		return NULL;
	}
	store_forget(vm->id);
	eventlog_add(vm->id, vm->info.name, "removed", NULL);
	return verb_done(vm, "removed");
}

static json_t *op(struct session *s, const json_t *args)
{
	struct session_vm vm;
	json_t *result;

	if (session_find(s, args, true, &vm))
		return NULL;
	result = vm_remove(s, &vm);
	session_done(&vm);
	return result;
}

const struct verb verb_vm_remove = {
	.name = "vm remove",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "end a VM, give its memory back and forget it",
	.op = op,
	.print = verb_print_done,
};
