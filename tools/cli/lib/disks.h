/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's disks between its record and the module. In the record, "disks" is a list of objects with
 * "path" (missing: one of the mediated disks, not chosen yet), "readonly" and "mediated".
 */
#ifndef CLI_DISKS_H
#define CLI_DISKS_H

#include "session.h"

/* disks_record() - of a resolved definition, for its record; NULL: a name is not UTF-8. */
json_t *disks_record(const struct def *def);

/*
 * disks_settle() - the paths of a locked VM's disks come from its record; what is mediated and not
 * chosen yet gets the first of the daemon's list that no VM has, and keeps it until the VM is
 * removed or the list no longer has it. Returns 0, or -1 with the error set.
 */
int disks_settle(struct session *s, const struct session_vm *vm, struct def *def, json_t *record);

/*
 * disks_attach() - open the files of a locked VM that does not run and give them to the module.
 * Returns 0, or -1 with the error set: then it has none of them.
 */
int disks_attach(struct session *s, const struct session_vm *vm, const struct def *def);

/* disks_detach() - of a VM that does not run; what is not attached is fine. */
void disks_detach(const struct session_vm *vm);

#endif
