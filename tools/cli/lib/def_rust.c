/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rust-Shyper's JSON form, field for field. Unknown keys are ignored there, so they are here. What
 * Shyper does by itself (device trees, maps of interrupt files) is checked and noted as such.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "def.h"

#define DEVICES 64
#define IRQS_OF_DEVICE 64
#define CFG_ITEMS 16
#define AUTOMATIC "is handled automatically"

/* Where interrupt files are on boards that have them (QEMU's virt), and in the guests' machine. */
#define IMSIC_BASE UINT64_C(0x28000000)
#define IMSIC_SIZE UINT64_C(0x01000000)

/* One entry of a device list; each list uses what it needs of it. */
struct entry {
	char name[64];
	uint64_t base_ipa, base_pa, length, irq_id;
	unsigned int type;
	uint32_t irqs;
	uint32_t irq[IRQS_OF_DEVICE];
	uint32_t cfgs;
	uint64_t cfg[CFG_ITEMS];
};

/* --- Values of an entry ---------------------------------------------------------------------- */

static int address(struct reader *r, const struct where *where, const json_t *value, uint64_t *out)
{
	return reader_number(r, where, value, 0, DEF_ADDRESS_END - 1, out);
}

static int entry_name(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct entry *e = into;

	return reader_text(r, where, value, e->name, sizeof(e->name));
}

static int entry_base_ipa(struct reader *r, const struct where *where, const json_t *value,
			  void *into)
{
	return address(r, where, value, &((struct entry *)into)->base_ipa);
}

static int entry_base_pa(struct reader *r, const struct where *where, const json_t *value,
			 void *into)
{
	return address(r, where, value, &((struct entry *)into)->base_pa);
}

static int entry_length(struct reader *r, const struct where *where, const json_t *value,
			void *into)
{
	return address(r, where, value, &((struct entry *)into)->length);
}

static int entry_irq_id(struct reader *r, const struct where *where, const json_t *value,
			void *into)
{
	return reader_number(r, where, value, 0, 1023, &((struct entry *)into)->irq_id);
}

static int one_irq(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct entry *e = into;
	uint64_t n;

	if (reader_number(r, where, value, 0, 1023, &n))
		return -1;
	e->irq[e->irqs++] = (uint32_t)n;
	return 0;
}

static int entry_irq_list(struct reader *r, const struct where *where, const json_t *value,
			  void *into)
{
	return reader_list(r, where, value, IRQS_OF_DEVICE, one_irq, into);
}

static int one_cfg(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct entry *e = into;

	return reader_number(r, where, value, 0, UINT64_MAX, &e->cfg[e->cfgs++]);
}

static int entry_cfg_list(struct reader *r, const struct where *where, const json_t *value,
			  void *into)
{
	return reader_list(r, where, value, CFG_ITEMS, one_cfg, into);
}

/* --- Image ----------------------------------------------------------------------------------- */

static int image_kernel(struct reader *r, const struct where *where, const json_t *value,
			void *into)
{
	struct def *def = into;

	if (reader_text(r, where, value, def->kernel, sizeof(def->kernel)))
		return -1;
	return def->kernel[0] ? 0 : reader_refuse(r, where, "must name a file");
}

static int image_ramdisk(struct reader *r, const struct where *where, const json_t *value,
			 void *into)
{
	struct def *def = into;

	return reader_text(r, where, value, def->initrd, sizeof(def->initrd));
}

/* 0 stands for "none". */
static int image_address(struct reader *r, const struct where *where, const json_t *value,
			 struct def_address *out)
{
	if (address(r, where, value, &out->at))
		return -1;
	out->given = out->at != 0;
	return 0;
}

static int image_load(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return image_address(r, where, value, &((struct def *)into)->kernel_load);
}

static int image_entry(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	return image_address(r, where, value, &((struct def *)into)->entry);
}

static int image_ramdisk_load(struct reader *r, const struct where *where, const json_t *value,
			      void *into)
{
	return image_address(r, where, value, &((struct def *)into)->initrd_load);
}

static int image_fdt_load(struct reader *r, const struct where *where, const json_t *value,
			  void *into)
{
	return image_address(r, where, value, &((struct def *)into)->fdt_load);
}

static int image_fdt(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	char file[PATH_MAX];

	(void)into;
	if (reader_text(r, where, value, file, sizeof(file)))
		return -1;
	if (!file[0])
		return 0;
	return reader_refuse(r, where, "device trees and overlays cannot be given: Shyper writes "
			     "the guest's tree from the devices it has; use \"\"");
}

static int read_image(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "kernel_filename", true, image_kernel },
		{ "kernel_load_ipa", false, image_load },
		{ "kernel_entry_point", false, image_entry },
		{ "device_tree_filename", false, image_fdt },
		{ "device_tree_load_ipa", false, image_fdt_load },
		{ "ramdisk_filename", false, image_ramdisk },
		{ "ramdisk_load_ipa", false, image_ramdisk_load },
		{ NULL, false, NULL },
	};

	return reader_object(r, where, value, keys, false, into);
}

/* --- Memory and processors ------------------------------------------------------------------- */

static int region_start(struct reader *r, const struct where *where, const json_t *value,
			void *into)
{
	return address(r, where, value, &((struct def_range *)into)->base);
}

static int region_length(struct reader *r, const struct where *where, const json_t *value,
			 void *into)
{
	return address(r, where, value, &((struct def_range *)into)->size);
}

static int one_region(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "ipa_start", true, region_start },
		{ "length", true, region_length },
		{ NULL, false, NULL },
	};
	struct def *def = into;

	return reader_object(r, where, value, keys, false, &def->ram[def->rams++]);
}

static int memory_region(struct reader *r, const struct where *where, const json_t *value,
			 void *into)
{
	return reader_list(r, where, value, DEF_RAM, one_region, into);
}

static int memory_unused(struct reader *r, const struct where *where, const json_t *value,
			 void *into)
{
	(void)into;
	if (json_is_string(value) && !json_string_length(value))
		return 0;
	reader_note(r, where, "has no meaning here and is ignored: memory is not coloured and "
		    "bandwidth is not limited");
	return 0;
}

static int read_memory(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	static const struct key keys[] = {
		{ "region", true, memory_region },
		{ "colors", false, memory_unused },
		{ "budget", false, memory_unused },
		{ NULL, false, NULL },
	};

	return reader_object(r, where, value, keys, false, into);
}

struct cpu {
	uint64_t num, bitmap, master;
	bool has_master;
};

static int cpu_num(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return reader_number(r, where, value, 1, SHYPER_VCPUS, &((struct cpu *)into)->num);
}

static int cpu_bitmap(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return reader_number(r, where, value, 1, UINT64_MAX, &((struct cpu *)into)->bitmap);
}

static int cpu_master(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct cpu *cpu = into;

	cpu->has_master = true;
	return reader_number(r, where, value, 0, 63, &cpu->master);
}

/* The master's hart serves vCPU 0, the others follow in their order. */
static int settle_harts(struct reader *r, const struct where *where, struct def *def,
			const struct cpu *cpu)
{
	const struct where master = { where, "master", 0 };
	const struct where num = { where, "num", 0 };
	uint32_t count = (uint32_t)__builtin_popcountll(cpu->bitmap);

	if (count > SHYPER_VCPUS)
		return reader_refuse(r, where, "names %u harts; at most %u are possible", count,
				     SHYPER_VCPUS);
	if (cpu->has_master && !(cpu->bitmap >> cpu->master & 1))
		return reader_refuse(r, &master, "hart %" PRIu64 " is not in allocate_bitmap",
				     cpu->master);
	if (cpu->num && cpu->num != count)
		reader_note(r, &num, "is %" PRIu64 ", but allocate_bitmap names %u harts: the VM "
			    "has %u vCPUs", cpu->num, count, count);
	if (cpu->has_master)
		def->hart[def->harts++] = cpu->master;
	for (uint64_t hart = 0; hart < 64; hart++) {
		if ((cpu->bitmap >> hart & 1) && !(cpu->has_master && hart == cpu->master))
			def->hart[def->harts++] = hart;
	}
	def->vcpus = def->harts;
	return 0;
}

static int read_cpu(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "num", false, cpu_num },
		{ "allocate_bitmap", false, cpu_bitmap },
		{ "master", false, cpu_master },
		{ NULL, false, NULL },
	};
	struct def *def = into;
	struct cpu cpu = { 0 };

	if (reader_object(r, where, value, keys, false, &cpu))
		return -1;
	if (cpu.bitmap)
		return settle_harts(r, where, def, &cpu);
	if (cpu.has_master)
		return reader_refuse(r, where, "has a master, but no allocate_bitmap");
	def->vcpus = cpu.num ? (uint32_t)cpu.num : 1;
	return 0;
}

/* --- Emulated devices ------------------------------------------------------------------------ */

/* Numbered as there. */
static const char *const emulated_names[] = {
	"EMU_DEVICE_T_CONSOLE", "EMU_DEVICE_T_GICD", "EMU_DEVICE_T_GPPT",
	"EMU_DEVICE_T_VIRTIO_BLK", "EMU_DEVICE_T_VIRTIO_NET", "EMU_DEVICE_T_VIRTIO_CONSOLE",
	"EMU_DEVICE_T_SHYPER", "EMU_DEVICE_T_VIRTIO_BLK_MEDIATED", "EMU_DEVICE_T_IOMMU",
	"EMU_DEVICE_T_SRE", "EMU_DEVICE_T_SGIR", "EMU_DEVICE_T_GICR", "EMU_DEVICE_T_META",
	"EMU_DEVICE_T_PLIC", "EMU_DEVICE_T_APLIC", NULL,
};
enum {
	CONSOLE, GICD, GPPT, VIRTIO_BLK, VIRTIO_NET, VIRTIO_CONSOLE, SHYPER, VIRTIO_BLK_MEDIATED,
	IOMMU, SRE, SGIR, GICR, META, PLIC, APLIC, EMULATED_TYPES,
};

static int emulated_type(struct reader *r, const struct where *where, const json_t *value,
			 void *into)
{
	struct entry *e = into;

	if (json_is_integer(value)) {
		uint64_t n;

		if (reader_number(r, where, value, 0, EMULATED_TYPES - 1, &n))
			return -1;
		e->type = (unsigned int)n;
		return 0;
	}
	return reader_word(r, where, value, emulated_names, &e->type);
}

static int emulated_irqchip(struct reader *r, const struct where *where, struct def *def,
			    const struct entry *e, enum def_irqchip irqchip)
{
	if (def->irqchip != DEF_IRQCHIP_BOARDS)
		return reader_refuse(r, where, "is a second interrupt controller");
	if (!e->length)
		return reader_refuse(r, where, "needs a \"length\" that is not 0");
	def->irqchip = irqchip;
	def->irqchip_range = (struct def_range){ e->base_ipa, e->length };
	def->irqchip_item = (uint32_t)where->index;
	return 0;
}

/* Numbers that are missing or 0 leave place or interrupt to us. */
static struct def_place place_of(const struct where *where, const struct entry *e)
{
	struct def_place place = {
		.irq = (uint32_t)e->irq_id,
		.item = (uint32_t)where->index,
	};

	if (e->base_ipa)
		place.range = (struct def_range){ e->base_ipa, e->length ? e->length : DEF_PAGE };
	return place;
}

/* cfg_list is where the disk begins in the image, and its size, which is the image's here. */
static int emulated_disk(struct reader *r, const struct where *where, struct def *def,
			 const struct entry *e)
{
	const struct where cfg = { where, "cfg_list", 0 };

	if (e->cfgs && e->cfg[0])
		return reader_refuse(r, &(struct where){ &cfg, NULL, 0 }, "is the disk's first "
				     "sector; a disk begins where its image does, so it must be "
				     "0");
	if (def->disks == DEF_DISKS)
		return reader_refuse(r, where, "is one disk too many; at most %d are possible",
				     DEF_DISKS);
	if (e->type == VIRTIO_BLK)
		reader_note(r, where, "is served like EMU_DEVICE_T_VIRTIO_BLK_MEDIATED, from the "
			    "list of mediated disks");
	def->disk[def->disks++] = (struct def_disk){
		.place = place_of(where, e),
		.mediated = true,
	};
	return 0;
}

static int emulated_console(struct reader *r, const struct where *where, struct def *def,
			    const struct entry *e)
{
	if (def->console)
		return reader_refuse(r, where, "is a second virtio console");
	def->console = true;
	def->console_place = place_of(where, e);
	return 0;
}

static int emulated_net(struct reader *r, const struct where *where, struct def *def,
			const struct entry *e)
{
	const struct where cfg = { where, "cfg_list", 0 };
	struct def_nic *nic = &def->nic[def->nics];

	if (def->nics == DEF_NICS)
		return reader_refuse(r, where, "is one network card too many; at most %d are "
				     "possible", DEF_NICS);
	if (e->cfgs && e->cfgs != 6)
		return reader_refuse(r, &cfg, "must have the 6 bytes of a MAC address");
	for (uint32_t i = 0; i < e->cfgs; i++) {
		if (e->cfg[i] > 255)
			return reader_refuse(r, &cfg, "0x%" PRIx64 " is not a byte of a MAC "
					     "address", e->cfg[i]);
		nic->mac[i] = (uint8_t)e->cfg[i];
	}
	if (e->cfgs && !def_mac_possible(nic->mac))
		return reader_refuse(r, &cfg, "is a group address or zero, which no card can have");
	nic->place = place_of(where, e);
	def->nics++;
	return 0;
}

/* What the type makes of it. */
static int emulated(struct reader *r, const struct where *where, struct def *def,
		    const struct entry *e)
{
	const struct where type = { where, "type", 0 };

	switch (e->type) {
	case PLIC:
		return emulated_irqchip(r, where, def, e, DEF_IRQCHIP_PLIC);
	case APLIC:
		return emulated_irqchip(r, where, def, e, DEF_IRQCHIP_APLIC);
	case VIRTIO_BLK:
	case VIRTIO_BLK_MEDIATED:
		return emulated_disk(r, where, def, e);
	case VIRTIO_NET:
		return emulated_net(r, where, def, e);
	case VIRTIO_CONSOLE:
		return emulated_console(r, where, def, e);
	case CONSOLE:
	case SHYPER:
	case META:
		reader_note(r, &type, "%s " AUTOMATIC, emulated_names[e->type]);
		return 0;
	case IOMMU:
		return reader_refuse(r, &type, "guests have no IOMMU of their own");
	default:
		return reader_refuse(r, &type, "%s is an Arm device and this is a RISC-V machine; "
				     "use EMU_DEVICE_T_PLIC or EMU_DEVICE_T_APLIC",
				     emulated_names[e->type]);
	}
}

static int one_emulated(struct reader *r, const struct where *where, const json_t *value,
			void *into)
{
	static const struct key keys[] = {
		{ "name", false, entry_name },
		{ "base_ipa", false, entry_base_ipa },
		{ "length", false, entry_length },
		{ "irq_id", false, entry_irq_id },
		{ "cfg_list", false, entry_cfg_list },
		{ "type", true, emulated_type },
		{ NULL, false, NULL },
	};
	struct entry e = { 0 };

	if (reader_object(r, where, value, keys, false, &e))
		return -1;
	return emulated(r, where, into, &e);
}

static int emulated_list(struct reader *r, const struct where *where, const json_t *value,
			 void *into)
{
	return reader_list(r, where, value, DEVICES, one_emulated, into);
}

static int read_emulated(struct reader *r, const struct where *where, const json_t *value,
			 void *into)
{
	static const struct key keys[] = {
		{ "emulated_device_list", false, emulated_list },
		{ NULL, false, NULL },
	};

	return reader_object(r, where, value, keys, false, into);
}

/* --- Devices of the board -------------------------------------------------------------------- */

static bool inside_imsic(uint64_t base, uint64_t size)
{
	return base >= IMSIC_BASE && size <= IMSIC_SIZE &&
	       base - IMSIC_BASE <= IMSIC_SIZE - size;
}

static bool touches_imsic(uint64_t base, uint64_t size)
{
	return base < IMSIC_BASE + IMSIC_SIZE && base + size > IMSIC_BASE;
}

/* Interrupt files: Shyper chooses the physical side, so that no definition reaches another's. */
static int passthrough_imsic(struct reader *r, const struct where *where, struct def *def,
			     const struct entry *e)
{
	if (!inside_imsic(e->base_ipa, e->length) || !inside_imsic(e->base_pa, e->length))
		return reader_refuse(r, where, "0x%" PRIx64 " is an interrupt file, which no "
				     "definition may name", e->base_pa);
	if (def->files == SHYPER_VCPUS)
		return reader_refuse(r, where, "is one interrupt file too many; at most %d are "
				     "possible", SHYPER_VCPUS);
	def->file[def->files++] = e->base_ipa;
	reader_note(r, where, "the interrupt file at 0x%" PRIx64 " " AUTOMATIC, e->base_ipa);
	return 0;
}

static int add_passthrough(struct reader *r, const struct where *where, struct def *def,
			   const struct entry *e)
{
	struct def_passthrough *p = &def->passthrough[def->passthroughs];

	if (def->passthroughs == DEF_PASSTHROUGH)
		return reader_refuse(r, where, "is one device too many; at most %u are possible",
				     DEF_PASSTHROUGH);
	if (e->irqs > DEF_IRQS - def->irqs)
		return reader_refuse(r, where, "has too many interrupts; all devices together may "
				     "have %u", DEF_IRQS);
	if ((e->base_ipa | e->base_pa | e->length) % DEF_PAGE)
		return reader_refuse(r, where, "is not a multiple of 4 KiB");
	if (!e->length && !e->irqs)
		return reader_refuse(r, where, "has neither \"length\" nor \"irq_list\"");
	*p = (struct def_passthrough){
		.range = { e->base_ipa, e->length },
		.host = e->base_pa,
		.first_irq = def->irqs,
		.irqs = e->irqs,
		.item = (uint32_t)where->index,
	};
	memcpy(&def->irq[def->irqs], e->irq, e->irqs * sizeof(e->irq[0]));
	def->irqs += e->irqs;
	def->passthroughs++;
	return 0;
}

static int one_passthrough(struct reader *r, const struct where *where, const json_t *value,
			   void *into)
{
	static const struct key keys[] = {
		{ "name", false, entry_name },
		{ "base_pa", false, entry_base_pa },
		{ "base_ipa", false, entry_base_ipa },
		{ "length", false, entry_length },
		{ "irq_list", false, entry_irq_list },
		{ NULL, false, NULL },
	};
	struct entry e = { 0 };

	if (reader_object(r, where, value, keys, false, &e))
		return -1;
	if (json_object_get(value, "smmu_id"))
		reader_note(r, &(struct where){ where, "smmu_id", 0 }, AUTOMATIC);
	if (e.length && touches_imsic(e.base_pa, e.length))
		return passthrough_imsic(r, where, into, &e);
	return add_passthrough(r, where, into, &e);
}

static int passthrough_list(struct reader *r, const struct where *where, const json_t *value,
			    void *into)
{
	return reader_list(r, where, value, DEVICES, one_passthrough, into);
}

static int read_passthrough(struct reader *r, const struct where *where, const json_t *value,
			    void *into)
{
	static const struct key keys[] = {
		{ "passthrough_device_list", false, passthrough_list },
		{ NULL, false, NULL },
	};

	return reader_object(r, where, value, keys, false, into);
}

/* --- Nodes of the device tree ---------------------------------------------------------------- */

static int dtb_type(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	(void)into;
	if (json_is_string(value) && strstr(json_string_value(value), "GIC"))
		return reader_refuse(r, where, "\"%s\" is an Arm device and this is a RISC-V "
				     "machine", json_string_value(value));
	return 0;
}

static int one_dtb(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "name", false, entry_name },
		{ "type", false, dtb_type },
		{ "irq_list", false, entry_irq_list },
		{ "addr_region_ipa", false, entry_base_ipa },
		{ "addr_region_length", false, entry_length },
		{ NULL, false, NULL },
	};
	struct entry e = { 0 };

	(void)into;
	if (reader_object(r, where, value, keys, false, &e))
		return -1;
	reader_note(r, where, "\"%s\" " AUTOMATIC ": Shyper writes the guest's device tree",
		    e.name);
	return 0;
}

static int dtb_list(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return reader_list(r, where, value, DEVICES, one_dtb, into);
}

static int read_dtb(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "dtb_device_list", false, dtb_list },
		{ NULL, false, NULL },
	};

	return reader_object(r, where, value, keys, false, into);
}

/* --- The whole ------------------------------------------------------------------------------- */

static int read_name(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct def *def = into;

	return reader_text(r, where, value, def->name, sizeof(def->name));
}

/* It makes no difference here: what the kernel is shows in its first bytes. */
static int read_type(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const char *const names[] = {
		"VM_T_LINUX", "VM_T_BARE_MATEL_APP", "VM_T_BARE_METAL_APP", "VM_T_FREERTOS", NULL,
	};
	unsigned int n;

	(void)into;
	if (json_is_integer(value)) {
		uint64_t number;

		return reader_number(r, where, value, 0, 2, &number);
	}
	return reader_word(r, where, value, names, &n);
}

static int read_cmdline(struct reader *r, const struct where *where, const json_t *value,
			void *into)
{
	struct def *def = into;

	return reader_text(r, where, value, def->cmdline, sizeof(def->cmdline));
}

/* The guest's interrupt files: evenly spaced, by a power of two (AIA specification, 3.6). */
static int check_files(struct reader *r, const struct def *def)
{
	static const struct where list = { NULL, "passthrough_device", 0 };
	uint64_t step = def->files > 1 ? def->file[1] - def->file[0] : DEF_PAGE;

	for (uint32_t i = 1; i < def->files; i++) {
		if (def->file[i] - def->file[i - 1] != step || step & (step - 1) ||
		    step < DEF_PAGE || step > DEF_PAGE << 6)
			return reader_refuse(r, &list, "has interrupt files that are not spaced "
					     "evenly, by a power of two");
	}
	if (def->files && def->file[0] % DEF_PAGE)
		return reader_refuse(r, &list, "has an interrupt file that is not a whole page");
	return 0;
}

int def_rust(struct reader *r, struct def *def)
{
	static const struct key keys[] = {
		{ "name", true, read_name },
		{ "type", false, read_type },
		{ "cmdline", false, read_cmdline },
		{ "image", true, read_image },
		{ "memory", true, read_memory },
		{ "cpu", false, read_cpu },
		{ "emulated_device", false, read_emulated },
		{ "passthrough_device", false, read_passthrough },
		{ "dtb_device", false, read_dtb },
		{ NULL, false, NULL },
	};

	def->sched.shared = true;	/* as there: any VM may have any hart */
	if (reader_object(r, NULL, r->doc->root, keys, false, def))
		return -1;
	return check_files(r, def);
}
