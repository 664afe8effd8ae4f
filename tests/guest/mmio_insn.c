/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every integer load and store form, compressed ones too, with every register, on emulated
 * devices: the value is right, its sign is right, and nothing but the target register changes.
 * With paging off and on, inside a page and across the end of one.
 */
#include "exec.h"
#include "guest.h"

#define PTE_RW 0xc7UL
#define PTE_X 0xc9UL
#define PTE_URW 0xd7UL
#define LW_A0_A0 0x00052503U
#define LW_A1_A0 0x00052583U
#define SW_A1_4_A0 0x00b52223U
#define ECALL 0x73U
#define C_RET 0x8082U
#define SCRATCH (UART_BASE + 7)
#define PATTERN 0x9e4f8a71U /* negative as a byte, a half and a word would be, bytes differ */

/* How a form's immediate is scattered: where bit i of the offset sits in the instruction. */
enum layout { I_TYPE, S_TYPE, CL_W, CL_D, CSS_W, CSS_D, CI_W, CI_D, CLB_B, CLB_H };

struct form {
	const char *name;
	u32 base;
	u8 size;
	bool sign;
	bool store;
	enum layout layout;
};

static const struct form forms[] = {
	{"lb", 0x0003, 1, true, false, I_TYPE},	    {"lh", 0x1003, 2, true, false, I_TYPE},
	{"lw", 0x2003, 4, true, false, I_TYPE},	    {"ld", 0x3003, 8, true, false, I_TYPE},
	{"lbu", 0x4003, 1, false, false, I_TYPE},   {"lhu", 0x5003, 2, false, false, I_TYPE},
	{"lwu", 0x6003, 4, false, false, I_TYPE},   {"sb", 0x0023, 1, false, true, S_TYPE},
	{"sh", 0x1023, 2, false, true, S_TYPE},	    {"sw", 0x2023, 4, false, true, S_TYPE},
	{"sd", 0x3023, 8, false, true, S_TYPE},	    {"c.lw", 0x4000, 4, true, false, CL_W},
	{"c.ld", 0x6000, 8, true, false, CL_D},	    {"c.sw", 0xc000, 4, false, true, CL_W},
	{"c.sd", 0xe000, 8, false, true, CL_D},	    {"c.lwsp", 0x4002, 4, true, false, CI_W},
	{"c.ldsp", 0x6002, 8, true, false, CI_D},   {"c.swsp", 0xc002, 4, false, true, CSS_W},
	{"c.sdsp", 0xe002, 8, false, true, CSS_D},  {"c.lbu", 0x8000, 1, false, false, CLB_B},
	{"c.lhu", 0x8400, 2, false, false, CLB_H},  {"c.lh", 0x8440, 2, true, false, CLB_H},
	{"c.sb", 0x8800, 1, false, true, CLB_B},    {"c.sh", 0x8c00, 2, false, true, CLB_H},
};

/* Where the devices are in the address space in use. */
struct view {
	const char *name;
	unsigned long word; /* a register of 32 writable bits */
	unsigned long byte; /* one of 8 */
	enum exec_place place;
};

static unsigned long failures;

static bool compressed(const struct form *f)
{
	return f->layout >= CL_W;
}

static bool by_sp(const struct form *f)
{
	return f->layout >= CSS_W && f->layout <= CI_D;
}

static u32 at(unsigned int bits, unsigned int from, unsigned int to, unsigned int width)
{
	return (bits >> from & ((1U << width) - 1)) << to;
}

/* reg: rd of a load, rs2 of a store. */
static u32 encode(const struct form *f, u32 reg, u32 base, int offset)
{
	u32 o = (u32)offset;
	u32 small = f->base | (base & 7) << 7 | (reg & 7) << 2;

	switch (f->layout) {
	case I_TYPE:
		return f->base | o << 20 | base << 15 | reg << 7;
	case S_TYPE:
		return f->base | at(o, 5, 25, 7) | at(o, 0, 7, 5) | reg << 20 | base << 15;
	case CL_W:
		return small | at(o, 3, 10, 3) | at(o, 2, 6, 1) | at(o, 6, 5, 1);
	case CL_D:
		return small | at(o, 3, 10, 3) | at(o, 6, 5, 2);
	case CSS_W:
		return f->base | reg << 2 | at(o, 2, 9, 4) | at(o, 6, 7, 2);
	case CSS_D:
		return f->base | reg << 2 | at(o, 3, 10, 3) | at(o, 6, 7, 3);
	case CI_W:
		return f->base | reg << 7 | at(o, 5, 12, 1) | at(o, 2, 4, 3) | at(o, 6, 2, 2);
	case CI_D:
		return f->base | reg << 7 | at(o, 5, 12, 1) | at(o, 3, 5, 2) | at(o, 6, 2, 3);
	case CLB_B:
		return small | at(o, 0, 6, 1) | at(o, 1, 5, 1);
	case CLB_H:
		return small | at(o, 1, 5, 1);
	}
	return 0;
}

static bool can_hold(const struct form *f, u32 reg)
{
	if (f->layout == CI_W || f->layout == CI_D)
		return reg != 0;
	if (compressed(f) && !by_sp(f))
		return reg >= 8 && reg < 16;
	return true;
}

static unsigned long extend(u64 value, unsigned int size, bool sign)
{
	unsigned int shift = 64 - 8 * size;

	return sign ? (unsigned long)((long)(value << shift) >> shift) : value << shift >> shift;
}

static void fail(const struct form *f, const struct exec *e, const char *what, u32 insn)
{
	if (failures++ < 3)
		say("# %s (0x%x): %s; cause %ld stval 0x%lx\n", f->name, insn, what,
		    (long)e->cause, e->value);
}

/* No register but `but` may differ from what was loaded. */
static bool unchanged(const struct exec *before, const struct exec *after, u32 but)
{
	for (u32 i = 1; i < 32; i++)
		if (i != but && before->x[i] != after->x[i])
			return false;
	return true;
}

static u64 device_value(const struct form *f, const struct view *v)
{
	return f->size == 1 ? read_u8(v->byte) : read_u32(v->word);
}

static void preset(const struct form *f, const struct view *v, u32 value)
{
	if (f->size == 1)
		write_u8(v->byte, (u8)value);
	else
		write_u32(v->word, value);
}

/* A device may refuse halves and doubles, with the right fault and nothing else changed. */
static bool refused(const struct form *f, const struct exec *e, unsigned long addr)
{
	return (f->size == 2 || f->size == 8) && e->value == addr &&
	       e->cause == (f->store ? CAUSE_STORE_ACCESS : CAUSE_LOAD_ACCESS);
}

static void judge_load(const struct form *f, const struct exec *before, const struct exec *e,
		       u32 rd, u32 insn)
{
	unsigned long got = e->x[rd];

	if (!unchanged(before, e, rd))
		fail(f, e, "another register changed", insn);
	else if (rd && (f->size == 1 || f->size == 4) &&
		 got != extend(PATTERN, f->size, f->sign))
		fail(f, e, "wrong value", insn);
	else if (rd && got != extend(got, f->size, f->sign))
		fail(f, e, "wrong sign", insn);
}

static void judge_store(const struct form *f, const struct view *v, const struct exec *before,
			const struct exec *e, u32 rs, u32 insn)
{
	u64 want = rs ? extend(before->x[rs], f->size, false) : 0;

	if (!unchanged(before, e, 0))
		fail(f, e, "a register changed", insn);
	else if ((f->size == 1 || f->size == 4) && device_value(f, v) != want)
		fail(f, e, "wrong value stored", insn);
}

static void one(const struct form *f, const struct view *v, u32 reg, u32 base, int offset)
{
	unsigned long addr = f->size == 1 ? v->byte : v->word;
	u32 insn = encode(f, reg, base, offset);
	struct exec before;
	struct exec e;

	preset(f, v, f->store ? 0 : PATTERN);
	exec_fill(&before);
	before.x[base] = addr - (unsigned long)(long)offset;
	e = before;
	exec_insn(&e, insn, compressed(f) ? EXEC_INSIDE : v->place);
	if (refused(f, &e, addr)) {
		if (!unchanged(&before, &e, 0))
			fail(f, &e, "a register changed on a fault", insn);
	} else if (e.cause != TRAP_NONE) {
		fail(f, &e, "trap", insn);
	} else if (f->store) {
		judge_store(f, v, &before, &e, reg, insn);
	} else {
		judge_load(f, &before, &e, reg, insn);
	}
}

static u32 base_for(const struct form *f, u32 reg)
{
	if (by_sp(f))
		return 2;
	if (compressed(f))
		return reg == 8 ? 15 : 8;
	return reg == 31 ? 1 : reg + 1;
}

static void check_form(const struct form *f, const struct view *v)
{
	static const int offsets[] = {0, 2047, -2048, 1, -1};
	static const int small[] = {0, 4, 8, 64, 1, 2, 3, 16, 32, 120};

	failures = 0;
	for (u32 reg = 0; reg < 32; reg++) {
		if (!can_hold(f, reg))
			continue;
		one(f, v, reg, base_for(f, reg), 0);
		if (reg && !by_sp(f))
			one(f, v, reg, reg, 0);
	}
	for (size_t i = 0; !compressed(f) && i < ARRAY_SIZE(offsets); i++)
		one(f, v, 10, 11, offsets[i]);
	for (size_t i = 0; compressed(f) && i < ARRAY_SIZE(small); i++)
		if (f->layout >= CLB_B ? small[i] < 4 && small[i] % f->size == 0 :
					 small[i] % f->size == 0)
			one(f, v, 10, by_sp(f) ? 2 : 11, small[i]);
	CHECK(f->name, !failures, "%lu wrong, %s", failures, v->name);
}

static bool implemented(const struct form *f)
{
	static u64 memory;
	struct exec e;

	exec_fill(&e);
	e.x[9] = e.x[2] = (unsigned long)&memory;
	exec_insn(&e, encode(f, 8, by_sp(f) ? 2 : 9, 0), EXEC_INSIDE);
	return e.cause != CAUSE_ILLEGAL;
}

static void check_view(const struct view *v)
{
	say("# %s\n", v->name);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (implemented(&forms[i]))
			check_form(&forms[i], v);
}

static u16 pages[3][2048] __attribute__((aligned(4096)));

static void put_insn(u16 *at, u32 insn)
{
	at[0] = (u16)insn;
	at[1] = (u16)(insn >> 16);
}

static unsigned long call(unsigned long at, unsigned long arg)
{
	__asm__ volatile("fence.i" ::: "memory");
	return ((unsigned long (*)(unsigned long))at)(arg);
}

/* Hypervisors that fetch the instruction themselves must do it as the guest would. */
static void check_fetch(unsigned long word)
{
	unsigned long want = extend(PATTERN, 4, true);

	write_u32(word, PATTERN);
	put_insn(&pages[0][8], LW_A0_A0);
	pages[0][10] = C_RET;
	mmu_page((unsigned long)pages[0], PTE_X);
	check_eq("in an execute-only page", call(MMU_PAGE + 16, word), want);
	/* In the frame behind the first half lies another instruction: c.ret. */
	pages[0][2047] = (u16)LW_A0_A0;
	pages[1][0] = C_RET;
	pages[2][0] = (u16)(LW_A0_A0 >> 16);
	pages[2][1] = C_RET;
	mmu_next_page((unsigned long)pages[2], PTE_X);
	check_eq("in two frames apart", call(MMU_PAGE + 4094, word), want);
}

/* U-mode copies the word to the next one. */
static void check_user(unsigned long word)
{
	unsigned long code = (unsigned long)&pages[0][16] - RAM_BASE + USER_BASE;
	struct trap t;

	write_u32(word, PATTERN);
	write_u32(word + 4, 0);
	put_insn(&pages[0][16], LW_A1_A0);
	put_insn(&pages[0][18], SW_A1_4_A0);
	put_insn(&pages[0][20], ECALL);
	__asm__ volatile("fence.i" ::: "memory");
	mmu_page(word & ~0xfffUL, PTE_URW);
	t = user_run(code, MMU_PAGE + (word & 0xfff));
	check_trap("from U-mode", t, CAUSE_ECALL_U, 0);
	check_eq("what U-mode copied", read_u32(word + 4), PATTERN);
	mmu_page(word & ~0xfffUL, PTE_RW);
	t = user_run(code, MMU_PAGE + (word & 0xfff));
	check_trap("U-mode, not its page", t, CAUSE_LOAD_PAGE, MMU_PAGE + (word & 0xfff));
	write_u32(word + 4, 0);
}

/* An access that begins in RAM and ends in a device reaches neither: no part is done. */
static void check_across_access(void)
{
	bool plic = irqchip() == IRQCHIP_PLIC;
	unsigned long word = plic ? plic_threshold(2 * (u32)boot_hart + 1) : APLIC_BASE;
	u32 before;
	struct trap t;

	mmu_page((unsigned long)pages[0], PTE_RW);
	mmu_next_page(word & ~0xfffUL, PTE_RW);
	if (plic)
		write_u32(word, 3);
	before = read_u32(word);
	for (unsigned long i = 1; i < 4; i++) {
		t = TRY(write_u32(MMU_PAGE + 4096 - i, 0x05050505));
		check_cause("store across the end of RAM", t, CAUSE_STORE_ACCESS);
		check_eq("no part of it is done", read_u32(word), before);
		t = TRY(read_u32(MMU_PAGE + 4096 - i));
		check_cause("load across the end of RAM", t, CAUSE_LOAD_ACCESS);
	}
	if (plic)
		write_u32(word, 0);
}

void payload(void)
{
	/* The RTC's alarm; its interrupt stays disabled. */
	unsigned long word = RTC_BASE + 8;
	struct view v = {"paging off", word, SCRATCH, EXEC_INSIDE};

	check_view(&v);
	v.name = "across a page end";
	v.place = EXEC_ACROSS;
	check_view(&v);
	mmu_on();
	v.name = "paging on, identity";
	check_view(&v);
	v.name = "paging on, moved word";
	mmu_page(word & ~0xfffUL, PTE_RW);
	v.word = MMU_PAGE + (word & 0xfff);
	v.place = EXEC_INSIDE;
	check_view(&v);
	v.name = "paging on, moved byte";
	mmu_page(UART_BASE, PTE_RW);
	v.word = word;
	v.byte = MMU_PAGE + 7;
	check_view(&v);
	check_fetch(word);
	check_user(word);
	if (under_shyper())
		check_across_access();
	mmu_off();
	write_u32(word, 0);
}
