/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks that went with the MVM's last run. */
#include "lost.h"

#include <stdio.h>
#include <string.h>

#include "store.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define ID_SIZE 64

/* Another text for each run of the MVM's kernel; empty: unknown. */
static void read_host(char id[ID_SIZE])
{
	FILE *file = fopen(BOOT_ID, "re");

	id[0] = '\0';
	if (file && !fgets(id, ID_SIZE, file))
		id[0] = '\0';
	if (file)
		fclose(file);
	id[strcspn(id, "\n")] = '\0';
}

void lost_note(struct session *s, struct session_vm *vm)
{
	char host[ID_SIZE];
	struct error error;
	json_t *note;

	read_host(host);
	if (!host[0] || session_info(s, vm))
		return;
	note = json_pack("{sI ss}", "boots", (json_int_t)vm->info.boots, "host", host);
	if (store_host_save(vm->id, note, &error))
		session_note(s, "%s", error.text);
	json_decref(note);
}

/* The note, when it is about a run that has lost its disks; else NULL. */
static json_t *load(uint32_t id, const struct shyper_vm_info *info)
{
	json_t *note = info->state == SHYPER_VM_RUNNING ? store_host_load(id) : NULL;
	const char *then = json_string_value(json_object_get(note, "host"));
	const json_t *boots = json_object_get(note, "boots");
	char now[ID_SIZE];

	read_host(now);
	if (then && now[0] && strcmp(then, now) &&
	    (uint64_t)json_integer_value(boots) == info->boots)
		return note;
	json_decref(note);
	return NULL;
}

bool lost_disks(uint32_t id, const struct shyper_vm_info *info)
{
	json_t *note = load(id, info);
	bool lost = note;

	json_decref(note);
	return lost;
}

bool lost_tell(uint32_t id, const struct shyper_vm_info *info)
{
	json_t *note = load(id, info);
	bool news = note && !json_is_true(json_object_get(note, "told"));
	struct error error;

	if (news) {
		json_object_set_new(note, "told", json_true());
		if (store_host_save(id, note, &error))
			fprintf(stderr, "shyper daemon: %s\n", error.text);
	}
	json_decref(note);
	return news;
}
