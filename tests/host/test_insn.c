/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load and store decoder against a table of masks and matches (as the RISC-V opcode lists
 * write them), over all compressed encodings and a sweep of the 32-bit ones; against the
 * assembler; and on values of htinst.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <asm/insn.h>

/* Where the register's number stands: 5 bits from the given one, or x8 + 3 bits from bit 2. */
enum place { NOWHERE, AT_2 = 2, AT_7 = 7, AT_20 = 20, SHORT_AT_2 };

struct form {
	const char *name;
	u32 mask;
	u32 match;
	enum insn_kind kind;
	bool write;
	u8 width;
	bool sign_extend;
	enum place place;
};

#define LOAD(name, match, width, sign) { name, 0x707f, match, INSN_LDST, false, width, sign, AT_7 }
#define STORE(name, match, width) { name, 0x707f, match, INSN_LDST, true, width, true, AT_20 }
#define OTHER(name, mask, match, kind) { name, mask, match, kind, false, 0, false, NOWHERE }

static const struct form standard[] = {
	LOAD("lb", 0x0003, 1, true),
	LOAD("lh", 0x1003, 2, true),
	LOAD("lw", 0x2003, 4, true),
	LOAD("ld", 0x3003, 8, true),
	LOAD("lbu", 0x4003, 1, false),
	LOAD("lhu", 0x5003, 2, false),
	LOAD("lwu", 0x6003, 4, false),
	STORE("sb", 0x0023, 1),
	STORE("sh", 0x1023, 2),
	STORE("sw", 0x2023, 4),
	STORE("sd", 0x3023, 8),
	OTHER("flh", 0x707f, 0x1007, INSN_FP),
	OTHER("flw", 0x707f, 0x2007, INSN_FP),
	OTHER("fld", 0x707f, 0x3007, INSN_FP),
	OTHER("flq", 0x707f, 0x4007, INSN_FP),
	OTHER("fsh", 0x707f, 0x1027, INSN_FP),
	OTHER("fsw", 0x707f, 0x2027, INSN_FP),
	OTHER("fsd", 0x707f, 0x3027, INSN_FP),
	OTHER("fsq", 0x707f, 0x4027, INSN_FP),
	OTHER("v load", 0x7f, 0x07, INSN_VECTOR),
	OTHER("v store", 0x7f, 0x27, INSN_VECTOR),
	OTHER("amo", 0x7f, 0x2f, INSN_AMO),
	OTHER("cbo.inval", 0xfff07fff, 0x0000200f, INSN_CBO),
	OTHER("cbo.clean", 0xfff07fff, 0x0010200f, INSN_CBO),
	OTHER("cbo.flush", 0xfff07fff, 0x0020200f, INSN_CBO),
	OTHER("cbo.zero", 0xfff07fff, 0x0040200f, INSN_CBO),
	OTHER("anything", 0, 0, INSN_UNKNOWN),
};

#define C_FORM(name, mask, match, write, width, sign, place) \
	{ name, mask, match, INSN_LDST, write, width, sign, place }

static const struct form compressed[] = {
	C_FORM("c.lw", 0xe003, 0x4000, false, 4, true, SHORT_AT_2),
	C_FORM("c.ld", 0xe003, 0x6000, false, 8, true, SHORT_AT_2),
	C_FORM("c.sw", 0xe003, 0xc000, true, 4, true, SHORT_AT_2),
	C_FORM("c.sd", 0xe003, 0xe000, true, 8, true, SHORT_AT_2),
	OTHER("c.lwsp reserved", 0xef83, 0x4002, INSN_UNKNOWN),
	OTHER("c.ldsp reserved", 0xef83, 0x6002, INSN_UNKNOWN),
	C_FORM("c.lwsp", 0xe003, 0x4002, false, 4, true, AT_7),
	C_FORM("c.ldsp", 0xe003, 0x6002, false, 8, true, AT_7),
	C_FORM("c.swsp", 0xe003, 0xc002, true, 4, true, AT_2),
	C_FORM("c.sdsp", 0xe003, 0xe002, true, 8, true, AT_2),
	C_FORM("c.lbu", 0xfc03, 0x8000, false, 1, false, SHORT_AT_2),
	C_FORM("c.lhu", 0xfc43, 0x8400, false, 2, false, SHORT_AT_2),
	C_FORM("c.lh", 0xfc43, 0x8440, false, 2, true, SHORT_AT_2),
	C_FORM("c.sb", 0xfc03, 0x8800, true, 1, true, SHORT_AT_2),
	C_FORM("c.sh", 0xfc43, 0x8c00, true, 2, true, SHORT_AT_2),
	OTHER("c.fld", 0xe003, 0x2000, INSN_FP),
	OTHER("c.fsd", 0xe003, 0xa000, INSN_FP),
	OTHER("c.fldsp", 0xe003, 0x2002, INSN_FP),
	OTHER("c.fsdsp", 0xe003, 0xa002, INSN_FP),
	OTHER("anything", 0, 0, INSN_UNKNOWN),
};

static const struct form *lookup(const struct form *form, u32 insn)
{
	while ((insn & form->mask) != form->match)
		form++;
	return form;
}

static u32 place_reg(enum place place, u32 insn)
{
	return place == SHORT_AT_2 ? 8 + (insn >> 2 & 7) : insn >> place & 31;
}

static void compare(const struct form *form, u32 insn, enum insn_kind kind,
		    const struct insn_ldst *got, u8 length, u8 offset)
{
	bool same = kind == form->kind;

	if (same && kind == INSN_LDST)
		same = got->write == form->write && got->width == form->width &&
		       (form->write || got->sign_extend == form->sign_extend) &&
		       got->reg == place_reg(form->place, insn) && got->length == length &&
		       got->offset == offset;
	if (!same)
		fail_msg("%s %08x: kind %d write %d width %d sign %d reg %d length %d offset %d",
			 form->name, insn, kind, got->write, got->width, got->sign_extend, got->reg,
			 got->length, got->offset);
}

/* What stands behind a compressed instruction in memory must not matter. */
static void all_compressed(void **state)
{
	(void)state;
	for (u32 insn = 0; insn < 0x10000; insn++) {
		struct insn_ldst got;
		enum insn_kind kind;

		if ((insn & 3) == 3)
			continue;
		memset(&got, 0xee, sizeof(got));
		kind = insn_decode(insn, &got);
		compare(lookup(compressed, insn), insn, kind, &got, 2, 0);
		kind = insn_decode(insn | (u32)rand() << 16, &got);
		compare(lookup(compressed, insn), insn, kind, &got, 2, 0);
	}
}

/* Upper halves worth trying; bits 14..0 (opcode, rd, funct3) are swept wholly under each. */
static const u32 uppers[] = {
	0x00000000, 0xffff8000, 0x00100000, 0x00200000, 0x00300000, 0x00400000, 0x00500000,
	0x00108000, 0x00408000, 0x01f00000, 0x12340000, 0xa5a50000, 0x5a5a8000,
	0x80000000, 0x7ff00000, 0x55550000,
};

static void sweep_standard(void **state)
{
	(void)state;
	for (size_t u = 0; u < ARRAY_SIZE(uppers); u++) {
		for (u32 low = 3; low < 0x8000; low += 4) {
			u32 insn = uppers[u] | low;
			struct insn_ldst got;
			enum insn_kind kind = insn_decode(insn, &got);

			compare(lookup(standard, insn), insn, kind, &got, 4, 0);
		}
	}
}

static void random_standard(void **state)
{
	(void)state;
	srand(1);
	for (u32 i = 0; i < 1000000; i++) {
		u32 insn = ((u32)rand() << 16 ^ (u32)rand()) | 3;
		struct insn_ldst got;
		enum insn_kind kind = insn_decode(insn, &got);

		compare(lookup(standard, insn), insn, kind, &got, 4, 0);
	}
}

/* htinst: the same encodings with the address offset in rs1, and bit 1 clear if compressed. */
static void htinst_transformed(void **state)
{
	(void)state;
	for (size_t u = 0; u < ARRAY_SIZE(uppers); u++) {
		for (u32 low = 3; low < 0x8000; low += 4) {
			u32 insn = uppers[u] | low;
			u8 offset = (u8)(insn >> 15 & 31);
			const struct form *form = lookup(standard, insn);
			struct insn_ldst got, quick;
			enum insn_kind kind = insn_decode_htinst(insn, &got);

			compare(form, insn, kind, &got, 4, offset);
			assert_int_equal(insn_ldst_htinst(insn, &quick), kind == INSN_LDST);
			if (kind == INSN_LDST)
				assert_memory_equal(&quick, &got, sizeof(got));
			kind = insn_decode_htinst(insn & ~2u, &got);
			compare(form, insn, kind, &got, 2, offset);
			assert_int_equal(insn_decode_htinst(insn | BIT(32), &got), INSN_UNKNOWN);
		}
	}
}

static void htinst_special(void **state)
{
	static const struct {
		u64 htinst;
		enum insn_kind kind;
	} values[] = {
		{ 0, INSN_NONE },
		{ 0x2000, INSN_WALK }, { 0x2020, INSN_WALK },
		{ 0x3000, INSN_WALK }, { 0x3020, INSN_WALK },
		{ 0x20, INSN_UNKNOWN }, { 0x1000, INSN_UNKNOWN }, { 0x4000, INSN_UNKNOWN },
		{ 0x100003000, INSN_UNKNOWN }, { BIT(63), INSN_UNKNOWN }, { 2, INSN_UNKNOWN },
		/* As seen: sw a3 and c.sw a3, cbo.zero, lr.w, amoswap.w, fld, hlv.w. */
		{ 0xd02023, INSN_LDST }, { 0xd02021, INSN_LDST }, { 0x40200f, INSN_CBO },
		{ 0x1000252f, INSN_AMO }, { 0x08b5252f, INSN_AMO }, { 0x3507, INSN_FP },
		{ 0x68004573, INSN_UNKNOWN },
	};
	struct insn_ldst got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		assert_int_equal(insn_decode_htinst(values[i].htinst, &got), values[i].kind);
	assert_true(insn_ldst_htinst(0xd02023, &got));
	assert_true(got.write && got.width == 4 && got.reg == 13 && got.length == 4);
	assert_true(insn_ldst_htinst(0xd02021, &got));
	assert_true(got.write && got.width == 4 && got.reg == 13 && got.length == 2);
	for (size_t i = 0; i < 5; i++)
		assert_false(insn_ldst_htinst(values[i].htinst, &got));
}

static void values_of_registers(void **state)
{
	static const struct {
		struct insn_ldst ldst;
		u64 memory, loaded;
	} loads[] = {
		{ { .width = 1, .sign_extend = true }, 0xffffff7f, 0x7f },
		{ { .width = 1, .sign_extend = true }, 0x180, (u64)-0x80 },
		{ { .width = 1 }, 0x180, 0x80 },
		{ { .width = 2, .sign_extend = true }, 0x18000, (u64)-0x8000 },
		{ { .width = 2 }, 0x18000, 0x8000 },
		{ { .width = 4, .sign_extend = true }, 0x180000000, 0xffffffff80000000 },
		{ { .width = 4 }, 0x180000000, 0x80000000 },
		{ { .width = 8, .sign_extend = true }, 0x8000000000000001, 0x8000000000000001 },
	};
	static const u64 stored[] = { 0, 0x88, 0x7788, 0, 0x55667788, 0, 0, 0, 0x1122334455667788 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++)
		assert_true(insn_load_value(&loads[i].ldst, loads[i].memory) == loads[i].loaded);
	for (u8 width = 1; width <= 8; width = (u8)(width * 2)) {
		struct insn_ldst ldst = { .write = true, .width = width };

		assert_true(insn_store_value(&ldst, 0x1122334455667788) == stored[width]);
	}
}

/* The assembler does not know Zcb yet; the immediates are those of its specification. */
static void zcb_addresses(void **state)
{
	static const struct {
		u32 insn;
		u64 offset;
	} zcb[] = {
		{ 0x8000, 0 }, { 0x8020, 2 }, { 0x8040, 1 }, { 0x8060, 3 },	/* c.lbu */
		{ 0x8800, 0 }, { 0x8820, 2 }, { 0x8840, 1 }, { 0x8860, 3 },	/* c.sb */
		{ 0x8400, 0 }, { 0x8420, 2 },					/* c.lhu */
		{ 0x8440, 0 }, { 0x8460, 2 },					/* c.lh */
		{ 0x8c00, 0 }, { 0x8c20, 2 },					/* c.sh */
	};
	u64 regs[32] = { 0 };

	(void)state;
	for (u32 r = 0; r < 8; r++)
		regs[8 + r] = 100 * r;
	for (size_t i = 0; i < ARRAY_SIZE(zcb); i++) {
		for (u32 r = 0; r < 8; r++)
			assert_int_equal(insn_ldst_address(zcb[i].insn | r << 7, regs),
					 100 * r + zcb[i].offset);
	}
}

/* What the assembler makes of these is decoded as what their names say. */
struct sample {
	const char *text;	/* %u: the register */
	enum insn_kind kind;
	bool write;
	u8 width;
	bool sign_extend;
	u8 length;
	u8 first, last;		/* registers to try */
};

static const struct sample samples[] = {
	{ "lb x%u, -2048(x31)", INSN_LDST, false, 1, true, 4, 0, 31 },
	{ "lh x%u, 2047(x1)", INSN_LDST, false, 2, true, 4, 0, 31 },
	{ "lw x%u, 0(x2)", INSN_LDST, false, 4, true, 4, 0, 31 },
	{ "ld x%u, 8(x3)", INSN_LDST, false, 8, true, 4, 0, 31 },
	{ "lbu x%u, 5(x4)", INSN_LDST, false, 1, false, 4, 0, 31 },
	{ "lhu x%u, -1(x5)", INSN_LDST, false, 2, false, 4, 0, 31 },
	{ "lwu x%u, 1365(x6)", INSN_LDST, false, 4, false, 4, 0, 31 },
	{ "sb x%u, -2048(x7)", INSN_LDST, true, 1, false, 4, 0, 31 },
	{ "sh x%u, 2047(x8)", INSN_LDST, true, 2, false, 4, 0, 31 },
	{ "sw x%u, 682(x9)", INSN_LDST, true, 4, false, 4, 0, 31 },
	{ "sd x%u, -1366(x10)", INSN_LDST, true, 8, false, 4, 0, 31 },
	{ "c.lw x%u, 124(x8)", INSN_LDST, false, 4, true, 2, 8, 15 },
	{ "c.ld x%u, 248(x15)", INSN_LDST, false, 8, true, 2, 8, 15 },
	{ "c.sw x%u, 64(x9)", INSN_LDST, true, 4, true, 2, 8, 15 },
	{ "c.sd x%u, 192(x14)", INSN_LDST, true, 8, true, 2, 8, 15 },
	{ "c.lwsp x%u, 252(sp)", INSN_LDST, false, 4, true, 2, 1, 31 },
	{ "c.ldsp x%u, 504(sp)", INSN_LDST, false, 8, true, 2, 1, 31 },
	{ "c.swsp x%u, 128(sp)", INSN_LDST, true, 4, true, 2, 0, 31 },
	{ "c.sdsp x%u, 256(sp)", INSN_LDST, true, 8, true, 2, 0, 31 },
	{ "c.lw x%u, 4(x10)", INSN_LDST, false, 4, true, 2, 8, 15 },
	{ "c.sw x%u, 80(x11)", INSN_LDST, true, 4, true, 2, 8, 15 },
	{ "c.ld x%u, 168(x12)", INSN_LDST, false, 8, true, 2, 8, 15 },
	{ "c.sd x%u, 80(x13)", INSN_LDST, true, 8, true, 2, 8, 15 },
	{ "c.lwsp x%u, 84(sp)", INSN_LDST, false, 4, true, 2, 1, 31 },
	{ "c.ldsp x%u, 168(sp)", INSN_LDST, false, 8, true, 2, 1, 31 },
	{ "c.swsp x%u, 148(sp)", INSN_LDST, true, 4, true, 2, 0, 31 },
	{ "c.sdsp x%u, 232(sp)", INSN_LDST, true, 8, true, 2, 0, 31 },
	{ "flw f%u, 4(x9)", INSN_FP, false, 0, false, 4, 0, 31 },
	{ "fld f%u, 4(x9)", INSN_FP, false, 0, false, 4, 0, 31 },
	{ "fsw f%u, 4(x9)", INSN_FP, false, 0, false, 4, 0, 31 },
	{ "fsd f%u, 4(x9)", INSN_FP, false, 0, false, 4, 0, 31 },
	{ "c.fld f%u, 8(x9)", INSN_FP, false, 0, false, 2, 8, 15 },
	{ "c.fsd f%u, 8(x9)", INSN_FP, false, 0, false, 2, 8, 15 },
	{ "c.fldsp f%u, 8(sp)", INSN_FP, false, 0, false, 2, 0, 31 },
	{ "c.fsdsp f%u, 8(sp)", INSN_FP, false, 0, false, 2, 0, 31 },
	{ "lr.w x%u, (x9)", INSN_AMO, false, 0, false, 4, 0, 31 },
	{ "sc.d x1, x%u, (x9)", INSN_AMO, false, 0, false, 4, 0, 31 },
	{ "amoadd.w.aqrl x1, x%u, (x9)", INSN_AMO, false, 0, false, 4, 0, 31 },
	{ "amomaxu.d x%u, x1, (x9)", INSN_AMO, false, 0, false, 4, 0, 31 },
	{ "vle8.v v%u, (x9)", INSN_VECTOR, false, 0, false, 4, 0, 31 },
	{ "vse64.v v%u, (x9)", INSN_VECTOR, false, 0, false, 4, 0, 31 },
	{ "vlse16.v v%u, (x9), x2", INSN_VECTOR, false, 0, false, 4, 0, 31 },
	{ "vsuxei32.v v%u, (x9), v4", INSN_VECTOR, false, 0, false, 4, 0, 31 },
	{ "cbo.zero (x%u)", INSN_CBO, false, 0, false, 4, 0, 31 },
	{ "cbo.clean (x%u)", INSN_CBO, false, 0, false, 4, 0, 31 },
	{ "cbo.flush (x%u)", INSN_CBO, false, 0, false, 4, 0, 31 },
	{ "cbo.inval (x%u)", INSN_CBO, false, 0, false, 4, 0, 31 },
	{ "add x%u, x3, x4", INSN_UNKNOWN, false, 0, false, 4, 0, 31 },
	{ "c.mv x%u, x4", INSN_UNKNOWN, false, 0, false, 2, 1, 31 },
	{ "c.addi4spn x%u, sp, 4", INSN_UNKNOWN, false, 0, false, 2, 8, 15 },
	{ "jalr x%u, 0(x4)", INSN_UNKNOWN, false, 0, false, 4, 0, 31 },
	{ "csrrw x%u, cycle, x4", INSN_UNKNOWN, false, 0, false, 4, 0, 31 },
};

static void write_source(const char *path)
{
	FILE *f = fopen(path, "w");
	char name[64];

	assert_non_null(f);
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const char *reg = strchr(samples[i].text, '%');

		fprintf(f, ".option %s\n", samples[i].length == 2 ? "rvc" : "norvc");
		for (u32 r = samples[i].first; r <= samples[i].last; r++) {
			snprintf(name, sizeof(name), "%.*s%u%s", (int)(reg - samples[i].text),
				 samples[i].text, r, reg + 2);
			fprintf(f, "\t%s\n", name);
		}
	}
	fclose(f);
}

/* Assembles the samples into a flat file. Returns its size. */
static size_t assemble(u8 *code, size_t size)
{
	const char *cross = getenv("CROSS_COMPILE");
	char dir[] = "/tmp/test_insn.XXXXXX", path[64], command[512];
	size_t n = 0;
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s.s", dir);
	write_source(path);
	cross = cross ? cross : "riscv64-linux-gnu-";
	snprintf(command, sizeof(command),
		 "cd %s && %sas -march=rv64gcv_zicbom_zicboz -o s.o s.s && "
		 "%sobjcopy -O binary -j .text s.o s.bin", dir, cross, cross);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/s.bin", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(code, 1, size, f);
	fclose(f);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	return n;
}

/* Every register has a value of its own. */
static u64 gpr[32];

/* "lw x%u, 8(x3)": what x3 holds plus 8. */
static u64 sample_address(const char *text)
{
	char base[4] = "";
	int offset = 0;

	assert_int_equal(sscanf(strchr(text, ',') + 1, "%d(%3[a-z0-9])", &offset, base), 2);
	return gpr[strcmp(base, "sp") ? atoi(base + 1) : 2] + (u64)offset;
}

static void assembler_agrees(void **state)
{
	static u8 code[16384];
	size_t at = 0, size = assemble(code, sizeof(code) - 4);

	(void)state;
	for (u32 i = 1; i < 32; i++)
		gpr[i] = ((u64)i << 59) + 0xfff;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];

		for (u32 r = s->first; r <= s->last; r++, at += s->length) {
			struct insn_ldst got;
			u32 insn;

			assert_true(at + s->length <= size);
			memcpy(&insn, code + at, sizeof(insn));
			if (insn_decode(insn, &got) != s->kind)
				fail_msg("%s with %u: %08x", s->text, r, insn);
			if (s->kind != INSN_LDST)
				continue;
			assert_int_equal(got.write, s->write);
			assert_int_equal(got.width, s->width);
			assert_int_equal(got.length, s->length);
			assert_int_equal(got.reg, r);
			assert_true(insn_ldst_address(insn, gpr) == sample_address(s->text));
			if (!s->write)
				assert_int_equal(got.sign_extend, s->sign_extend);
		}
	}
	assert_int_equal(at, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_compressed),
		cmocka_unit_test(sweep_standard),
		cmocka_unit_test(random_standard),
		cmocka_unit_test(htinst_transformed),
		cmocka_unit_test(htinst_special),
		cmocka_unit_test(values_of_registers),
		cmocka_unit_test(zcb_addresses),
		cmocka_unit_test(assembler_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
