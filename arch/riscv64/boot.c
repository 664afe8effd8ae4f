/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the firmware's hand-over to the generic boot: what depends on the architecture, in order.
 * Every step that fails names itself and stops the machine.
 */
#include <asm/boot.h>
#include <asm/csr.h>
#include <asm/exit.h>
#include <asm/features.h>
#include <asm/hart.h>
#include <asm/selftest.h>
#include <asm/vm.h>
#include <hv/board.h>
#include <hv/check.h>
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/host_irq.h>
#include <hv/hypercall.h>
#include <hv/log.h>
#include <hv/main.h>
#include <hv/page.h>
#include <hv/panic.h>
#include <hv/passthrough.h>
#include <hv/random.h>
#include <hv/string.h>
#include <libfdt.h>

#define FDT_MAX MIB(2)

struct board board;

/* The canary that the compiler compares; the firmware's seed makes it unpredictable. */
extern u64 __stack_chk_guard;
extern void __stack_chk_fail(void);
u64 __stack_chk_guard = 0x00000aff0a0d0000;

void __noreturn __stack_chk_fail(void)
{
	panic("stack smashed, return address %p", __builtin_return_address(0));
}

static size_t fdt_size(const void *fdt)
{
	if (!fdt || !IS_ALIGNED((uintptr_t)fdt, 8u) || fdt_magic(fdt) != FDT_MAGIC)
		return 0;
	return MIN((u64)fdt_totalsize(fdt), FDT_MAX);
}

/* The boot hart becomes number 0, the others follow in the tree's order. */
static void harts_init(u64 boot_id)
{
	u32 next = 1;

	for (u32 i = 0; i < board.harts; i++) {
		bool boot = board.hart[i].hartid == boot_id;
		struct hart *hart = &harts[boot ? 0 : next];

		if (!boot && next == HARTS)
			continue;
		hart->index = boot ? 0 : next++;
		hart->hartid = board.hart[i].hartid;
		hart->board = &board.hart[i];
	}
	hart_count = next;
	if (!harts[0].board)
		boot_refuse("hart %llu, which runs, is not in the device tree",
		      (unsigned long long)boot_id);
}

static struct page_span span(u64 base, u64 size)
{
	return (struct page_span){ .base = base, .size = size };
}

/* What the loader put where no memory is, is not there. */
static void check_initrd(void)
{
	const struct board_range *initrd = &board.initrd;
	u64 missing = board_missing(&board, initrd);

	if (missing)
		boot_refuse("the boot image (%llu KiB at 0x%llx) does not fit into the board's "
			    "memory: %llu KiB are missing; give it more memory",
			    (unsigned long long)ALIGN_UP(initrd->size, KIB(1)) >> 10,
			    (unsigned long long)initrd->base,
			    (unsigned long long)ALIGN_UP(missing, KIB(1)) >> 10);
}

static void memory_init(const void *fdt, size_t fdt_bytes)
{
	struct page_span memory[BOARD_RANGES], reserved[BOARD_RANGES], kept[3];
	u32 keeps = 0;

	check_initrd();
	for (u32 i = 0; i < board.ranges; i++)
		memory[i] = span(board.memory[i].base, board.memory[i].size);
	for (u32 i = 0; i < board.reserved_ranges; i++)
		reserved[i] = span(board.reserved[i].base, board.reserved[i].size);
	kept[keeps++] = span((uintptr_t)_image_start, (u64)(_image_end - _image_start));
	kept[keeps++] = span((uintptr_t)fdt, fdt_bytes);
	if (board.initrd.size)
		kept[keeps++] = span(board.initrd.base, board.initrd.size);
	if (page_init(memory, board.ranges, reserved, board.reserved_ranges, kept, keeps))
		boot_refuse("the memory that the device tree gives is not usable");
	if (passthrough_reserve(&board))
		boot_refuse("a device that Shyper needs overlaps memory or another device");
	if (hvmap_init())
		boot_refuse("Shyper's own page tables cannot be made");
}

bool arch_option(const char *arg, size_t len)
{
	static const char selftest[] = "selftest=";
	size_t prefix = sizeof(selftest) - 1;

	if (len == strlen("hlvx=1") && !memcmp(arg, "hlvx=1", len)) {
		exit_force_hlvx = true;
		return true;
	}
	return len > prefix && !memcmp(arg, selftest, prefix) &&
	       selftest_choose(arg + prefix, len - prefix);
}

/* On the boot stack; it never returns, so it may change the canary. */
void __noreturn __attribute__((no_stack_protector)) boot_main(u64 hartid, const void *fdt)
{
	size_t fdt_bytes = fdt_size(fdt);
	const char *why;
	u64 canary;

	console_early_init();
	if (board_parse(&board, fdt, fdt_bytes, &why))
		boot_refuse("device tree: %s", why);
	random_init(board.rng_seed, board.rng_seed_size);
	random_bytes((u8 *)&canary, sizeof(canary));
	__stack_chk_guard = canary & ~(u64)0xff;	/* a zero byte stops string functions */

	harts_init(hartid);
	main_options(board.bootargs);
	if (!board_isa_has(harts[0].board->isa, "h"))
		boot_refuse("the hart lacks the hypervisor extension (H), which Shyper needs; "
			    "with QEMU use -cpu rv64, max, or one with h=on. It has %s",
			    harts[0].board->isa);
	features_boot(harts[0].board);
	memory_init(fdt, fdt_bytes);
	vmid_space_init(&vm_vmids, features.vmid_bits);
	clock_init(&board);
	console_init(&board);
	if (host_irq_init(&board))
		log_warn("boot: no interrupt controller that Shyper drives: no console input");
	hart_kick_init();
	hart_init();
	console_input_init(&board);
	hart_start_others();
	main_start();
	selftest_start();
	console_run();
	hypercall_open();
	hart_loop();
}
