/* SPDX-License-Identifier: BSD-2-Clause */
/* The device tree that the machine hands over agrees with the machine. */
#include <libfdt.h>

#include "guest.h"

/* libfdt.a was built with a stack protector. */
unsigned long __stack_chk_guard = 0x5a5a5a5a5a5a5a5aUL;
void __stack_chk_fail(void);

static const void *fdt;

void __stack_chk_fail(void)
{
	CHECK("stack protector", false, "smashed in libfdt");
	finish();
}

static const char *text(int node, const char *name)
{
	const char *s = node < 0 ? NULL : fdt_getprop(fdt, node, name, NULL);

	return s ? s : "";
}

static u64 cell(int node, const char *name)
{
	int size = 0;
	const fdt32_t *c = node < 0 ? NULL : fdt_getprop(fdt, node, name, &size);

	if (!c)
		return -1UL;
	return size == 8 ? (u64)fdt32_to_cpu(c[0]) << 32 | fdt32_to_cpu(c[1]) : fdt32_to_cpu(c[0]);
}

/* The source number, whatever follows it for this controller. */
static u64 source(int node)
{
	const fdt32_t *c = node < 0 ? NULL : fdt_getprop(fdt, node, "interrupts", NULL);

	return c ? fdt32_to_cpu(*c) : -1UL;
}

static void check_reg(const char *what, int node, u64 base, u64 size)
{
	int length = 0;
	const fdt64_t *reg = node < 0 ? NULL : fdt_getprop(fdt, node, "reg", &length);
	u64 got[2] = {0, 0};

	if (reg && length == 16) {
		memcpy(got, reg, 16);
		got[0] = fdt64_to_cpu(got[0]);
		got[1] = fdt64_to_cpu(got[1]);
	}
	CHECK(what, got[0] == base && (!size || got[1] == size), "reg 0x%lx 0x%lx (node %d)",
	      got[0], got[1], node);
}

static int by_compatible(const char *what)
{
	return fdt_node_offset_by_compatible(fdt, -1, what);
}

/* The single-letter extensions, which end at the first '_' or 'z', 's', 'x' of a long name. */
static bool has_letter(const char *isa, char letter)
{
	for (isa += 4; *isa && *isa != '_'; isa++)
		if (*isa == letter)
			return true;
	return false;
}

static bool has_word(const char *isa, const char *word)
{
	size_t n = strlen(word);

	for (; *isa; isa++)
		if (!strncmp(isa, word, n) && (isa[n] == 0 || isa[n] == '_'))
			return true;
	return false;
}

static void check_isa(const char *isa)
{
	CHECK("rv64", !strncmp(isa, "rv64", 4), "%s", isa);
	CHECK("ISA has imac", has_letter(isa, 'i') && has_letter(isa, 'm') &&
				      has_letter(isa, 'a') && has_letter(isa, 'c'),
	      "%s", isa);
	CHECK_SHYPER("ISA has no h", !has_letter(isa, 'h'), "%s", isa);
	check_eq("ISA tells V", has_letter(isa, 'v'), have_vector());
	check_eq("ISA tells Sstc", has_word(isa, "_sstc"), have_sstc());
	CHECK_SHYPER("no M-mode extensions", !has_word(isa, "_smstateen") &&
						     !has_word(isa, "_smaia") &&
						     !has_word(isa, "_sdtrig"),
		     "%s", isa);
}

static void check_cpus(void)
{
	int cpus = fdt_path_offset(fdt, "/cpus");
	unsigned long n = 0;
	int node;

	CHECK("/cpus", cpus >= 0, "error %d", cpus);
	check_eq("timebase", cell(cpus, "timebase-frequency"), TIMEBASE);
	fdt_for_each_subnode(node, fdt, cpus) {
		u64 id = cell(node, "reg");

		if (strcmp(text(node, "device_type"), "cpu"))
			continue;
		n++;
		CHECK("a cpu that HSM knows", hart_status(id) >= 0, "reg %lu", id);
		check_isa(text(node, "riscv,isa"));
		CHECK("status", !strcmp(text(node, "status"), "okay"), "%s", text(node, "status"));
		CHECK("mmu-type", !strncmp(text(node, "mmu-type"), "riscv,sv", 8), "%s",
		      text(node, "mmu-type"));
		CHECK("interrupt controller",
		      fdt_node_check_compatible(fdt, fdt_first_subnode(fdt, node),
						"riscv,cpu-intc") == 0,
		      "missing");
	}
	check_eq("as many as HSM", n, hart_count());
}

/* Binding riscv,aplic, and riscv,imsics where it sends messages. */
static void check_aplic(int aplic)
{
	u32 parent = (u32)cell(aplic, "msi-parent");
	int imsic = parent ? fdt_node_offset_by_phandle(fdt, parent) : -1, size = 0;

	check_reg("APLIC", aplic, APLIC_BASE, 0);
	CHECK("sources", cell(aplic, "riscv,num-sources") >= 95, "%lu",
	      cell(aplic, "riscv,num-sources"));
	check_eq("interrupt cells", cell(aplic, "#interrupt-cells"), 2);
	if (imsic < 0) {
		CHECK("harts", fdt_getprop(fdt, aplic, "interrupts-extended", &size), "none");
		check_eq("each", (u64)size, hart_count() * 8);
		return;
	}
	check_reg("IMSIC", imsic, IMSIC_BASE, hart_count() * 0x1000);
	CHECK("IMSIC", !fdt_node_check_compatible(fdt, imsic, "riscv,imsics"), "another");
	CHECK("identities", cell(imsic, "riscv,num-ids") >= 63, "%lu",
	      cell(imsic, "riscv,num-ids"));
	CHECK("harts", fdt_getprop(fdt, imsic, "interrupts-extended", &size), "none");
	check_eq("each", (u64)size, hart_count() * 8);
	CHECK("Ssaia", have_ssaia(), "missing");
}

static void check_plic(void)
{
	int plic = by_compatible("sifive,plic-1.0.0");
	int aplic = by_compatible("riscv,aplic");
	int size = 0;

	if (plic < 0 && aplic >= 0) {
		check_aplic(aplic);
		return;
	}
	check_reg("PLIC", plic, PLIC_BASE, 0);
	if (plic < 0)
		return;
	CHECK("sources", cell(plic, "riscv,ndev") >= 95, "%lu", cell(plic, "riscv,ndev"));
	CHECK("contexts", fdt_getprop(fdt, plic, "interrupts-extended", &size), "none");
	check_eq("M and S context of each hart", (u64)size, hart_count() * 16);
	check_eq("interrupt cells", cell(plic, "#interrupt-cells"), 1);
}

static void check_devices(void)
{
	int uart = by_compatible("ns16550a");
	int rtc = by_compatible("google,goldfish-rtc");
	int chosen = fdt_path_offset(fdt, "/chosen");

	check_reg("UART", uart, UART_BASE, 0);
	check_eq("UART interrupt", source(uart), UART_IRQ);
	check_reg("finisher", by_compatible("sifive,test1"), FINISHER_BASE, 0x1000);
	check_reg("RTC", rtc, RTC_BASE, 0x1000);
	check_eq("RTC interrupt", source(rtc), RTC_IRQ);
	check_eq("stdout is the UART", (u64)fdt_path_offset(fdt, text(chosen, "stdout-path")),
		 (u64)uart);
	CHECK_SHYPER("no device that is not there", by_compatible("pci-host-ecam-generic") < 0 &&
							    by_compatible("cfi-flash") < 0,
		     "PCIe or flash");
	CHECK("power off", by_compatible("syscon-poweroff") >= 0, "missing");
	CHECK("reboot", by_compatible("syscon-reboot") >= 0, "missing");
}

static void check_memory(void)
{
	int memory = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", 7);
	int length = 0;
	const fdt64_t *reg = memory < 0 ? NULL : fdt_getprop(fdt, memory, "reg", &length);
	u64 end;
	fdt64_t cells[2];

	check_reg("memory", memory, RAM_BASE, 0);
	if (!reg || length != 16)
		return;
	memcpy(cells, reg, 16);
	end = fdt64_to_cpu(cells[0]) + fdt64_to_cpu(cells[1]);
	CHECK("the tree lies in it, aligned",
	      boot_dtb > RAM_BASE && boot_dtb + fdt_totalsize(fdt) <= end && !(boot_dtb & 7),
	      "0x%lx", boot_dtb);
	check_trap("its last word", TRY(*(volatile u64 *)(end - 8)), TRAP_NONE, 0);
	check_trap("not one word more", TRY(*(volatile u64 *)end), CAUSE_LOAD_ACCESS, end);
}

void payload(void)
{
	fdt = (const void *)boot_dtb;
	CHECK("tree", fdt_check_header(fdt) == 0, "bad header at 0x%lx", boot_dtb);
	check_cpus();
	check_memory();
	check_plic();
	check_devices();
}
