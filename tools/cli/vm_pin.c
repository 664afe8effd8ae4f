/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm pin NAME|ID VCPU HART: a vCPU goes to another hart, while the VM does what it does. */
#include <errno.h>
#include <stdlib.h>

#include "lib/eventlog.h"
#include "verb.h"

/* From the command line it is text. */
static int number(struct session *s, const json_t *args, const char *key, const char *what,
		  uint64_t *value)
{
	const char *text = json_string_value(json_object_get(args, key));
	char *end = NULL;

	errno = 0;
	*value = text && *text >= '0' && *text <= '9' ? strtoull(text, &end, 0) : 0;
	if (end && !*end && !errno && *value <= UINT32_MAX)
		return 0;
	s->error.usage = true;
	return error_set(&s->error, "vm pin needs the number of %s, not \"%s\"", what,
			 text ? text : "");
}

static json_t *op(struct session *s, const json_t *args)
{
	struct shyper_vm_pin pin = { 0 };
	struct session_vm vm;
	json_t *result = NULL;
	uint64_t vcpu, hart;
	int err;

	if (number(s, args, "vcpu", "a vCPU", &vcpu) || number(s, args, "hart", "a hart", &hart) ||
	    session_find(s, args, true, &vm))
		return NULL;
	pin.vcpu = (uint32_t)vcpu;
	pin.hart = hart;
	err = device.pin(vm.fd, &pin);
	if (err < 0) {
		session_refused(s, vm.fd, err, "VM %u (%s): pin", vm.id, vm.info.name);
	} else {
		eventlog_add(vm.id, vm.info.name, "moved",
			     json_pack("{sI sI}", "vcpu", (json_int_t)vcpu, "hart",
				       (json_int_t)hart));
		result = verb_done(&vm, "moved");
	}
	session_done(&vm);
	return result;
}

static const char *const more[] = { "vcpu", "hart" };

const struct verb verb_vm_pin = {
	.name = "vm pin",
	.argument = "NAME|ID VCPU HART",
	.key = "vm",
	.more = more,
	.help = "move a vCPU to another hart, live",
	.op = op,
	.print = verb_print_done,
};
