/* SPDX-License-Identifier: BSD-2-Clause */
/* Definition trees, written front to back with libfdt. */
#include "tree.h"

#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "writer.h"

/* What a VM has unless its definition says otherwise (docs/vm-definition.md, devices). */
static const struct {
	const char *name;
	struct def_range range;
} defaults[] = {
	{ "uart", { 0x10000000, 0x100 } },
	{ "test", { 0x00100000, 0x1000 } },
	{ "rtc", { 0x00101000, 0x1000 } },
};

static void begin(struct writer *w, const char *name)
{
	WRITE(w, fdt_begin_node(w->fdt, name));
}

static void begin_numbered(struct writer *w, const char *name, uint64_t number)
{
	char full[48];

	snprintf(full, sizeof(full), "%s@%" PRIx64, name, number);
	begin(w, full);
}

static void end(struct writer *w)
{
	WRITE(w, fdt_end_node(w->fdt));
}

static void put_string(struct writer *w, const char *name, const char *value)
{
	WRITE(w, fdt_property(w->fdt, name, value, (int)strlen(value) + 1));
}

static void put_u32(struct writer *w, const char *name, uint32_t value)
{
	WRITE(w, fdt_property_u32(w->fdt, name, value));
}

static void put_u32s(struct writer *w, const char *name, const uint32_t *value, uint32_t count)
{
	fdt32_t cells[DEF_IRQS];

	for (uint32_t i = 0; i < count; i++)
		cells[i] = cpu_to_fdt32(value[i]);
	WRITE(w, fdt_property(w->fdt, name, cells, (int)(count * sizeof(cells[0]))));
}

static void put_range(struct writer *w, const char *name, uint64_t base, uint64_t size)
{
	const fdt64_t cells[2] = { cpu_to_fdt64(base), cpu_to_fdt64(size) };

	WRITE(w, fdt_property(w->fdt, name, cells, sizeof(cells)));
}

static void put_cells(struct writer *w)
{
	put_u32(w, "#address-cells", 2);
	put_u32(w, "#size-cells", 2);
}

static void put_harts(struct writer *w, const struct def *def)
{
	fdt64_t cells[SHYPER_VCPUS];

	for (uint32_t i = 0; i < def->harts; i++)
		cells[i] = cpu_to_fdt64(def->hart[i]);
	if (def->harts)
		WRITE(w, fdt_property(w->fdt, "harts", cells,
				      (int)(def->harts * sizeof(cells[0]))));
}

static void put_sched(struct writer *w, const struct def_sched *sched)
{
	if (!sched->shared)
		return;
	begin(w, "sched");
	put_string(w, "policy", sched->windowed ? "partition" : "priority");
	if (!sched->windowed)
		put_u32(w, "priority", (uint32_t)sched->priority);
	if (sched->budget_us) {
		put_u32(w, "budget-us", (uint32_t)sched->budget_us);
		put_u32(w, "period-us", (uint32_t)sched->period_us);
		if (sched->strict)
			WRITE(w, fdt_property(w->fdt, "strict", NULL, 0));
	}
	end(w);
}

static void put_memory(struct writer *w, const struct def *def)
{
	for (uint32_t i = 0; i < def->rams; i++) {
		begin_numbered(w, "memory", def->ram[i].base);
		put_range(w, "reg", def->ram[i].base, def->ram[i].size);
		end(w);
	}
}

/* A device of the board at the place of an emulated one replaces it. */
static bool is_replaced(const struct def *def, const struct def_range *range)
{
	for (uint32_t i = 0; i < def->passthroughs; i++) {
		const struct def_range *p = &def->passthrough[i].range;

		if (p->size && p->base < range->base + range->size &&
		    range->base < p->base + p->size)
			return true;
	}
	return false;
}

static void put_place(struct writer *w, const struct def_place *place)
{
	if (place->range.size)
		put_range(w, "reg", place->range.base, place->range.size);
	if (place->irq)
		put_u32(w, "interrupt", place->irq);
}

static void put_virtio(struct writer *w, const char *name, const struct def_place *place)
{
	begin(w, name);
	put_place(w, place);
	end(w);
}

/* Of those that the MVM serves. */
static void put_served(struct writer *w, uint32_t n, const struct def_place *place)
{
	char name[24];

	snprintf(name, sizeof(name), "virtio%u", n);
	put_virtio(w, name, place);
}

static void put_virtios(struct writer *w, const struct def *def)
{
	uint32_t n = 0;

	if (def->console)
		put_virtio(w, "console", &def->console_place);
	for (uint32_t i = 0; i < def->disks; i++)
		put_served(w, n++, &def->disk[i].place);
	for (uint32_t i = 0; i < def->nics; i++)
		if (def->nic[i].vhost)
			put_served(w, n++, &def->nic[i].place);
	if (def->vsock)
		put_served(w, n, &(struct def_place){ .irq = 0 });
}

static void put_nic(struct writer *w, uint32_t n, const struct def_nic *nic)
{
	char name[24];

	snprintf(name, sizeof(name), "net%u", n);
	begin(w, name);
	put_place(w, &nic->place);
	if (nic->sw[0])
		put_string(w, "switch", nic->sw);
	if (def_mac_possible(nic->mac))
		WRITE(w, fdt_property(w->fdt, "mac", nic->mac, sizeof(nic->mac)));
	if (nic->vlan)
		put_u32(w, "vlan", nic->vlan);
	if (nic->rate)
		put_u32(w, "rate", nic->rate);
	if (nic->mtu)
		put_u32(w, "mtu", nic->mtu);
	if (nic->locked)
		WRITE(w, fdt_property(w->fdt, "locked", NULL, 0));
	if (nic->small)
		WRITE(w, fdt_property(w->fdt, "small-frames", NULL, 0));
	end(w);
}

/* Interrupt files of the hardware keep the places that the file gives them in the guest. */
static void put_imsic(struct writer *w, const struct def *def)
{
	uint64_t step = def->files > 1 ? def->file[1] - def->file[0] : DEF_PAGE;
	uint32_t bits = 0;

	if (def->irqchip != DEF_IRQCHIP_APLIC || !def->files)
		return;
	while (DEF_PAGE << bits < step)
		bits++;
	begin(w, "imsic");
	put_range(w, "reg", def->file[0], def->vcpus * step);
	put_u32(w, "guest-index-bits", bits);
	end(w);
}

static void put_irqchip(struct writer *w, const struct def *def)
{
	if (def->irqchip == DEF_IRQCHIP_BOARDS)
		return;
	begin(w, def->irqchip == DEF_IRQCHIP_PLIC ? "plic" : "aplic");
	if (def->irqchip_range.size)
		put_range(w, "reg", def->irqchip_range.base, def->irqchip_range.size);
	end(w);
	put_imsic(w, def);
}

static void put_devices(struct writer *w, const struct def *def)
{
	begin(w, "devices");
	put_cells(w);
	put_irqchip(w, def);
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		if (!is_replaced(def, &defaults[i].range))
			continue;
		begin(w, defaults[i].name);
		put_string(w, "status", "disabled");
		end(w);
	}
	put_virtios(w, def);
	for (uint32_t i = 0; i < def->nics; i++)
		if (!def->nic[i].vhost)
			put_nic(w, i, &def->nic[i]);
	end(w);
}

static void put_passthrough(struct writer *w, const struct def *def)
{
	if (!def->passthroughs)
		return;
	begin(w, "passthrough");
	put_cells(w);
	for (uint32_t i = 0; i < def->passthroughs; i++) {
		const struct def_passthrough *p = &def->passthrough[i];

		begin_numbered(w, "device", i);
		if (p->range.size) {
			put_range(w, "reg", p->range.base, p->range.size);
			put_range(w, "host-reg", p->host, p->range.size);
		}
		if (p->irqs)
			put_u32s(w, "interrupts", &def->irq[p->first_irq], p->irqs);
		end(w);
	}
	end(w);
}

static void put_root(struct writer *w, const struct def *def)
{
	begin(w, "");
	put_string(w, "compatible", "shyper,vm-v1");
	put_cells(w);
	put_string(w, "vm-name", def->name);
	put_u32(w, "vcpus", def->vcpus);
	put_harts(w, def);
	if (def->cmdline[0])
		put_string(w, "bootargs", def->cmdline);
	if (def->time_stops)
		put_string(w, "time", "stops-while-paused");
	put_memory(w, def);
	put_sched(w, &def->sched);
	put_devices(w, def);
	put_passthrough(w, def);
	end(w);
}

size_t tree_write(const struct def *def, void *buf, size_t size, struct error *error)
{
	struct writer w = { .fdt = buf };

	if (size > SHYPER_TREE_MAX)
		size = SHYPER_TREE_MAX;
	w.error = fdt_create(buf, (int)size);
	WRITE(&w, fdt_finish_reservemap(buf));
	put_root(&w, def);
	WRITE(&w, fdt_finish(buf));
	if (w.error) {
		error_set(error, "%s: the definition tree cannot be written: %s", def->name,
			  fdt_strerror(w.error));
		return 0;
	}
	return fdt_totalsize(buf);
}
