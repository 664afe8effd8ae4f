/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line as a request. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "verb.h"

struct arguments {
	const struct verb *verb;	/* NULL: help was asked for in general */
	json_t *args;
	bool json;
	bool help;
	bool version;
};

/*
 * arguments_parse() - 0, or -1 with the error set: a usage error. args is the caller's to release
 * in both cases.
 */
int arguments_parse(struct arguments *a, int argc, char **argv, struct error *error);

/* arguments_help() - of one verb, or of all when it is NULL. */
void arguments_help(const struct verb *verb);

#endif
