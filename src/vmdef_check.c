/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The relations inside a VM definition: nothing overlaps, every device has the room it needs,
 * every interrupt number is used once, and every address to load or start at lies in RAM.
 */
#include "vmdef_parse.h"

#include <hv/errno.h>
#include <hv/format.h>

/*
 * Register files end with these registers: UART scratch, finisher, RTC's last, and what a driver
 * may expect of virtio. Interrupt controllers: see below.
 */
const struct vmdef_standard vmdef_devices[VMDEF_DEVICES] = {
	[VMDEF_PLIC] = { "/devices/plic", { 0x0c000000, 0x600000, 0 }, 0, false, false },
	[VMDEF_APLIC] = { "/devices/aplic", { 0x0d000000, 0x8000, 0 }, 0, false, false },
	[VMDEF_IMSIC] = { "/devices/imsic", { 0x28000000, VMDEF_VCPUS * PAGE_SIZE, 0 }, 0, false,
			  false },
	[VMDEF_UART] = { "/devices/uart", { 0x10000000, 0x100, 10 }, 8, true, false },
	[VMDEF_FINISHER] = { "/devices/test", { 0x00100000, 0x1000, 0 }, 4, false, false },
	[VMDEF_RTC] = { "/devices/rtc", { 0x00101000, 0x1000, 11 }, 0x24, true, false },
	[VMDEF_CONSOLE] = { "/devices/console", { 0x10001000, 0x1000, 1 }, 0x200, true, true },
#define VIRTIO(n)                                                                        \
	[VMDEF_VIRTIO0 + (n)] = { "/devices/virtio" #n,                                  \
				  { 0x10002000 + 0x1000 * (n), 0x1000, 2 + (n) },        \
				  0x200, true, true }
	VIRTIO(0), VIRTIO(1), VIRTIO(2), VIRTIO(3), VIRTIO(4), VIRTIO(5), VIRTIO(6), VIRTIO(7),
#undef VIRTIO
#define NET(n)                                                                           \
	[VMDEF_NET0 + (n)] = { "/devices/net" #n,                                        \
			       { 0x1000a000 + 0x1000 * (n), 0x1000, 12 + (n) },          \
			       0x200, true, true }
	NET(0), NET(1), NET(2), NET(3),
#undef NET
};

#define DEFAULT_RAM_BASE 0x80000000
#define DEFAULT_RAM_SIZE MIB(256)
#define MAX_DEVICE_SIZE MIB(64)	/* what the PLIC's memory map spans */

struct vmdef_device *vmdef_device_get(struct vmdef *def, u32 index)
{
	struct vmdef_device *const devices[VMDEF_DEVICES] = {
		[VMDEF_PLIC] = &def->plic,
		[VMDEF_APLIC] = &def->aplic,
		[VMDEF_IMSIC] = &def->imsic,
		[VMDEF_UART] = &def->uart,
		[VMDEF_FINISHER] = &def->finisher,
		[VMDEF_RTC] = &def->rtc,
		[VMDEF_CONSOLE] = &def->console,
	};

	if (index >= VMDEF_NET0)
		return &def->net[index - VMDEF_NET0].device;
	return index >= VMDEF_VIRTIO0 ? &def->virtio[index - VMDEF_VIRTIO0] : devices[index];
}

/* Refuse at a node of the tree or, where the tree has none, at the place of the default. */
#define refuse_at(p, node, path, ...)                                                    \
	((node) > 0 ? vmdef_refuse_node(p, node, __VA_ARGS__)                            \
		    : vmdef_refuse_path(p, path, __VA_ARGS__))

/* Where a passed-through range or wire comes from, when no node of the definition says it. */
static const char *host_path(const struct vmdef *def, u32 host_node)
{
	return host_node ? def->host_node[host_node - 1].path : "/passthrough";
}

/* --- Devices ------------------------------------------------------------------------------- */

/*
 * RISC-V PLIC specification 1.0, Memory Map: context n has its threshold and claim registers at
 * 0x200000 + n * 0x1000. Hart h has contexts 2h (M) and 2h + 1 (S).
 */
static u64 plic_size(const struct vmdef *def)
{
	return 0x200000 + (u64)def->vcpus * 2 * 0x1000;
}

/* AIA specification, 4.5: 16 KiB of registers, and 32 bytes of an IDC for each hart. */
static u64 aplic_size(const struct vmdef *def)
{
	return 0x4000 + (u64)def->vcpus * 0x20;
}

static u64 size_needed(const struct vmdef *def, u32 i)
{
	switch (i) {
	case VMDEF_PLIC:
		return plic_size(def);
	case VMDEF_APLIC:
		return aplic_size(def);
	case VMDEF_IMSIC:
		return (def->vcpus - 1) * vmdef_imsic_stride(def) + PAGE_SIZE;
	}
	return vmdef_devices[i].min_size;
}

/* AIA specification, 3.6: the number of a vCPU is a field of its own in its file's address. */
static u64 imsic_alignment(const struct vmdef *def)
{
	u64 size = vmdef_imsic_stride(def);

	while (size < def->vcpus * vmdef_imsic_stride(def))
		size *= 2;
	return size;
}

/* The hardware's interrupt files are mapped there. */
static int check_imsic(const struct vmdef_parse *p)
{
	const struct vmdef_device *imsic = &p->def->imsic;
	u64 alignment = imsic_alignment(p->def);

	if (imsic->size && !IS_ALIGNED(imsic->base, alignment))
		return refuse_at(p, p->device_node[VMDEF_IMSIC], vmdef_devices[VMDEF_IMSIC].path,
				 "reg", "0x%lx is not a multiple of 0x%lx, which the pages of %u "
				 "vCPUs need", imsic->base, alignment, p->def->vcpus);
	if (IS_ALIGNED(imsic->size, PAGE_SIZE))
		return 0;
	return refuse_at(p, p->device_node[VMDEF_IMSIC], vmdef_devices[VMDEF_IMSIC].path, "reg",
			 "0x%lx + 0x%lx is not made of whole pages", imsic->base, imsic->size);
}

static int check_device_size(const struct vmdef_parse *p, u32 i)
{
	const struct vmdef_device *device = vmdef_device_get(p->def, i);
	u64 needed = size_needed(p->def, i);

	if (device->size > MAX_DEVICE_SIZE) {
		return refuse_at(p, p->device_node[i], vmdef_devices[i].path, "reg",
				 "has 0x%lx bytes; possible are at most 0x%lx", device->size,
				 MAX_DEVICE_SIZE);
	}
	if (device->size && device->size < needed) {
		return refuse_at(p, p->device_node[i], vmdef_devices[i].path, "reg",
				 "has 0x%lx bytes, needed are 0x%lx", device->size, needed);
	}
	return 0;
}

/* The tree has a node for this controller, and wants it. */
static bool names(const struct vmdef_parse *p, u32 device)
{
	return p->device_node[device] > 0 && !(p->disabled & BIT(device));
}

/* Who names one controller wants that one; who names both or none, whichever the board has. */
static enum vmdef_irqchip wanted_irqchip(const struct vmdef_parse *p)
{
	bool plic = names(p, VMDEF_PLIC), aplic = names(p, VMDEF_APLIC);
	u32 off = p->disabled & (u32)(BIT(VMDEF_PLIC) | BIT(VMDEF_APLIC));

	if (plic != aplic)
		return plic ? VMDEF_IRQCHIP_PLIC : VMDEF_IRQCHIP_APLIC;
	if (off & BIT(VMDEF_PLIC))
		return VMDEF_IRQCHIP_NONE;
	return off ? VMDEF_IRQCHIP_PLIC : VMDEF_IRQCHIP_BOARDS;
}

static void drop(struct vmdef_device *device)
{
	*device = (struct vmdef_device){ .size = 0 };
}

static void settle_irqchip(struct vmdef *def)
{
	if (def->irqchip == VMDEF_IRQCHIP_PLIC || def->irqchip == VMDEF_IRQCHIP_NONE) {
		drop(&def->aplic);
		drop(&def->imsic);
	}
	if (def->irqchip == VMDEF_IRQCHIP_APLIC || def->irqchip == VMDEF_IRQCHIP_NONE)
		drop(&def->plic);
}

int vmdef_choose_irqchip(struct vmdef *def, bool aplic, bool imsic, struct vmdef_error *error)
{
	struct vmdef_parse p = { .def = def, .error = error };

	if (def->irqchip == VMDEF_IRQCHIP_BOARDS)
		def->irqchip = aplic || imsic ? VMDEF_IRQCHIP_APLIC : VMDEF_IRQCHIP_PLIC;
	if (def->irqchip == VMDEF_IRQCHIP_APLIC && !aplic && !imsic)
		return vmdef_refuse_path(&p, vmdef_devices[VMDEF_APLIC].path, "", "this board has "
					 "no AIA: give the VM a PLIC");
	if (def->irqchip == VMDEF_IRQCHIP_PLIC && def->host_nodes && (aplic || imsic))
		return vmdef_refuse_path(&p, vmdef_devices[VMDEF_PLIC].path, "", "devices of this "
					 "board interrupt an APLIC: give the VM one");
	settle_irqchip(def);
	if (!imsic)
		drop(&def->imsic);
	return 0;
}

/* Disabled devices go; without a controller the default interrupts of the others go too. */
static int settle_devices(struct vmdef_parse *p)
{
	bool wired;
	int err = 0;

	p->def->irqchip = wanted_irqchip(p);
	wired = p->def->irqchip != VMDEF_IRQCHIP_NONE;
	settle_irqchip(p->def);

	for (u32 i = 0; !err && i < VMDEF_DEVICES; i++) {
		struct vmdef_device *device = vmdef_device_get(p->def, i);

		if (p->disabled & BIT(i))
			drop(device);
		else if (!wired && !(p->irq_given & BIT(i)))
			device->irq = 0;
		err = check_device_size(p, i);
	}
	if (!err)
		err = check_imsic(p);
	if (!wired)
		p->def->sources = 0;
	return err;
}

/* --- Address space --------------------------------------------------------------------------- */

static void region_path(const struct vmdef_parse *p, const struct vmdef_region *region, char *buf,
			size_t size)
{
	if (region->node > 0)
		vmdef_node_path(p, region->node, buf, size);
	else
		format(buf, size, "%s", region->path);
}

/*
 * Memory and passthrough are made of whole pages, so what does not overlap them shares no page
 * with them either.
 */
static int add_region(struct vmdef_parse *p, const struct vmdef_region *region)
{
	char path[48];

	if (region->size == 0)
		return 0;
	for (u32 i = 0; i < p->regions; i++) {
		const struct vmdef_region *other = &p->region[i];

		if (!range_overlaps(region->base, region->size, other->base, other->size))
			continue;
		region_path(p, other, path, sizeof(path));
		return refuse_at(p, region->node, region->path, "reg",
				 "0x%lx + 0x%lx overlaps %s (0x%lx + 0x%lx)", region->base,
				 region->size, path, other->base, other->size);
	}
	p->region[p->regions++] = *region;
	return 0;
}

static int check_regions(struct vmdef_parse *p)
{
	const struct vmdef *def = p->def;
	int err = 0;

	for (u32 i = 0; !err && i < def->rams; i++) {
		err = add_region(p, &(struct vmdef_region){
			def->ram[i].base, def->ram[i].size, p->ram_node[i], "/memory" });
	}
	for (u32 i = 0; !err && i < VMDEF_DEVICES; i++) {
		const struct vmdef_device *device = vmdef_device_get(p->def, i);

		err = add_region(p, &(struct vmdef_region){
			device->base, device->size, p->device_node[i], vmdef_devices[i].path });
	}
	for (u32 i = 0; !err && i < def->passthroughs; i++) {
		const struct vmdef_passthrough *pt = &def->passthrough[i];

		err = add_region(p, &(struct vmdef_region){
			pt->base, pt->size, p->passthrough_node[i],
			host_path(def, pt->host_node) });
	}
	return err;
}

static int refuse_host_range(const struct vmdef_parse *p, u32 i, const char *reason)
{
	const struct vmdef_passthrough *pt = &p->def->passthrough[i];

	return refuse_at(p, p->passthrough_node[i], host_path(p->def, pt->host_node),
			 pt->host_node ? "reg" : "host-reg", "0x%lx + 0x%lx %s", pt->host,
			 pt->size, reason);
}

/* Host addresses: a page of the host appears once in the VM, as RAM or as device. */
static int check_host_ranges(const struct vmdef_parse *p)
{
	const struct vmdef *def = p->def;

	for (u32 i = 0; i < def->passthroughs; i++) {
		const struct vmdef_passthrough *pt = &def->passthrough[i];

		for (u32 j = 0; j < i; j++) {
			if (range_overlaps(pt->host, pt->size, def->passthrough[j].host,
					   def->passthrough[j].size))
				return refuse_host_range(p, i, "is passed through twice");
		}
		for (u32 j = 0; j < def->rams; j++) {
			const struct vmdef_ram *ram = &def->ram[j];

			if (ram->identity &&
			    range_overlaps(pt->host, pt->size, ram->base, ram->size))
				return refuse_host_range(p, i, "overlaps identity memory");
		}
	}
	return 0;
}

/* What a device of the board reads and writes by itself has host addresses. */
static int check_dma(const struct vmdef_parse *p)
{
	const struct vmdef *def = p->def;
	bool identity = true;

	for (u32 i = 0; i < def->rams; i++)
		identity = identity && def->ram[i].identity;
	for (u32 i = 0; !identity && i < def->host_nodes; i++) {
		if (!def->host_node[i].no_dma)
			return vmdef_refuse_node(p, p->host_node_node[i], "host-node",
						 "a device that does DMA needs identity-map in all "
						 "memory of the VM; one that does none, no-dma");
	}
	return 0;
}

/* --- Interrupts ------------------------------------------------------------------------------ */

static int use_source(struct vmdef_parse *p, u32 irq, int node, const char *path,
		      const char *property)
{
	u32 sources = p->def->sources;
	u32 *word = &p->irq_used[irq / 32 % ARRAY_SIZE(p->irq_used)];

	if (sources == 0)
		return refuse_at(p, node, path, property, "there is no interrupt controller");
	if (irq == 0 || irq >= sources) {
		return refuse_at(p, node, path, property, "is %u; possible are 1 to %u", irq,
				 sources - 1);
	}
	if (*word & BIT(irq % 32))
		return refuse_at(p, node, path, property, "source %u is used twice", irq);
	*word |= (u32)BIT(irq % 32);
	return 0;
}

static int check_interrupts(struct vmdef_parse *p)
{
	const struct vmdef *def = p->def;
	int err = 0;

	for (u32 i = 0; !err && i < VMDEF_DEVICES; i++) {
		const struct vmdef_device *device = vmdef_device_get(p->def, i);

		if (device->size && device->irq) {
			err = use_source(p, device->irq, p->device_node[i], vmdef_devices[i].path,
					 "interrupt");
		}
	}
	for (u32 i = 0; !err && i < def->irqs; i++) {
		err = use_source(p, def->irq[i].guest, p->irq_node[i],
				 host_path(def, def->irq[i].host_node), "interrupts");
	}
	return err;
}

static int check_host_interrupts(const struct vmdef_parse *p)
{
	const struct vmdef *def = p->def;

	for (u32 i = 0; i < def->irqs; i++) {
		u32 host = def->irq[i].host;
		const char *path = host_path(def, def->irq[i].host_node);

		if (host == 0 || host >= VMDEF_HOST_SOURCES) {
			return refuse_at(p, p->irq_node[i], path, "host-interrupts",
					 "is %u; possible are 1 to %u", host,
					 VMDEF_HOST_SOURCES - 1);
		}
		for (u32 j = 0; j < i; j++) {
			if (host == def->irq[j].host) {
				return refuse_at(p, p->irq_node[i], path, "host-interrupts",
						 "source %u is passed through twice", host);
			}
		}
	}
	return 0;
}

/* --- Images ---------------------------------------------------------------------------------- */

static int check_in_ram(const struct vmdef_parse *p, const char *path, const char *property, u64 a)
{
	for (u32 i = 0; i < p->def->rams; i++) {
		if (range_inside(a, 1, p->def->ram[i].base, p->def->ram[i].size))
			return 0;
	}
	return vmdef_refuse_path(p, path, property, "0x%lx is not in the VM's memory", a);
}

static int check_images(const struct vmdef_parse *p)
{
	const struct vmdef *def = p->def;
	const struct vmdef_image *kernel = &def->kernel, *initrd = &def->initrd;
	int err = 0;

	if (kernel->load_given && !def->entry_given && !IS_ALIGNED(kernel->load, 2))
		err = vmdef_refuse_path(p, "/kernel", "load", "0x%lx is odd; no instruction can "
					"start there, and entry is missing", kernel->load);
	if (!err && kernel->load_given)
		err = check_in_ram(p, "/kernel", "load", kernel->load);
	if (!err && def->entry_given)
		err = check_in_ram(p, "/kernel", "entry", def->entry);
	if (!err && initrd->load_given)
		err = check_in_ram(p, "/initrd", "load", initrd->load);
	if (!err && kernel->load_given && initrd->load_given && kernel->load == initrd->load)
		err = vmdef_refuse_path(p, "/initrd", "load", "is the kernel's address");
	return err;
}

/* --- All together ---------------------------------------------------------------------------- */

static void settle_ram(struct vmdef *def)
{
	if (def->rams == 0) {
		def->ram[0] = (struct vmdef_ram){ DEFAULT_RAM_BASE, DEFAULT_RAM_SIZE, false };
		def->rams = 1;
	}
}

static void sort_ram(struct vmdef *def)
{
	for (u32 i = 1; i < def->rams; i++) {
		struct vmdef_ram ram = def->ram[i];
		u32 j = i;

		for (; j > 0 && def->ram[j - 1].base > ram.base; j--)
			def->ram[j] = def->ram[j - 1];
		def->ram[j] = ram;
	}
}

static int check_resources(struct vmdef_parse *p)
{
	int err = check_regions(p);

	if (!err)
		err = check_host_ranges(p);
	if (!err)
		err = check_interrupts(p);
	if (!err)
		err = check_host_interrupts(p);
	return err;
}

int vmdef_check(struct vmdef_parse *p)
{
	int err = settle_devices(p);

	settle_ram(p->def);
	if (!err)
		err = check_resources(p);
	if (!err)
		err = check_dma(p);
	if (!err)
		err = check_images(p);
	sort_ram(p->def);
	return err;
}

/* The tree is gone: nodes are named by the paths of defaults, and of the board. */
int vmdef_check_host(struct vmdef *def, struct vmdef_error *error)
{
	struct vmdef_parse p = { .def = def, .error = error };

	return check_resources(&p);
}
