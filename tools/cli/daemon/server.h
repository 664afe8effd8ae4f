/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's socket. Each connection is served by a process of its own, so that a slow file, a
 * client that stops reading or a fault concerns that request alone.
 */
#ifndef CLI_DAEMON_SERVER_H
#define CLI_DAEMON_SERVER_H

#include <abi/shyper.h>
#include <stdbool.h>
#include <stdint.h>

#include "../lib/error.h"

/* server_listen() - the listening socket, or -1 with the error set. Only root can connect. */
int server_listen(struct error *error);

/* server_accept() - hand the next connection to a child. */
void server_accept(int listener);

/* server_busy() - there are so many children that connections had better wait. */
bool server_busy(void);

/* server_reap() - after SIGCHLD: see which children have ended. */
void server_reap(void);

/*
 * server_boot() - the daemon's own request to boot a VM that has ended, or to reset one that runs,
 * in a child too; not when somebody else has booted it since info was had.
 */
void server_boot(int listener, uint32_t id, const struct shyper_vm_info *info);

/* server_release() - in a child: a VM that has ended and stays down gives its disks back. */
void server_release(int listener, uint32_t id);

#endif
