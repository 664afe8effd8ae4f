/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's own faults arrive with the right scause, stval, sepc and previous mode. */
#include "exec.h"
#include "guest.h"

#define V 0x01UL
#define R 0x02UL
#define W 0x04UL
#define X 0x08UL
#define U 0x10UL
#define AD 0xc0UL
#define C_EBREAK 0x9002U
#define EBREAK 0x00100073U

static u64 page[512] __attribute__((aligned(4096)));
static u64 user_code[2] __attribute__((aligned(8)));

static void jump(unsigned long to)
{
	__asm__ volatile("jalr ra, %0" ::"r"(to) : "ra", "memory");
}

static void check_basic(void)
{
	struct exec e;
	struct trap t;

	exec_fill(&e);
	exec_insn(&e, EBREAK, EXEC_INSIDE);
	check_eq("ebreak", e.cause, CAUSE_BREAKPOINT);
	CHECK("ebreak stval", e.value == e.epc || e.value == 0, "0x%lx", e.value);
	exec_insn(&e, C_EBREAK, EXEC_INSIDE);
	check_eq("c.ebreak", e.cause, CAUSE_BREAKPOINT);
	exec_insn(&e, 0, EXEC_INSIDE);
	check_eq("c.illegal", e.cause, CAUSE_ILLEGAL);
	exec_insn(&e, 0xffffffff, EXEC_ACROSS);
	check_eq("illegal across a page end", e.cause, CAUSE_ILLEGAL);
	t = TRY(__asm__ volatile("csrw 0xc00, zero"));
	check_cause("write to a read-only CSR", t, CAUSE_ILLEGAL);
	check_eq("S-mode before", t.status & SSTATUS_SPP, SSTATUS_SPP);
}

/* The machine may do misaligned accesses itself, or report them; never wrongly. */
static void check_misaligned(void)
{
	unsigned long at = (unsigned long)page + 4093;
	volatile u64 *p = (volatile u64 *)(at - 8);
	u64 x = 0;
	struct trap t = TRY(x = *p);

	(void)x;
	CHECK("misaligned load", t.cause == TRAP_NONE || t.cause == CAUSE_LOAD_MISALIGNED,
	      "cause %ld", (long)t.cause);
	t = TRY(*p = 0x1122334455667788UL);
	CHECK("misaligned store", t.cause == TRAP_NONE || t.cause == CAUSE_STORE_MISALIGNED,
	      "cause %ld", (long)t.cause);
	t = TRY(__asm__ volatile("lr.w %0, (%1)" : "=r"(x) : "r"(p)));
	CHECK("misaligned lr",
	      t.cause == CAUSE_LOAD_MISALIGNED || t.cause == CAUSE_LOAD_ACCESS, "cause %ld",
	      (long)t.cause);
	t = TRY(__asm__ volatile("amoadd.w %0, %0, (%1)" : "+r"(x) : "r"(p)));
	/* QEMU reports the load half of it. */
	CHECK("misaligned amo", t.cause == TRAP_NONE || t.cause == CAUSE_STORE_MISALIGNED ||
					t.cause == CAUSE_STORE_ACCESS ||
					t.cause == CAUSE_LOAD_MISALIGNED,
	      "cause %ld", (long)t.cause);
}

static void check_page(const char *name, unsigned long flags, unsigned long load,
		       unsigned long store, unsigned long fetch)
{
	unsigned long at = MMU_PAGE + 0x10;
	unsigned long x;

	say("# %s\n", name);
	mmu_page((unsigned long)page, flags);
	check_trap("load", TRY(read_u16(at)), load, at);
	check_trap("store", TRY(write_u64(at, 0x8082)), store, at); /* c.ret for the fetch */
	check_trap("amo", TRY(__asm__ volatile("amoor.w %0, zero, (%1)" : "=r"(x) : "r"(at))),
		   store, at);
	__asm__ volatile("fence.i" ::: "memory");
	check_trap("fetch", TRY(jump(at)), fetch, at);
}

static void check_paging(void)
{
	const unsigned long none = TRAP_NONE;

	page[2] = 0x8082;
	mmu_on();
	check_page("absent", 0, CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, CAUSE_FETCH_PAGE);
	check_page("read only", V | R | AD, none, CAUSE_STORE_PAGE, CAUSE_FETCH_PAGE);
	check_page("read, write", V | R | W | AD, none, none, CAUSE_FETCH_PAGE);
	check_page("execute only", V | X | AD, CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, none);
	check_page("all", V | R | W | X | AD, none, none, none);
	check_page("user", V | R | W | X | U | AD, CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE,
		   CAUSE_FETCH_PAGE);
	check_page("reserved", V | W | AD, CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, CAUSE_FETCH_PAGE);
	check_trap("not canonical", TRY(read_u8(0x4000000000UL)), CAUSE_LOAD_PAGE,
		   0x4000000000UL);
	csr_set(sstatus, SSTATUS_SUM);
	mmu_page((unsigned long)page, V | R | W | U | AD);
	check_trap("user page with SUM", TRY(read_u8(MMU_PAGE)), TRAP_NONE, 0);
	csr_clear(sstatus, SSTATUS_SUM);
	csr_set(sstatus, SSTATUS_MXR);
	mmu_page((unsigned long)page, V | X | AD);
	check_trap("execute only with MXR", TRY(read_u8(MMU_PAGE)), TRAP_NONE, 0);
	csr_clear(sstatus, SSTATUS_MXR);
	mmu_off();
}

/* A page table in no memory, or a leaf that points out of it: access faults of the walk. */
static void check_bad_tables(void)
{
	mmu_on();
	mmu_page(NOWHERE, V | R | W | X | AD);
	check_trap("leaf to nowhere", TRY(read_u8(MMU_PAGE)), CAUSE_LOAD_ACCESS, MMU_PAGE);
	mmu_page_unfenced(0xffffffffff000UL, V | R | W | X | AD);
	__asm__ volatile("sfence.vma" ::: "memory");
	check_trap("leaf to the last page", TRY(write_u8(MMU_PAGE, 0)), CAUSE_STORE_ACCESS,
		   MMU_PAGE);
	mmu_off();
}

static void check_walk_nowhere(void)
{
	static u64 table[512] __attribute__((aligned(4096)));
	struct trap load, store, fetch;
	unsigned long at = 0x40000000UL;

	table[1] = NOWHERE >> 12 << 10 | V;
	table[0] = 0 | V | R | W | AD;
	table[RAM_BASE >> 30] = RAM_BASE >> 12 << 10 | V | R | W | X | AD;
	csr_write(satp, 8UL << 60 | (unsigned long)table >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
	load = TRY(read_u32(at));
	store = TRY(write_u32(at + 4, 1));
	fetch = TRY(jump(at + 8));
	mmu_off();
	if (!under_shyper())
		return; /* QEMU makes page faults of these, against the manual */
	check_trap("walk to nowhere, load", load, CAUSE_LOAD_ACCESS, at);
	check_trap("walk to nowhere, store", store, CAUSE_STORE_ACCESS, at + 4);
	check_trap("walk to nowhere, fetch", fetch, CAUSE_FETCH_ACCESS, at + 8);
}

static void check_user(void)
{
	unsigned long code = (unsigned long)user_code - RAM_BASE + USER_BASE;
	struct trap t;

	mmu_on();
	user_code[0] = 0x00000073; /* ecall */
	__asm__ volatile("fence.i" ::: "memory");
	t = user_run(code, 0);
	check_trap("ecall from U", t, CAUSE_ECALL_U, 0);
	check_eq("its sepc", t.epc, code);
	check_eq("its mode", t.status & SSTATUS_SPP, 0);
	user_code[0] = 0x00052503; /* lw a0, 0(a0) */
	__asm__ volatile("fence.i" ::: "memory");
	t = user_run(code, RAM_BASE);
	check_trap("U loads an S page", t, CAUSE_LOAD_PAGE, RAM_BASE);
	t = user_run(code, 0x7000000000000000UL);
	check_trap("U loads no page", t, CAUSE_LOAD_PAGE, 0x7000000000000000UL);
	check_trap("U runs an S page", user_run(RAM_BASE + 4, 0), CAUSE_FETCH_PAGE, RAM_BASE + 4);
	mmu_page(NOWHERE, V | R | W | X | U | AD);
	check_trap("U loads nowhere", user_run(code, MMU_PAGE + 8), CAUSE_LOAD_ACCESS,
		   MMU_PAGE + 8);
	t = user_run(MMU_PAGE + 16, 0);
	check_trap("U runs nowhere", t, CAUSE_FETCH_ACCESS, MMU_PAGE + 16);
	check_eq("from U", t.status & SSTATUS_SPP, 0);
	mmu_off();
}

/* Nothing the guest saw leaves a trace in the CSRs it may use freely. */
static void check_csrs(void)
{
	csr_write(sscratch, 0x123456789abcdef0UL);
	csr_write(sepc, 0x80200000UL);
	read_u8(UART_BASE + 5);
	sbi(SBI_EXT_BASE, 0);
	sbi(SBI_EXT_RFENCE, 0, 0, -1UL);
	check_eq("sscratch kept", csr_read(sscratch), 0x123456789abcdef0UL);
	check_eq("sepc kept", csr_read(sepc), 0x80200000UL);
}

void payload(void)
{
	check_basic();
	check_misaligned();
	check_paging();
	check_bad_tables();
	check_walk_nowhere();
	check_user();
	check_csrs();
}
