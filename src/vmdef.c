/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a VM definition tree. The shape of the tree is data: tables name every node and property
 * that may occur, in the order in which they are read. Relations between what was read (overlaps,
 * interrupt numbers, addresses inside RAM) are checked at the end, by vmdef_check.c.
 */
#include <hv/vmdef.h>

#include <libfdt.h>

#include <hv/errno.h>
#include <hv/format.h>
#include <hv/string.h>

#include "vmdef_parse.h"

/* --- Root ---------------------------------------------------------------------------------- */

/* #address-cells and #size-cells are what makes other tools read the tree: always 2 here. */
static int read_cells(struct vmdef_parse *p, const struct vmdef_value *v)
{
	u32 n;
	int err = vmdef_read_u32(p, v, &n);

	if (!err && n != 2)
		return vmdef_refuse(p, v, "must be 2");
	return err;
}

static int read_compatible(struct vmdef_parse *p, const struct vmdef_value *v)
{
	const char *text = vmdef_string_of(p, v);

	if (!text)
		return -EINVAL;
	if (strcmp(text, "shyper,vm-v1") != 0)
		return vmdef_refuse(p, v, "must be \"shyper,vm-v1\"");
	return 0;
}

static int read_vm_name(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_name(p, v, p->def->name, sizeof(p->def->name));
}

static int read_vcpus(struct vmdef_parse *p, const struct vmdef_value *v)
{
	int err = vmdef_read_u32(p, v, &p->def->vcpus);

	if (!err && (p->def->vcpus == 0 || p->def->vcpus > VMDEF_VCPUS))
		return vmdef_refuse(p, v, "is %u; possible are 1 to %u", p->def->vcpus,
				    VMDEF_VCPUS);
	return err;
}

/* One hart id per vCPU, each of one or two cells; vcpus was read before and says which. */
static int read_harts(struct vmdef_parse *p, const struct vmdef_value *v)
{
	struct vmdef *def = p->def;
	u32 width = v->size == 4 * def->vcpus ? 4 : 8;

	if (v->size != width * def->vcpus) {
		return vmdef_refuse(p, v, "must name a hart for each of the %u vCPUs, is %u bytes",
				    def->vcpus, v->size);
	}
	for (u32 i = 0; i < def->vcpus; i++) {
		const u8 *data = v->data + i * width;

		def->hart[i] = width == 4 ? vmdef_cell(data) : vmdef_cells2(data);
		for (u32 j = 0; j < i; j++) {
			if (def->hart[i] == def->hart[j])
				return vmdef_refuse(p, v, "names hart %lu twice", def->hart[i]);
		}
	}
	def->harts = def->vcpus;
	return 0;
}

static int read_bootargs(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_string(p, v, p->def->cmdline, sizeof(p->def->cmdline));
}

static int read_management(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_flag(p, v, &p->def->management);
}

static int read_autostart(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_flag(p, v, &p->def->autostart);
}

static int read_action(struct vmdef_parse *p, const struct vmdef_value *v, enum vmdef_action *out)
{
	static const char choices[] = "\"restart\" or \"stop\"";
	static const char *const words[] = {
		[VMDEF_RESTART] = "restart",
		[VMDEF_STOP] = "stop",
		NULL,
	};
	u32 n;
	int err = vmdef_read_word(p, v, words, choices, &n);

	if (!err)
		*out = (enum vmdef_action)n;
	return err;
}

static int read_on_poweroff(struct vmdef_parse *p, const struct vmdef_value *v)
{
	static const char choices[] = "\"stop\" or \"machine-off\"";
	static const char *const words[] = { "stop", "machine-off", NULL };
	u32 n;
	int err = vmdef_read_word(p, v, words, choices, &n);

	if (!err)
		p->def->on_poweroff = n ? VMDEF_MACHINE_OFF : VMDEF_STOP;
	return err;
}

static int read_on_reboot(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_action(p, v, &p->def->on_reboot);
}

static int read_on_crash(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_action(p, v, &p->def->on_crash);
}

static int read_max_restarts(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_u32(p, v, &p->def->max_restarts);
}

static int read_time(struct vmdef_parse *p, const struct vmdef_value *v)
{
	static const char choices[] = "\"runs\" or \"stops-while-paused\"";
	static const char *const words[] = { "runs", "stops-while-paused", NULL };
	u32 n;
	int err = vmdef_read_word(p, v, words, choices, &n);

	if (!err)
		p->def->time_stops = n;
	return err;
}

static int read_max_leaf(struct vmdef_parse *p, const struct vmdef_value *v)
{
	static const char choices[] = "\"4K\", \"64K\", \"2M\" or \"1G\"";
	static const char *const words[] = { "4K", "64K", "2M", "1G", NULL };
	static const u8 shift[] = { 12, 16, 21, 30 };
	u32 n;
	int err = vmdef_read_word(p, v, words, choices, &n);

	if (!err)
		p->def->max_leaf = shift[n];
	return err;
}

/* --- Memory -------------------------------------------------------------------------------- */

static int read_memory_reg(struct vmdef_parse *p, const struct vmdef_value *v)
{
	struct vmdef *def = p->def;
	struct vmdef_ram *ram;
	int err;

	if (def->rams == VMDEF_RAM)
		return vmdef_refuse(p, v, "is one memory range too many; possible are %u",
				    VMDEF_RAM);
	ram = &def->ram[def->rams];
	err = vmdef_read_one_range(p, v, &ram->base, &ram->size);
	if (!err)
		err = vmdef_check_pages(p, v, ram->base, ram->size);
	p->ram_node[def->rams++] = v->node;
	return err;
}

/* reg, read before, made the range. */
static int read_identity(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_flag(p, v, &p->def->ram[p->def->rams - 1].identity);
}

/* --- Images -------------------------------------------------------------------------------- */

static int read_image_name(struct vmdef_parse *p, const struct vmdef_value *v,
			   struct vmdef_image *image)
{
	return vmdef_read_name(p, v, image->name, sizeof(image->name));
}

static int read_image_load(struct vmdef_parse *p, const struct vmdef_value *v,
			   struct vmdef_image *image)
{
	image->load_given = true;
	return vmdef_read_address(p, v, &image->load);
}

static int read_kernel_image(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_image_name(p, v, &p->def->kernel);
}

static int read_kernel_load(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_image_load(p, v, &p->def->kernel);
}

static int read_kernel_entry(struct vmdef_parse *p, const struct vmdef_value *v)
{
	int err = vmdef_read_address(p, v, &p->def->entry);

	if (!err && !IS_ALIGNED(p->def->entry, 2))
		return vmdef_refuse(p, v, "0x%lx is odd; no instruction can start there",
				    p->def->entry);
	p->def->entry_given = true;
	return err;
}

static int read_initrd_image(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_image_name(p, v, &p->def->initrd);
}

/* Linux hands the pages of its initrd to the allocator afterwards, so it owns them whole. */
static int read_initrd_load(struct vmdef_parse *p, const struct vmdef_value *v)
{
	int err = read_image_load(p, v, &p->def->initrd);

	return err ? err : vmdef_check_pages(p, v, p->def->initrd.load, 0);
}

/* --- Sharing harts ------------------------------------------------------------------------- */

static int read_policy(struct vmdef_parse *p, const struct vmdef_value *v)
{
	static const char choices[] = "\"pinned\", \"priority\" or \"partition\"";
	static const char *const words[] = { "pinned", "priority", "partition", NULL };
	u32 n;
	int err = vmdef_read_word(p, v, words, choices, &n);

	if (!err && n && p->def->management)
		return vmdef_refuse(p, v, "must be \"pinned\" for a VM with management");
	p->def->sched.shared = !err && n;
	p->def->sched.windowed = !err && n == 2;
	return err;
}

/* policy was read before. */
static int read_share(struct vmdef_parse *p, const struct vmdef_value *v, u32 low, u32 high,
		      u32 *out)
{
	int err = vmdef_read_u32(p, v, out);

	if (!err && (!p->def->sched.shared || p->def->sched.windowed))
		return vmdef_refuse(p, v, "has a meaning with policy \"priority\" only");
	if (!err && (*out < low || *out > high))
		return vmdef_refuse(p, v, "is %u; possible are %u to %u", *out, low, high);
	return err;
}

static int read_priority(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_share(p, v, 0, VMDEF_PRIORITY_MAX, &p->def->sched.priority);
}

static int read_budget(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_share(p, v, VMDEF_BUDGET_MIN, VMDEF_PERIOD_MAX, &p->def->sched.budget_us);
}

static int read_period(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return read_share(p, v, VMDEF_PERIOD_MIN, VMDEF_PERIOD_MAX, &p->def->sched.period_us);
}

static int read_strict(struct vmdef_parse *p, const struct vmdef_value *v)
{
	return vmdef_read_flag(p, v, &p->def->sched.strict);
}

static int check_sched(struct vmdef_parse *p, int node, const struct vmdef_kind *kind)
{
	const struct vmdef_sched *sched = &p->def->sched;

	(void)kind;
	if (!sched->budget_us != !sched->period_us)
		return vmdef_refuse_node(p, node, sched->budget_us ? "period-us" : "budget-us",
					 "is missing: budget and period come together");
	if (sched->budget_us > sched->period_us)
		return vmdef_refuse_node(p, node, "budget-us", "is %u, more than the period, %u",
					 sched->budget_us, sched->period_us);
	if (sched->strict && !sched->budget_us)
		return vmdef_refuse_node(p, node, "strict", "has a meaning beside budget-us only");
	return 0;
}

/* --- Passthrough --------------------------------------------------------------------------- */

/* How many of width bytes make up the value; room is what is left of max. 0 on success. */
static int count_of(struct vmdef_parse *p, const struct vmdef_value *v, u32 width, u32 used,
		    u32 max, u32 *count)
{
	*count = v->size / width;
	if (v->size == 0 || v->size % width)
		return vmdef_refuse(p, v, "must be a list of %u-byte entries, is %u bytes", width,
				    v->size);
	if (*count > max - used)
		return vmdef_refuse(p, v, "brings more than %u in all", max);
	return 0;
}

/* Guest ranges; the host's are the same unless host-reg follows. */
static int read_passthrough_reg(struct vmdef_parse *p, const struct vmdef_value *v)
{
	struct vmdef *def = p->def;
	u32 count;
	int err = count_of(p, v, 16, def->passthroughs, VMDEF_PASSTHROUGH, &count);

	for (u32 i = 0; !err && i < count; i++) {
		struct vmdef_passthrough *pt = &def->passthrough[def->passthroughs];

		err = vmdef_read_range(p, v, v->data + 16 * i, &pt->base, &pt->size);
		if (!err)
			err = vmdef_check_pages(p, v, pt->base, pt->size);
		pt->host = pt->base;
		p->passthrough_node[def->passthroughs++] = v->node;
	}
	return err;
}

static int read_host_reg(struct vmdef_parse *p, const struct vmdef_value *v)
{
	struct vmdef *def = p->def;
	u32 first = p->first_passthrough;
	u32 count = def->passthroughs - first;
	u64 size;
	int err = 0;

	if (v->size != 16 * count) {
		return vmdef_refuse(p, v, "must have as many ranges as reg (%u), is %u bytes",
				    count, v->size);
	}
	for (u32 i = 0; !err && i < count; i++) {
		struct vmdef_passthrough *pt = &def->passthrough[first + i];

		err = vmdef_read_range(p, v, v->data + 16 * i, &pt->host, &size);
		if (!err && size != pt->size) {
			return vmdef_refuse(p, v, "range %u has size 0x%lx, in reg 0x%lx", i, size,
				      pt->size);
		}
		if (!err)
			err = vmdef_check_pages(p, v, pt->host, size);
	}
	return err;
}

static int read_interrupts(struct vmdef_parse *p, const struct vmdef_value *v)
{
	struct vmdef *def = p->def;
	u32 count;
	int err = count_of(p, v, 4, def->irqs, VMDEF_IRQS, &count);

	for (u32 i = 0; !err && i < count; i++) {
		u32 n = vmdef_cell(v->data + 4 * i);

		def->irq[def->irqs] = (struct vmdef_irq){ .host = n, .guest = n };
		p->irq_node[def->irqs++] = v->node;
	}
	return err;
}

static int read_host_interrupts(struct vmdef_parse *p, const struct vmdef_value *v)
{
	struct vmdef *def = p->def;
	u32 first = p->first_irq;
	u32 count = def->irqs - first;

	if (v->size != 4 * count) {
		return vmdef_refuse(p, v, "must have as many cells as interrupts (%u), is %u bytes",
				    count, v->size);
	}
	for (u32 i = 0; i < count; i++)
		def->irq[first + i].host = vmdef_cell(v->data + 4 * i);
	return 0;
}

/* Whether the board has such a node is not known here: passthrough_resolve(). */
static int read_host_node(struct vmdef_parse *p, const struct vmdef_value *v)
{
	struct vmdef *def = p->def;
	char *path;
	int err;

	if (def->host_nodes == VMDEF_HOST_NODES)
		return vmdef_refuse(p, v, "is one device too many; possible are %u",
				    VMDEF_HOST_NODES);
	path = def->host_node[def->host_nodes].path;
	err = vmdef_read_name(p, v, path, VMDEF_PATH);
	if (!err && (path[0] != '/' || !path[1]))
		return vmdef_refuse(p, v, "must be a path in the board's device tree, like "
				    "\"/soc/serial@10000000\"");
	for (u32 i = 0; !err && i < def->host_nodes; i++) {
		if (!strcmp(path, def->host_node[i].path))
			return vmdef_refuse(p, v, "is given already, by %s",
					    fdt_get_name(p->fdt, p->host_node_node[i], NULL));
	}
	p->host_node_node[def->host_nodes++] = v->node;
	return err;
}

static int read_no_dma(struct vmdef_parse *p, const struct vmdef_value *v)
{
	struct vmdef *def = p->def;

	if (def->host_nodes == p->first_host_node)
		return vmdef_refuse(p, v, "has a meaning beside host-node only");
	return vmdef_read_flag(p, v, &def->host_node[def->host_nodes - 1].no_dma);
}

static int check_passthrough(struct vmdef_parse *p, int node, const struct vmdef_kind *kind)
{
	const struct vmdef *def = p->def;
	bool numbers = def->passthroughs != p->first_passthrough || def->irqs != p->first_irq;
	bool host = def->host_nodes != p->first_host_node;

	(void)kind;
	if (!numbers && !host)
		return vmdef_refuse_node(p, node, "reg",
					 "neither host-node nor reg nor interrupts is there");
	if (numbers && host)
		return vmdef_refuse_node(p, node, "host-node", "excludes reg and interrupts: the "
					 "board's tree says them");
	p->first_passthrough = def->passthroughs;
	p->first_irq = def->irqs;
	p->first_host_node = def->host_nodes;
	return 0;
}

/* --- The shape of the tree ----------------------------------------------------------------- */

#define CELLS { "#address-cells", false, read_cells }, { "#size-cells", false, read_cells }

static const struct vmdef_property memory_properties[] = {
	{ "reg", true, read_memory_reg },
	{ "identity-map", false, read_identity },
	{ NULL, false, NULL },
};

static const struct vmdef_property kernel_properties[] = {
	{ "image", false, read_kernel_image },
	{ "load", false, read_kernel_load },
	{ "entry", false, read_kernel_entry },
	{ NULL, false, NULL },
};

static const struct vmdef_property initrd_properties[] = {
	{ "image", true, read_initrd_image },
	{ "load", false, read_initrd_load },
	{ NULL, false, NULL },
};

static const struct vmdef_property sched_properties[] = {
	{ "policy", true, read_policy },
	{ "priority", false, read_priority },
	{ "budget-us", false, read_budget },
	{ "period-us", false, read_period },
	{ "strict", false, read_strict },
	{ NULL, false, NULL },
};

static const struct vmdef_property passthrough_properties[] = {
	{ "reg", false, read_passthrough_reg },
	{ "host-reg", false, read_host_reg },
	{ "interrupts", false, read_interrupts },
	{ "host-interrupts", false, read_host_interrupts },
	{ "host-node", false, read_host_node },
	{ "no-dma", false, read_no_dma },
	{ NULL, false, NULL },
};

static const struct vmdef_property bus_properties[] = {
	CELLS,
	{ NULL, false, NULL },
};

static const struct vmdef_property root_properties[] = {
	{ "compatible", true, read_compatible },
	CELLS,
	{ "vm-name", true, read_vm_name },
	{ "vcpus", false, read_vcpus },
	{ "harts", false, read_harts },
	{ "bootargs", false, read_bootargs },
	{ "autostart", false, read_autostart },
	{ "management", false, read_management },
	{ "on-poweroff", false, read_on_poweroff },
	{ "on-reboot", false, read_on_reboot },
	{ "on-crash", false, read_on_crash },
	{ "max-restarts", false, read_max_restarts },
	{ "max-leaf", false, read_max_leaf },
	{ "time", false, read_time },
	{ NULL, false, NULL },
};

static const struct vmdef_kind passthrough_kinds[] = {
	{ .many = true, .properties = passthrough_properties, .check = check_passthrough },
	{ .properties = NULL },
};

static const struct vmdef_kind root_kinds[] = {
	{ .name = "memory", .many = true, .properties = memory_properties },
	{ .name = "kernel", .properties = kernel_properties },
	{ .name = "initrd", .properties = initrd_properties },
	{ .name = "sched", .properties = sched_properties, .check = check_sched },
	{ .name = "devices", .properties = bus_properties, .children = vmdef_device_kinds },
	{ .name = "passthrough", .properties = bus_properties, .children = passthrough_kinds },
	{ .properties = NULL },
};

static const struct vmdef_kind root_kind = {
	.name = "",
	.properties = root_properties,
	.children = root_kinds,
};

static void set_defaults(struct vmdef *def)
{
	memset(def, 0, sizeof(*def));
	def->vcpus = 1;
	def->on_poweroff = VMDEF_STOP;
	def->on_reboot = VMDEF_RESTART;
	def->on_crash = VMDEF_STOP;
	def->max_leaf = 30;
	def->sources = VMDEF_DEFAULT_SOURCES;
	for (u32 i = 0; i < VMDEF_DEVICES; i++)
		if (!vmdef_devices[i].optional)
			*vmdef_device_get(def, i) = vmdef_devices[i].standard;
}

int vmdef_parse(struct vmdef *def, const void *fdt, size_t size, struct vmdef_error *error)
{
	struct vmdef_parse p = { .def = def, .fdt = fdt, .error = error };
	int err;

	set_defaults(def);
	err = vmdef_walk(&p, size, &root_kind);
	return err ? err : vmdef_check(&p);
}
