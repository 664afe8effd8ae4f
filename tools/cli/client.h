/* SPDX-License-Identifier: BSD-2-Clause */
/* How the CLI has a request served. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

/*
 * client_ask() - have the daemon serve the request, or serve it here when none runs, or when
 * `here`. line() gets
 * what comes before the last line, and keeps nothing of it. Returns the last line ({"result"} or
 * {"error"}), or NULL when the daemon went away without one.
 */
json_t *client_ask(const json_t *request, bool here, void (*line)(const json_t *line));

#endif
