/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMID decisions against a model of TLBs. A hart of the model forgets nothing by itself, fills its
 * TLB speculatively whenever a guest is resident, and reads each fence as narrowly as the
 * privileged specification allows: hfence.gvma drops no guest virtual translation, hfence.vvma
 * only those of the VMID in hgatp. After every step, what a resident guest could hit is checked.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <asm/vmid.h>

#define VMS 9
#define VCPUS 2
#define HARTS 4
#define ENTRIES 512
#define NONE (-1)

/* A translation in a TLB, and what it was true for. */
struct entry {
	bool virtual;	/* of a guest virtual address: dropped by hfence.vvma only */
	u16 number;	/* its tag, all that hardware knows */
	u64 serial;	/* VM */
	u32 vcpu;	/* virtual only */
	u64 version;	/* of the G-stage, or of the vCPU's own tables */
};

struct tlb {
	struct vmid_hart state;
	u32 count;
	struct entry entry[ENTRIES];
	int vm;		/* resident, or NONE */
	u32 vcpu;
	u16 number;	/* in hgatp */
};

struct vm_model {
	struct vmid vmid;
	u64 version;			/* of the G-stage */
	u64 vcpu_version[VCPUS];	/* sfence.vma executed by the vCPU so far */
	struct vmid_place place[VCPUS];
	int resident[VCPUS];
};

static struct vmid_space space;
static struct vm_model vm[VMS];
static struct tlb hart[HARTS];
static u64 flushes;

static void tlb_drop(struct tlb *h, bool virtual, bool any, u16 number)
{
	u32 kept = 0;

	for (u32 i = 0; i < h->count; i++) {
		struct entry *e = &h->entry[i];

		if (e->virtual != virtual || (!any && e->number != number))
			h->entry[kept++] = *e;
	}
	h->count = kept;
}

static void tlb_fill(struct tlb *h)
{
	const struct vm_model *v = &vm[h->vm];

	if (h->count + 2 > ENTRIES) {	/* room again, at the cost of entries long seen */
		memmove(h->entry, h->entry + ENTRIES / 2, sizeof(h->entry) / 2);
		h->count -= ENTRIES / 2;
	}
	h->entry[h->count++] = (struct entry){
		.number = h->number, .serial = v->vmid.serial, .version = v->version,
	};
	h->entry[h->count++] = (struct entry){
		.virtual = true, .number = h->number, .serial = v->vmid.serial,
		.vcpu = h->vcpu, .version = v->vcpu_version[h->vcpu],
	};
}

/* Nothing that the resident guest can hit is another's, or old. */
static void tlb_check(const struct tlb *h)
{
	const struct vm_model *v = &vm[h->vm];

	for (u32 i = 0; i < h->count; i++) {
		const struct entry *e = &h->entry[i];

		if (e->number != h->number)
			continue;
		assert_int_equal(e->serial, v->vmid.serial);
		if (e->virtual) {
			assert_int_equal(e->vcpu, h->vcpu);
			assert_int_equal(e->version, v->vcpu_version[h->vcpu]);
		} else {
			assert_int_equal(e->version, v->version);
		}
	}
}

static void leave(u32 index)
{
	struct tlb *h = &hart[index];

	if (h->vm != NONE)
		vm[h->vm].resident[h->vcpu] = NONE;
	h->vm = NONE;
}

static void enter(u32 index, int which, u32 vcpu)
{
	struct tlb *h = &hart[index];
	struct vm_model *v = &vm[which];
	struct vmid_enter todo;
	bool current;

	if (v->resident[vcpu] != NONE)
		return;
	leave(index);
	current = vmid_current(&space, &v->place[vcpu]) &&
		  v->place[vcpu].vcpu == &v->vmid.vcpu[index];
	todo = vmid_enter(&space, &v->vmid, &h->state, index, vcpu, &v->place[vcpu]);
	assert_true(!current || (!todo.flush_all && !todo.flush_vcpu));
	assert_true(todo.number < space.numbers);
	assert_true(space.numbers == 1 || todo.number > 0);
	if (todo.flush_all)
		tlb_drop(h, false, true, 0);
	h->number = todo.number;
	if (todo.flush_vcpu)
		tlb_drop(h, true, false, h->number);
	flushes += todo.flush_all;
	h->vm = which;
	h->vcpu = vcpu;
	v->resident[vcpu] = (int)index;
}

/* The G-stage of a VM changes, and all harts fence as they are told. */
static void change(int which)
{
	vm[which].version++;
	for (u32 i = 0; i < HARTS; i++) {
		u16 number;

		switch (vmid_fence(&space, &vm[which].vmid, &hart[i].state, &number)) {
		case VMID_FENCE_ALL:
			tlb_drop(&hart[i], false, true, 0);
			break;
		case VMID_FENCE_NUMBER:
			tlb_drop(&hart[i], false, false, number);
			break;
		case VMID_FENCE_NONE:
			break;
		}
	}
}

/* A guest asks for an sfence.vma on all harts of its VM, where its vCPUs run or once ran. */
static void guest_fence_remote(int which)
{
	for (u32 i = 0; i < VCPUS; i++)
		vm[which].vcpu_version[i]++;
	for (u32 i = 0; i < HARTS; i++) {
		if (hart[i].vm == which)
			tlb_drop(&hart[i], true, false, hart[i].number);
		else
			vmid_vcpu_stale(&vm[which].vmid, i);
	}
}

static void guest_fence(u32 index)
{
	struct tlb *h = &hart[index];

	vm[h->vm].vcpu_version[h->vcpu]++;
	tlb_drop(h, true, false, h->number);
}

static void vm_make(int which)
{
	vm[which] = (struct vm_model){ .version = 1 };
	for (u32 i = 0; i < VCPUS; i++) {
		vmid_nowhere(&vm[which].place[i]);
		vm[which].resident[i] = NONE;
	}
	vmid_init(&space, &vm[which].vmid);
}

static void vm_replace(int which)
{
	for (u32 i = 0; i < VCPUS; i++) {
		if (vm[which].resident[i] != NONE)
			return;
	}
	vm_make(which);
}

static void machine(u8 bits)
{
	vmid_space_init(&space, bits);
	memset(hart, 0, sizeof(hart));
	flushes = 0;
	for (u32 i = 0; i < HARTS; i++)
		hart[i].vm = NONE;
	for (int i = 0; i < VMS; i++)
		vm_make(i);
}

static void step(void)
{
	u32 index = (u32)rand() % HARTS;
	int which = rand() % VMS;

	switch (rand() % 8) {
	case 0:
		change(which);
		break;
	case 1:
		vm_replace(which);
		break;
	case 2:
		leave(index);
		break;
	case 3:
		if (hart[index].vm != NONE)
			guest_fence(index);
		break;
	case 4:
		guest_fence_remote(which);
		break;
	default:
		enter(index, which, (u32)rand() % VCPUS);
	}
	for (u32 i = 0; i < HARTS; i++) {
		if (hart[i].vm == NONE)
			continue;
		tlb_check(&hart[i]);
		tlb_fill(&hart[i]);
	}
}

static void test_random(void **state)
{
	(void)state;
	for (u8 bits = 0; bits <= 4; bits++) {
		srand(bits + 1u);
		machine(bits);
		for (u32 i = 0; i < 20000; i++)
			step();
	}
}

/* A VM that stays on its hart over a change of generation keeps its number there, safely. */
static void test_resident_over_generation(void **state)
{
	u16 number;

	(void)state;
	machine(1);	/* one number: every VM begins a generation */
	enter(0, 0, 0);
	tlb_fill(&hart[0]);
	for (int i = 1; i < 5; i++)
		enter(1, i, 0);
	enter(1, 0, 1);		/* the VM again, elsewhere, in another generation */
	assert_int_equal(hart[0].number, 1);
	assert_int_equal(vmid_fence(&space, &vm[0].vmid, &hart[0].state, &number), VMID_FENCE_ALL);
	assert_int_equal(vmid_fence(&space, &vm[0].vmid, &hart[1].state, &number),
			 VMID_FENCE_NUMBER);
	assert_int_equal(vmid_fence(&space, &vm[0].vmid, &hart[2].state, &number),
			 VMID_FENCE_NONE);
	change(0);
	tlb_check(&hart[0]);
	enter(0, 1, 0);
	tlb_check(&hart[0]);
}

/* The common case costs nothing: as many VMs as numbers flush once on each hart. */
static void test_no_needless_flush(void **state)
{
	(void)state;
	machine(4);
	for (u32 i = 0; i < 1000; i++)
		enter((u32)rand() % HARTS, rand() % VMS, (u32)rand() % VCPUS);
	assert_int_equal(flushes, HARTS);

	machine(0);
	for (u32 i = 0; i < 100; i++) {
		leave(0);
		enter(0, 3, 1);
	}
	assert_int_equal(flushes, 1);
}

static void test_pinned_vcpu(void **state)
{
	struct vmid_place *first = &vm[0].place[0];
	struct vmid_enter todo;

	(void)state;
	machine(14);
	assert_false(vmid_current(&space, first));
	todo = vmid_enter(&space, &vm[0].vmid, &hart[0].state, 0, 0, first);
	assert_true(todo.flush_all && todo.flush_vcpu && todo.number == 1);
	assert_true(vmid_current(&space, first));
	todo = vmid_enter(&space, &vm[0].vmid, &hart[0].state, 0, 0, first);
	assert_true(!todo.flush_all && !todo.flush_vcpu && todo.number == 1);
	todo = vmid_enter(&space, &vm[0].vmid, &hart[0].state, 0, 1, &vm[0].place[1]);
	assert_true(!todo.flush_all && todo.flush_vcpu);
	todo = vmid_enter(&space, &vm[0].vmid, &hart[0].state, 0, 0, first);
	assert_true(!todo.flush_all && todo.flush_vcpu);
	expect_assert_failure(vmid_enter(&space, &vm[0].vmid, &hart[0].state, VMID_HARTS, 0,
					 first));
}

/* --- Real harts at once --------------------------------------------------------------------- */

#define ROUNDS 20000

/* By generation: the VM that has a number, and the number that a VM has. One each. */
static u64 holder[VMS * ROUNDS][4];
static u64 held[VMS * ROUNDS][VMS];

static bool same(u64 *slot, u64 value)
{
	u64 expected = 0;

	return __atomic_compare_exchange_n(slot, &expected, value, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED) || expected == value;
}

static void *hammer(void *arg)
{
	struct vmid_hart own = { .generation = 0 };
	u32 index = *(u32 *)arg;
	unsigned int seed = index;

	for (u32 i = 0; i < ROUNDS; i++) {
		int which = rand_r(&seed) % 3;
		struct vmid *v = &vm[which].vmid;
		struct vmid_place place = { .vcpu = &v->vcpu[index] };
		struct vmid_enter todo = vmid_enter(&space, v, &own, index, 0, &place);

		if (!same(&holder[own.generation][todo.number], v->serial))
			return "two VMs with one number";
		if (!same(&held[own.generation][which], todo.number))
			return "one VM with two numbers";
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t thread[3];
	u32 index[3];

	(void)state;
	machine(1);	/* as many changes of generation as can be */
	for (u32 i = 0; i < 3; i++) {
		index[i] = i;
		assert_int_equal(pthread_create(&thread[i], NULL, hammer, &index[i]), 0);
	}
	for (u32 i = 0; i < 3; i++) {
		void *failed;

		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	assert_true(space.generation > 100 && space.generation < VMS * ROUNDS);
}

static void *enter_once(void *arg)
{
	u32 index = *(u32 *)arg;
	struct vmid_enter todo = vmid_enter(&space, &vm[0].vmid, &hart[index].state, index,
					    index, &vm[0].place[index]);

	hart[index].number = todo.number;
	return NULL;
}

/* Two harts find that the VM has no number and both come to the lock: it gets one number. */
static void test_two_harts_one_vm(void **state)
{
	u32 index[2] = { 0, 1 };
	pthread_t thread[2];

	(void)state;
	machine(3);
	spin_lock(&space.lock);
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, enter_once, &index[i]), 0);
	while (__atomic_load_n(&space.lock.next, __ATOMIC_RELAXED) - space.lock.serving < 3)
		;
	spin_unlock(&space.lock);
	for (u32 i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(hart[0].number, hart[1].number);
	assert_int_equal(space.next, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_resident_over_generation),
		cmocka_unit_test(test_no_needless_flush),
		cmocka_unit_test(test_pinned_vcpu),
		cmocka_unit_test(test_two_harts_one_vm),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
