/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper vm set NAME|ID: how a VM shares its harts, while it runs. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/def.h"
#include "lib/eventlog.h"
#include "lib/shares.h"
#include "verb.h"

/* A number that was given instead of *out. 1: there was one, 0: none, -1: the error is set. */
static int take(struct session *s, const json_t *args, const char *key, uint32_t *out)
{
	const char *text = json_string_value(json_object_get(args, key));

	if (!text)
		return 0;
	if (!*text || text[strspn(text, "0123456789")] || strlen(text) > 9) {
		s->error.usage = true;
		return error_set(&s->error, "--%s needs a number, and \"%s\" is none", key, text);
	}
	*out = (uint32_t)strtoul(text, NULL, 10);
	return 1;
}

/* The two that share a word. */
static int take_priority(struct session *s, const json_t *args, struct shyper_sched_set *set)
{
	uint32_t priority = set->priority;
	int given = take(s, args, "priority", &priority);

	if (priority > DEF_PRIORITY_MAX)
		return error_set(&s->error, "a priority of %" PRIu32 ": possible are 0 to %u",
				 priority, DEF_PRIORITY_MAX);
	set->priority = (__u16)priority;
	return given;
}

static int take_strict(struct session *s, const json_t *args, struct shyper_sched_set *set)
{
	const char *text = json_string_value(json_object_get(args, "strict"));

	if (!text)
		return 0;
	if (strcmp(text, "yes") && strcmp(text, "no")) {
		s->error.usage = true;
		return error_set(&s->error, "--strict needs yes or no, not \"%s\"", text);
	}
	set->flags = *text == 'y' ? SHYPER_SCHED_STRICT : 0;
	return 1;
}

/* What is not given stays; without a budget there is no period. */
static int values(struct session *s, const json_t *args, struct shyper_sched_set *set)
{
	int priority = take_priority(s, args, set);
	int budget = priority < 0 ? -1 : take(s, args, "budget", &set->budget);
	int period = budget < 0 ? -1 : take(s, args, "period", &set->period);

	int strict = period < 0 ? -1 : take_strict(s, args, set);

	if (strict < 0)
		return -1;
	if (!priority && !budget && !period && !strict) {
		s->error.usage = true;
		return error_set(&s->error, "there is nothing to set: --priority, --budget, "
				 "--period or --strict");
	}
	if (budget && !set->budget && !period)
		set->period = 0;
	if (budget && !set->budget && !strict)
		set->flags = 0;
	return 0;
}

static int change(struct session *s, const json_t *args, const struct session_vm *vm)
{
	struct shyper_sched_set set = { .vm = vm->id };
	struct shyper_sched_vcpu now;
	int err;

	if (shares_find(s, vm->id, &now))
		return -1;
	set.priority = now.priority;
	set.budget = now.budget;
	set.period = now.period;
	set.flags = now.flags;
	if (values(s, args, &set))
		return -1;
	err = device.sched_set(s->fd, &set);
	if (err < 0)
		return session_refused(s, s->fd, err, "VM %u (%s)", vm->id, vm->info.name);
	shares_note(s);
	eventlog_add(vm->id, vm->info.name, "set",
		     json_pack("{si si si sb}", "priority", (int)set.priority, "budget_us",
			       (int)set.budget, "period_us", (int)set.period, "strict",
			       !!(set.flags & SHYPER_SCHED_STRICT)));
	return 0;
}

static json_t *op(struct session *s, const json_t *args)
{
	struct session_vm vm;
	json_t *result = NULL;

	if (session_find(s, args, true, &vm))
		return NULL;
	if (!change(s, args, &vm))
		result = verb_done(&vm, "set");
	session_done(&vm);
	return result;
}

static const struct verb_option options[] = {
	{ "priority", 'p', "N", "0 to 31; the highest one that has work runs" },
	{ "budget", 'b', "US", "microseconds of each period at this priority; 0: no limit" },
	{ "period", 'P', "US", "microseconds" },
	{ "strict", 's', "yes|no", "with no budget left it waits for the next period" },
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_vm_set = {
	.name = "vm set",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "change how a VM shares its harts",
	.options = options,
	.op = op,
	.print = verb_print_done,
};
