/* SPDX-License-Identifier: BSD-2-Clause */
/* What `vm shutdown` and `vm reboot` share when they are not forced: the guest ends itself. */
#ifndef CLI_VM_ASK_H
#define CLI_VM_ASK_H

#include "verb.h"

/* --timeout, for the verbs' tables of options. */
#define VM_ASK_TIMEOUT { "timeout", 't', "SECONDS", "time for the guest to answer, and to end" }

struct vm_ask {
	const char *mode;	/* the guest agent's word for it */
	const char *what;	/* "shut down": "cannot be asked to …" */
	const char *instead;	/* what helps where no agent does, before "or use --force" */
};

/*
 * vm_ask() - have a locked VM's guest agent do it. 0: it has been asked and will end, or not. -1:
 * it has not been; the error offers --force.
 */
int vm_ask(struct session *s, const json_t *args, struct session_vm *vm, const struct vm_ask *ask);

/*
 * vm_ask_await() - wait until the VM has ended, without its lock: meanwhile others may do what they
 * like with it. 0: it has, the lock is held again and its info is fresh; it may even run again. -1
 * with the error set.
 */
int vm_ask_await(struct session *s, const json_t *args, struct session_vm *vm,
		 const struct vm_ask *ask);

#endif
