/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A verb of the command: one file and one of these each, all listed in verbs.c. The command line
 * becomes a request {"verb", "args"}; op serves it, in the daemon or in the CLI itself; print shows
 * the result to people (--json shows it as it is).
 */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/session.h"

struct verb_option {
	const char *name;	/* without the dashes; the key in args */
	char letter;		/* 0: none */
	const char *value;	/* what it takes, for the help; NULL: a flag */
	const char *help;
};

struct verb {
	const char *name;	/* "vm boot" */
	const char *alias;	/* another name, or NULL */
	const char *argument;	/* for the help, "[…]" when it may be missing; NULL: takes none */
	const char *key;	/* the argument's key in args */
	const char *const *more;	/* the keys of two more that it needs; or NULL */
	const char *help;	/* a line */
	const struct verb_option *options;	/* up to a NULL name; or NULL */
	bool here;	/* op is done here, never in the daemon */
	json_t *(*op)(struct session *s, const json_t *args);	/* result; NULL: error set */
	void (*print)(const json_t *result);	/* NULL: nothing to show */
	void (*show)(const json_t *line);	/* of lines sent before the result; or NULL */
	/* Instead of op: done here, never in the daemon. Returns an exit status. */
	int (*run)(const json_t *args);
};

extern const struct verb verb_events, verb_net_info, verb_net_link, verb_net_list,
	verb_net_mirror, verb_net_serve, verb_net_stats, verb_sched_set, verb_sched_shift,
	verb_sched_show, verb_sched_switch, verb_system_daemon, verb_system_info, verb_system_log,
	verb_system_reboot, verb_system_shutdown, verb_system_test, verb_system_update,
	verb_trace_record, verb_trace_report, verb_trace_svg,
	verb_vm_boot, verb_vm_config, verb_vm_console, verb_vm_delconfig, verb_vm_getdefconfig,
	verb_vm_getvmid, verb_vm_info, verb_vm_list, verb_vm_pause, verb_vm_pin, verb_vm_reboot,
	verb_vm_remove, verb_vm_reset, verb_vm_resume, verb_vm_set, verb_vm_shutdown,
	verb_vm_stats;

extern const struct verb *const verbs[];	/* up to a NULL */

/* verb_find() - by name or alias, or NULL. */
const struct verb *verb_find(const char *name);

/* verb_flag() - whether a request has a flag. */
bool verb_flag(const json_t *args, const char *name);

/*
 * verb_is_late() - the daemon, which boots what has ended, says in "boots" which run of the VM it
 * has seen; by now there is a later one.
 */
bool verb_is_late(const json_t *args, const struct session_vm *vm);

/*
 * verb_done() - what an op on a VM returns that has nothing to tell: {"id", "name", "done"}; the
 * same is printed by verb_print_done(): "vm1 (VM 1): booted".
 */
json_t *verb_done(const struct session_vm *vm, const char *done);
void verb_print_done(const json_t *result);

/* verb_flags() - the option of verbs with --force. */
extern const struct verb_option verb_force[];

/*
 * verb_serve() - serve a request {"verb", "args", "cwd"} with a fresh session whose send and ctx
 * are set. Returns the last line for whoever asked: {"result", "notes"} or {"error", "usage"}.
 */
json_t *verb_serve(struct session *s, const json_t *request);

#endif
