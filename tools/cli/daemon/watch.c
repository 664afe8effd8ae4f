/* SPDX-License-Identifier: BSD-2-Clause */
/* Watching VMs. */
#include "watch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "../lib/eventlog.h"
#include "../lib/lost.h"
#include "../lib/release.h"
#include "../lib/store.h"
#include "server.h"

static uint64_t seconds_run(struct watch *w, const struct shyper_vm_info *info)
{
	struct shyper_system_info system;

	if (session_system(&w->s, &system) || !system.timebase ||
	    system.uptime < info->booted_at)
		return 0;
	return (system.uptime - info->booted_at) / system.timebase;
}

/* What the daemon, this one or the one before it, has done about the last end. */
static void remember(uint32_t id, const struct watch_vm *vm)
{
	struct error error;
	json_t *run = json_pack("{sI si sI}", "ended", (json_int_t)vm->info.boots, "failures",
				(int)vm->failures, "due", (json_int_t)vm->due);

	if (store_run_save(id, run, &error))
		fprintf(stderr, "shyper daemon: %s\n", error.text);
	json_decref(run);
}

static void log_end(uint32_t id, const struct shyper_vm_info *info, int delay)
{
	json_t *more = json_pack("{ss}", "reason", session_reason(info->reason));

	session_set_cause(more, info);
	if (info->reason == SHYPER_END_FAILURE)
		json_object_set_new(more, "code", json_integer(info->exit_code));
	if (delay >= 0)
		json_object_set_new(more, "restart_in", json_integer(delay));
	eventlog_add(id, info->name, "ended", more);
}

/* Once for each end that this daemon sees: an earlier one may have died over it. */
static void release(struct watch *w, uint32_t id)
{
	struct watch_vm *vm = &w->vm[id];

	if (vm->released == vm->info.boots || !release_due(id, &vm->info))
		return;
	vm->released = vm->info.boots;
	server_release(w->listener, id);
}

/*
 * A VM has ended: say so once, however often the daemon is restarted, and see what the policy
 * wants. A restart that an earlier daemon has promised is kept.
 */
static void ended(struct watch *w, uint32_t id)
{
	struct watch_vm *vm = &w->vm[id];
	json_t *run = store_run_load(id);
	const json_t *logged = json_object_get(run, "ended");
	bool seen = logged && (uint64_t)json_integer_value(logged) == vm->info.boots;
	struct policy_end end = release_end(id, &vm->info);
	int delay;

	vm->failures = (unsigned int)json_integer_value(json_object_get(run, "failures"));
	vm->due = end.held ? 0 : json_integer_value(json_object_get(run, "due"));
	json_decref(run);
	/* Promised in another run of the MVM, whose clock was another. */
	if (vm->due > clock_ms() + POLICY_LONGEST * 1000 + 1)
		vm->due = clock_ms() + 1;
	if (seen)
		return;
	end.seconds = seconds_run(w, &vm->info);
	delay = policy_delay(&end, &vm->failures);
	vm->due = delay < 0 ? 0 : clock_ms() + delay * 1000 + 1;
	remember(id, vm);
	log_end(id, &vm->info, delay);
}

/*
 * It runs, but its disks went with the MVM's last run: for its policy that is a crash. Without a
 * restart somebody has to know.
 */
static void look_for_disks(uint32_t id, struct watch_vm *vm)
{
	struct policy_end end = release_end(id, &vm->info);
	bool again;

	if (vm->looked == vm->info.boots)
		return;
	vm->looked = vm->info.boots;
	vm->due = 0;
	end.reason = SHYPER_END_CRASH;
	again = policy_restarts(&end) && lost_disks(id, &vm->info);
	if (again)
		vm->due = clock_ms() + 1;
	if (lost_tell(id, &vm->info) || again)
		eventlog_add(id, vm->info.name, "lost its disks", again ?
			     json_pack("{si}", "restart_in", 0) :
			     json_pack("{ss}", "error", "the MVM has started anew; shyper vm "
				       "reset gives them back"));
}

static void close_vm(struct watch_vm *vm)
{
	if (vm->fd >= 0)
		close(vm->fd);
	*vm = (struct watch_vm){ .fd = -1 };
}

/* Its state, afresh. It may be gone, and another may have its number by now. */
static void look(struct watch *w, uint32_t id)
{
	struct watch_vm *vm = &w->vm[id];
	struct session_vm opened;

	if (vm->fd < 0 || device.info(vm->fd, &vm->info) < 0) {
		close_vm(vm);
		if (session_open(&w->s, id, false, &opened))
			return;
		vm->fd = opened.fd;
		vm->info = opened.info;
	}
	vm->info.name[sizeof(vm->info.name) - 1] = '\0';
	if (vm->info.state == SHYPER_VM_ENDED && id != 0) {
		ended(w, id);
		release(w, id);
	} else if (vm->info.state == SHYPER_VM_RUNNING && id != 0) {
		look_for_disks(id, vm);
	} else {
		vm->due = 0;
	}
}

void watch_scan(struct watch *w)
{
	struct shyper_system_info system;

	if (session_system(&w->s, &system)) {
		fprintf(stderr, "shyper daemon: %s\n", w->s.error.text);
		return;
	}
	for (uint32_t id = 0; id < SHYPER_VMS; id++) {
		if (system.vms >> id & 1)
			look(w, id);
		else
			close_vm(&w->vm[id]);
	}
	health_scan(w);
}

unsigned int watch_fill(const struct watch *w, struct pollfd *pfds)
{
	unsigned int count = 0;

	for (uint32_t id = 1; id < SHYPER_VMS; id++) {
		if (w->vm[id].fd >= 0)
			pfds[count++] = (struct pollfd){ .fd = w->vm[id].fd,
							 .events = device.poll_events };
	}
	return count;
}

int watch_due(struct watch *w)
{
	int64_t now = clock_ms(), wait = health_wait(w);

	for (uint32_t id = 1; id < SHYPER_VMS; id++) {
		struct watch_vm *vm = &w->vm[id];

		if (!vm->due)
			continue;
		if (vm->due <= now) {
			if (!store_is_held(id))
				server_boot(w->listener, id, &vm->info);
			vm->due = 0;
			remember(id, vm);
		} else if (wait < 0 || vm->due - now < wait) {
			wait = vm->due - now;
		}
	}
	return wait > INT32_MAX ? INT32_MAX : (int)wait;
}
