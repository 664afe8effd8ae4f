/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling a VM's memory and starting it. */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "session.h"

/*
 * load_boot() - boot a locked VM that does not run, from its record: images are read anew. Returns
 * 0, or -1 with the error set; then the VM does not run.
 */
int load_boot(struct session *s, struct session_vm *vm);

/* load_stop() - stop a locked VM at once and wait until it has ended; fine if it already has. */
int load_stop(struct session *s, struct session_vm *vm);

#endif
