/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's interrupt files on one hart: register by register, page by page, moved to hardware
 * and back, and against a plain model under random operations. Races: test_vimsic_race.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <hv/check.h>
#include <hv/vimsic.h>

#define ALL (~(u64)0)
#define EIP(word) (VIMSIC_EIP0 + 2 * (u64)(word))
#define EIE(word) (VIMSIC_EIE0 + 2 * (u64)(word))
#define TOP(id) ((u64)(id) << 16 | (id))
#define HW 0x28001000

static const u32 sizes[] = { 63, 127, 255, 1023, 2047 };

static struct vimsic imsic;
static u32 kicks[VIMSIC_VCPUS];
static u32 forwards, forwarded;

void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static void count_kick(void *ctx, u32 vcpu)
{
	assert_ptr_equal(ctx, &imsic);
	assert_true(vcpu < imsic.vcpus);
	kicks[vcpu]++;
}

static void note_forward(void *ctx, u64 hw, u32 id)
{
	assert_ptr_equal(ctx, &imsic);
	assert_int_equal(hw, HW);
	forwards++;
	forwarded = id;
}

static const struct vimsic_hooks hooks = { .kick = count_kick, .forward = note_forward };

static void start(u32 vcpus, u32 ids)
{
	vimsic_init(&imsic, vcpus, ids, &hooks, &imsic);
	memset(kicks, 0, sizeof(kicks));
	forwards = 0;
}

static int setup(void **state)
{
	(void)state;
	start(4, 255);
	return 0;
}

static u64 csr(u32 vcpu, u64 select, enum csr_op op, u64 operand)
{
	u64 old = 0xdead;

	assert_true(vimsic_access(&imsic, vcpu, select, op, operand, &old));
	return old;
}

static u64 rd(u64 select)
{
	return csr(0, select, CSR_OP_READ, ALL);
}

static void wr(u64 select, u64 value)
{
	csr(0, select, CSR_OP_WRITE, value);
}

static u64 stopei(u32 vcpu, bool claim)
{
	u64 old = 0xdead;

	assert_true(vimsic_stopei(&imsic, vcpu, claim, &old));
	return old;
}

static void send(u32 id)
{
	vimsic_send(&imsic, 0, id);
}

/* vCPU 0 delivers all of its identities. */
static void deliver_all(void)
{
	wr(VIMSIC_EIDELIVERY, 1);
	for (u32 w = 0; w < VIMSIC_WORDS; w++)
		wr(EIE(w), ALL);
}

static enum mmio_result page(u64 offset, u8 width, bool write, u64 *value)
{
	struct mmio_access acc = { .offset = offset, .width = width, .write = write,
				   .value = *value };
	enum mmio_result result = vimsic_mmio_ops.access(&imsic, &acc);

	*value = acc.value;
	return result;
}

static void store32(u64 offset, u32 value)
{
	u64 v = value;

	assert_int_equal(page(offset, 4, true, &v), MMIO_OK);
}

static void refuses_ids(u32 ids)
{
	expect_assert_failure(vimsic_init(&imsic, 1, ids, &hooks, NULL));
}

static void test_init_refuses(void **state)
{
	const u32 bad[] = { 0, 1, 62, 64, 128, 254, 256, 2046, 2048, 2111, 0xffffffff };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		refuses_ids(bad[i]);
	expect_assert_failure(vimsic_init(&imsic, 0, 63, &hooks, NULL));
	expect_assert_failure(vimsic_init(&imsic, VIMSIC_VCPUS + 1, 63, &hooks, NULL));
	for (u32 ids = 63; ids <= VIMSIC_IDS_MAX; ids += 64)
		start(VIMSIC_VCPUS, ids);
}

static void test_power_on(void **state)
{
	(void)state;
	for (u64 select = VIMSIC_EIDELIVERY; select <= VIMSIC_LAST; select++) {
		if (select < VIMSIC_EIP0 || select % 2 == 0)
			assert_int_equal(rd(select), 0);
	}
	assert_int_equal(stopei(0, true), 0);
	assert_int_equal(vimsic_pending(&imsic, 0), 0);
}

static void test_page_send(void **state)
{
	(void)state;
	store32(0, 5);
	store32(4, 0x06000000);		/* seteipnum_be */
	store32(3 * PAGE_SIZE, 255);
	store32(3 * PAGE_SIZE + 4, __builtin_bswap32(64));
	assert_int_equal(rd(EIP(0)), BIT(5) | BIT(6));
	assert_int_equal(csr(3, EIP(3), CSR_OP_READ, 0), BIT(63));
	assert_int_equal(csr(3, EIP(1), CSR_OP_READ, 0), BIT(0));
	for (u32 vcpu = 1; vcpu < 3; vcpu++) {
		for (u32 w = 0; w < VIMSIC_WORDS; w++)
			assert_int_equal(csr(vcpu, EIP(w), CSR_OP_READ, 0), 0);
	}
}

static void test_page_ignores(void **state)
{
	const u32 bad[] = { 0, 256, 257, 2047, 2048, 0x10001, 0x80000001, 0xffffffff };

	(void)state;
	deliver_all();
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		store32(0, bad[i]);
		store32(4, __builtin_bswap32(bad[i]));
	}
	store32(4, 1);	/* 0x1000000 in big endian */
	for (u64 offset = 8; offset < PAGE_SIZE; offset += 4)
		store32(offset, 1);
	/* Pages past the last vCPU: the machine maps none, and they lead nowhere. */
	store32(4 * PAGE_SIZE, 1);
	store32(15 * PAGE_SIZE, 1);
	store32(1000 * PAGE_SIZE, 1);
	for (u32 w = 0; w < VIMSIC_WORDS; w++)
		assert_int_equal(rd(EIP(w)), 0);
	assert_int_equal(kicks[0] + kicks[1] + kicks[2] + kicks[3], 0);
}

static void test_page_reads(void **state)
{
	(void)state;
	send(1);
	for (u64 offset = 0; offset < 4 * PAGE_SIZE; offset += 4) {
		u64 value = ALL;

		assert_int_equal(page(offset, 4, false, &value), MMIO_OK);
		assert_int_equal(value, 0);
	}
	assert_int_equal(rd(EIP(0)), BIT(1));
}

static void test_page_widths(void **state)
{
	const u8 bad[] = { 1, 2, 8 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		for (u64 offset = 0; offset < 32; offset += bad[i]) {
			u64 value = 0x0101010101010101;

			assert_int_equal(page(offset, bad[i], false, &value), MMIO_FAULT);
			assert_int_equal(page(offset, bad[i], true, &value), MMIO_FAULT);
		}
	}
	assert_int_equal(rd(EIP(0)), 0);
}

static void test_eidelivery(void **state)
{
	(void)state;
	wr(VIMSIC_EIDELIVERY, ALL);
	assert_int_equal(rd(VIMSIC_EIDELIVERY), 1);
	wr(VIMSIC_EIDELIVERY, 0x40000000);
	assert_int_equal(rd(VIMSIC_EIDELIVERY), 0);
	assert_int_equal(csr(0, VIMSIC_EIDELIVERY, CSR_OP_SET, 1), 0);
	assert_int_equal(csr(0, VIMSIC_EIDELIVERY, CSR_OP_SET, 0x40000000), 1);
	assert_int_equal(csr(0, VIMSIC_EIDELIVERY, CSR_OP_CLEAR, 2), 1);
	assert_int_equal(csr(0, VIMSIC_EIDELIVERY, CSR_OP_CLEAR, 1), 1);
	assert_int_equal(rd(VIMSIC_EIDELIVERY), 0);
}

static void test_eithreshold(void **state)
{
	(void)state;
	for (u64 value = 0; value <= 255; value++) {
		wr(VIMSIC_EITHRESHOLD, value);
		assert_int_equal(rd(VIMSIC_EITHRESHOLD), value);
	}
	wr(VIMSIC_EITHRESHOLD, ALL);
	assert_int_equal(rd(VIMSIC_EITHRESHOLD), 0x7ff);
	/* Past the last identity: all contribute. */
	deliver_all();
	send(255);
	assert_int_equal(vimsic_pending(&imsic, 0), 255);
}

/* All words of eip and eie, for each size: what is past the last identity is read-only zero. */
static void test_words(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		start(1, sizes[i]);
		for (u32 w = 0; w < VIMSIC_WORDS; w++) {
			u64 valid = w >= (sizes[i] + 1) / 64 ? 0 : w ? ALL : ALL - 1;

			for (u64 select = EIP(w); select <= EIE(w);
			     select += VIMSIC_EIE0 - VIMSIC_EIP0) {
				assert_int_equal(csr(0, select, CSR_OP_WRITE, ALL), 0);
				assert_int_equal(csr(0, select, CSR_OP_CLEAR, 0xff00), valid);
				assert_int_equal(csr(0, select, CSR_OP_SET, 0x0f01),
						 valid & ~0xff00ULL);
				assert_int_equal(rd(select), valid & ~0xf000ULL);
			}
		}
	}
}

static void test_selects_refused(void **state)
{
	const u64 outside[] = { 0, 0x30, 0x3f, 0x6f, 0x100, 0x170, 0x1ff, BIT(32) | 0x70,
				BIT(63) | 0x80, ALL };
	u64 old = 0xdead;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(outside); i++)
		assert_false(vimsic_access(&imsic, 0, outside[i], CSR_OP_WRITE, ALL, &old));
	for (u64 select = 0x81; select <= VIMSIC_LAST; select += 2) {
		for (enum csr_op op = CSR_OP_READ; op <= CSR_OP_CLEAR; op++)
			assert_false(vimsic_access(&imsic, 0, select, op, ALL, &old));
	}
	assert_int_equal(old, 0xdead);
	for (u32 w = 0; w < VIMSIC_WORDS; w++)
		assert_int_equal(rd(EIP(w)) | rd(EIE(w)), 0);
}

static void test_selects_reserved(void **state)
{
	(void)state;
	for (u64 select = 0x71; select < 0x80; select++) {
		if (select == VIMSIC_EITHRESHOLD)
			continue;
		assert_int_equal(csr(0, select, CSR_OP_WRITE, ALL), 0);
		assert_int_equal(csr(0, select, CSR_OP_SET, ALL), 0);
		assert_int_equal(rd(select), 0);
	}
	assert_int_equal(rd(VIMSIC_EIDELIVERY) | rd(VIMSIC_EITHRESHOLD) | rd(EIP(0)), 0);
}

static void test_claim_order(void **state)
{
	const u32 ids[] = { 200, 1, 64, 63, 255, 128 };
	const u32 order[] = { 1, 63, 64, 128, 200, 255 };

	(void)state;
	deliver_all();
	for (u32 i = 0; i < ARRAY_SIZE(ids); i++)
		send(ids[i]);
	for (u32 i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(vimsic_pending(&imsic, 0), order[i]);
		assert_int_equal(stopei(0, false), TOP(order[i]));
		assert_int_equal(stopei(0, true), TOP(order[i]));
	}
	assert_int_equal(stopei(0, true), 0);
	assert_int_equal(vimsic_pending(&imsic, 0), 0);
}

/* eidelivery gates the signal, not the register; eie and eithreshold gate both. */
static void test_gates(void **state)
{
	(void)state;
	send(10);
	assert_int_equal(stopei(0, true), 0);
	wr(EIE(0), BIT(10) | BIT(11));
	assert_int_equal(stopei(0, false), TOP(10));
	assert_int_equal(vimsic_pending(&imsic, 0), 0);
	wr(VIMSIC_EIDELIVERY, 1);
	assert_int_equal(vimsic_pending(&imsic, 0), 10);
	wr(VIMSIC_EITHRESHOLD, 10);
	assert_int_equal(vimsic_pending(&imsic, 0), 0);
	assert_int_equal(stopei(0, true), 0);
	assert_int_equal(rd(EIP(0)), BIT(10));
	wr(VIMSIC_EITHRESHOLD, 11);
	send(11);
	assert_int_equal(stopei(0, true), TOP(10));
	assert_int_equal(stopei(0, true), 0);
	wr(VIMSIC_EITHRESHOLD, 0);
	assert_int_equal(stopei(0, true), TOP(11));
}

static void test_eip_by_register(void **state)
{
	(void)state;
	deliver_all();
	csr(0, EIP(2), CSR_OP_SET, BIT(3));
	assert_int_equal(vimsic_pending(&imsic, 0), 131);
	send(130);
	assert_int_equal(csr(0, EIP(2), CSR_OP_CLEAR, BIT(3)), BIT(2) | BIT(3));
	assert_int_equal(vimsic_pending(&imsic, 0), 130);
	assert_int_equal(csr(0, EIP(2), CSR_OP_WRITE, BIT(9)), BIT(2));
	assert_int_equal(stopei(0, true), TOP(137));
}

static void test_kicks(void **state)
{
	(void)state;
	send(7);			/* not delivered at all */
	wr(VIMSIC_EIDELIVERY, 1);
	send(8);			/* not enabled */
	wr(EIE(0), BIT(9) | BIT(10));
	wr(VIMSIC_EITHRESHOLD, 10);
	send(10);			/* excluded by the threshold */
	assert_int_equal(kicks[0], 0);
	send(9);
	assert_int_equal(kicks[0], 1);
	send(9);			/* one with the first */
	assert_int_equal(kicks[0], 1);
	stopei(0, true);
	send(9);
	assert_int_equal(kicks[0], 2);
	vimsic_send(&imsic, 4, 9);
	vimsic_send(&imsic, 0xffffffff, 9);
	assert_int_equal(kicks[0] + kicks[1] + kicks[2] + kicks[3], 2);
}

static void test_reset(void **state)
{
	(void)state;
	deliver_all();
	wr(VIMSIC_EITHRESHOLD, 200);
	for (u32 vcpu = 0; vcpu < 4; vcpu++) {
		for (u32 id = 1; id < 256; id++)
			vimsic_send(&imsic, vcpu, id);
	}
	vimsic_reset(&imsic);
	test_power_on(state);
	for (u32 vcpu = 0; vcpu < 4; vcpu++) {
		for (u32 w = 0; w < VIMSIC_WORDS; w++)
			assert_int_equal(csr(vcpu, EIP(w), CSR_OP_READ, 0), 0);
	}
}

static void fill(struct vimsic_state *out)
{
	wr(VIMSIC_EIDELIVERY, 1);
	wr(VIMSIC_EITHRESHOLD, 77);
	for (u32 w = 0; w < 4; w++) {
		wr(EIE(w), 0x123456789abcdef0ULL << w);
		wr(EIP(w), 0x0fedcba987654320ULL >> w);
	}
	memset(out, 0, sizeof(*out));
	out->eidelivery = 1;
	out->eithreshold = 77;
	for (u32 w = 0; w < VIMSIC_WORDS; w++) {
		out->eie[w] = rd(EIE(w));
		out->eip[w] = rd(EIP(w));
	}
}

static void test_export(void **state)
{
	struct vimsic_state before, out;
	u64 old = 0xdead;

	(void)state;
	fill(&before);
	memset(&out, 0xff, sizeof(out));
	vimsic_export(&imsic, 0, HW, &out);
	assert_memory_equal(&out, &before, sizeof(out));
	assert_int_equal(vimsic_hw(&imsic, 0), HW);
	assert_int_equal(vimsic_hw(&imsic, 1), 0);
	assert_int_equal(vimsic_pending(&imsic, 0), 0);

	/* MSIs follow it, whoever sends them. */
	send(5);
	assert_int_equal(forwarded, 5);
	store32(0, 6);
	assert_int_equal(forwarded, 6);
	send(256);
	send(0);
	assert_int_equal(forwards, 2);
	assert_int_equal(kicks[0], 0);

	/* The hardware's registers are not emulated; what it lacks is. */
	for (u32 w = 0; w < 4; w++) {
		assert_false(vimsic_access(&imsic, 0, EIP(w), CSR_OP_SET, ALL, &old));
		assert_false(vimsic_access(&imsic, 0, EIE(w), CSR_OP_READ, 0, &old));
	}
	assert_false(vimsic_access(&imsic, 0, VIMSIC_EIDELIVERY, CSR_OP_READ, 0, &old));
	assert_false(vimsic_access(&imsic, 0, VIMSIC_EITHRESHOLD, CSR_OP_READ, 0, &old));
	assert_false(vimsic_access(&imsic, 0, 0x81, CSR_OP_READ, 0, &old));
	assert_false(vimsic_stopei(&imsic, 0, true, &old));
	assert_int_equal(old, 0xdead);
	assert_int_equal(rd(0x71) | rd(EIP(4)) | rd(EIE(31)), 0);
}

static void test_move_there_and_back(void **state)
{
	struct vimsic_state before, out, back;

	(void)state;
	fill(&before);
	vimsic_export(&imsic, 0, HW, &out);
	vimsic_recall(&imsic, 0);
	/* Nothing but what comes in between is here yet. */
	assert_int_equal(rd(EIP(0)) | rd(EIE(0)) | rd(VIMSIC_EIDELIVERY), 0);
	send(255);
	assert_int_equal(forwards, 0);
	back = out;
	back.eip[0] |= BIT(1);		/* arrived in hardware */
	vimsic_import(&imsic, 0, &back);
	before.eip[0] |= BIT(1);
	before.eip[3] |= BIT(63);
	vimsic_export(&imsic, 0, HW, &out);
	assert_memory_equal(&out, &before, sizeof(out));
}

static void test_import_sieves(void **state)
{
	struct vimsic_state all;

	(void)state;
	memset(&all, 0xff, sizeof(all));
	vimsic_import(&imsic, 0, &all);
	assert_int_equal(rd(VIMSIC_EIDELIVERY), 1);
	assert_int_equal(rd(VIMSIC_EITHRESHOLD), 0x7ff);
	for (u32 w = 0; w < VIMSIC_WORDS; w++) {
		assert_int_equal(rd(EIP(w)), w >= 4 ? 0 : w ? ALL : ALL - 1);
		assert_int_equal(rd(EIE(w)), w >= 4 ? 0 : w ? ALL : ALL - 1);
	}
	/* Larger hardware files: identities that do not exist here stay unheard of. */
	for (u32 id = 1; id < 256; id++)
		assert_int_equal(stopei(0, true), TOP(id));
	assert_int_equal(stopei(0, true), 0);
}

static void test_move_checks(void **state)
{
	struct vimsic_state out;

	(void)state;
	expect_assert_failure(vimsic_export(&imsic, 0, 0, &out));
	expect_assert_failure(vimsic_recall(&imsic, 0));
	vimsic_export(&imsic, 0, HW, &out);
	expect_assert_failure(vimsic_export(&imsic, 0, HW, &out));
	expect_assert_failure(vimsic_import(&imsic, 0, &out));
}

/* The naive reference: one byte a bit. */
static struct model {
	u8 pending[VIMSIC_IDS_MAX + 1];
	u8 enabled[VIMSIC_IDS_MAX + 1];
	u64 delivery;
	u64 threshold;
} model;

static u32 model_top(u32 ids)
{
	for (u32 id = 1; id <= ids; id++) {
		if (model.threshold && id >= model.threshold)
			return 0;
		if (model.pending[id] && model.enabled[id])
			return id;
	}
	return 0;
}

static u64 model_word(u8 *bits, u32 word, enum csr_op op, u64 operand)
{
	u64 old = 0, now;

	for (u32 bit = 0; bit < 64; bit++)
		old |= (u64)bits[64 * word + bit] << bit;
	now = csr_op_apply(op, old, operand);
	for (u32 bit = 0; bit < 64; bit++)
		bits[64 * word + bit] = now >> bit & 1;
	if (word == 0)
		bits[0] = 0;
	return old;
}

static u64 random64(void)
{
	return (u64)(u32)random() << 42 ^ (u64)(u32)random() << 21 ^ (u64)(u32)random();
}

static void step_word(u32 ids)
{
	u32 word = (u32)random() % ((ids + 1) / 64);
	enum csr_op op = (enum csr_op)(random() % 4);
	bool eie = random() % 2;
	u64 operand = random64() & random64() & random64();

	assert_int_equal(csr(0, eie ? EIE(word) : EIP(word), op, operand),
			 model_word(eie ? model.enabled : model.pending, word, op, operand));
}

static void step_control(u32 ids)
{
	enum csr_op op = (enum csr_op)(random() % 4);
	u64 operand = random() % 2 ? random64() : (u64)random() % (ids + 2);

	if (random() % 2) {
		assert_int_equal(csr(0, VIMSIC_EIDELIVERY, op, operand), model.delivery);
		model.delivery = csr_op_apply(op, model.delivery, operand) & 1;
	} else {
		assert_int_equal(csr(0, VIMSIC_EITHRESHOLD, op, operand), model.threshold);
		model.threshold = csr_op_apply(op, model.threshold, operand) & 0x7ff;
	}
}

static void step_send(u32 ids)
{
	u32 id = (u32)random() % (ids + 3), before = kicks[0];
	bool exists = id >= 1 && id <= ids;
	bool expected = exists && !model.pending[id] && model.delivery && model.enabled[id] &&
			(!model.threshold || id < model.threshold);

	if (random() % 2)
		send(id);
	else
		store32(0, id);
	if (exists)
		model.pending[id] = 1;
	assert_int_equal(kicks[0] - before, expected);
}

static void step_claim(u32 ids)
{
	u32 id = model_top(ids);
	bool claim = random() % 2;

	assert_int_equal(stopei(0, claim), TOP(id));
	if (claim)
		model.pending[id] = 0;
}

/* To hardware and back; MSIs arrive on the way. */
static void step_move(u32 ids)
{
	struct vimsic_state out;
	u32 id = 1 + (u32)random() % ids;

	vimsic_export(&imsic, 0, HW, &out);
	send(id);
	assert_int_equal(forwarded, id);
	out.eip[id / 64] |= BIT(id % 64);
	model.pending[id] = 1;
	vimsic_recall(&imsic, 0);
	id = 1 + (u32)random() % ids;
	send(id);
	model.pending[id] = 1;
	vimsic_import(&imsic, 0, &out);
}

static void step(u32 ids)
{
	switch (random() % 16) {
	case 0 ... 4:
		step_word(ids);
		break;
	case 5:
		step_control(ids);
		break;
	case 6 ... 10:
		step_send(ids);
		break;
	case 11:
		step_move(ids);
		break;
	default:
		step_claim(ids);
		break;
	}
}

static void test_against_model(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 ids = sizes[i];

		srandom(ids);
		start(1, ids);
		memset(&model, 0, sizeof(model));
		for (u32 round = 0; round < 40000; round++) {
			u32 top;

			step(ids);
			top = model_top(ids);
			assert_int_equal(vimsic_pending(&imsic, 0), model.delivery ? top : 0);
			assert_int_equal(stopei(0, false), TOP(top));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_refuses),
		cmocka_unit_test_setup(test_power_on, setup),
		cmocka_unit_test_setup(test_page_send, setup),
		cmocka_unit_test_setup(test_page_ignores, setup),
		cmocka_unit_test_setup(test_page_reads, setup),
		cmocka_unit_test_setup(test_page_widths, setup),
		cmocka_unit_test_setup(test_eidelivery, setup),
		cmocka_unit_test_setup(test_eithreshold, setup),
		cmocka_unit_test(test_words),
		cmocka_unit_test_setup(test_selects_refused, setup),
		cmocka_unit_test_setup(test_selects_reserved, setup),
		cmocka_unit_test_setup(test_claim_order, setup),
		cmocka_unit_test_setup(test_gates, setup),
		cmocka_unit_test_setup(test_eip_by_register, setup),
		cmocka_unit_test_setup(test_kicks, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_export, setup),
		cmocka_unit_test_setup(test_move_there_and_back, setup),
		cmocka_unit_test_setup(test_import_sieves, setup),
		cmocka_unit_test_setup(test_move_checks, setup),
		cmocka_unit_test(test_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
