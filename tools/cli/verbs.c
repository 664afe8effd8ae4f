/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of verbs, and what they share. */
#include "verb.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct verb *const verbs[] = {
	&verb_vm_config,
	&verb_vm_boot,
	&verb_vm_list,
	&verb_vm_info,
	&verb_vm_console,
	&verb_vm_pause,
	&verb_vm_resume,
	&verb_vm_stats,
	&verb_vm_set,
	&verb_vm_pin,
	&verb_vm_reboot,
	&verb_vm_reset,
	&verb_vm_shutdown,
	&verb_vm_remove,
	&verb_vm_getvmid,
	&verb_vm_getdefconfig,
	&verb_vm_delconfig,
	&verb_sched_show,
	&verb_sched_set,
	&verb_sched_switch,
	&verb_sched_shift,
	&verb_net_list,
	&verb_net_info,
	&verb_net_stats,
	&verb_net_mirror,
	&verb_net_serve,
	&verb_net_link,
	&verb_trace_record,
	&verb_trace_report,
	&verb_trace_svg,
	&verb_events,
	&verb_system_info,
	&verb_system_log,
	&verb_system_daemon,
	&verb_system_test,
	&verb_system_update,
	&verb_system_reboot,
	&verb_system_shutdown,
	NULL,
};

const struct verb_option verb_force[] = {
	{ "force", 'f', NULL, "at once, whatever the guest is doing" },
	{ NULL, 0, NULL, NULL },
};

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; name && verbs[i]; i++) {
		if (!strcmp(verbs[i]->name, name) ||
		    (verbs[i]->alias && !strcmp(verbs[i]->alias, name)))
			return verbs[i];
	}
	return NULL;
}

bool verb_flag(const json_t *args, const char *name)
{
	return json_is_true(json_object_get(args, name));
}

bool verb_is_late(const json_t *args, const struct session_vm *vm)
{
	const json_t *boots = json_object_get(args, "boots");

	return boots && (uint64_t)json_integer_value(boots) != vm->info.boots;
}

json_t *verb_done(const struct session_vm *vm, const char *done)
{
	return json_pack("{si ss ss}", "id", (int)vm->id, "name", vm->info.name, "done", done);
}

void verb_print_done(const json_t *result)
{
	printf("%s (VM %" JSON_INTEGER_FORMAT "): %s\n",
	       json_string_value(json_object_get(result, "name")),
	       json_integer_value(json_object_get(result, "id")),
	       json_string_value(json_object_get(result, "done")));
}

static json_t *serve(struct session *s, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "verb"));
	const json_t *args = json_object_get(request, "args");
	const struct verb *verb = verb_find(name);

	s->error.usage = true;
	if (!verb || !verb->op) {
		error_set(&s->error, "a request needs a \"verb\" that can be asked for");
		return NULL;
	}
	if (args && !json_is_object(args)) {
		error_set(&s->error, "\"args\" must be an object");
		return NULL;
	}
	s->error.usage = false;
	return verb->op(s, args);
}

/* File names may be any bytes, but JSON is UTF-8. */
static json_t *text_of(char *text)
{
	json_t *json = json_string(text);

	for (char *p = text; !json && *p; p++) {
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	}
	return json ? json : json_string(text);
}

json_t *verb_serve(struct session *s, const json_t *request)
{
	json_t *result, *reply;

	session_begin(s);
	result = serve(s, request);
	if (result) {
		reply = json_pack("{so sO}", "result", result, "notes", s->notes);
	} else {
		reply = json_pack("{so sb sO}", "error", text_of(s->error.text), "usage",
				  s->error.usage, "notes", s->notes);
	}
	session_end(s);
	return reply;
}
