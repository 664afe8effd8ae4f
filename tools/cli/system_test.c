/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shyper system test: whether module, Shyper and command work together, up to a guest of a few
 * instructions that is made, run and removed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/store.h"
#include "lib/tree.h"
#include "verb.h"

#define NAME "shyper-system-test"
#define RAM_SIZE (UINT64_C(4) << 20)
#define FDT_OFFSET (UINT64_C(2) << 20)
#define MARK_OFFSET 0x100
#define MARK UINT64_C(0x600df00d)

/* Writes the mark behind itself and powers off. */
static const uint32_t guest[] = {
	0x00000297,	/* auipc t0, 0 */
	0x600df337,	/* lui   t1, 0x600df */
	0x00d3031b,	/* addiw t1, t1, 0xd */
	0x1062b023,	/* sd    t1, MARK_OFFSET(t0) */
	0x535258b7,	/* lui   a7, 0x53525 */
	0x3548889b,	/* addiw a7, a7, 0x354: SBI's system reset */
	0x00000813,	/* li    a6, 0 */
	0x00000513,	/* li    a0, 0: power off */
	0x00000593,	/* li    a1, 0 */
	0x00000073,	/* ecall */
	0x0000006f,	/* j     . */
};

enum verdict { PASSED, FAILED, SKIPPED };

/* Each says in the error's text what it has seen, whatever the verdict. */
static enum verdict test_interface(struct session *s)
{
	struct shyper_system_info info;

	if (session_device(s) || session_system(s, &info))
		return FAILED;
	info.version[sizeof(info.version) - 1] = '\0';
	error_set(&s->error, "version %u, Shyper %s", info.abi, info.version);
	if (info.pages_free + info.pages_shyper <= info.pages_total &&
	    info.harts_free <= info.harts)
		return PASSED;
	error_set(&s->error, "Shyper's counts contradict each other");
	return FAILED;
}

static enum verdict test_log(struct session *s)
{
	struct shyper_log log = { .sequence = 0 };
	int err = device.log_read(s->fd, &log);

	if (err < 0)
		session_refused(s, s->fd, err, "cannot be read");
	else
		error_set(&s->error, log.size ? "can be read" : "is empty");
	return err < 0 || !log.size ? FAILED : PASSED;
}

static enum verdict test_state(struct session *s)
{
	int lock = store_mediated_lock(&s->error);

	if (lock < 0)
		return FAILED;
	close(lock);
	error_set(&s->error, "%s can be written", store_folder());
	return PASSED;
}

/* --- The guest ------------------------------------------------------------------------------- */

/* Nobody else makes a VM meanwhile, and what an older one of that number left is not its. */
static int make(struct session *s, struct session_vm *vm)
{
	static const struct def def = {
		.name = NAME, .vcpus = 1, .rams = 1, .ram = { { DEF_RAM_BASE, RAM_SIZE } },
	};
	static uint64_t tree[SHYPER_TREE_MAX / 8];
	size_t size = tree_write(&def, tree, sizeof(tree), &s->error);

	if (!size)
		return -1;
	vm->fd = device.create(s->fd, tree, size, &vm->id);
	if (vm->fd < 0)
		return session_refused(s, s->fd, vm->fd, "cannot be made");
	vm->lock = store_lock(vm->id, &s->error);
	if (vm->lock < 0)
		return -1;
	store_forget(vm->id);
	store_hold(vm->id, true);
	return session_info(s, vm);
}

static int start(struct session *s, struct session_vm *vm)
{
	const struct shyper_boot boot = { .entry = DEF_RAM_BASE,
					  .fdt = DEF_RAM_BASE + FDT_OFFSET };
	void *at = device.map(vm->fd, 0, DEF_PAGE);
	int err;

	if (!at)
		return error_set(&s->error, "its memory cannot be mapped: %s", strerror(errno));
	memcpy(at, guest, sizeof(guest));
	munmap(at, DEF_PAGE);
	err = device.boot(vm->fd, &boot);
	if (err < 0)
		return session_refused(s, vm->fd, err, "does not start");
	return session_info(s, vm);	/* the run whose end is waited for */
}

static int look(struct session *s, const struct session_vm *vm)
{
	uint64_t mark = 0;
	char *at;

	if (vm->info.reason != SHYPER_END_POWEROFF)
		return error_set(&s->error, "ended by %s; `shyper system log` may say why",
				 session_reason(vm->info.reason));
	at = device.map(vm->fd, 0, DEF_PAGE);
	if (!at)
		return error_set(&s->error, "its memory cannot be mapped: %s", strerror(errno));
	memcpy(&mark, at + MARK_OFFSET, sizeof(mark));
	munmap(at, DEF_PAGE);
	if (mark != MARK)
		return error_set(&s->error, "what it wrote is not in its memory");
	return error_set(&s->error, "was made, ran and powered off"), 0;
}

/* The VM goes in any case, and the first thing that went wrong is what is told. */
static int end(struct session *s, struct session_vm *vm, int err)
{
	struct error first = s->error;
	int failed;

	if (vm->fd < 0)
		return err;
	if (!session_info(s, vm) && vm->info.state == SHYPER_VM_RUNNING)
		device.command(vm->fd, DEVICE_STOP);
	session_await_end(s, vm);
	failed = device.command(vm->fd, DEVICE_DESTROY);
	store_forget(vm->id);
	if (!err && failed < 0)
		return session_refused(s, vm->fd, failed, "cannot be removed");
	s->error = first;
	return err;
}

static int live(struct session *s)
{
	struct session_vm vm = { .fd = -1, .lock = -1 };
	int err = make(s, &vm) || start(s, &vm) || session_await_end(s, &vm) || look(s, &vm);

	err = end(s, &vm, err);
	session_done(&vm);
	return err;
}

static enum verdict test_guest(struct session *s)
{
	struct shyper_system_info before, after;

	if (session_system(s, &before))
		return FAILED;
	if (!before.harts_free) {
		error_set(&s->error, "all %u harts serve VMs", before.harts);
		return SKIPPED;
	}
	if (live(s))
		return FAILED;
	/* Others may make or remove VMs meanwhile. */
	if (session_system(s, &after))
		return FAILED;
	if (after.vms != before.vms || after.pages_free == before.pages_free)
		return PASSED;
	error_set(&s->error, "has left %lld pages behind",
		  (long long)(before.pages_free - after.pages_free));
	return FAILED;
}

/* --- All of them ----------------------------------------------------------------------------- */

static const char *const verdicts[] = {
	[PASSED] = "passed", [FAILED] = "failed", [SKIPPED] = "skipped",
};

static json_t *op(struct session *s, const json_t *args)
{
	static const struct {
		const char *name;
		enum verdict (*test)(struct session *s);
	} tests[] = {
		{ "interface", test_interface }, { "log", test_log }, { "state", test_state },
		{ "guest", test_guest },
	};
	unsigned int failed = 0;

	(void)args;
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		enum verdict verdict = tests[i].test(s);

		failed += verdict == FAILED;
		s->send(s, json_pack("{s{ss ss ss}}", "test", "name", tests[i].name, "result",
				     verdicts[verdict], "detail", s->error.text));
		if (i == 0 && verdict == FAILED)
			break;	/* nothing else can work */
	}
	if (!failed)
		return json_object();
	error_set(&s->error, "%u of the tests failed", failed);
	return NULL;
}

static void show(const json_t *line)
{
	const json_t *test = json_object_get(line, "test");

	printf("%-10s %s: %s\n", json_string_value(json_object_get(test, "name")),
	       json_string_value(json_object_get(test, "result")),
	       json_string_value(json_object_get(test, "detail")));
}

const struct verb verb_system_test = {
	.name = "system test",
	.help = "check that module, Shyper and command work, with a guest of a few instructions",
	.op = op,
	.show = show,
};
