/* SPDX-License-Identifier: BSD-2-Clause */
/* The native JSON form: short, everything optional but name and kernel, unknown keys refused. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "def.h"

#define RATE_MAX 100000000	/* kbit/s */

static int read_name(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct def *def = into;

	return reader_text(r, where, value, def->name, sizeof(def->name));
}

static int read_kernel(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	struct def *def = into;

	if (reader_text(r, where, value, def->kernel, sizeof(def->kernel)))
		return -1;
	return def->kernel[0] ? 0 : reader_refuse(r, where, "must name a file");
}

static int read_initrd(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	struct def *def = into;

	return reader_text(r, where, value, def->initrd, sizeof(def->initrd));
}

static int read_cmdline(struct reader *r, const struct where *where, const json_t *value,
			void *into)
{
	struct def *def = into;

	return reader_text(r, where, value, def->cmdline, sizeof(def->cmdline));
}

static int read_address(struct reader *r, const struct where *where, const json_t *value,
			struct def_address *out)
{
	out->given = true;
	return reader_number(r, where, value, 0, DEF_ADDRESS_END - 1, &out->at);
}

static int read_load(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return read_address(r, where, value, &((struct def *)into)->kernel_load);
}

static int read_entry(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return read_address(r, where, value, &((struct def *)into)->entry);
}

static int read_vcpus(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct def *def = into;
	uint64_t n;

	if (reader_number(r, where, value, 1, SHYPER_VCPUS, &n))
		return -1;
	def->vcpus = (uint32_t)n;
	return 0;
}

static int read_memory(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	struct def *def = into;

	def->rams = 1;
	def->ram[0].base = DEF_RAM_BASE;
	return reader_size(r, where, value, &def->ram[0].size);
}

static int read_hart(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct def *def = into;

	return reader_number(r, where, value, 0, UINT64_MAX, &def->hart[def->harts++]);
}

/* vcpus, read before, may be left to the number of harts. */
static int read_harts(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct def *def = into;

	if (reader_list(r, where, value, SHYPER_VCPUS, read_hart, def))
		return -1;
	if (def->harts == 0)
		return reader_refuse(r, where, "must name at least one hart");
	if (!json_object_get(r->doc->root, "vcpus"))
		def->vcpus = def->harts;
	return 0;
}

static int read_policy(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	static const char *const words[] = { "pinned", "priority", "partition", NULL };
	struct def_sched *sched = into;
	unsigned int n;

	if (reader_word(r, where, value, words, &n))
		return -1;
	sched->shared = n != 0;
	sched->windowed = n == 2;
	return 0;
}

/* policy was read before. */
static int read_share(struct reader *r, const struct where *where, const json_t *value,
		      const struct def_sched *sched, uint64_t low, uint64_t high, uint64_t *out)
{
	if (!sched->shared || sched->windowed)
		return reader_refuse(r, where, "has a meaning with policy \"priority\" only");
	return reader_number(r, where, value, low, high, out);
}

static int read_priority(struct reader *r, const struct where *where, const json_t *value,
			 void *into)
{
	struct def_sched *sched = into;

	return read_share(r, where, value, sched, 0, DEF_PRIORITY_MAX, &sched->priority);
}

static int read_budget(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	struct def_sched *sched = into;

	return read_share(r, where, value, sched, DEF_BUDGET_MIN, DEF_PERIOD_MAX,
			  &sched->budget_us);
}

static int read_period(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	struct def_sched *sched = into;

	return read_share(r, where, value, sched, DEF_PERIOD_MIN, DEF_PERIOD_MAX,
			  &sched->period_us);
}

static int read_strict(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	return reader_flag(r, where, value, &((struct def_sched *)into)->strict);
}

static int read_sched(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "policy", true, read_policy },
		{ "priority", false, read_priority },
		{ "budget_us", false, read_budget },
		{ "period_us", false, read_period },
		{ "strict", false, read_strict },
		{ NULL, false, NULL },
	};
	struct def_sched *sched = &((struct def *)into)->sched;

	if (reader_object(r, where, value, keys, true, sched))
		return -1;
	if (!sched->budget_us != !sched->period_us)
		return reader_refuse(r, where, "needs budget_us and period_us together");
	if (sched->budget_us > sched->period_us)
		return reader_refuse(r, where, "has a budget of %" PRIu64 " us, more than the "
				     "period, %" PRIu64, sched->budget_us, sched->period_us);
	if (sched->strict && !sched->budget_us)
		return reader_refuse(r, where, "is strict without a budget");
	return 0;
}

static int read_restart(struct reader *r, const struct where *where, const json_t *value,
			void *into)
{
	struct def *def = into;
	unsigned int n;

	if (reader_word(r, where, value, def_restart_names, &n))
		return -1;
	def->restart = (enum def_restart)n;
	return 0;
}

static int read_time(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const char *const names[] = { "runs", "stops-while-paused", NULL };
	unsigned int n;

	if (reader_word(r, where, value, names, &n))
		return -1;
	((struct def *)into)->time_stops = n;
	return 0;
}

static int read_irqchip(struct reader *r, const struct where *where, const json_t *value,
			void *into)
{
	static const char *const names[] = { "board", "plic", "aplic", NULL };
	struct def *def = into;
	unsigned int n;

	if (reader_word(r, where, value, names, &n))
		return -1;
	def->irqchip = (enum def_irqchip)n;
	return 0;
}

/* --- Disks, network cards and sockets -------------------------------------------------------- */

static int disk_path(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct def_disk *disk = into;

	if (reader_text(r, where, value, disk->path, sizeof(disk->path)))
		return -1;
	return disk->path[0] ? 0 : reader_refuse(r, where, "must not be empty");
}

static int disk_readonly(struct reader *r, const struct where *where, const json_t *value,
			 void *into)
{
	return reader_flag(r, where, value, &((struct def_disk *)into)->readonly);
}

static int disk_serial(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	struct def_disk *disk = into;

	return reader_text(r, where, value, disk->serial, sizeof(disk->serial));
}

static int nic_mac(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct def_nic *nic = into;
	char text[32];
	int end = 0;

	if (reader_text(r, where, value, text, sizeof(text)))
		return -1;
	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &nic->mac[0], &nic->mac[1],
		   &nic->mac[2], &nic->mac[3], &nic->mac[4], &nic->mac[5], &end) != 6 ||
	    end != 17 || text[end] || text[strspn(text, "0123456789abcdefABCDEF:")])
		return reader_refuse(r, where, "\"%s\" is not a MAC address; write it like "
				     "\"52:54:00:12:34:56\"", text);
	if (!def_mac_possible(nic->mac))
		return reader_refuse(r, where, "%s is a group address or zero, which no card can "
				     "have", text);
	return 0;
}

static int nic_switch(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct def_nic *nic = into;

	if (reader_text(r, where, value, nic->sw, sizeof(nic->sw)))
		return -1;
	return reader_check_name(r, where, nic->sw);
}

static int read_u32(struct reader *r, const struct where *where, const json_t *value,
		    uint32_t low, uint32_t high, uint32_t *out)
{
	uint64_t n;

	if (reader_number(r, where, value, low, high, &n))
		return -1;
	*out = (uint32_t)n;
	return 0;
}

static int nic_vlan(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return read_u32(r, where, value, 1, 4094, &((struct def_nic *)into)->vlan);
}

static int nic_mtu(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return read_u32(r, where, value, 68, 65535, &((struct def_nic *)into)->mtu);
}

/* Bits a second, as networks are sold: units of 1000. */
static int nic_rate(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const struct {
		char name;
		uint32_t kilobits;
	} units[] = { { 'K', 1 }, { 'M', 1000 }, { 'G', 1000000 } };
	struct def_nic *nic = into;
	char text[32], unit = '\0';
	uint64_t n = 0, rate = 0;
	int end = 0;

	if (reader_text(r, where, value, text, sizeof(text)))
		return -1;
	if (sscanf(text, "%9" SCNu64 "%c%n", &n, &unit, &end) == 2 && !text[end])
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			rate = (unit & ~0x20) == units[i].name ? n * units[i].kilobits : rate;
	if (!rate || rate > RATE_MAX)
		return reader_refuse(r, where, "\"%s\" is not a rate in bits a second; write it "
				     "like \"100M\", at most \"100G\"", text);
	nic->rate = (uint32_t)rate;
	return 0;
}

static int nic_locked(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return reader_flag(r, where, value, &((struct def_nic *)into)->locked);
}

static int nic_small(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return reader_flag(r, where, value, &((struct def_nic *)into)->small);
}

static int nic_backend(struct reader *r, const struct where *where, const json_t *value,
		       void *into)
{
	static const char *const names[] = { "switch", "vhost", NULL };
	unsigned int n;

	if (reader_word(r, where, value, names, &n))
		return -1;
	((struct def_nic *)into)->vhost = n;
	return 0;
}

static int nic_bridge(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct def_nic *nic = into;

	if (reader_text(r, where, value, nic->bridge, sizeof(nic->bridge)))
		return -1;
	return nic->bridge[0] && !strchr(nic->bridge, '/') ? 0 :
	       reader_refuse(r, where, "\"%s\" is not the name of a bridge", nic->bridge);
}

/* What belongs to the switch, and what to a tap, do not go together. */
static int check_nic(struct reader *r, const struct where *where, const struct def_nic *nic)
{
	if (nic->vhost && (nic->sw[0] || nic->vlan || nic->rate || nic->locked || nic->small))
		return reader_refuse(r, where, "\"switch\", \"vlan\", \"rate\", \"locked\" and "
				     "\"small_frames\" are the switch's; with \"backend\": "
				     "\"vhost\" the card is on none");
	if (!nic->vhost && nic->bridge[0])
		return reader_refuse(r, where, "\"bridge\" goes with \"backend\": \"vhost\"");
	return 0;
}

static int read_disk(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "path", true, disk_path },
		{ "readonly", false, disk_readonly },
		{ "serial", false, disk_serial },
		{ NULL, false, NULL },
	};
	struct def *def = into;
	struct def_disk *disk = &def->disk[def->disks++];

	if (json_is_string(value))
		return disk_path(r, where, value, disk);
	if (!json_is_object(value))
		return reader_refuse(r, where, "must be the name of a file, or an object with "
				     "\"path\"");
	return reader_object(r, where, value, keys, true, disk);
}

static int read_disks(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return reader_list(r, where, value, DEF_DISKS, read_disk, into);
}

static int read_nic(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "switch", false, nic_switch },
		{ "mac", false, nic_mac },
		{ "vlan", false, nic_vlan },
		{ "rate", false, nic_rate },
		{ "mtu", false, nic_mtu },
		{ "locked", false, nic_locked },
		{ "small_frames", false, nic_small },
		{ "backend", false, nic_backend },
		{ "bridge", false, nic_bridge },
		{ NULL, false, NULL },
	};
	struct def *def = into;
	struct def_nic *nic = &def->nic[def->nics++];

	return reader_object(r, where, value, keys, true, nic) ? -1 : check_nic(r, where, nic);
}

static int read_nics(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	return reader_list(r, where, value, DEF_NICS, read_nic, into);
}

static int vsock_cid(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	struct def *def = into;

	return read_u32(r, where, value, DEF_CID_MIN, DEF_CID_MAX, &def->cid);
}

static int read_vsock(struct reader *r, const struct where *where, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "cid", false, vsock_cid },
		{ NULL, false, NULL },
	};

	((struct def *)into)->vsock = true;
	return reader_object(r, where, value, keys, true, into);
}

int def_native(struct reader *r, struct def *def)
{
	static const struct key keys[] = {
		{ "name", true, read_name },
		{ "kernel", true, read_kernel },
		{ "initrd", false, read_initrd },
		{ "cmdline", false, read_cmdline },
		{ "load", false, read_load },
		{ "entry", false, read_entry },
		{ "vcpus", false, read_vcpus },
		{ "memory", false, read_memory },
		{ "harts", false, read_harts },
		{ "sched", false, read_sched },
		{ "disks", false, read_disks },
		{ "nics", false, read_nics },
		{ "vsock", false, read_vsock },
		{ "restart", false, read_restart },
		{ "time", false, read_time },
		{ "irqchip", false, read_irqchip },
		{ NULL, false, NULL },
	};

	def->console = true;
	return reader_object(r, NULL, r->doc->root, keys, true, def);
}
