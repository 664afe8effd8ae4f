/* SPDX-License-Identifier: BSD-2-Clause */
/* What `vm remove` and `vm delconfig` share. */
#ifndef CLI_VM_REMOVE_H
#define CLI_VM_REMOVE_H

#include "lib/session.h"

/* vm_remove() - of a locked VM. The result, or NULL with the error set: then it is still there. */
json_t *vm_remove(struct session *s, struct session_vm *vm);

#endif
