/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm pause|resume NAME|ID. */
#include "lib/eventlog.h"
#include "verb.h"

static json_t *command(struct session *s, const json_t *args, enum device_command number,
		       const char *verb, const char *done)
{
	struct session_vm vm;
	json_t *result = NULL;
	int err;

	if (session_find(s, args, true, &vm))
		return NULL;
	/* One of the boot image that is about to restart can be paused, too; Shyper knows. */
	if ((vm.info.state != SHYPER_VM_RUNNING && vm.info.state != SHYPER_VM_STOPPING) ||
	    (number == DEVICE_PAUSE) == (vm.info.paused != 0)) {
		error_set(&s->error, "VM %u (%s) cannot be %s: it is %s", vm.id, vm.info.name, done,
			  session_state(&vm.info));
	} else if ((err = device.command(vm.fd, number)) < 0) {
		session_refused(s, vm.fd, err, "VM %u (%s): %s", vm.id, vm.info.name, verb);
	} else {
		eventlog_add(vm.id, vm.info.name, done, NULL);
		result = verb_done(&vm, done);
	}
	session_done(&vm);
	return result;
}

static json_t *op_pause(struct session *s, const json_t *args)
{
	return command(s, args, DEVICE_PAUSE, "pause", "paused");
}

static json_t *op_resume(struct session *s, const json_t *args)
{
	return command(s, args, DEVICE_RESUME, "resume", "resumed");
}

const struct verb verb_vm_pause = {
	.name = "vm pause",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "hold a running VM where it is",
	.op = op_pause,
	.print = verb_print_done,
};

const struct verb verb_vm_resume = {
	.name = "vm resume",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "let a paused VM go on",
	.op = op_resume,
	.print = verb_print_done,
};
