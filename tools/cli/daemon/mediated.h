/* SPDX-License-Identifier: BSD-2-Clause */
/* mediated-cfg.json: the disks that guests may use, {"mediated": [FILE or DEVICE, …]}. */
#ifndef CLI_DAEMON_MEDIATED_H
#define CLI_DAEMON_MEDIATED_H

#include "../lib/error.h"

/*
 * mediated_load() - check the file and keep its list, with absolute names, in the store as
 * mediated.json. Names count from the file's folder, or else from the current one. Returns the
 * number of disks, or -1 with the error set.
 */
int mediated_load(const char *path, struct error *error);

#endif
