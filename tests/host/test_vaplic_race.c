/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's APLIC under races. Device threads raise their wires and wait for service; vCPU
 * threads sleep until kicked or sent an MSI, as harts in WFI do, so a lost interrupt hangs the test
 * and its alarm ends it; one too many is counted. Meanwhile the vCPUs turn things off and on:
 * enables, targets, priorities, thresholds, delivery, the domain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hv/check.h>

#include "vaplic_guest.h"

#define DEVICES 3U
#define SOURCES_EACH 4U
#define SOURCES (1 + DEVICES * SOURCES_EACH)
#define ROUNDS 15000U
#define CPUS 3U
#define SYNC 63U	/* EIID of genmsi */

static struct guest g;
static struct guest hw;		/* the board's controller, where there are wires */

/* A source: its device raises it, whoever handles it wins `asserted` from 1 to 2, then frees it. */
static struct hammer {
	u32 asserted;
	u32 raised, served, taken;
} hammer[SOURCES];
static u32 kicked[CPUS];
static u32 file[CPUS][64];	/* MSIs of each identity that have come */
static u32 finished;
static bool messages;

void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

/* Half of the sources are edge-sensitive: each rise is handed out exactly once. */
static bool is_edge(u32 source)
{
	return source % 2;
}

static u32 target_of(u32 vcpu, u32 source)
{
	return HART(vcpu) | source;
}

static void flag(void *ctx, u32 vcpu)
{
	(void)ctx;
	__atomic_store_n(&kicked[vcpu], 1, __ATOMIC_RELEASE);
}

static void count_msi(void *ctx, u32 vcpu, u32 eiid)
{
	(void)ctx;
	__atomic_fetch_add(&file[vcpu][eiid], 1, __ATOMIC_ACQ_REL);
}

static const struct vaplic_hooks hooks = { .kick = flag, .msi = count_msi };

static void raise_by_line(u32 source, bool level)
{
	line(&g, source, level);
}

static void raise_on_board(u32 source, bool level)
{
	line(&hw, source, level);
}

static void (*drive)(u32 source, bool level);

static void *device(void *arg)
{
	u32 first = 1 + SOURCES_EACH * (u32)(uintptr_t)arg;

	for (u32 round = 0; round < ROUNDS; round++) {
		for (u32 s = first; s < first + SOURCES_EACH; s++) {
			while (__atomic_load_n(&hammer[s].asserted, __ATOMIC_ACQUIRE))
				sched_yield();
			hammer[s].raised++;
			__atomic_store_n(&hammer[s].asserted, 1, __ATOMIC_RELEASE);
			drive(s, true);
		}
	}
	return NULL;
}

/* A level may be seen by two vCPUs when its target changes, or once more before it falls. */
static void handle(u32 source)
{
	u32 one = 1;

	__atomic_fetch_add(&hammer[source].taken, 1, __ATOMIC_RELAXED);
	if (!__atomic_compare_exchange_n(&hammer[source].asserted, &one, 2, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		assert_false(is_edge(source));
		return;
	}
	hammer[source].served++;
	drive(source, false);
	__atomic_store_n(&hammer[source].asserted, 0, __ATOMIC_RELEASE);
}

static void serve_direct(u32 vcpu)
{
	u32 value;

	while ((value = rd(&g, CLAIMI(vcpu))) != 0)
		handle(value >> 16);
}

static bool serve_file(u32 vcpu)
{
	bool any = false;

	for (u32 source = 1; source < SOURCES; source++) {
		u32 count = __atomic_exchange_n(&file[vcpu][source], 0, __ATOMIC_ACQ_REL);

		for (; count; count--) {
			handle(source);
			any = true;
			if (!is_edge(source))
				wr(&g, SETIPNUM_LE, source);
		}
	}
	return any;
}

static void write_genmsi(u32 value)
{
	struct mmio_access acc = { .offset = GENMSI, .width = 4, .value = value, .write = true };

	while (vaplic_mmio_ops.access(&g.chip, &acc) == MMIO_AGAIN)
		sched_yield();
}

static void off_and_on(u64 off, u32 off_value, u64 on, u32 on_value)
{
	wr(&g, off, off_value);
	sched_yield();
	wr(&g, on, on_value);
}

static void disturb(u32 vcpu, u32 *seed)
{
	u32 s = 1 + (u32)rand_r(seed) % (SOURCES - 1), dm = messages ? DM : 0;

	switch (rand_r(seed) % 48) {
	case 0:
		off_and_on(ITHRESHOLD(vcpu), 1, ITHRESHOLD(vcpu), 0);
		break;
	case 1:
		off_and_on(CLRIE(0), 0xffffffff, SETIE(0), 0xffffffff);
		break;
	case 2:
		off_and_on(CLRIENUM, s, SETIENUM, s);
		break;
	case 3:
	case 4:
		wr(&g, TARGET(s), target_of((u32)rand_r(seed) % CPUS, s));
		break;
	case 5:
		off_and_on(DOMAINCFG, dm, DOMAINCFG, IE | dm);
		break;
	case 6:
		off_and_on(IDELIVERY(vcpu), 0, IDELIVERY(vcpu), 1);
		break;
	case 7:
		wr(&g, IFORCE(vcpu), 1);
		break;
	case 8:
		write_genmsi(HART(vcpu) | SYNC);
		break;
	case 9:
		serve_direct((vcpu + 1) % CPUS);
		break;
	case 10:
		vaplic_reroute(&g.chip, vcpu);
	}
}

static void *cpu(void *arg)
{
	u32 vcpu = (u32)(uintptr_t)arg, seed = vcpu;

	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
		bool any = messages && serve_file(vcpu);

		if (__atomic_exchange_n(&kicked[vcpu], 0, __ATOMIC_ACQ_REL)) {
			any = true;
			if (external(&g, vcpu))
				serve_direct(vcpu);
		}
		if (any)
			disturb(vcpu, &seed);
		else
			sched_yield();
	}
	return NULL;
}

static void configure_sources(void)
{
	for (u32 v = 0; v < CPUS; v++)
		wr(&g, IDELIVERY(v), 1);
	wr(&g, DOMAINCFG, IE | (messages ? DM : 0));
	for (u32 s = 1; s < SOURCES; s++)
		set_up(&g, s, is_edge(s) ? VAPLIC_EDGE1 : VAPLIC_LEVEL1, target_of(s % CPUS, s));
}

static void wait_until_served(void)
{
	for (u32 s = 1; s < SOURCES; s++)
		while (__atomic_load_n(&hammer[s].asserted, __ATOMIC_ACQUIRE))
			sched_yield();
}

/* more: a thread beside those of devices and vCPUs; NULL: none. */
static void run(void *(*more)(void *))
{
	pthread_t cpus[CPUS], devices[DEVICES], extra;

	memset(hammer, 0, sizeof(hammer));
	finished = 0;
	alarm(240);
	for (uintptr_t v = 0; v < CPUS; v++)
		assert_int_equal(pthread_create(&cpus[v], NULL, cpu, (void *)v), 0);
	if (more)
		assert_int_equal(pthread_create(&extra, NULL, more, NULL), 0);
	for (uintptr_t d = 0; d < DEVICES; d++)
		assert_int_equal(pthread_create(&devices[d], NULL, device, (void *)d), 0);
	for (u32 d = 0; d < DEVICES; d++)
		pthread_join(devices[d], NULL);
	wait_until_served();
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
	for (u32 v = 0; v < CPUS; v++)
		pthread_join(cpus[v], NULL);
	if (more)
		pthread_join(extra, NULL);
	alarm(0);
	for (u32 s = 1; s < SOURCES; s++) {
		assert_int_equal(hammer[s].raised, ROUNDS);
		assert_int_equal(hammer[s].served, ROUNDS);
		if (is_edge(s))
			assert_int_equal(hammer[s].taken, ROUNDS);
	}
}

static void start(bool msi, const struct vaplic_wire_ops *wire_ops)
{
	const struct vaplic_geometry geometry = {
		.vcpus = CPUS, .sources = SOURCES, .direct = true, .eiids = msi ? 63 : 0,
	};

	messages = msi;
	memset(file, 0, sizeof(file));
	memset(kicked, 0, sizeof(kicked));
	vaplic_init(&g.chip, &geometry, &hooks, wire_ops, &g);
}

static void test_direct(void **state)
{
	(void)state;
	start(false, NULL);
	drive = raise_by_line;
	configure_sources();
	run(NULL);
	assert_int_equal(rd(&g, SETIP(0)), 0);
}

static void test_msi(void **state)
{
	(void)state;
	start(true, NULL);
	drive = raise_by_line;
	configure_sources();
	run(NULL);
	assert_int_equal(rd(&g, SETIP(0)), 0);
}

/* ---- Wires, delivered directly: the board's controller has no IMSICs either ---- */

static struct spinlock board_lock;
static bool wanted[SOURCES];
static u32 board_kicked;

static void allow(u32 source)
{
	spin_lock(&board_lock);
	if (wanted[source])
		wr(&hw, SETIENUM, source);
	spin_unlock(&board_lock);
}

static void configure(void *ctx, u32 source, const struct vaplic_route *to)
{
	(void)ctx;
	spin_lock(&board_lock);
	wanted[source] = to->enabled;
	wr(&hw, CLRIENUM, source);
	if (rd(&hw, SOURCECFG(source)) != to->mode)
		wr(&hw, SOURCECFG(source), to->mode);
	if (wanted[source])
		wr(&hw, SETIENUM, source);
	spin_unlock(&board_lock);
}

static void no_pending(void *ctx, u32 source)
{
	(void)ctx;
	(void)source;
	abort();
}

static bool board_pending(void *ctx, u32 source)
{
	(void)ctx;
	return bit(&hw, SETIP(0), source);
}

static bool board_input(void *ctx, u32 source)
{
	(void)ctx;
	return bit(&hw, IN_CLRIP(0), source);
}

static void board_rearm(void *ctx, u32 source)
{
	(void)ctx;
	allow(source);
}

static const struct vaplic_wire_ops wires = {
	.configure = configure, .set_pending = no_pending, .clear_pending = no_pending,
	.pending = board_pending, .input = board_input, .rearm = board_rearm,
};

static void board_kick(void *ctx, u32 hart)
{
	(void)ctx;
	(void)hart;
	__atomic_store_n(&board_kicked, 1, __ATOMIC_RELEASE);
}

static const struct vaplic_hooks board_hooks = { .kick = board_kick };

/* Shyper, on the board's hart. */
static void *shyper(void *arg)
{
	u32 source;

	(void)arg;
	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
		if (!__atomic_exchange_n(&board_kicked, 0, __ATOMIC_ACQ_REL)) {
			sched_yield();
			continue;
		}
		while ((source = rd(&hw, CLAIMI(0)) >> 16)) {
			wr(&hw, CLRIENUM, source);
			if (vaplic_wire_interrupt(&g.chip, source))
				allow(source);
		}
	}
	return NULL;
}

static void test_wires(void **state)
{
	const struct vaplic_geometry board = { .vcpus = 1, .sources = SOURCES, .direct = true };

	(void)state;
	start(false, &wires);
	vaplic_init(&hw.chip, &board, &board_hooks, NULL, &hw);
	wr(&hw, IDELIVERY(0), 1);
	wr(&hw, DOMAINCFG, IE);
	for (u32 s = 1; s < SOURCES; s++)
		assert_int_equal(vaplic_attach(&g.chip, s), 0);
	drive = raise_on_board;
	configure_sources();
	run(shyper);
	assert_int_equal(rd(&g, SETIP(0)), 0);
}

/* ---- A source that stops to assert on one hart while it starts on another ---- */

#define TURNS 50000U

static u32 turn, turned;

/* Both shall be here at the same time, so spin; but the other may have lost its processor. */
static void wait_for(const u32 *word, u32 value)
{
	for (u32 spins = 0; __atomic_load_n(word, __ATOMIC_ACQUIRE) != value; spins++)
		if (spins > 20000)
			sched_yield();
}

static void *enabler(void *arg)
{
	(void)arg;
	for (u32 i = 1; i <= TURNS; i++) {
		wait_for(&turn, i);
		wr(&g, SETIENUM, 1);
		__atomic_store_n(&turned, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void test_enable(void **state)
{
	pthread_t thread;

	(void)state;
	start(false, NULL);
	configure_sources();
	wr(&g, SETIPNUM, 1);
	wr(&g, TARGET(1), target_of(0, 1));
	alarm(240);
	assert_int_equal(pthread_create(&thread, NULL, enabler, NULL), 0);
	for (u32 i = 1; i <= TURNS; i++) {
		kicked[0] = 0;
		__atomic_store_n(&turn, i, __ATOMIC_RELEASE);
		for (u32 pause = i % 64; pause; pause--)
			__atomic_signal_fence(__ATOMIC_SEQ_CST);
		wr(&g, CLRIENUM, 1);
		wait_for(&turned, i);
		assert_true(__atomic_load_n(&kicked[0], __ATOMIC_ACQUIRE));
		assert_int_equal(external(&g, 0), bit(&g, SETIE(0), 1));
		wr(&g, SETIENUM, 1);
	}
	pthread_join(thread, NULL);
	alarm(0);
}

/* ---- genmsi, and reset: what was sent before has arrived ---- */

#define MOVES 2000U

static void *sender(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
		wr(&g, SETIPNUM, 1);
		usleep(20);	/* genmsi needs a moment without an MSI under way */
	}
	return NULL;
}

static void late_msi(void *ctx, u32 vcpu, u32 eiid)
{
	sched_yield();
	count_msi(ctx, vcpu, eiid);
}

static u32 arrived(u32 vcpu)
{
	return __atomic_load_n(&file[vcpu][1], __ATOMIC_ACQUIRE);
}

static void move_target(u32 from)
{
	u32 count;

	wr(&g, TARGET(1), target_of(1 - from, 1));
	write_genmsi(HART(from) | SYNC);
	count = arrived(from);
	for (u32 i = 0; i < 3; i++)
		sched_yield();
	assert_int_equal(arrived(from), count);
}

static void test_genmsi(void **state)
{
	static const struct vaplic_hooks late = { .kick = flag, .msi = late_msi };
	pthread_t senders[2];

	(void)state;
	start(true, NULL);
	g.chip.hooks = &late;
	wr(&g, DOMAINCFG, IE | DM);
	set_up(&g, 1, VAPLIC_DETACHED, target_of(0, 1));
	finished = 0;
	alarm(240);
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&senders[i], NULL, sender, NULL), 0);
	for (u32 i = 0; i < MOVES; i++) {
		u32 count;

		move_target(i % 2);
		if (i % 16)
			continue;
		restart(&g);
		count = arrived(0) + arrived(1);
		sched_yield();
		assert_int_equal(arrived(0) + arrived(1), count);
		wr(&g, DOMAINCFG, IE | DM);
		set_up(&g, 1, VAPLIC_DETACHED, target_of((i + 1) % 2, 1));
	}
	/* Senders that a busy host has not let run yet. */
	for (u32 i = 0; !arrived(0) || !arrived(1); i++) {
		move_target(i % 2);
		sched_yield();
	}
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
	for (u32 i = 0; i < 2; i++)
		pthread_join(senders[i], NULL);
	alarm(0);
	assert_true(arrived(0) > 0 && arrived(1) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_msi),
		cmocka_unit_test(test_wires),
		cmocka_unit_test(test_enable),
		cmocka_unit_test(test_genmsi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
