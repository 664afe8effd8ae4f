/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a guest's device tree with libfdt's sequential functions. Names, compatible strings and
 * the order of PLIC contexts are those of QEMU's virt machine.
 */
#include <asm/guest_fdt.h>

#include "guest_fdt_copy.h"

#include <libfdt.h>

#include <hv/errno.h>
#include <hv/format.h>
#include <hv/host_irq.h>
#include <hv/isa.h>
#include <hv/string.h>
#include <hv/vmdef.h>

#define IRQ_S_EXT 9	/* external interrupts: privileged specification, mip and sip */
#define IRQ_M_EXT 11

#define UART_CLOCK 3686400	/* Hz; what QEMU says, so that drivers find a divisor */
#define FINISHER_PASS 0x5555
#define FINISHER_RESET 0x7777

/* The first error of a row of writes; after it, nothing more is written. */
struct writer {
	void *fdt;
	int error;
	u32 first;	/* phandle of the first vCPU's interrupt controller; the others follow */
	u32 irqchip;	/* of the PLIC or APLIC */
	u32 imsic;
	u32 finisher;
};

#define WRITE(w, call)                                                                   \
	do {                                                                             \
		if (!(w)->error)                                                         \
			(w)->error = (call);                                             \
	} while (0)

static void begin(struct writer *w, const char *name)
{
	WRITE(w, fdt_begin_node(w->fdt, name));
}

/* A node with a unit address. */
static void begin_at(struct writer *w, const char *name, u64 address)
{
	char full[40];

	format(full, sizeof(full), "%s@%lx", name, address);
	begin(w, full);
}

static void end(struct writer *w)
{
	WRITE(w, fdt_end_node(w->fdt));
}

static void put_data(struct writer *w, const char *name, const void *data, size_t size)
{
	WRITE(w, fdt_property(w->fdt, name, data, (int)size));
}

static void put_string(struct writer *w, const char *name, const char *text)
{
	put_data(w, name, text, strlen(text) + 1);
}

static void put_flag(struct writer *w, const char *name)
{
	put_data(w, name, NULL, 0);
}

static void put_u32(struct writer *w, const char *name, u32 value)
{
	WRITE(w, fdt_property_u32(w->fdt, name, value));
}

static void put_u64(struct writer *w, const char *name, u64 value)
{
	WRITE(w, fdt_property_u64(w->fdt, name, value));
}

static void put_reg(struct writer *w, u64 base, u64 size)
{
	fdt64_t cells[2] = { cpu_to_fdt64(base), cpu_to_fdt64(size) };

	put_data(w, "reg", cells, sizeof(cells));
}

static void put_cells(struct writer *w, u32 address_cells, u32 size_cells)
{
	put_u32(w, "#address-cells", address_cells);
	put_u32(w, "#size-cells", size_cells);
}

/*
 * Devices of the board refer to its PLIC or APLIC and to each other by its phandles: these stay,
 * and our own begin behind them.
 */
static void number_phandles(struct writer *w, const struct guest_fdt_params *params)
{
	const struct vmdef *def = params->def;
	u32 top = 0;

	if (def->host_nodes) {
		w->irqchip = params->board_irqchip;
		if (!w->error && fdt_find_max_phandle(params->board_fdt, &top))
			w->error = -FDT_ERR_BADPHANDLE;
	}
	w->first = top + 1;
	if (!w->irqchip)
		w->irqchip = w->first + def->vcpus;
	w->finisher = w->first + def->vcpus + 1;
	w->imsic = w->first + def->vcpus + 2;
}

/* --- CPUs ------------------------------------------------------------------------------------ */

/* riscv,isa-extensions: the same extensions as a list of strings. */
static int put_isa_list(struct writer *w, const char *isa)
{
	struct isa_cursor cursor;
	char name[ISA_NAME];
	size_t size = 0;
	void *list;
	char *to;

	if (!isa_begin(&cursor, isa))
		return -EINVAL;
	while (isa_next(&cursor, name))
		size += strlen(name) + 1;
	WRITE(w, fdt_property_placeholder(w->fdt, "riscv,isa-extensions", (int)size, &list));
	if (w->error || !isa_begin(&cursor, isa))
		return 0;
	for (to = list; isa_next(&cursor, name); to += strlen(name) + 1)
		memcpy(to, name, strlen(name) + 1);
	return 0;
}

/* Both bindings of the ISA, because each has guests that know no other. */
static int put_isa(struct writer *w, const char *isa)
{
	put_string(w, "riscv,isa", isa);
	put_string(w, "riscv,isa-base", "rv64i");
	return put_isa_list(w, isa);
}

static void put_block_size(struct writer *w, const char *isa, const char *extension,
			   const char *name, u32 size)
{
	if (size && isa_has(isa, extension))
		put_u32(w, name, size);
}

static void put_mmu(struct writer *w, const char *mmu)
{
	char text[24];

	if (!mmu[0])
		return;
	format(text, sizeof(text), "riscv,%s", mmu);
	put_string(w, "mmu-type", text);
}

static void put_intc(struct writer *w, u32 vcpu)
{
	begin(w, "interrupt-controller");
	put_u32(w, "#address-cells", 0);
	put_u32(w, "#interrupt-cells", 1);
	put_flag(w, "interrupt-controller");
	put_string(w, "compatible", "riscv,cpu-intc");
	put_u32(w, "phandle", w->first + vcpu);
	end(w);
}

static int put_cpu(struct writer *w, const struct guest_fdt_params *params, u32 vcpu)
{
	const char *isa = params->vcpu_isa ? params->vcpu_isa[vcpu] : params->isa;
	int err;

	begin_at(w, "cpu", vcpu);
	put_string(w, "device_type", "cpu");
	put_u32(w, "reg", vcpu);
	put_string(w, "status", "okay");
	put_string(w, "compatible", "riscv");
	err = put_isa(w, isa);
	put_mmu(w, params->mmu);
	put_block_size(w, isa, "zicbom", "riscv,cbom-block-size", params->cbom_block);
	put_block_size(w, isa, "zicboz", "riscv,cboz-block-size", params->cboz_block);
	put_block_size(w, isa, "zicbop", "riscv,cbop-block-size", params->cbop_block);
	put_intc(w, vcpu);
	end(w);
	return err;
}

static int put_cpus(struct writer *w, const struct guest_fdt_params *params)
{
	int err = 0;

	begin(w, "cpus");
	put_cells(w, 1, 0);
	if (params->timebase > UINT32_MAX)
		put_u64(w, "timebase-frequency", params->timebase);
	else
		put_u32(w, "timebase-frequency", (u32)params->timebase);
	for (u32 i = 0; !err && i < params->def->vcpus; i++)
		err = put_cpu(w, params, i);
	end(w);
	return err;
}

/* --- Memory and devices ---------------------------------------------------------------------- */

static void put_memory(struct writer *w, const struct vmdef *def)
{
	for (u32 i = 0; i < def->rams; i++) {
		begin_at(w, "memory", def->ram[i].base);
		put_string(w, "device_type", "memory");
		put_reg(w, def->ram[i].base, def->ram[i].size);
		end(w);
	}
}

/*
 * Contexts 2h and 2h + 1 are M- and S-mode of hart h. The M-mode ones have no register file behind
 * them, but their place is what numbers the others; supervisor software skips them.
 */
static void put_plic_contexts(struct writer *w, u32 vcpus)
{
	fdt32_t cells[VMDEF_VCPUS * 4];

	for (u32 i = 0; i < vcpus; i++) {
		cells[4 * i] = cpu_to_fdt32(w->first + i);
		cells[4 * i + 1] = cpu_to_fdt32(IRQ_M_EXT);
		cells[4 * i + 2] = cpu_to_fdt32(w->first + i);
		cells[4 * i + 3] = cpu_to_fdt32(IRQ_S_EXT);
	}
	put_data(w, "interrupts-extended", cells, vcpus * 4 * sizeof(cells[0]));
}

static void put_plic(struct writer *w, const struct vmdef *def)
{
	static const char compatible[] = "sifive,plic-1.0.0\0riscv,plic0";

	if (!def->plic.size)
		return;
	begin_at(w, "plic", def->plic.base);
	put_data(w, "compatible", compatible, sizeof(compatible));
	put_reg(w, def->plic.base, def->plic.size);
	put_u32(w, "riscv,ndev", def->sources - 1);
	put_plic_contexts(w, def->vcpus);
	put_flag(w, "interrupt-controller");
	put_u32(w, "#interrupt-cells", 1);
	put_u32(w, "#address-cells", 0);
	put_u32(w, "phandle", w->irqchip);
	end(w);
}

/* The external interrupts of all vCPUs in order. */
static void put_externals(struct writer *w, u32 vcpus)
{
	fdt32_t cells[VMDEF_VCPUS * 2];

	for (u32 i = 0; i < vcpus; i++) {
		cells[2 * i] = cpu_to_fdt32(w->first + i);
		cells[2 * i + 1] = cpu_to_fdt32(IRQ_S_EXT);
	}
	put_data(w, "interrupts-extended", cells, vcpus * 2 * sizeof(cells[0]));
}

/* riscv,imsics binding. */
static void put_imsic(struct writer *w, const struct vmdef *def, u32 ids)
{
	if (!def->imsic.size)
		return;
	begin_at(w, "interrupt-controller", def->imsic.base);
	put_string(w, "compatible", "riscv,imsics");
	put_reg(w, def->imsic.base, def->vcpus * vmdef_imsic_stride(def));
	if (def->imsic_bits)
		put_u32(w, "riscv,guest-index-bits", def->imsic_bits);
	put_externals(w, def->vcpus);
	put_flag(w, "interrupt-controller");
	put_u32(w, "#interrupt-cells", 0);
	put_u32(w, "#address-cells", 0);
	put_flag(w, "msi-controller");
	put_u32(w, "#msi-cells", 0);
	put_u32(w, "riscv,num-ids", ids);
	put_u32(w, "phandle", w->imsic);
	end(w);
}

/* riscv,aplic binding: towards the IMSICs by messages, else to the harts by wires. */
static void put_aplic(struct writer *w, const struct vmdef *def)
{
	if (!def->aplic.size)
		return;
	begin_at(w, "interrupt-controller", def->aplic.base);
	put_string(w, "compatible", "riscv,aplic");
	put_reg(w, def->aplic.base, def->aplic.size);
	if (def->imsic.size)
		put_u32(w, "msi-parent", w->imsic);
	else
		put_externals(w, def->vcpus);
	put_u32(w, "riscv,num-sources", def->sources - 1);
	put_flag(w, "interrupt-controller");
	put_u32(w, "#interrupt-cells", 2);
	put_u32(w, "#address-cells", 0);
	put_u32(w, "phandle", w->irqchip);
	end(w);
}

/* An APLIC wants to know how the source signals, a PLIC knows. */
static void put_interrupt(struct writer *w, const struct vmdef *def, u32 irq, u32 trigger)
{
	fdt32_t cells[2] = { cpu_to_fdt32(irq), cpu_to_fdt32(trigger) };

	if (!irq)
		return;
	put_data(w, "interrupts", cells, def->aplic.size ? 8 : 4);
	put_u32(w, "interrupt-parent", w->irqchip);
}

static void put_uart(struct writer *w, const struct vmdef *def)
{
	if (!def->uart.size)
		return;
	begin_at(w, "serial", def->uart.base);
	put_string(w, "compatible", "ns16550a");
	put_reg(w, def->uart.base, def->uart.size);
	put_u32(w, "clock-frequency", UART_CLOCK);
	put_interrupt(w, def, def->uart.irq, IRQ_TRIGGER_HIGH);
	end(w);
}

static void put_finisher(struct writer *w, const struct vmdef *def)
{
	static const char compatible[] = "sifive,test1\0sifive,test0\0syscon";

	if (!def->finisher.size)
		return;
	begin_at(w, "test", def->finisher.base);
	put_data(w, "compatible", compatible, sizeof(compatible));
	put_reg(w, def->finisher.base, def->finisher.size);
	put_u32(w, "phandle", w->finisher);
	end(w);
}

static void put_rtc(struct writer *w, const struct vmdef *def)
{
	if (!def->rtc.size)
		return;
	begin_at(w, "rtc", def->rtc.base);
	put_string(w, "compatible", "google,goldfish-rtc");
	put_reg(w, def->rtc.base, def->rtc.size);
	put_interrupt(w, def, def->rtc.irq, IRQ_TRIGGER_HIGH);
	end(w);
}

/*
 * Drivers acknowledge what a device says before they look for it (virtio 1.2, 4.2.3.4), so an edge
 * is enough; and with IMSICs a level would cost an exit to be looked at once more.
 */
static void put_virtio(struct writer *w, const struct vmdef *def, const struct vmdef_device *device)
{
	if (!device->size)
		return;
	begin_at(w, "virtio_mmio", device->base);
	put_string(w, "compatible", "virtio,mmio");
	put_reg(w, device->base, device->size);
	put_interrupt(w, def, device->irq, IRQ_TRIGGER_RISING);
	end(w);
}

/* The interrupt by which Shyper has the MVM look at its events: the highest source. */
static void put_events(struct writer *w, const struct vmdef *def)
{
	if (!def->management || !def->sources)
		return;
	begin(w, "shyper");
	put_string(w, "compatible", "shyper,events");
	put_interrupt(w, def, def->sources - 1, IRQ_TRIGGER_RISING);
	end(w);
}

static void put_soc(struct writer *w, const struct guest_fdt_params *params)
{
	const struct vmdef *def = params->def;

	begin(w, "soc");
	put_cells(w, 2, 2);
	put_string(w, "compatible", "simple-bus");
	put_flag(w, "ranges");
	put_finisher(w, def);
	put_rtc(w, def);
	put_plic(w, def);
	put_imsic(w, def, params->imsic_ids);
	put_aplic(w, def);
	put_uart(w, def);
	put_virtio(w, def, &def->console);
	for (u32 i = 0; i < VMDEF_VIRTIO; i++)
		put_virtio(w, def, &def->virtio[i]);
	put_events(w, def);
	WRITE(w, guest_fdt_copy(w->fdt, params->board_fdt, def, true));
	/* Behind the board's: their numbers in the guest stay, whatever ports it has here. */
	for (u32 i = 0; i < VMDEF_NETS; i++)
		put_virtio(w, def, &def->net[i].device);
	end(w);
}

/* How an operating system uses the finisher to power off and to restart. */
static void put_syscon(struct writer *w, const struct vmdef *def, const char *name,
		       const char *compatible, u32 value)
{
	if (!def->finisher.size)
		return;
	begin(w, name);
	put_string(w, "compatible", compatible);
	put_u32(w, "regmap", w->finisher);
	put_u32(w, "offset", 0);
	put_u32(w, "value", value);
	end(w);
}

/* --- Root ------------------------------------------------------------------------------------ */

/* The emulated UART, or the board's own console when the VM has it. */
static void put_console(struct writer *w, const struct guest_fdt_params *params, const char *name)
{
	const struct vmdef *def = params->def;
	const char *node;
	char path[64];

	if (def->uart.size) {
		format(path, sizeof(path), "/soc/serial@%lx", def->uart.base);
		put_string(w, name, path);
		return;
	}
	node = def->host_nodes ? guest_fdt_stdout(params->board_fdt, def) : NULL;
	if (node) {
		format(path, sizeof(path), "/soc/%s", node);
		put_string(w, name, path);
	}
}

static void put_chosen(struct writer *w, const struct guest_fdt_params *params)
{
	begin(w, "chosen");
	if (params->def->cmdline[0])
		put_string(w, "bootargs", params->def->cmdline);
	put_console(w, params, "stdout-path");
	if (params->initrd_size) {
		put_u64(w, "linux,initrd-start", params->initrd);
		put_u64(w, "linux,initrd-end", params->initrd + params->initrd_size);
	}
	if (params->rng_seed_size)
		put_data(w, "rng-seed", params->rng_seed, params->rng_seed_size);
	end(w);
}

static int put_root(struct writer *w, const struct guest_fdt_params *params)
{
	const struct vmdef *def = params->def;
	int err;

	begin(w, "");
	put_cells(w, 2, 2);
	put_string(w, "compatible", "riscv-virtio");
	put_string(w, "model", "riscv-virtio,qemu");
	put_chosen(w, params);
	begin(w, "aliases");
	put_console(w, params, "serial0");
	end(w);
	put_memory(w, def);
	err = put_cpus(w, params);
	put_soc(w, params);
	WRITE(w, guest_fdt_copy(w->fdt, params->board_fdt, def, false));
	put_syscon(w, def, "poweroff", "syscon-poweroff", FINISHER_PASS);
	put_syscon(w, def, "reboot", "syscon-reboot", FINISHER_RESET);
	end(w);
	return err;
}

int guest_fdt_build(const struct guest_fdt_params *params, void *buf, size_t size)
{
	struct writer w = { .fdt = buf };
	int err;

	/* Looking for equal names of properties takes longer than all else here. */
	w.error = fdt_create_with_flags(buf, (int)MIN(size, (size_t)GUEST_FDT_SIZE),
					FDT_CREATE_FLAG_NO_NAME_DEDUP);
	WRITE(&w, fdt_finish_reservemap(buf));
	number_phandles(&w, params);
	err = put_root(&w, params);
	if (err)
		return err;
	WRITE(&w, fdt_finish(buf));
	return w.error ? -E2BIG : 0;
}
