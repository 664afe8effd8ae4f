/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MVM's calls to Shyper. With management rights this payload makes guests of its own and runs
 * them through their lives; without, it checks that nothing but the version is for it.
 */
#include <abi/hypercall.h>
#include <libfdt.h>

#include "guest.h"

/* libfdt.a was built with a stack protector. */
unsigned long __stack_chk_guard = 0x5a5a5a5a5a5a5a5aUL;
void __stack_chk_fail(void);

#define GUEST_RAM 0x80000000UL
#define GUEST_SIZE 0x1000000UL	/* 16 MiB */
#define GUEST_ENTRY (GUEST_RAM + 0x200000)
#define GUEST_FDT (GUEST_RAM + 0x400000)
#define OUTSIDE 0x10UL		/* nobody's RAM */
#define CYCLES 50

/* The guest's programs; each ends where the next one begins. Their words follow GUEST_RAM. */
extern char guest_counts[], guest_ends[], guest_clock[], guest_alarm[], guest_end[];
__asm__("	.balign 8\n"
	"guest_counts:\n"
	"	li t0, 0x80000008\n"
	"1:	ld t1, (t0)\n"
	"	addi t1, t1, 1\n"
	"	sd t1, (t0)\n"
	"	j 1b\n"
	"	.balign 8\n"
	"guest_ends:\n"			/* system_reset(type at +16, reason at +24) */
	"	li t0, 0x80000010\n"
	"	ld a0, (t0)\n"
	"	ld a1, 8(t0)\n"
	"	li a6, 0\n"
	"	li a7, 0x53525354\n"
	"	ecall\n"
	"	.balign 8\n"
	"guest_clock:\n"			/* its time at +8 */
	"	li t0, 0x80000008\n"
	"1:	rdtime t1\n"
	"	sd t1, (t0)\n"
	"	j 1b\n"
	"	.balign 8\n"
	"guest_alarm:\n"		/* set_timer in +16 ticks: fired at +24, was due at +32 */
	"	li t0, 0x80000010\n"
	"	rdtime a0\n"
	"	ld t1, (t0)\n"
	"	add a0, a0, t1\n"
	"	sd a0, 16(t0)\n"
	"	li a6, 0\n"
	"	li a7, 0x54494d45\n"
	"	ecall\n"
	"	li t1, 32\n"
	"	csrw sie, t1\n"
	"1:	wfi\n"
	"	csrr t2, sip\n"
	"	and t2, t2, t1\n"
	"	beqz t2, 1b\n"
	"	rdtime t2\n"
	"	sd t2, 8(t0)\n"
	"2:	j 2b\n"
	"guest_end:\n");

static char tree[4096] __attribute__((aligned(8)));
static struct shyper_events events __attribute__((aligned(4096)));
static struct shyper_vm_info info;
static struct shyper_system_info system_info;
static struct shyper_memory memory;
static struct shyper_log text;

void __stack_chk_fail(void)
{
	CHECK("stack protector", false, "smashed in libfdt");
	finish();
}

static struct sbiret hc(unsigned long function, unsigned long a, unsigned long b,
			unsigned long c, unsigned long d)
{
	struct sbiret ret;

	do
		ret = sbi_call(SHYPER_EXTENSION, function, a, b, c, d, 0, 0);
	while (ret.error == SHYPER_E_AGAIN);
	return ret;
}

#define ADDRESS(object) ((unsigned long)&(object))

static void refused(const char *name, struct sbiret ret, long status)
{
	static char reason[256];
	struct sbiret words;

	check_err(name, ret, status);
	words = hc(SHYPER_HC_REASON, (unsigned long)reason, sizeof(reason), 0, 0);
	check_err("reason", words, SHYPER_OK);
	say("# %s: %s\n", name, words.value ? reason : "(no words)");
	for (unsigned long i = 0; i < sizeof(reason); i++)
		reason[i] = 0;
}

static void put_text(const char *name, const char *value)
{
	fdt_property(tree, name, value, (int)strlen(value) + 1);
}

static bool shares;	/* its harts: the child's definition says so */
static bool time_stops;	/* while it is paused: likewise */
static unsigned int cards;	/* likewise */
static const char *child = "child";

static void put_cards(void)
{
	static const char *const names[] = {"net0", "net1", "net2", "net3"};

	for (unsigned int i = 0; i < cards; i++) {
		fdt_begin_node(tree, names[i]);
		fdt_end_node(tree);
	}
}

static unsigned long tree_make(unsigned long hart, bool kernel)
{
	fdt64_t reg[2] = {cpu_to_fdt64(GUEST_RAM), cpu_to_fdt64(GUEST_SIZE)};

	fdt_create(tree, sizeof(tree));
	fdt_finish_reservemap(tree);
	fdt_begin_node(tree, "");
	put_text("compatible", "shyper,vm-v1");
	fdt_property_u32(tree, "#address-cells", 2);
	fdt_property_u32(tree, "#size-cells", 2);
	put_text("vm-name", child);
	fdt_property_u32(tree, "vcpus", 1);
	fdt_property_u32(tree, "harts", (u32)hart);
	if (time_stops)
		put_text("time", "stops-while-paused");
	fdt_begin_node(tree, "memory@80000000");
	fdt_property(tree, "reg", reg, sizeof(reg));
	fdt_end_node(tree);
	if (shares) {
		fdt_begin_node(tree, "sched");
		put_text("policy", "priority");
		fdt_end_node(tree);
	}
	if (cards) {
		fdt_begin_node(tree, "devices");
		put_cards();
		fdt_end_node(tree);
	}
	if (kernel) {
		fdt_begin_node(tree, "kernel");
		put_text("image", "kernel-1");
		fdt_end_node(tree);
	}
	fdt_end_node(tree);
	fdt_finish(tree);
	return fdt_totalsize(tree);
}

static unsigned long pages_free(void)
{
	check_err("system info", hc(SHYPER_HC_SYSTEM_INFO, ADDRESS(system_info),
				    sizeof(system_info), 0, 0), SHYPER_OK);
	return system_info.pages_free;
}

static unsigned long state_of(unsigned long id)
{
	struct sbiret ret = hc(SHYPER_HC_VM_INFO, id, ADDRESS(info), sizeof(info), 0);

	return ret.error ? (unsigned long)ret.error : info.state;
}

/* A word of the guest's memory, where the MVM sees it. */
static volatile u64 *guest_word(unsigned long id, unsigned long offset)
{
	for (unsigned long i = 0;; i++) {
		if (hc(SHYPER_HC_VM_MEMORY, id, i, ADDRESS(memory), sizeof(memory)).error)
			return NULL;
		if (GUEST_RAM + offset - memory.guest < memory.size)
			return (volatile u64 *)(memory.host + (GUEST_RAM + offset - memory.guest));
	}
}

static void guest_program(unsigned long id, const char *from, const char *to)
{
	volatile u64 *at = guest_word(id, GUEST_ENTRY - GUEST_RAM);
	const u64 *program = (const u64 *)(const void *)from;

	for (unsigned long i = 0; i < (unsigned long)(to - from + 7) / 8; i++)
		at[i] = program[i];
}

static struct sbiret boot(unsigned long id)
{
	struct shyper_boot b = {.entry = GUEST_ENTRY, .fdt = GUEST_FDT};

	return hc(SHYPER_HC_VM_BOOT, id, ADDRESS(b), sizeof(b), 0);
}

static void check_boot_refusals(unsigned long id)
{
	struct shyper_boot b = {.entry = OUTSIDE, .fdt = GUEST_FDT};

	refused("boot with its entry outside",
		hc(SHYPER_HC_VM_BOOT, id, ADDRESS(b), sizeof(b), 0), SHYPER_E_INVAL);
	b.entry = GUEST_ENTRY + 1;
	refused("boot at an odd entry", hc(SHYPER_HC_VM_BOOT, id, ADDRESS(b), sizeof(b), 0),
		SHYPER_E_INVAL);
	b.entry = GUEST_ENTRY;
	b.fdt = GUEST_RAM + GUEST_SIZE - 8;
	refused("boot without room for the tree",
		hc(SHYPER_HC_VM_BOOT, id, ADDRESS(b), sizeof(b), 0), SHYPER_E_INVAL);
	b.fdt = GUEST_FDT;
	b.initrd = GUEST_RAM;
	b.initrd_size = -1UL;
	refused("boot with an initrd that wraps",
		hc(SHYPER_HC_VM_BOOT, id, ADDRESS(b), sizeof(b), 0), SHYPER_E_INVAL);
	refused("boot from a short struct",
		hc(SHYPER_HC_VM_BOOT, id, ADDRESS(b), sizeof(b) - 1, 0), SHYPER_E_INVAL);
	refused("boot from nowhere", hc(SHYPER_HC_VM_BOOT, id, OUTSIDE, sizeof(b), 0),
		SHYPER_E_FAULT);
}

static void check_ends(unsigned long id, unsigned long type, unsigned long reason,
		       unsigned long end)
{
	guest_program(id, guest_ends, guest_clock);
	*guest_word(id, 16) = type;
	*guest_word(id, 24) = reason;
	__atomic_exchange_n(&events.state, 0, __ATOMIC_ACQ_REL);
	check_err("boot", boot(id), SHYPER_OK);
	CHECK("ended", WAIT_FOR(state_of(id) == SHYPER_VM_ENDED, 10000), "state %lu", state_of(id));
	check_eq("reason", info.reason, end);
	CHECK("event", __atomic_load_n(&events.state, __ATOMIC_ACQUIRE) & BIT(id), "no bit");
}

static void check_life(unsigned long id)
{
	volatile u64 *counter = guest_word(id, 8);
	u64 seen;

	guest_program(id, guest_counts, guest_ends);
	*counter = 0;
	check_err("boot", boot(id), SHYPER_OK);
	CHECK("runs", WAIT_FOR(*counter > 1000, 10000), "counter %lu", *counter);
	refused("boot again", boot(id), SHYPER_E_BUSY);
	refused("destroy while it runs", hc(SHYPER_HC_VM_DESTROY, id, 0, 0, 0), SHYPER_E_BUSY);
	refused("resume", hc(SHYPER_HC_VM_RESUME, id, 0, 0, 0), SHYPER_E_BUSY);
	check_err("pause", hc(SHYPER_HC_VM_PAUSE, id, 0, 0, 0), SHYPER_OK);
	seen = *counter;
	CHECK("stands still", !WAIT_FOR(*counter != seen, 200), "counted %lu", *counter - seen);
	refused("pause again", hc(SHYPER_HC_VM_PAUSE, id, 0, 0, 0), SHYPER_E_BUSY);
	check_err("resume", hc(SHYPER_HC_VM_RESUME, id, 0, 0, 0), SHYPER_OK);
	CHECK("goes on", WAIT_FOR(*counter > seen + 1000, 10000), "counter %lu", *counter);
	check_err("pause", hc(SHYPER_HC_VM_PAUSE, id, 0, 0, 0), SHYPER_OK);
	check_err("stop", hc(SHYPER_HC_VM_STOP, id, 0, 0, 0), SHYPER_OK);
	CHECK("ended", WAIT_FOR(state_of(id) == SHYPER_VM_ENDED, 10000), "state %lu", state_of(id));
	check_eq("reason", info.reason, SHYPER_END_STOP);
	refused("stop again", hc(SHYPER_HC_VM_STOP, id, 0, 0, 0), SHYPER_E_BUSY);
	refused("pause", hc(SHYPER_HC_VM_PAUSE, id, 0, 0, 0), SHYPER_E_BUSY);
}

static unsigned long create(unsigned long hart)
{
	unsigned long size = tree_make(hart, false);
	struct sbiret ret = hc(SHYPER_HC_VM_CREATE, (unsigned long)tree, size, 0, 0);

	check_err("create", ret, SHYPER_OK);
	return ret.error ? 0 : (unsigned long)ret.value;
}

static void check_create_refusals(unsigned long own_hart)
{
	unsigned long size = tree_make(own_hart, false);

	refused("create on a taken hart",
		hc(SHYPER_HC_VM_CREATE, (unsigned long)tree, size, 0, 0), SHYPER_E_BUSY);
	size = tree_make(63, false);
	refused("create on a hart that is not there",
		hc(SHYPER_HC_VM_CREATE, (unsigned long)tree, size, 0, 0), SHYPER_E_NOENT);
	size = tree_make(1, true);
	refused("create with an image",
		hc(SHYPER_HC_VM_CREATE, (unsigned long)tree, size, 0, 0), SHYPER_E_INVAL);
	size = tree_make(1, false);
	refused("create from a cut tree",
		hc(SHYPER_HC_VM_CREATE, (unsigned long)tree, size / 2, 0, 0), SHYPER_E_INVAL);
	tree[0] = 0;
	refused("create from no tree", hc(SHYPER_HC_VM_CREATE, (unsigned long)tree, size, 0, 0),
		SHYPER_E_INVAL);
	refused("create from nowhere", hc(SHYPER_HC_VM_CREATE, OUTSIDE, size, 0, 0),
		SHYPER_E_FAULT);
	refused("create of nothing", hc(SHYPER_HC_VM_CREATE, (unsigned long)tree, 0, 0, 0),
		SHYPER_E_INVAL);
	refused("create of too much",
		hc(SHYPER_HC_VM_CREATE, (unsigned long)tree, SHYPER_TREE_MAX + 1, 0, 0),
		SHYPER_E_INVAL);
}

static void check_names(void)
{
	static const unsigned long ids[] = {0, 15, 16, -1UL, 1UL << 32};

	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
		for (unsigned long f = SHYPER_HC_VM_DESTROY; f <= SHYPER_HC_VM_RESUME; f++)
			check_err("no such VM", hc(f, ids[i], ADDRESS(info), sizeof(info), 0),
				  SHYPER_E_NOENT);
		if (i)
			check_err("info of no VM", hc(SHYPER_HC_VM_INFO, ids[i], ADDRESS(info),
						      sizeof(info), 0), SHYPER_E_NOENT);
	}
	check_eq("own state", state_of(0), SHYPER_VM_RUNNING);
	check_err("no such call", hc(1000, 0, 0, 0, 0), SHYPER_E_NOSYS);
	check_err("info to nowhere", hc(SHYPER_HC_VM_INFO, 0, OUTSIDE, sizeof(info), 0),
		  SHYPER_E_FAULT);
	check_err("info to a short buffer",
		  hc(SHYPER_HC_VM_INFO, 0, ADDRESS(info), sizeof(info) - 1, 0), SHYPER_E_INVAL);
	check_err("events off the page", hc(SHYPER_HC_EVENTS, ADDRESS(events) + 8, 5, 0, 0),
		  SHYPER_E_INVAL);
	check_err("events of no source", hc(SHYPER_HC_EVENTS, ADDRESS(events), 1000, 0, 0),
		  SHYPER_E_INVAL);
	check_err("events nowhere", hc(SHYPER_HC_EVENTS, 0x1000, 5, 0, 0), SHYPER_E_FAULT);
}

/* The child has none. */
static void check_devices(unsigned long id)
{
	static const unsigned long calls[] = {
		SHYPER_HC_DEVICE_SETUP, SHYPER_HC_DEVICE_INFO, SHYPER_HC_DEVICE_INTERRUPT,
		SHYPER_HC_DEVICE_RESET_DONE, SHYPER_HC_DEVICE_ABANDON,
	};
	static const unsigned long numbers[] = {0, SHYPER_DEVICES - 1, SHYPER_DEVICES, -1UL};

	for (unsigned int i = 0; i < ARRAY_SIZE(calls) * ARRAY_SIZE(numbers); i++) {
		unsigned long number = numbers[i % ARRAY_SIZE(numbers)];

		check_err("no such device", hc(calls[i / ARRAY_SIZE(numbers)], id, number,
					       ADDRESS(info), sizeof(info)), SHYPER_E_NOENT);
		check_err("no device of the MVM's own", hc(calls[i / ARRAY_SIZE(numbers)], 0,
							   number, ADDRESS(info), sizeof(info)),
			  SHYPER_E_NOENT);
	}
}

/* The MVM of this test has card 0, on a switch of its own. */
static void check_cards(unsigned long id)
{
	static struct shyper_net_info card;
	const unsigned long size = sizeof(card);

	check_err("card", hc(SHYPER_HC_NET_INFO, 0, 0, ADDRESS(card), size), SHYPER_OK);
	CHECK("its switch", !memcmp(card.sw, "own", 4), "%s", card.sw);
	check_eq("its MTU", card.mtu, 1500);
	check_eq("its VLAN", card.vlan, 9);
	check_eq("its flags", card.flags, SHYPER_NET_LINK | SHYPER_NET_LOCKED);
	refused("no such card", hc(SHYPER_HC_NET_INFO, 0, 1, ADDRESS(card), size), SHYPER_E_NOENT);
	refused("card 4", hc(SHYPER_HC_NET_INFO, 0, 4, ADDRESS(card), size), SHYPER_E_NOENT);
	refused("card far away", hc(SHYPER_HC_NET_INFO, 0, ~0UL, ADDRESS(card), size),
		SHYPER_E_NOENT);
	refused("of a VM without", hc(SHYPER_HC_NET_INFO, id, 0, ADDRESS(card), size),
		SHYPER_E_NOENT);
	refused("of no VM", hc(SHYPER_HC_NET_INFO, 16, 0, ADDRESS(card), size), SHYPER_E_NOENT);
	refused("to a short buffer", hc(SHYPER_HC_NET_INFO, 0, 0, ADDRESS(card), size - 1),
		SHYPER_E_INVAL);
	refused("to nowhere", hc(SHYPER_HC_NET_INFO, 0, 0, OUTSIDE, size), SHYPER_E_FAULT);
	check_err("mirror", hc(SHYPER_HC_NET_SET, 0, 0, SHYPER_NET_SET_MIRROR, 1), SHYPER_OK);
	check_err("cable out", hc(SHYPER_HC_NET_SET, 0, 0, SHYPER_NET_SET_LINK, 0), SHYPER_OK);
	check_err("card", hc(SHYPER_HC_NET_INFO, 0, 0, ADDRESS(card), size), SHYPER_OK);
	check_eq("its flags", card.flags, SHYPER_NET_MIRRORED | SHYPER_NET_LOCKED);
	refused("to a switch position 2", hc(SHYPER_HC_NET_SET, 0, 0, SHYPER_NET_SET_LINK, 2),
		SHYPER_E_INVAL);
	refused("something unknown", hc(SHYPER_HC_NET_SET, 0, 0, 3, 1), SHYPER_E_INVAL);
	refused("nothing", hc(SHYPER_HC_NET_SET, 0, 0, 0, 1), SHYPER_E_INVAL);
	refused("no such card", hc(SHYPER_HC_NET_SET, 0, 2, SHYPER_NET_SET_LINK, 1),
		SHYPER_E_NOENT);
}

static struct shyper_sched_info sched;

static struct sbiret sched_look(unsigned long number)
{
	return hc(SHYPER_HC_SCHED_INFO, number, ADDRESS(sched), sizeof(sched), 0);
}

static void check_sched_refusals(unsigned long id)
{
	static const unsigned long bad[][3] = {
		{ 32, 0, 0 }, { 1UL << 16, 0, 0 }, { 1UL << 17, 500, 1000 },
		{ ~0UL, 0, 0 }, { 1UL << 32, 0, 0 },
		{ 0, 1000, 0 }, { 0, 0, 1000 }, { 0, 2000, 1999 }, { 0, 99, 1000 },
		{ 0, 500, 999 }, { 0, 500, 10000001 }, { 0, ~0UL, ~0UL },
		{ 0, 1UL << 32 | 500, 1UL << 32 | 1000 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		refused("bad numbers", hc(SHYPER_HC_SCHED_SET, id, bad[i][0], bad[i][1],
					  bad[i][2]), SHYPER_E_INVAL);
	refused("of no VM", hc(SHYPER_HC_SCHED_SET, 15, 1, 0, 0), SHYPER_E_NOENT);
	refused("of the pinned MVM", hc(SHYPER_HC_SCHED_SET, 0, 1, 0, 0), SHYPER_E_INVAL);
	refused("of no hart", sched_look(64), SHYPER_E_NOENT);
	refused("of no hart", sched_look(~0UL), SHYPER_E_NOENT);
	refused("to a short buffer", hc(SHYPER_HC_SCHED_INFO, 0, ADDRESS(sched),
					sizeof(sched) - 1, 0), SHYPER_E_INVAL);
	refused("to nowhere", hc(SHYPER_HC_SCHED_INFO, 0, OUTSIDE, sizeof(sched), 0),
		SHYPER_E_FAULT);
}

/* It runs for a tenth of the time and waits for the rest, though nobody else wants that. */
static void check_strict(unsigned long hart, unsigned long id)
{
	const struct shyper_sched_vcpu *one = &sched.vcpu[0];
	u64 ran;

	check_err("strict", hc(SHYPER_HC_SCHED_SET, id, 7 | SHYPER_SCHED_STRICT << 16, 1000, 10000),
		  SHYPER_OK);
	CHECK("waits", WAIT_FOR(!sched_look(hart).error && one->state == SHYPER_SCHED_READY, 10000),
	      "state %u", one->state);
	CHECK("its numbers", one->priority == 7 && one->flags == SHYPER_SCHED_STRICT, "%u %u",
	      one->priority, one->flags);
	ran = one->ran;
	CHECK("runs again", WAIT_FOR(!sched_look(hart).error && one->ran > ran, 10000), "ran %lu",
	      (unsigned long)one->ran);
}

/* A child that shares its hart, and nobody is there to share it with. */
static void check_sched(unsigned long hart, unsigned long id)
{
	const struct shyper_sched_vcpu *one = &sched.vcpu[0];
	u64 ran;

	check_err("own hart", sched_look(0), SHYPER_OK);
	check_eq("its policy", sched.policy, SHYPER_SCHED_PINNED);
	check_eq("its vCPU is this one", sched.vcpus == 1 && !one->vm && !one->vcpu, 1);
	check_eq("which runs", one->state, SHYPER_SCHED_RUNNING);
	check_sched_refusals(id);
	check_err("set", hc(SHYPER_HC_SCHED_SET, id, 7, 2000, 10000), SHYPER_OK);
	check_err("child's hart", sched_look(hart), SHYPER_OK);
	check_eq("its policy", sched.policy, SHYPER_SCHED_PRIORITY);
	CHECK("its numbers", sched.vcpus == 1 && one->vm == id && one->priority == 7 &&
	      one->budget == 2000 && one->period == 10000, "%u vCPUs", sched.vcpus);
	check_eq("it is off", one->state, SHYPER_SCHED_OFF);
	guest_program(id, guest_counts, guest_ends);
	check_err("boot", boot(id), SHYPER_OK);
	CHECK("runs", WAIT_FOR(!sched_look(hart).error && one->state == SHYPER_SCHED_RUNNING &&
			       one->ran > 10, 10000), "state %u", one->state);
	ran = one->ran;
	CHECK("goes on", WAIT_FOR(!sched_look(hart).error && one->ran > ran + 1000, 10000),
	      "ran %lu", (unsigned long)one->ran);
	check_eq("never waits", one->waited, 0);
	check_strict(hart, id);
	check_err("set while it runs", hc(SHYPER_HC_SCHED_SET, id, 3, 0, 0), SHYPER_OK);
	check_err("pause", hc(SHYPER_HC_VM_PAUSE, id, 0, 0, 0), SHYPER_OK);
	check_err("child's hart", sched_look(hart), SHYPER_OK);
	CHECK("its numbers", one->priority == 3 && !one->budget && !one->period &&
	      one->state == SHYPER_SCHED_OFF, "%u", one->priority);
	check_err("stop", hc(SHYPER_HC_VM_STOP, id, 0, 0, 0), SHYPER_OK);
	CHECK("ended", WAIT_FOR(state_of(id) == SHYPER_VM_ENDED, 10000), "state %lu", state_of(id));
	check_err("destroy", hc(SHYPER_HC_VM_DESTROY, id, 0, 0, 0), SHYPER_OK);
	check_err("child's hart", sched_look(hart), SHYPER_OK);
	check_eq("it is free", sched.policy == SHYPER_SCHED_FREE && !sched.vcpus, 1);
}

static void stop(unsigned long id)
{
	check_err("stop", hc(SHYPER_HC_VM_STOP, id, 0, 0, 0), SHYPER_OK);
	CHECK("ended", WAIT_FOR(state_of(id) == SHYPER_VM_ENDED, 10000), "state %lu", state_of(id));
}

/* A word that its owner has written since the call, from what it has read since. */
static u64 fresh(volatile u64 *word)
{
	for (unsigned int i = 0; i < 2; i++) {
		u64 seen = *word;

		CHECK("writes", WAIT_FOR(*word != seen, 10000), "still %lu", seen);
	}
	return *word;
}

/* Returns how long it was paused at least. */
static unsigned long pause_for(unsigned long id, unsigned long ms)
{
	unsigned long from;

	check_err("pause", hc(SHYPER_HC_VM_PAUSE, id, 0, 0, 0), SHYPER_OK);
	from = rdtime();
	(void)WAIT_FOR(false, ms);
	from = rdtime() - from;
	check_err("resume", hc(SHYPER_HC_VM_RESUME, id, 0, 0, 0), SHYPER_OK);
	return from;
}

static void check_clock(unsigned long id)
{
	volatile u64 *clock = guest_word(id, 8);
	unsigned long from, paused;
	u64 passed;

	guest_program(id, guest_clock, guest_alarm);
	check_err("boot", boot(id), SHYPER_OK);
	from = rdtime();
	passed = fresh(clock);
	paused = pause_for(id, 200);
	paused += pause_for(id, 200);
	passed = fresh(clock) - passed;
	if (time_stops)
		CHECK("time stood still", passed <= rdtime() - from - paused, "%lu", passed);
	else
		CHECK("time ran on", passed >= paused, "%lu", passed);
	stop(id);
}

/* Neither lost nor early. */
static void check_alarm(unsigned long id)
{
	volatile u64 *fired = guest_word(id, 24), *due = guest_word(id, 32);

	guest_program(id, guest_alarm, guest_end);
	*guest_word(id, 16) = 100 * MS;
	*fired = 0;
	*due = 0;
	check_err("boot", boot(id), SHYPER_OK);
	CHECK("sleeps", WAIT_FOR(*due, 10000), "no");
	(void)pause_for(id, 300);
	CHECK("wakes", WAIT_FOR(*fired, 10000), "no");
	CHECK("when it is due", *fired >= *due, "%lu before", *due - *fired);
	stop(id);
}

static void check_time(unsigned long hart)
{
	for (unsigned int i = 0; i < 4; i++) {
		unsigned long id;

		shares = i & 1;
		time_stops = i & 2;
		say("# %s hart, time %s\n", shares ? "shared" : "own",
		    time_stops ? "stops" : "runs");
		id = create(hart);
		check_clock(id);
		check_alarm(id);
		check_err("destroy", hc(SHYPER_HC_VM_DESTROY, id, 0, 0, 0), SHYPER_OK);
	}
	shares = time_stops = false;
}

/* A call: is it in the trace? It is recorded once its hart has left the guest after the start. */
static bool call_is_traced(struct shyper_trace_read *chunk)
{
	bool found = false;

	if (hc(SHYPER_HC_VERSION, 0, 0, 0, 0).error ||
	    hc(SHYPER_HC_TRACE_READ, ADDRESS(*chunk), sizeof(*chunk), 0, 0).error)
		return false;
	for (unsigned int i = 0; i < chunk->count; i++)
		found |= chunk->record[i].event == SHYPER_TRACE_EXIT && chunk->record[i].vm == 0 &&
			 chunk->record[i].data == (u64)SHYPER_EXTENSION << 32;
	return found;
}

/* Shyper counts the hart that boots as 0, and firmware boots on any. */
static u32 number_of(u64 hartid)
{
	static struct shyper_trace_read chunk;

	for (chunk.hart = 0;; chunk.hart++)
		if (hc(SHYPER_HC_TRACE_READ, ADDRESS(chunk), sizeof(chunk), 0, 0).error ||
		    chunk.hartid == hartid)
			return chunk.hart;
}

/* The payload's own exits are in it. */
static void check_trace(void)
{
	static struct shyper_trace_read chunk;
	const unsigned long size = sizeof(chunk), all = BIT(SHYPER_TRACE_EVENTS) - 1;

	refused("trace of nothing", hc(SHYPER_HC_TRACE_START, 0, 64, 0, 0), SHYPER_E_INVAL);
	refused("trace of events that are none", hc(SHYPER_HC_TRACE_START, all + 1, 64, 0, 0),
		SHYPER_E_INVAL);
	refused("trace in odd rings", hc(SHYPER_HC_TRACE_START, all, 65, 0, 0), SHYPER_E_INVAL);
	refused("trace in large rings", hc(SHYPER_HC_TRACE_START, all, 1UL << 32, 0, 0),
		SHYPER_E_INVAL);
	refused("read of no trace", hc(SHYPER_HC_TRACE_READ, ADDRESS(chunk), size, 0, 0),
		SHYPER_E_NOENT);
	check_err("stop of no trace", hc(SHYPER_HC_TRACE_STOP, 0, 0, 0, 0), SHYPER_OK);
	for (unsigned int i = 0; i < 3; i++) {
		check_err("trace", hc(SHYPER_HC_TRACE_START, all, 1024, 0, 0), SHYPER_OK);
		refused("trace twice", hc(SHYPER_HC_TRACE_START, all, 64, 0, 0), SHYPER_E_BUSY);
		check_err("stop", hc(SHYPER_HC_TRACE_STOP, 0, 0, 0, 0), SHYPER_OK);
	}
	check_err("trace", hc(SHYPER_HC_TRACE_START, all, 1024, 0, 0), SHYPER_OK);
	refused("read to a short buffer", hc(SHYPER_HC_TRACE_READ, ADDRESS(chunk), size - 1, 0, 0),
		SHYPER_E_INVAL);
	refused("read to nowhere", hc(SHYPER_HC_TRACE_READ, OUTSIDE, size, 0, 0), SHYPER_E_FAULT);
	chunk.hart = 64;
	refused("read of no hart", hc(SHYPER_HC_TRACE_READ, ADDRESS(chunk), size, 0, 0),
		SHYPER_E_NOENT);
	chunk = (struct shyper_trace_read){ .hart = number_of(boot_hart) };
	CHECK("own exit", WAIT_FOR(call_is_traced(&chunk), 10000), "not in the trace");
	check_eq("lost", chunk.lost, 0);
	check_err("stop", hc(SHYPER_HC_TRACE_STOP, 0, 0, 0, 0), SHYPER_OK);
}

static void check_log(void)
{
	unsigned long lines = 0, rounds = 0;

	do {
		check_err("log", hc(SHYPER_HC_LOG_READ, ADDRESS(text), sizeof(text), 0, 0),
			  SHYPER_OK);
		for (u32 i = 0; i < text.size; i++)
			lines += text.text[i] == '\n';
	} while (text.size && ++rounds < 100);
	CHECK("log lines", lines > 3 && rounds < 100, "%lu in %lu rounds", lines, rounds);
}

/* Exits that a neighbour has while a VM on its hart comes, and goes with so many cards. */
static unsigned long disturbed(unsigned long neighbour, unsigned long hart, unsigned int with)
{
	unsigned long before = 0, after = 0;

	cards = with;
	check_eq("neighbour runs", state_of(neighbour), SHYPER_VM_RUNNING);
	for (unsigned int i = 0; i < ARRAY_SIZE(info.exits); i++)
		before += info.exits[i];
	check_err("destroy", hc(SHYPER_HC_VM_DESTROY, create(hart), 0, 0, 0), SHYPER_OK);
	check_eq("neighbour runs", state_of(neighbour), SHYPER_VM_RUNNING);
	for (unsigned int i = 0; i < ARRAY_SIZE(info.exits); i++)
		after += info.exits[i];
	cards = 0;
	return after - before;
}

/* Nobody is interrupted for each device that a VM had. */
static void check_neighbour(unsigned long hart)
{
	unsigned long neighbour = create(hart), few, many;

	guest_program(neighbour, guest_counts, guest_ends);
	check_err("boot", boot(neighbour), SHYPER_OK);
	child = "other";
	few = disturbed(neighbour, hart, 0);
	many = disturbed(neighbour, hart, 4);
	child = "child";
	/* Four fences more would be four exits more; one or two come by themselves. */
	CHECK("disturbed no more by four cards", many < few + 3, "%lu exits, without %lu", many,
	      few);
	say("# %lu and %lu exits\n", few, many);
	stop(neighbour);
	check_err("destroy", hc(SHYPER_HC_VM_DESTROY, neighbour, 0, 0, 0), SHYPER_OK);
}

static void manage(void)
{
	unsigned long before, id, worker = 1;
	u64 seen;

	check_names();
	check_create_refusals(boot_hart);
	before = pages_free();
	check_err("events", hc(SHYPER_HC_EVENTS, ADDRESS(events), 20, 0, 0), SHYPER_OK);
	id = create(worker);
	check_eq("made", state_of(id), SHYPER_VM_MADE);
	CHECK("memory is there", pages_free() <= before - GUEST_SIZE / 4096, "%lu, before %lu",
	      pages_free(), before);
	check_boot_refusals(id);
	check_devices(id);
	check_cards(id);
	check_trace();
	check_life(id);
	check_ends(id, 0, 0, SHYPER_END_POWEROFF);
	check_ends(id, 1, 0, SHYPER_END_REBOOT);
	check_ends(id, 0, 1, SHYPER_END_FAILURE);
	seen = memory.host;
	check_err("destroy", hc(SHYPER_HC_VM_DESTROY, id, 0, 0, 0), SHYPER_OK);
	check_cause("its memory is gone", TRY(*(volatile u64 *)seen), 5);
	check_eq("no page is lost", pages_free(), before);
	shares = true;
	check_sched(worker, create(worker));
	check_neighbour(worker);
	check_time(worker);
	for (unsigned int i = 0; i < CYCLES; i++) {
		id = create(worker);
		if (i % 2) {
			guest_program(id, guest_counts, guest_ends);
			check_err("boot", boot(id), SHYPER_OK);
			check_err("stop", hc(SHYPER_HC_VM_STOP, id, 0, 0, 0), SHYPER_OK);
			WAIT_FOR(state_of(id) == SHYPER_VM_ENDED, 10000);
		}
		check_err("destroy", hc(SHYPER_HC_VM_DESTROY, id, 0, 0, 0), SHYPER_OK);
	}
	check_eq("no page is lost after many", pages_free(), before);
	check_log();
}

void payload(void)
{
	struct sbiret version = hc(SHYPER_HC_VERSION, 0, 0, 0, 0);

	check_err("version", version, SHYPER_OK);
	check_eq("abi", (unsigned long)version.value, SHYPER_ABI_VERSION);
	if (hc(SHYPER_HC_SYSTEM_INFO, ADDRESS(system_info), sizeof(system_info), 0, 0).error ==
	    SHYPER_OK) {
		manage();
		return;
	}
	for (unsigned long f = SHYPER_HC_REASON; f <= SHYPER_HC_TRACE_READ; f++)
		check_err("not for this VM", hc(f, 0, ADDRESS(info), sizeof(info), 0),
			  SHYPER_E_PERM);
}
