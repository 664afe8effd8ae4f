/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's PLIC under races. Device threads raise their wires and wait for service; vCPU threads
 * sleep until kicked, as harts in WFI do, so a lost kick or a lost request hangs the test and its
 * alarm ends it. A handler lowers the wire and lets the device go on before it completes, to hit
 * that window. Now and then a vCPU turns its own enable bits, threshold or a priority off and on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <hv/check.h>
#include <hv/vplic.h>

#define DEVICES 3
#define SOURCES_EACH 4
#define ROUNDS 20000
#define CPUS 4

#define S(vcpu) (2 * (vcpu) + 1)
#define PRIORITY(s) (4 * (u64)(s))
#define ENABLE(ctx) (0x2000 + 0x80 * (u64)(ctx))
#define THRESHOLD(ctx) (0x200000 + 0x1000 * (u64)(ctx))
#define CLAIM(ctx) (THRESHOLD(ctx) + 4)

static struct vplic plic;

static struct hammer {
	u32 raised, served, in_service;
	u32 asserted;
} hammer[1 + DEVICES * SOURCES_EACH];
static u32 kicked[CPUS];
static u32 finished;

void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

static u32 rd(u64 offset)
{
	struct mmio_access acc = { .offset = offset, .width = 4 };

	assert_int_equal(vplic_mmio_ops.access(&plic, &acc), MMIO_OK);
	return (u32)acc.value;
}

static void wr(u64 offset, u32 value)
{
	struct mmio_access acc = { .offset = offset, .width = 4, .value = value, .write = true };

	assert_int_equal(vplic_mmio_ops.access(&plic, &acc), MMIO_OK);
}

static void line(u32 source, bool level)
{
	vplic_irqchip_ops.set_line(&plic, source, level);
}

static void hammer_kick(void *ctx, u32 vcpu)
{
	(void)ctx;
	__atomic_store_n(&kicked[vcpu], 1, __ATOMIC_RELEASE);
}

static const struct vplic_hooks hammer_hooks = { .kick = hammer_kick };

static void *device(void *arg)
{
	u32 first = 1 + SOURCES_EACH * (u32)(uintptr_t)arg;

	for (u32 round = 0; round < ROUNDS; round++) {
		for (u32 s = first; s < first + SOURCES_EACH; s++) {
			while (__atomic_load_n(&hammer[s].asserted, __ATOMIC_ACQUIRE))
				sched_yield();
			hammer[s].raised++;
			__atomic_store_n(&hammer[s].asserted, 1, __ATOMIC_RELEASE);
			line(s, true);
		}
	}
	return NULL;
}

static void serve(u32 vcpu)
{
	u32 s;

	while ((s = rd(CLAIM(S(vcpu)))) != 0) {
		assert_false(__atomic_exchange_n(&hammer[s].in_service, 1, __ATOMIC_ACQ_REL));
		hammer[s].served++;
		line(s, false);
		__atomic_store_n(&hammer[s].in_service, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&hammer[s].asserted, 0, __ATOMIC_RELEASE);
		wr(CLAIM(S(vcpu)), s);
	}
}

static void disturb(u32 vcpu, u32 *seed)
{
	u32 s = 1 + (u32)rand_r(seed) % (DEVICES * SOURCES_EACH);

	switch (rand_r(seed) % 32) {
	case 0:
		wr(THRESHOLD(S(vcpu)), 7);
		sched_yield();
		wr(THRESHOLD(S(vcpu)), 0);
		break;
	case 1:
		wr(ENABLE(S(vcpu)), 0);
		sched_yield();
		wr(ENABLE(S(vcpu)), 0xffffffff);
		break;
	case 2:
		wr(PRIORITY(s), 0);
		sched_yield();
		wr(PRIORITY(s), 1 + s % 7);
		break;
	}
}

static void *cpu(void *arg)
{
	u32 vcpu = (u32)(uintptr_t)arg, seed = vcpu;

	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
		if (!__atomic_exchange_n(&kicked[vcpu], 0, __ATOMIC_ACQ_REL)) {
			sched_yield();
			continue;
		}
		if (vplic_irqchip_ops.pending(&plic, vcpu))
			serve(vcpu);
		disturb(vcpu, &seed);
	}
	return NULL;
}

static void wait_until_served(void)
{
	for (u32 s = 1; s < ARRAY_SIZE(hammer); s++) {
		while (__atomic_load_n(&hammer[s].asserted, __ATOMIC_ACQUIRE))
			sched_yield();
	}
}

static void test_threads(void **state)
{
	pthread_t cpus[CPUS], devices[DEVICES];

	(void)state;
	vplic_init(&plic, CPUS, VPLIC_SOURCES, &hammer_hooks, NULL);
	for (u32 s = 1; s < ARRAY_SIZE(hammer); s++)
		wr(PRIORITY(s), 1 + s % 7);
	for (u32 v = 0; v < CPUS; v++)
		wr(ENABLE(S(v)), 0xffffffff);
	alarm(120);
	for (uintptr_t v = 0; v < CPUS; v++)
		assert_int_equal(pthread_create(&cpus[v], NULL, cpu, (void *)v), 0);
	for (uintptr_t d = 0; d < DEVICES; d++)
		assert_int_equal(pthread_create(&devices[d], NULL, device, (void *)d), 0);
	for (u32 d = 0; d < DEVICES; d++)
		pthread_join(devices[d], NULL);
	wait_until_served();
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
	for (u32 v = 0; v < CPUS; v++)
		pthread_join(cpus[v], NULL);
	alarm(0);
	for (u32 s = 1; s < ARRAY_SIZE(hammer); s++) {
		assert_int_equal(hammer[s].raised, ROUNDS);
		assert_int_equal(hammer[s].served, ROUNDS);
	}
	for (u32 w = 0; w < VPLIC_WORDS; w++)
		assert_int_equal(plic.busy[w] | plic.pending[w] | plic.claimed[w], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
