/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper system reboot|shutdown [-f]: the management VM, and the machine with it. Guests that run
 * keep it up unless --force stops them first.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/load.h"
#include "lib/store.h"
#include "report.h"
#include "verb.h"

/* The others: stopped with force, else a reason to refuse. */
static int settle_guest(struct session *s, uint32_t id, bool force)
{
	struct session_vm vm;
	int err = 0;

	if (session_open(s, id, force, &vm))
		return -1;
	if (force) {
		store_hold(id, true);
		err = load_stop(s, &vm);
	} else if (vm.info.state == SHYPER_VM_RUNNING) {
		err = error_set(&s->error, "VM %u (%s) is %s: shut it down first, or use --force",
				id, vm.info.name, session_state(&vm.info));
	}
	session_done(&vm);
	return err;
}

static int settle_guests(struct session *s, bool force)
{
	struct shyper_system_info info;

	if (session_device(s) || session_system(s, &info))
		return -1;
	for (uint32_t id = 1; id < SHYPER_VMS; id++) {
		if ((info.vms >> id & 1) && settle_guest(s, id, force))
			return -1;
	}
	return 0;
}

static bool nobody(struct session *s, json_t *line)
{
	(void)s;
	json_decref(line);
	return true;
}

static int end_machine(const json_t *args, const char *program)
{
	struct session s = { .send = nobody };
	int err;

	session_begin(&s);
	err = settle_guests(&s, verb_flag(args, "force"));
	session_end(&s);
	if (err)
		return report_failure(s.error.text, false);
	sync();
	execlp(program, program, (char *)NULL);
	error_set(&s.error, "%s: %s", program, strerror(errno));
	return report_failure(s.error.text, false);
}

static int run_reboot(const json_t *args)
{
	return end_machine(args, "reboot");
}

static int run_shutdown(const json_t *args)
{
	return end_machine(args, "poweroff");
}

const struct verb verb_system_reboot = {
	.name = "system reboot",
	.help = "start the management VM anew",
	.options = verb_force,
	.run = run_reboot,
};

const struct verb verb_system_shutdown = {
	.name = "system shutdown",
	.help = "power the machine off",
	.options = verb_force,
	.run = run_shutdown,
};
