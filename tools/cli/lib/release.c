/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks of VMs that stay down. */
#include "release.h"

#include <string.h>
#include <unistd.h>

#include "disks.h"
#include "store.h"

#define PAUSE_US 50000	/* between tries for a lock */
#define TRIES 20

static enum def_restart restart_of(uint32_t id)
{
	json_t *record = store_record_load(id);
	const char *word = json_string_value(json_object_get(record, "restart"));
	enum def_restart restart = DEF_NEVER;

	for (unsigned int i = 0; word && def_restart_names[i]; i++) {
		if (!strcmp(def_restart_names[i], word))
			restart = (enum def_restart)i;
	}
	json_decref(record);
	return restart;
}

struct policy_end release_end(uint32_t id, const struct shyper_vm_info *info)
{
	return (struct policy_end){
		.restart = restart_of(id),
		.reason = info->reason,
		.held = store_is_held(id),
	};
}

bool release_due(uint32_t id, const struct shyper_vm_info *info)
{
	struct policy_end end;

	if (info->state == SHYPER_VM_MADE)
		return true;
	if (info->state != SHYPER_VM_ENDED)
		return false;
	end = release_end(id, info);
	return !policy_restarts(&end);
}

void release_one(struct session *s, uint32_t id)
{
	struct session_vm vm;

	if (session_open(s, id, true, &vm))
		return;
	if (release_due(id, &vm.info))
		disks_detach(&vm);
	session_done(&vm);
}

/*
 * Its lock may be held by who takes its disks back just now; or by who boots it and waits for a
 * lock of ours in turn: hence no wait without end.
 */
static void try_one(struct session *s, struct session_vm *vm)
{
	for (int tries = 0; tries < TRIES && release_due(vm->id, &vm->info); tries++) {
		vm->lock = store_try_lock(vm->id);
		if (vm->lock < 0)
			usleep(PAUSE_US);
		if (session_info(s, vm))
			return;
		if (vm->lock < 0)
			continue;
		if (release_due(vm->id, &vm->info))
			disks_detach(vm);
		return;
	}
}

void release_others(struct session *s, uint32_t id)
{
	struct session_vm vm;

	for (uint32_t i = 1; i < SHYPER_VMS; i++) {
		if (i == id || session_open(s, i, false, &vm))
			continue;
		try_one(s, &vm);
		session_done(&vm);
	}
}
