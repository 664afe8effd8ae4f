/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a VM, as JSON, and numbers as people read them. */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

#include "session.h"

/* describe_vm() - the members that `vm list --json` has for each VM. */
json_t *describe_vm(const struct session_vm *vm, const struct shyper_system_info *system);

/* describe_size() - "512M", "1.5G" of bytes; describe_time() - "2d 03:04:05" of seconds; in buf. */
const char *describe_size(json_int_t bytes, char *buf, size_t size);
const char *describe_time(json_int_t seconds, char *buf, size_t size);

/* describe_list() - the numbers of a list, "1 2 3", in buf. */
const char *describe_list(const json_t *list, char *buf, size_t size);

/* describe_exit() - the word for a cause of exits, less than SHYPER_EXIT_CAUSES. */
const char *describe_exit(uint32_t cause);

#endif
