/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks of VMs that do not run and will not by themselves: they go back, so that other VMs can have
 * the files. A VM that its restart policy boots again keeps its disks meanwhile.
 */
#ifndef CLI_RELEASE_H
#define CLI_RELEASE_H

#include "policy.h"
#include "session.h"

/* release_end() - how a VM has ended, for its policy; all but the seconds that it ran. */
struct policy_end release_end(uint32_t id, const struct shyper_vm_info *info);

/*
 * release_due() - it stays down, and who holds its lock may take its disks: one that was never
 * booted has some when `vm boot` was killed over it.
 */
bool release_due(uint32_t id, const struct shyper_vm_info *info);

/* release_one() - take the disks of VM id back if that is due; waits for its lock. */
void release_one(struct session *s, uint32_t id);

/*
 * release_others() - the same for all VMs but this one, whose lock the caller may hold: whoever is
 * locked for long is left alone.
 */
void release_others(struct session *s, uint32_t id);

#endif
