/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The AIA's CSRs as a guest without the hardware sees them: each CSR instruction decoded, each
 * value of siselect, each register, each refusal, and the handler of a guest that takes interrupts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <asm/aia_csr.h>
#include <asm/csr.h>
#include <asm/insn.h>
#include <hv/check.h>
#include <hv/vimsic.h>

#define ALL (~(u64)0)
#define VCPU 1
#define IDS 255

static struct vimsic imsic;
static struct aia_csrs csrs;

void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static void ignore_kick(void *ctx, u32 vcpu)
{
	(void)ctx;
	(void)vcpu;
}

static void ignore_forward(void *ctx, u64 hw, u32 id)
{
	(void)ctx;
	(void)hw;
	(void)id;
}

static const struct vimsic_hooks hooks = { .kick = ignore_kick, .forward = ignore_forward };

static int setup(void **state)
{
	(void)state;
	vimsic_init(&imsic, 2, IDS, &hooks, NULL);
	csrs = (struct aia_csrs){ .imsic = &imsic, .vcpu = VCPU };
	return 0;
}

static u64 done(u32 csr, enum csr_op op, u64 operand)
{
	u64 old = 0xdead;

	assert_int_equal(aia_csr(&csrs, csr, op, operand, &old), AIA_CSR_DONE);
	return old;
}

static u64 swap(u32 csr, u64 operand)
{
	return done(csr, CSR_OP_WRITE, operand);
}

static u64 rd(u32 csr)
{
	return done(csr, CSR_OP_READ, ALL);
}

static void refused(u32 csr, enum csr_op op)
{
	const struct aia_csrs before = csrs;
	u64 old = 0xdead;

	assert_int_equal(aia_csr(&csrs, csr, op, ALL, &old), AIA_CSR_ILLEGAL);
	assert_memory_equal(&csrs, &before, sizeof(csrs));
	assert_int_equal(old, 0xdead);
}

static u64 indirect(u64 select, enum csr_op op, u64 operand)
{
	csrs.siselect = select;
	return done(CSR_SIREG, op, operand);
}

static void test_samples(void **state)
{
	static const struct {
		u32 insn;
		struct insn_csr as;
	} samples[] = {
		{ 0x15c01573, { 0x15c, 10, 0, false, CSR_OP_WRITE } },	/* csrrw a0, stopei, x0 */
		{ 0xdb002ff3, { 0xdb0, 31, 0, false, CSR_OP_READ } },	/* csrr t6, stopi */
		{ 0x151624f3, { 0x151, 9, 12, false, CSR_OP_SET } },	/* csrrs s1, sireg, a2 */
		{ 0x1512b073, { 0x151, 0, 5, false, CSR_OP_CLEAR } },	/* csrc sireg, t0 */
		{ 0x150fd073, { 0x150, 0, 31, true, CSR_OP_WRITE } },	/* csrwi siselect, 31 */
		{ 0x150068f3, { 0x150, 17, 0, true, CSR_OP_READ } },	/* csrrsi a7, siselect, 0 */
		{ 0x1500f8f3, { 0x150, 17, 1, true, CSR_OP_CLEAR } },	/* csrrci a7, siselect, 1 */
		{ 0x15001073, { 0x150, 0, 0, false, CSR_OP_WRITE } },	/* csrw siselect, x0 */
		{ 0x15103573, { 0x151, 10, 0, false, CSR_OP_READ } },	/* csrrc a0, sireg, x0 */
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(samples); i++) {
		struct insn_csr got;

		assert_true(insn_csr(samples[i].insn, &got));
		assert_int_equal(got.csr, samples[i].as.csr);
		assert_int_equal(got.rd, samples[i].as.rd);
		assert_int_equal(got.source, samples[i].as.source);
		assert_int_equal(got.immediate, samples[i].as.immediate);
		assert_int_equal(got.op, samples[i].as.op);
	}
}

/* Every funct3 and every other field: ecall, sret, wfi and HLV are no CSR instructions. */
static void test_decode(void **state)
{
	const u32 others[] = { 0x00000073, 0x10200073, 0x10500073, 0x6c004073, 0x12000073 };
	struct insn_csr got;
	u64 gpr[32];

	(void)state;
	for (u32 r = 0; r < 32; r++)
		gpr[r] = 1000 * r;
	for (u32 i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(insn_csr(others[i], &got));
	for (u32 bits = 0; bits < 1U << 13; bits++) {
		u32 funct3 = bits >> 10, rs1 = bits >> 5 & 31, rd_ = bits & 31;
		u32 insn = 0x15100073 | rs1 << 15 | funct3 << 12 | rd_ << 7;

		assert_int_equal(insn_csr(insn, &got), funct3 % 4 != 0);
		assert_false(insn_csr(insn ^ 0x10, &got));
		if (funct3 % 4 == 0)
			continue;
		assert_true(insn_csr(insn, &got));
		assert_int_equal(got.rd, rd_);
		assert_int_equal(insn_csr_operand(&got, gpr), funct3 > 4 ? rs1 : 1000 * rs1);
		assert_int_equal(got.op == CSR_OP_READ, funct3 % 4 > 1 && rs1 == 0);
	}
}

static void test_siselect(void **state)
{
	(void)state;
	for (u64 value = 0; value < 0x200; value++) {
		swap(CSR_SISELECT, value);
		assert_int_equal(rd(CSR_SISELECT), value);
	}
	assert_int_equal(swap(CSR_SISELECT, ALL), 0x1ff);
	assert_int_equal(swap(CSR_SISELECT, 0x70), 0x1ff);
	assert_int_equal(done(CSR_SISELECT, CSR_OP_SET, 2), 0x70);
	assert_int_equal(done(CSR_SISELECT, CSR_OP_CLEAR, 0x10), 0x72);
	assert_int_equal(csrs.siselect, 0x62);
	/* A hart may keep more bits; reading does not change them. */
	csrs.siselect = 0xfff;
	assert_int_equal(rd(CSR_SISELECT), 0xfff);
	assert_int_equal(csrs.siselect, 0xfff);
}

enum outcome { ILLEGAL, ZERO, ONE_BIT, THRESHOLD, ARRAY };

/* What sireg is for a value of siselect, for 255 identities on RV64. */
static enum outcome expected(u64 select)
{
	if (select >= 0x30 && select <= 0x3f)
		return select % 2 ? ILLEGAL : ZERO;	/* iprio */
	if (select < 0x70 || select > 0xff)
		return ILLEGAL;
	if (select == 0x70)
		return ONE_BIT;
	if (select == 0x72)
		return THRESHOLD;
	if (select < 0x80)
		return ZERO;
	if (select % 2)
		return ILLEGAL;
	return select % 0x40 < 8 ? ARRAY : ZERO;
}

static void check_select(u64 select)
{
	const u64 sticks[] = { [ZERO] = 0, [ONE_BIT] = 1, [THRESHOLD] = 0x7ff,
			       [ARRAY] = select % 0x40 ? ALL : ALL - 1 };
	enum outcome outcome = expected(select);

	csrs.siselect = select;
	if (outcome == ILLEGAL) {
		for (enum csr_op op = CSR_OP_READ; op <= CSR_OP_CLEAR; op++)
			refused(CSR_SIREG, op);
		return;
	}
	assert_int_equal(swap(CSR_SIREG, ALL), 0);
	assert_int_equal(done(CSR_SIREG, CSR_OP_CLEAR, 1), sticks[outcome]);
	assert_int_equal(done(CSR_SIREG, CSR_OP_SET, 1), sticks[outcome] & ~1ULL);
	assert_int_equal(rd(CSR_SIREG), sticks[outcome]);
	assert_int_equal(csrs.siselect, select);
}

static void test_sireg_all(void **state)
{
	(void)state;
	for (u64 select = 0; select < 0x1000; select++)
		check_select(select);
	check_select(BIT(63) | 0x70);
	check_select(ALL);
	/* All of it was this vCPU's. */
	csrs.vcpu = 0;
	for (u64 select = 0x80; select < 0x100; select += 2)
		assert_int_equal(indirect(select, CSR_OP_READ, 0), 0);
}

static void test_stopei(void **state)
{
	(void)state;
	indirect(VIMSIC_EIE0, CSR_OP_WRITE, ALL);
	for (u32 id = 10; id < 15; id++)
		vimsic_send(&imsic, VCPU, id);
	assert_int_equal(rd(CSR_STOPEI), 10 << 16 | 10);
	assert_int_equal(swap(CSR_STOPEI, 0), 10 << 16 | 10);
	/* Set and clear are writes, even of nothing: only the instruction's form tells. */
	assert_int_equal(done(CSR_STOPEI, CSR_OP_SET, 0), 11 << 16 | 11);
	assert_int_equal(done(CSR_STOPEI, CSR_OP_CLEAR, 0), 12 << 16 | 12);
	assert_int_equal(swap(CSR_STOPEI, ALL), 13 << 16 | 13);
	assert_int_equal(rd(CSR_STOPEI), 14 << 16 | 14);
	csrs.vcpu = 0;
	assert_int_equal(rd(CSR_STOPEI), 0);
}

static void test_stopi(void **state)
{
	(void)state;
	csrs.stopi = 9 << 16 | 1;
	assert_int_equal(rd(CSR_STOPI), 9 << 16 | 1);
	refused(CSR_STOPI, CSR_OP_WRITE);
	refused(CSR_STOPI, CSR_OP_SET);
	refused(CSR_STOPI, CSR_OP_CLEAR);
}

/* sireg2 .. sireg6, and what else lies around. */
static void test_others(void **state)
{
	(void)state;
	for (u32 csr = 0; csr < 0x1000; csr++) {
		u64 old = 0xdead;

		if (csr == CSR_SISELECT || csr == CSR_SIREG || csr == CSR_STOPEI ||
		    csr == CSR_STOPI)
			continue;
		assert_int_equal(aia_csr(&csrs, csr, CSR_OP_WRITE, ALL, &old), AIA_CSR_OTHER);
		assert_int_equal(old, 0xdead);
	}
}

/* A hardware file answers for itself, except where it traps although it should not. */
static void test_file_in_hardware(void **state)
{
	struct vimsic_state out;

	(void)state;
	vimsic_export(&imsic, VCPU, 0x1000, &out);
	refused(CSR_STOPEI, CSR_OP_READ);
	refused(CSR_STOPEI, CSR_OP_WRITE);
	for (u64 select = 0; select < 0x200; select++) {
		enum outcome outcome = expected(select);

		csrs.siselect = select;
		if (outcome == ZERO)
			assert_int_equal(swap(CSR_SIREG, ALL), 0);
		else
			refused(CSR_SIREG, CSR_OP_WRITE);
	}
	assert_int_equal(swap(CSR_SISELECT, 0x30), 0x1ff);
}

/* As Linux does: set the file up, then swap stopei until nothing is left. */
static void test_handler(void **state)
{
	const u32 ids[] = { 255, 33, 128, 7 };
	const u32 order[] = { 7, 33, 128, 255 };

	(void)state;
	for (u64 select = VIMSIC_EIE0; select < VIMSIC_EIE0 + 8; select += 2)
		indirect(select, CSR_OP_WRITE, 0);
	indirect(VIMSIC_EITHRESHOLD, CSR_OP_WRITE, 0);
	indirect(VIMSIC_EIDELIVERY, CSR_OP_WRITE, 1);
	for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
		indirect(VIMSIC_EIE0 + ids[i] / 64 * 2, CSR_OP_SET, BIT(ids[i] % 64));
		vimsic_send(&imsic, VCPU, ids[i]);
	}
	for (u32 i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(vimsic_pending(&imsic, VCPU), order[i]);
		assert_int_equal(swap(CSR_STOPEI, 0) >> 16, order[i]);
	}
	assert_int_equal(swap(CSR_STOPEI, 0), 0);
	assert_int_equal(vimsic_pending(&imsic, VCPU), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_decode),
		cmocka_unit_test_setup(test_siselect, setup),
		cmocka_unit_test_setup(test_sireg_all, setup),
		cmocka_unit_test_setup(test_stopei, setup),
		cmocka_unit_test_setup(test_stopi, setup),
		cmocka_unit_test_setup(test_others, setup),
		cmocka_unit_test_setup(test_file_in_hardware, setup),
		cmocka_unit_test_setup(test_handler, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
