/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that the management VM's kernel serves: network cards, whose frames vhost-net moves
 * between the guest's queues and a tap, and sockets to the guest (vhost-vsock). A process of its
 * own has their descriptors while the VM runs, so they outlive the daemon and whoever booted it.
 */
#ifndef CLI_VHOST_H
#define CLI_VHOST_H

#include <sys/types.h>

#include "session.h"

/*
 * vhost_start() - before the VM boots: start that process, if the VM has such devices. 0 and its
 * number (0: there is none), or -1 with the error set. vhost_stop() - the VM does not boot after
 * all.
 */
int vhost_start(struct session *s, const struct session_vm *vm, const struct def *def, pid_t *pid);
void vhost_stop(pid_t pid);

/*
 * vhost_hear() - the first line that comes from the process, without its end; what came before it
 * closed its side; or that it was not ready after so long.
 */
void vhost_hear(int fd, char *buf, size_t size, int limit_ms);

/*
 * vhost_serve() - be that process. Says "ready" on stdout when the VM may boot; returns when it has
 * run, 0; or -1 with the error set.
 */
int vhost_serve(struct session *s, const struct session_vm *vm, const struct def *def);

/* vhost_tap() - the name of the tap of a VM's card, by the card's number. */
void vhost_tap(char name[DEF_BRIDGE], uint32_t vm, uint32_t card);

/* vhost_mac() - a card's address: the one it names, or one that is the same at every start. */
void vhost_mac(uint8_t mac[6], const struct def *def, uint32_t card);

#endif
