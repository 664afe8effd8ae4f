/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept about the VMs, one set of files each in one folder (/var/lib/shyper, or what the
 * environment's SHYPER_STATE names): ID.json its record, ID.run what the daemon remembers of its
 * runs, ID.hold "stays down", ID.lock. A file is replaced whole or not at all.
 */
#ifndef CLI_STORE_H
#define CLI_STORE_H

#include <jansson.h>
#include <stdint.h>

#include "error.h"

const char *store_folder(void);

/* The daemon's socket: /run/shyper.sock, or what the environment's SHYPER_SOCKET names. */
const char *store_socket(void);

/* store_path() - the name of a file in the folder, in a static buffer. */
const char *store_path(const char *file);

/* store_prepare() - make the folder. 0, or -1 with the error set. */
int store_prepare(struct error *error);

/* store_record_*() - ID.json. load: NULL when there is none that can be read. */
int store_record_save(uint32_t id, json_t *record, struct error *error);
json_t *store_record_load(uint32_t id);

/* store_run_*() - ID.run, as above. */
int store_run_save(uint32_t id, json_t *run, struct error *error);
json_t *store_run_load(uint32_t id);

/* store_host_*() - ID.host, as above. */
int store_host_save(uint32_t id, json_t *note, struct error *error);
json_t *store_host_load(uint32_t id);

/* store_mediated_save() - the list of mediated disks, mediated.json. */
int store_mediated_save(json_t *list, struct error *error);

/* store_mediated_load() - that list of names, or NULL. */
json_t *store_mediated_load(void);

/* store_mediated_lock() - one process at a time chooses of them; as store_lock(). */
int store_mediated_lock(struct error *error);

/* store_hold() - a VM that is held is not restarted by the daemon. */
void store_hold(uint32_t id, bool hold);
bool store_is_held(uint32_t id);

/* store_forget() - all of a VM but its lock. */
void store_forget(uint32_t id);

/*
 * store_lock() - one process at a time changes a VM: waits for its turn. Returns a descriptor,
 * which is closed to let go, or -1 with the error set.
 */
int store_lock(uint32_t id, struct error *error);

/* store_try_lock() - the same without waiting: -1, too, when somebody has it. */
int store_try_lock(uint32_t id);

/*
 * store_daemon_lock() - become the daemon: a descriptor that is kept open, or -1 with the error set
 * when there is one already. store_has_daemon() tells others, from before it listens; the daemon
 * itself would lose its lock by asking.
 */
int store_daemon_lock(struct error *error);
bool store_has_daemon(void);

#endif
