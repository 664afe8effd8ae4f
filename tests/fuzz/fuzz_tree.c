/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: definition trees as Shyper itself gets them. The input writes a tree of the nodes and
 * properties that there are, with values that mean something, sometimes with others. What the
 * checker accepts keeps its promises, and has a device tree for its guest.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include <asm/guest_fdt.h>
#include <hv/errno.h>
#include <hv/vmdef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM 16384
#define DEPTH 5

/* The rest of the input. */
struct input {
	const uint8_t *at;
	size_t left;
};

static void check(bool good)
{
	if (!good)
		abort();
}

static uint32_t next(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

#define PICK(in, list) ((list)[next(in) % ARRAY_SIZE(list)])

/* --- Writing a tree -------------------------------------------------------------------------- */

static const char *const nodes[] = {
	"memory@80000000", "memory@0", "memory", "kernel", "initrd", "sched", "devices",
	"passthrough", "plic", "aplic", "imsic", "uart", "test", "rtc", "console", "virtio0",
	"virtio7", "net0", "net3", "a@1", "b",
};

static const char *const properties[] = {
	"#address-cells", "#size-cells", "vcpus", "harts", "bootargs", "autostart", "management",
	"on-poweroff", "on-reboot", "on-crash", "max-restarts", "max-leaf", "reg",
	"identity-map", "image", "load", "entry", "policy", "priority", "budget-us", "period-us",
	"strict", "status", "interrupt", "sources", "guest-index-bits", "switch", "mac", "vlan",
	"mtu", "host-reg", "interrupts", "host-interrupts", "host-node", "no-dma", "x",
};

/* The likely properties of nodes, by the beginning of their names. */
static const struct {
	const char *node;
	const char *property[6];
} likely[] = {
	{ "", { "vcpus", "harts", "max-leaf", "on-crash", "autostart", "bootargs" } },
	{ "memory", { "reg", "reg", "reg", "identity-map", "reg", "reg" } },
	{ "kernel", { "image", "load", "entry", "image", "load", "entry" } },
	{ "initrd", { "image", "load", "image", "load", "image", "load" } },
	{ "sched", { "policy", "priority", "budget-us", "period-us", "strict", "policy" } },
	{ "plic", { "reg", "sources", "status", "reg", "sources", "reg" } },
	{ "aplic", { "reg", "sources", "status", "reg", "sources", "reg" } },
	{ "imsic", { "reg", "guest-index-bits", "reg", "reg", "reg", "reg" } },
	{ "a@", { "reg", "host-reg", "interrupts", "host-interrupts", "host-node", "no-dma" } },
	{ "b", { "reg", "host-reg", "interrupts", "host-interrupts", "host-node", "no-dma" } },
	{ "net", { "reg", "interrupt", "switch", "mac", "vlan", "mtu" } },
	{ "", { "reg", "interrupt", "status", "reg", "interrupt", "reg" } },
};

static const char *const words[] = {
	"guest", "okay", "disabled", "restart", "stop", "machine-off", "4K", "1G", "priority",
	"pinned", "partition", "/soc/a@1", "", "a name that is longer than names may be, by far",
};

static const uint64_t numbers[] = {
	0, 1, 2, 3, 4, 8, 10, 16, 17, 96, 128, 0x100, 0xfff, 0x1000, 0x8000, 0x10000, 0x200000,
	0x600000, 0x100000, 0x101000, 0xc000000, 0xd000000, 0x10000000, 0x10001000, 0x28000000,
	0x80000000, 0x80200000, 0x80200001, 0x8ffff000, 0x7fffffff, 0xffffffff, 0x100000000,
	0xfffffffffff000, 0x100000000000000, 0xfffffffffffff000, UINT64_MAX,
};

static void put_numbers(struct input *in, void *fdt, const char *name, uint32_t form)
{
	uint32_t cells[8];
	size_t n = 0, count = form == 0 ? 1 : form == 1 ? 2 : 2 * (1 + next(in) % 4);

	while (n < count) {
		uint64_t value = PICK(in, numbers);

		if (form)
			cells[n++] = cpu_to_fdt32((uint32_t)(value >> 32));
		cells[n++] = cpu_to_fdt32((uint32_t)value);
	}
	(void)!fdt_property(fdt, name, cells, (int)(4 * count));
}

static void put_value(struct input *in, void *fdt, const char *name)
{
	static const char bytes[] = "\x52\x54\0\x12\x34\x56";
	uint32_t form = next(in) % 6;
	const char *word;

	if (form <= 2) {
		put_numbers(in, fdt, name, form);
	} else if (form == 3) {
		word = PICK(in, words);
		(void)!fdt_property(fdt, name, word, (int)strlen(word) + 1);
	} else {
		(void)!fdt_property(fdt, name, bytes, form == 4 ? 0 : 6);
	}
}

static void put_property(struct input *in, void *fdt, const char *node)
{
	size_t i = node[0] ? 1 : 0;

	if (next(in) % 16 == 0) {
		put_value(in, fdt, PICK(in, properties));
		return;
	}
	while (node[0] && i + 1 < ARRAY_SIZE(likely) &&
	       strncmp(node, likely[i].node, strlen(likely[i].node)) != 0)
		i++;
	put_value(in, fdt, PICK(in, likely[i].property));
}

/* Properties, then nodes, as the format has it. */
static void put_node(struct input *in, void *fdt, const char *name, uint32_t depth)
{
	(void)!fdt_begin_node(fdt, name);
	if (!depth) {
		(void)!fdt_property_string(fdt, "compatible", "shyper,vm-v1");
		(void)!fdt_property_string(fdt, "vm-name", "guest");
	}
	for (uint32_t n = next(in) % 5; n; n--)
		put_property(in, fdt, name);
	for (uint32_t n = depth < DEPTH ? next(in) % 6 : 0; n && in->left; n--)
		put_node(in, fdt, PICK(in, nodes), depth + 1);
	(void)!fdt_end_node(fdt);
}

/* --- What an accepted definition promises ----------------------------------------------------- */

struct range {
	uint64_t base;
	uint64_t size;
};

static void check_apart(const struct range *range, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		check(range_valid(range[i].base, range[i].size));
		check(range[i].base + (range[i].size - 1) < VMDEF_ADDRESS_END);
		for (size_t j = 0; j < i; j++)
			check(!range_overlaps(range[i].base, range[i].size, range[j].base,
					      range[j].size));
	}
}

static void check_ranges(const struct vmdef *def)
{
	const struct vmdef_device *devices[] = {
		&def->plic, &def->aplic, &def->imsic, &def->uart, &def->finisher, &def->rtc,
		&def->console, &def->virtio[0], &def->virtio[7], &def->net[0].device,
		&def->net[3].device,
	};
	struct range range[VMDEF_RAM + VMDEF_PASSTHROUGH + ARRAY_SIZE(devices)];
	size_t n = 0;

	for (uint32_t i = 0; i < def->rams; i++) {
		check(!((def->ram[i].base | def->ram[i].size) % PAGE_SIZE));
		check(!i || def->ram[i - 1].base < def->ram[i].base);
		range[n++] = (struct range){ def->ram[i].base, def->ram[i].size };
	}
	for (uint32_t i = 0; i < def->passthroughs; i++)
		range[n++] = (struct range){ def->passthrough[i].base, def->passthrough[i].size };
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		check(devices[i]->irq == 0 || devices[i]->irq < def->sources || !devices[i]->size);
		if (devices[i]->size)
			range[n++] = (struct range){ devices[i]->base, devices[i]->size };
	}
	check_apart(range, n);
}

static void check_def(const struct vmdef *def)
{
	check(def->name[0] && memchr(def->name, 0, sizeof(def->name)));
	check(memchr(def->cmdline, 0, sizeof(def->cmdline)) != NULL);
	check(def->vcpus >= 1 && def->vcpus <= VMDEF_VCPUS);
	check(!def->harts || def->harts == def->vcpus);
	check(def->rams >= 1 && def->rams <= VMDEF_RAM);
	check(def->sources <= VMDEF_SOURCES);
	check_ranges(def);
}

static void check_guest_tree(const struct vmdef *def)
{
	static u64 fdt[GUEST_FDT_SIZE / 8];
	static const u8 seed[64];
	const struct guest_fdt_params params = {
		.def = def, .isa = "rv64imafdc_zicsr_sstc", .mmu = "sv57", .timebase = 10000000,
		.imsic_ids = 255, .rng_seed = seed, .rng_seed_size = sizeof(seed),
	};

	check(guest_fdt_build(&params, fdt, sizeof(fdt)) == 0);
	check(fdt_check_full(fdt, sizeof(fdt)) == 0);
}

static void check_tree(const void *tree, size_t size)
{
	static struct vmdef def;
	struct vmdef_error why;

	memset(&why, 0, sizeof(why));
	if (vmdef_parse(&def, tree, size, &why)) {
		check(why.node[0] && why.reason[0]);
		return;
	}
	for (uint32_t board = 0; board < 3; board++) {
		struct vmdef one = def;

		if (vmdef_choose_irqchip(&one, board > 0, board > 1, &why))
			continue;
		check(vmdef_check_host(&one, &why) == 0);
		check_def(&one);
		if (!one.host_nodes)
			check_guest_tree(&one);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static u64 room[ROOM / 8];
	struct input in = { data, size };
	size_t total;
	void *tree;

	(void)!fdt_create(room, sizeof(room));
	(void)!fdt_finish_reservemap(room);
	put_node(&in, room, "", 0);
	if (fdt_finish(room))
		return 0;
	total = fdt_totalsize(room);
	/* What is left of the input spoils it. */
	for (uint8_t *bytes = (uint8_t *)room; in.left > 1;) {
		size_t at = next(&in) * 256 + next(&in);

		bytes[at % total] ^= (uint8_t)next(&in);
	}
	tree = malloc(total);	/* not a byte more */
	memcpy(tree, room, total);
	check_tree(tree, total);
	free(tree);
	return 0;
}
