/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMs outlive the MVM's own restart, but the module that served their disks does not: a driver
 * waits for ever, and only another boot of the guest helps. The record of a boot, ID.host, is an
 * object with "boots", "host" (which run of the MVM) and "told".
 */
#ifndef CLI_LOST_H
#define CLI_LOST_H

#include "session.h"

/* lost_note() - a locked VM has just been booted, with disks. */
void lost_note(struct session *s, struct session_vm *vm);

/* lost_disks() - this VM runs without the disks that it was booted with. */
bool lost_disks(uint32_t id, const struct shyper_vm_info *info);

/* lost_tell() - the same, and nobody has been told: from now on somebody has. */
bool lost_tell(uint32_t id, const struct shyper_vm_info *info);

#endif
