/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a guest to end, and waiting until it has. */
#include "vm_ask.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/agent.h"
#include "lib/clock.h"
#include "lib/store.h"

#define END_SECONDS 120		/* to shut down, unless the user says otherwise */
#define MOST_SECONDS 86400
#define LISTENER_MS 500		/* between two looks whether anybody waits for the answer */

/* What --timeout says, or normal. */
static int read_seconds(struct session *s, const json_t *args, unsigned int normal,
			unsigned int *seconds)
{
	const json_t *value = json_object_get(args, "timeout");
	const char *text = json_string_value(value);
	unsigned long number = normal;

	if (text && *text && !text[strspn(text, "0123456789")] && strlen(text) < 9)
		number = strtoul(text, NULL, 10);
	else if (value)
		number = 0;
	*seconds = (unsigned int)number;
	if (number >= 1 && number <= MOST_SECONDS)
		return 0;
	s->error.usage = true;
	return error_set(&s->error, "--timeout needs a number of seconds from 1 to %d",
			 MOST_SECONDS);
}

int vm_ask(struct session *s, const json_t *args, struct session_vm *vm, const struct vm_ask *ask)
{
	unsigned int seconds;

	if (read_seconds(s, args, AGENT_SECONDS, &seconds))
		return -1;
	if (vm->info.paused)
		return error_set(&s->error, "VM %u (%s) is paused: resume it first, or use --force",
				 vm->id, vm->info.name);
	if (!agent_shutdown(vm->id, ask->mode, seconds, &s->error))
		return 0;
	error_prefix(&s->error, "VM %u (%s) cannot be asked to %s: ", vm->id, vm->info.name,
		     ask->what);
	return error_append(&s->error, "; %s, or use --force", ask->instead);
}

/* 1: it has ended, 0: it has not within that time, -1: the error is set. */
static int await(struct session *s, struct session_vm *vm, unsigned int seconds)
{
	int64_t deadline = clock_ms() + (int64_t)seconds * 1000;
	int ended = 0;

	while (!ended && clock_ms() < deadline) {
		if (!s->send(s, NULL))
			return error_set(&s->error, "nobody waits for VM %u any more", vm->id);
		ended = session_poll_end(s, vm, LISTENER_MS);
	}
	return ended;
}

int vm_ask_await(struct session *s, const json_t *args, struct session_vm *vm,
		 const struct vm_ask *ask)
{
	unsigned int seconds;
	int ended;

	if (read_seconds(s, args, END_SECONDS, &seconds))
		return -1;
	close(vm->lock);
	vm->lock = -1;
	ended = await(s, vm, seconds);
	if (!ended)
		error_set(&s->error, "VM %u (%s) was asked to %s, but has not ended after %u "
			  "seconds; %s, or use --force", vm->id, vm->info.name, ask->what, seconds,
			  ask->instead);
	if (ended != 1)
		return -1;
	vm->lock = store_lock(vm->id, &s->error);
	return vm->lock < 0 ? -1 : session_info(s, vm);
}
