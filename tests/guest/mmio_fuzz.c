/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every device, at every offset that matters, with every width, aligned or not, across its end,
 * with AMO, LR/SC, FP and vector accesses and as code: a value or a fault of the right kind with
 * the right address, and the guest lives on. The finisher gets only values that it ignores.
 */
#include "guest.h"

struct device {
	const char *name;
	unsigned long base;
	unsigned long size;
	unsigned long step; /* between the offsets tried */
	enum irqchip chip; /* 0: on each board */
};

static const struct device devices[] = {
	{"finisher", FINISHER_BASE, 0x1000, 4, 0},
	{"rtc", RTC_BASE, 0x1000, 4, 0},
	{"uart", UART_BASE, 0x100, 1, 0},
	{"plic priorities", PLIC_BASE, 0x1000, 4, IRQCHIP_PLIC},
	{"plic pending", PLIC_BASE + 0x1000, 0x100, 4, IRQCHIP_PLIC},
	{"plic enables", PLIC_BASE + 0x2000, 0x2000, 0x1c, IRQCHIP_PLIC},
	{"plic contexts", PLIC_BASE + 0x200000, 0x40000, 0x7fc, IRQCHIP_PLIC},
	{"plic end", PLIC_BASE + PLIC_SIZE - 0x100, 0x100, 4, IRQCHIP_PLIC},
	{"aplic sources", APLIC_BASE, 0x1000, 0x1c, IRQCHIP_APLIC},
	{"aplic bits", APLIC_BASE + 0x1c00, 0x500, 4, IRQCHIP_APLIC},
	{"aplic targets", APLIC_BASE + 0x3000, 0x1000, 0x1c, IRQCHIP_APLIC},
	{"aplic harts", APLIC_BASE + 0x4000, 0x100, 4, IRQCHIP_APLIC},
	{"aplic end", APLIC_BASE + APLIC_SIZE - 0x100, 0x100, 4, IRQCHIP_APLIC},
	{"interrupt file", IMSIC_BASE, 0x1000, 0x1c, IRQCHIP_IMSIC},
};

static unsigned long wrong;
static bool vectors;
static u64 random_state = 0x2545f4914f6cdd1dUL;

static u64 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/*
 * The faulting address of an access that is split may lie anywhere inside of it. A misaligned
 * fault is fine where the access is misaligned.
 */
static void judge(const char *what, struct trap t, unsigned long at, unsigned long width,
		  bool store)
{
	unsigned long access = store ? CAUSE_STORE_ACCESS : CAUSE_LOAD_ACCESS;
	unsigned long misaligned = store ? CAUSE_STORE_MISALIGNED : CAUSE_LOAD_MISALIGNED;
	bool good = t.cause == TRAP_NONE;

	if (t.cause == access || (t.cause == misaligned && at % width))
		good = t.value >= at && t.value < at + width;
	if (!good && wrong++ < 5)
		say("# %s 0x%lx width %lu: cause %ld stval 0x%lx\n", what, at, width,
		    (long)t.cause, t.value);
}

static void load(unsigned long at, unsigned long width)
{
	struct trap t;

	if (width == 1)
		t = TRY(read_u8(at));
	else if (width == 2)
		t = TRY(read_u16(at));
	else if (width == 4)
		t = TRY(read_u32(at));
	else
		t = TRY(read_u64(at));
	judge("load", t, at, width, false);
}

static void store(unsigned long at, unsigned long width, u64 value)
{
	struct trap t;

	if (width == 1)
		t = TRY(write_u8(at, (u8)value));
	else if (width == 2)
		t = TRY(write_u16(at, (u16)value));
	else if (width == 4)
		t = TRY(write_u32(at, (u32)value));
	else
		t = TRY(write_u64(at, value));
	judge("store", t, at, width, true);
}

/* An AMO that is refused may be reported as its load half by QEMU's own board. */
static void atomics(unsigned long at)
{
	unsigned long x = 0;
	struct trap t = TRY(__asm__ volatile("amoor.w %0, %0, (%1)" : "+r"(x) : "r"(at)));

	if (!under_shyper() && t.cause == CAUSE_LOAD_ACCESS)
		t.cause = CAUSE_STORE_ACCESS;
	judge("amoor.w", t, at, 4, true);
	t = TRY(__asm__ volatile("amoand.d %0, %0, (%1)" : "+r"(x) : "r"(at & ~7UL)));
	if (!under_shyper() && t.cause == CAUSE_LOAD_ACCESS)
		t.cause = CAUSE_STORE_ACCESS;
	judge("amoand.d", t, at & ~7UL, 8, true);
	t = TRY(__asm__ volatile("lr.w %0, (%1)" : "=r"(x) : "r"(at)));
	judge("lr.w", t, at, 4, false);
	t = TRY(__asm__ volatile("sc.w %0, zero, (%1)" : "=r"(x) : "r"(at)));
	judge("sc.w", t, at, 4, true);
}

static void floats(unsigned long at)
{
	struct trap t = TRY(__asm__ volatile("flw f0, (%0)" ::"r"(at)));

	judge("flw", t, at, 4, false);
	t = TRY(__asm__ volatile("fmv.d.x f1, zero\nfsw f1, (%0)" ::"r"(at)));
	judge("fsw", t, at, 4, true);
	at &= ~7UL;
	t = TRY(__asm__ volatile("fld f2, (%0)" ::"r"(at)));
	judge("fld", t, at, 8, false);
	t = TRY(__asm__ volatile(".option push\n.option norvc\nfsd f1, (%0)\n.option pop"
				 ::"r"(at)));
	judge("fsd", t, at, 8, true);
	t = TRY(__asm__ volatile("mv a5, %0\nc.fld fa0, 0(a5)" ::"r"(at) : "a5"));
	judge("c.fld", t, at, 8, false);
	t = TRY(__asm__ volatile("mv a5, %0\nc.fsd fa0, 0(a5)" ::"r"(at) : "a5"));
	judge("c.fsd", t, at, 8, true);
}

static void vector(unsigned long at)
{
	struct trap t = TRY(__asm__ volatile(".option push\n.option arch, +v\n"
					     "vsetivli zero, 4, e32, m1, ta, ma\n"
					     "vle32.v v1, (%0)\n.option pop" ::"r"(at)
					     : "memory"));

	judge("vle32.v", t, at, 16, false);
	t = TRY(__asm__ volatile(".option push\n.option arch, +v\n"
				 "vsetivli zero, 2, e8, m1, ta, ma\nvmv.v.i v1, 0\n"
				 "vse8.v v1, (%0)\n.option pop" ::"r"(at)
				 : "memory"));
	judge("vse8.v", t, at, 2, true);
	csr_write(vstart, 0);
}

static void cache_block(unsigned long at)
{
	struct trap t = TRY(__asm__ volatile("mv a0, %0\n.4byte 0x0045200f" ::"r"(at) : "a0"));

	if (t.cause != CAUSE_ILLEGAL) /* cbo.zero reports some address of its block */
		judge("cbo.zero", t, at & ~63UL, 64, true);
}

static void run_code(unsigned long at)
{
	struct trap t = TRY(__asm__ volatile("jalr ra, %0" ::"r"(at & ~1UL) : "ra", "memory"));

	if (t.cause != CAUSE_FETCH_ACCESS || t.value != (at & ~1UL))
		if (under_shyper() && wrong++ < 5)
			say("# fetch 0x%lx: cause %ld stval 0x%lx\n", at, (long)t.cause, t.value);
}

static u64 harmless(const struct device *d, u64 value)
{
	return d->base == FINISHER_BASE ? 0 : value;
}

static void quiet(void)
{
	write_u8(UART_BASE + 3, 3);
	write_u8(UART_BASE + 1, 0);
	write_u8(UART_BASE + 4, 8);
	write_u8(UART_BASE + 2, 7);
}

static void at_offset(const struct device *d, unsigned long at)
{
	for (unsigned long width = 1; width <= 8; width *= 2) {
		load(at, width);
		store(at, width, harmless(d, next_random()));
		store(at, width, harmless(d, -1UL));
		store(at, width, 0);
	}
	atomics(at & ~3UL);
	floats(at & ~3UL);
	if (vectors)
		vector(at & ~3UL);
	cache_block(at);
	if (under_shyper())
		run_code(at);
}

static void check_device(const struct device *d)
{
	unsigned long end = d->base + d->size;

	wrong = 0;
	for (unsigned long at = d->base; at < end; at += d->step)
		at_offset(d, at);
	for (unsigned long i = 1; i < 8; i++) {
		for (unsigned long width = 2; width <= 8; width *= 2) {
			load(d->base + i, width);
			load(end - i, width);
			store(end - i, width, 0);
			store(d->base + i, width, 0);
		}
		load(d->base - i, 8);
	}
	quiet();
	CHECK(d->name, !wrong, "%lu wrong", wrong);
}

/* Beside IMSICs there is an APLIC too. */
static bool is_there(const struct device *d)
{
	return !d->chip || d->chip == irqchip() ||
	       (d->chip == IRQCHIP_APLIC && irqchip() == IRQCHIP_IMSIC);
}

void payload(void)
{
	vectors = have_vector();
	if (vectors)
		csr_set(sstatus, SSTATUS_VS);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (is_there(&devices[i]))
			check_device(&devices[i]);
}
