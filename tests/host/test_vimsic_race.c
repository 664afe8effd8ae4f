/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's interrupt files under races. Sender threads send each identity again as soon as it
 * is served; an owner per file sleeps until kicked, as a hart in WFI does, so a lost MSI or a lost
 * kick hangs the test and its alarm ends it. Meanwhile the owner turns enables, threshold and
 * delivery off and on, claims through stopei or through eip, and moves its file to hardware and
 * back.
 *
 * A hardware file here is its own arrays of bits. One that was given back must hear of nothing:
 * forward() checks that.
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
#include <hv/vimsic.h>

#define SENDERS 3
#define IDS_EACH 21
#define IDS 127
#define ROUNDS 12000
#define CPUS 2
#define ALL (~(u64)0)

#define EIP(word) (VIMSIC_EIP0 + 2 * (u64)(word))
#define EIE(word) (VIMSIC_EIE0 + 2 * (u64)(word))
#define WORDS ((IDS + 1) / 64)

static struct vimsic imsic;

/* One identity of one file: asserted by its sender, served by the owner. */
static struct {
	u32 sent, served;
	u32 asserted;		/* relaxed, unless the MSI is sent twice */
	u32 payload;		/* plain: what the MSI announces, and has to order */
} msi[CPUS][IDS + 1];

static struct hardware {
	u64 eip[WORDS];
	struct vimsic_state state;	/* eie, eithreshold, eidelivery: owner only */
	u32 given;			/* 1: some vCPU has it */
} hardware[CPUS];

static u32 kicked[CPUS];
static u32 finished;		/* 1: owners are done; 2: senders too */
static u32 passed[SENDERS];	/* how often each sender was outside of vimsic_send() */
static u32 senders_done;
static u32 moves, forwards;

void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void kick(void *ctx, u32 vcpu)
{
	(void)ctx;
	__atomic_store_n(&kicked[vcpu], 1, __ATOMIC_RELEASE);
}

static void forward(void *ctx, u64 hw, u32 id)
{
	struct hardware *file = &hardware[hw - 1];

	(void)ctx;
	/* On its way for a while, now and then. */
	if (id % 4 == 1)
		sched_yield();
	must(__atomic_load_n(&file->given, __ATOMIC_ACQUIRE));
	__atomic_fetch_or(&file->eip[id / 64], BIT(id % 64), __ATOMIC_ACQ_REL);
	__atomic_fetch_add(&forwards, 1, __ATOMIC_RELAXED);
	kick(NULL, (u32)hw - 1);
}

static const struct vimsic_hooks hooks = { .kick = kick, .forward = forward };

static void pass(u32 sender)
{
	__atomic_fetch_add(&passed[sender], 1, __ATOMIC_SEQ_CST);
}

/* The second MSI may come after the claim of the first: it must not hurt. */
static bool sent_twice(u32 id)
{
	return id % 7 == 0;
}

static void send_one(u32 sender, u32 vcpu, u32 id)
{
	while (__atomic_load_n(&msi[vcpu][id].asserted, __ATOMIC_ACQUIRE)) {
		pass(sender);
		sched_yield();
	}
	msi[vcpu][id].payload = ++msi[vcpu][id].sent;
	if (sent_twice(id))
		__atomic_store_n(&msi[vcpu][id].asserted, 1, __ATOMIC_RELEASE);
	else
		__atomic_store_n(&msi[vcpu][id].asserted, 1, __ATOMIC_RELAXED);
	vimsic_send(&imsic, vcpu, id);
	if (sent_twice(id))
		vimsic_send(&imsic, vcpu, id);
	pass(sender);
}

static void *sender_thread(void *arg)
{
	u32 sender = (u32)(uintptr_t)arg;
	u32 first = 1 + sender * IDS_EACH * 2;

	for (u32 round = 0; round < ROUNDS; round++) {
		for (u32 id = first; id < first + 2 * IDS_EACH; id += 2) {
			for (u32 vcpu = 0; vcpu < CPUS; vcpu++)
				send_one(sender, vcpu, id);
		}
	}
	__atomic_fetch_add(&senders_done, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) < 2) {
		pass(sender);
		sched_yield();
	}
	return NULL;
}

static void csr(u32 vcpu, u64 select, enum csr_op op, u64 operand)
{
	u64 old;

	must(vimsic_access(&imsic, vcpu, select, op, operand, &old));
}

static void serve_id(u32 vcpu, u32 id)
{
	if (sent_twice(id)) {
		if (!__atomic_load_n(&msi[vcpu][id].asserted, __ATOMIC_ACQUIRE))
			return;
	} else {
		must(__atomic_load_n(&msi[vcpu][id].asserted, __ATOMIC_RELAXED));
	}
	must(msi[vcpu][id].payload == msi[vcpu][id].sent);
	msi[vcpu][id].served++;
	__atomic_store_n(&msi[vcpu][id].asserted, 0, __ATOMIC_RELEASE);
}

/* Claims what eip says, in one step for a whole word, as a guest may. */
static void serve_words(u32 vcpu)
{
	for (u32 w = 0; w < WORDS; w++) {
		u64 left;

		must(vimsic_access(&imsic, vcpu, EIP(w), CSR_OP_WRITE, 0, &left));
		for (; left; left &= left - 1)
			serve_id(vcpu, 64 * w + (u32)__builtin_ctzll(left));
	}
}

static void serve(u32 vcpu)
{
	u64 top;

	while (vimsic_pending(&imsic, vcpu)) {
		must(vimsic_stopei(&imsic, vcpu, true, &top) && top);
		must(top >> 16 == (top & 0x7ff));
		serve_id(vcpu, (u32)top >> 16);
	}
}

static void serve_hardware(u32 vcpu)
{
	for (u32 w = 0; w < WORDS; w++) {
		u64 left = __atomic_exchange_n(&hardware[vcpu].eip[w], 0, __ATOMIC_ACQ_REL);

		for (; left; left &= left - 1)
			serve_id(vcpu, 64 * w + (u32)__builtin_ctzll(left));
	}
}

/* Every sender has been outside of vimsic_send() since the call began. */
static void synchronize(void)
{
	for (u32 s = 0; s < SENDERS; s++) {
		u32 before = __atomic_load_n(&passed[s], __ATOMIC_SEQ_CST);

		while (__atomic_load_n(&passed[s], __ATOMIC_SEQ_CST) == before)
			sched_yield();
	}
}

/* "Moving a file", from memory to hardware. */
static void move_out(u32 vcpu)
{
	struct hardware *file = &hardware[vcpu];

	for (u32 w = 0; w < WORDS; w++)
		must(__atomic_load_n(&file->eip[w], __ATOMIC_ACQUIRE) == 0);
	__atomic_store_n(&file->given, 1, __ATOMIC_RELEASE);
	vimsic_export(&imsic, vcpu, vcpu + 1, &file->state);
	must(file->state.eidelivery == 1 && file->state.eithreshold == 0);
	for (u32 w = 0; w < WORDS; w++) {
		must(file->state.eie[w] == (w ? ALL : ALL - 1));
		__atomic_fetch_or(&file->eip[w], file->state.eip[w], __ATOMIC_ACQ_REL);
	}
	/* Who sent meanwhile has left nothing behind. */
	synchronize();
	for (u32 w = 0; w < WORDS; w++)
		must(__atomic_load_n(&imsic.file[vcpu].eip[w], __ATOMIC_RELAXED) == 0);
}

static void move_in(u32 vcpu)
{
	struct hardware *file = &hardware[vcpu];

	vimsic_recall(&imsic, vcpu);
	synchronize();
	__atomic_store_n(&file->given, 0, __ATOMIC_RELEASE);
	for (u32 w = 0; w < WORDS; w++)
		file->state.eip[w] = __atomic_exchange_n(&file->eip[w], 0, __ATOMIC_ACQ_REL);
	vimsic_import(&imsic, vcpu, &file->state);
	__atomic_fetch_add(&moves, 1, __ATOMIC_RELAXED);
}

static void disturb(u32 vcpu, u32 *seed)
{
	switch (rand_r(seed) % 16) {
	case 0:
		csr(vcpu, VIMSIC_EIDELIVERY, CSR_OP_WRITE, 0);
		sched_yield();
		csr(vcpu, VIMSIC_EIDELIVERY, CSR_OP_WRITE, 1);
		break;
	case 1:
		csr(vcpu, EIE(1), CSR_OP_WRITE, 0);
		sched_yield();
		csr(vcpu, EIE(1), CSR_OP_SET, ALL);
		break;
	case 2:
		csr(vcpu, VIMSIC_EITHRESHOLD, CSR_OP_WRITE, 30);
		sched_yield();
		csr(vcpu, VIMSIC_EITHRESHOLD, CSR_OP_WRITE, 0);
		break;
	case 3 ... 6:
		serve_words(vcpu);
		break;
	case 7 ... 10:
		move_out(vcpu);
		for (u32 turns = (u32)rand_r(seed) % 4; turns; turns--) {
			serve_hardware(vcpu);
			sched_yield();
		}
		move_in(vcpu);
		break;
	}
}

static void *owner_thread(void *arg)
{
	u32 vcpu = (u32)(uintptr_t)arg, seed = vcpu;

	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
		if (!__atomic_exchange_n(&kicked[vcpu], 0, __ATOMIC_ACQ_REL)) {
			sched_yield();
			continue;
		}
		serve(vcpu);
		disturb(vcpu, &seed);
		/* After its own changes an owner looks for itself: nobody kicks it for them. */
		serve(vcpu);
	}
	return NULL;
}

static void wait_until_served(void)
{
	while (__atomic_load_n(&senders_done, __ATOMIC_ACQUIRE) < SENDERS)
		sched_yield();
	for (u32 vcpu = 0; vcpu < CPUS; vcpu++) {
		for (u32 id = 1; id <= IDS; id++) {
			while (__atomic_load_n(&msi[vcpu][id].asserted, __ATOMIC_ACQUIRE))
				sched_yield();
		}
	}
}

static void init(void)
{
	vimsic_init(&imsic, CPUS, IDS, &hooks, NULL);
	for (u32 vcpu = 0; vcpu < CPUS; vcpu++) {
		csr(vcpu, VIMSIC_EIDELIVERY, CSR_OP_WRITE, 1);
		for (u32 w = 0; w < WORDS; w++)
			csr(vcpu, EIE(w), CSR_OP_WRITE, ALL);
	}
}

static void test_threads(void **state)
{
	pthread_t owners[CPUS], senders[SENDERS];

	(void)state;
	init();
	alarm(120);
	for (uintptr_t v = 0; v < CPUS; v++)
		assert_int_equal(pthread_create(&owners[v], NULL, owner_thread, (void *)v), 0);
	for (uintptr_t s = 0; s < SENDERS; s++)
		assert_int_equal(pthread_create(&senders[s], NULL, sender_thread, (void *)s), 0);
	wait_until_served();
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
	for (u32 v = 0; v < CPUS; v++)
		pthread_join(owners[v], NULL);
	__atomic_store_n(&finished, 2, __ATOMIC_RELEASE);
	for (u32 s = 0; s < SENDERS; s++)
		pthread_join(senders[s], NULL);
	alarm(0);
	for (u32 vcpu = 0; vcpu < CPUS; vcpu++) {
		for (u32 id = 1; id <= IDS; id++) {
			bool sent = id % 2 == 1 && id < 1 + SENDERS * IDS_EACH * 2;

			assert_int_equal(msi[vcpu][id].served, sent ? ROUNDS : 0);
		}
	}
	/* It was the races that were tried, not only the quiet case. */
	assert_true(moves > 10 && forwards > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
