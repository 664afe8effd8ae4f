/* SPDX-License-Identifier: BSD-2-Clause */
/* Network cards. */
#include "cards.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store.h"
#include "vhost.h"

#define TAPS "/sys/class/net"	/* or what the environment's SHYPER_TAPS names */
#define LEASES "/var/lib/misc/dnsmasq.leases"	/* or what the environment's SHYPER_LEASES names */

enum { MALFORMED, SPOOFED, LIMITED, STORM, DOWN, NO_BUFFER, UNFIT };

static const char *const drop_names[] = {
	[MALFORMED] = "malformed", [SPOOFED] = "spoofed", [LIMITED] = "limited",
	[STORM] = "storm", [DOWN] = "down", [NO_BUFFER] = "no-buffer", [UNFIT] = "unfit",
};

_Static_assert(sizeof(drop_names) / sizeof(drop_names[0]) < SHYPER_NET_DROPS, "names");

/* A line of dnsmasq: until when, MAC, address, name, client. */
static json_t *leases_of(const char *mac)
{
	const char *path = getenv("SHYPER_LEASES");
	FILE *file = fopen(path ? path : LEASES, "re");
	json_t *addresses = json_array();
	char line[512], whose[32], address[64];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %31s %63s", whose, address) == 2 && !strcasecmp(whose, mac))
			json_array_append_new(addresses, json_string(address));
	}
	if (file)
		fclose(file);
	return addresses;
}

static json_t *drops_of(const struct shyper_net_info *info)
{
	json_t *drops = json_object();

	for (size_t i = 0; i < sizeof(drop_names) / sizeof(drop_names[0]); i++)
		json_object_set_new(drops, drop_names[i],
				    json_integer((json_int_t)info->drops[i]));
	return drops;
}

static json_t *card_of(const struct session_vm *vm, uint32_t n, const struct shyper_net_info *info)
{
	const uint8_t *m = info->mac;
	uint32_t flags = info->flags;
	char mac[18];
	json_t *card;

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	card = json_pack("{si ss si ss ss so si si sI sb sb sb sb sb sb}", "vm", (int)vm->id,
			 "name", vm->info.name, "card", (int)n, "backend", "switch", "mac", mac,
			 "addresses", leases_of(mac),
			 "vlan", (int)info->vlan, "mtu", (int)info->mtu, "rate",
			 (json_int_t)info->rate * 1000, "locked", flags & SHYPER_NET_LOCKED,
			 "small_frames", flags & SHYPER_NET_SMALL, "monitor",
			 flags & SHYPER_NET_MONITOR, "mirrored", flags & SHYPER_NET_MIRRORED,
			 "link", flags & SHYPER_NET_LINK, "driver", flags & SHYPER_NET_DRIVER);
	if (!(flags & SHYPER_NET_MONITOR))
		json_object_set_new(card, "switch", json_string(info->sw));
	json_object_update_new(card, json_pack("{sI sI sI sI sI so}", "tx_frames",
					       (json_int_t)info->tx_frames, "tx_bytes",
					       (json_int_t)info->tx_bytes, "rx_frames",
					       (json_int_t)info->rx_frames, "rx_bytes",
					       (json_int_t)info->rx_bytes, "copied",
					       (json_int_t)info->copied, "drops",
					       drops_of(info)));
	return card;
}

/* ---- Cards that vhost serves ---- */

/* The VM's definition; without cards if it is of the boot image or cannot be read. */
static const struct def *definition_of(const struct session_vm *vm)
{
	static struct def def;	/* large */
	json_t *record = vm->id ? store_record_load(vm->id) : NULL, *notes = NULL;
	struct document doc = { .name = "stored configuration" };
	struct error error = { 0 };

	doc.root = json_object_get(record, "definition");
	if (!record || def_parse(&def, &doc, &notes, &error))
		def.nics = 0;
	json_decref(notes);
	json_decref(record);
	return &def;
}

static bool is_vhost(const struct def *def, uint32_t n)
{
	return n < def->nics && def->nic[n].vhost;
}

/* What the kernel has in a file about the tap; 0: there is none. */
static uint64_t tap_value(const char *tap, const char *name)
{
	const char *folder = getenv("SHYPER_TAPS");
	char path[512], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/%s", folder ? folder : TAPS, tap, name);
	file = fopen(path, "re");
	if (file) {
		if (!fgets(text, sizeof(text), file))
			text[0] = '\0';
		fclose(file);
	}
	return strtoull(text, NULL, 0);
}

/* What the tap receives, the guest has sent. */
static json_t *vhost_card_of(const struct session_vm *vm, const struct def *def, uint32_t n)
{
	const struct def_nic *nic = &def->nic[n];
	struct shyper_net_info info = { .mtu = nic->mtu ? (uint16_t)nic->mtu : 1500 };
	char tap[DEF_BRIDGE];
	uint64_t flags;
	json_t *card;

	vhost_tap(tap, vm->id, n);
	vhost_mac(info.mac, def, n);
	flags = tap_value(tap, "flags");	/* 0: it is there while the VM runs only */
	info.flags = (!flags || (flags & IFF_UP) ? SHYPER_NET_LINK : 0) |
		     (tap_value(tap, "carrier") ? SHYPER_NET_DRIVER : 0);
	info.tx_frames = tap_value(tap, "statistics/rx_packets");
	info.tx_bytes = tap_value(tap, "statistics/rx_bytes");
	info.rx_frames = tap_value(tap, "statistics/tx_packets");
	info.rx_bytes = tap_value(tap, "statistics/tx_bytes");
	info.drops[MALFORMED] = tap_value(tap, "statistics/rx_dropped") +
				tap_value(tap, "statistics/rx_frame_errors");
	info.drops[NO_BUFFER] = tap_value(tap, "statistics/tx_dropped");
	card = card_of(vm, n, &info);
	json_object_del(card, "switch");
	json_object_del(card, "copied");
	json_object_update_new(card, json_pack("{ss ss}", "backend", "vhost", "tap", tap));
	if (nic->bridge[0])
		json_object_set_new(card, "bridge", json_string(nic->bridge));
	return card;
}

/* ---- All of a VM ---- */

json_t *cards_of(const struct session *s, const struct session_vm *vm)
{
	const struct def *def = definition_of(vm);
	json_t *cards = json_array();

	for (uint32_t n = 0; n < SHYPER_CARDS; n++) {
		struct shyper_net_card one = { .vm = vm->id, .card = n };

		if (is_vhost(def, n)) {
			json_array_append_new(cards, vhost_card_of(vm, def, n));
			continue;
		}
		if (device.net_info(s->fd, &one) < 0)
			continue;
		one.info.sw[sizeof(one.info.sw) - 1] = '\0';
		json_array_append_new(cards, card_of(vm, n, &one.info));
	}
	return cards;
}

static void add_cards(const struct session *s, const struct session_vm *vm, json_t *list)
{
	json_t *cards = cards_of(s, vm);

	json_array_extend(list, cards);
	json_decref(cards);
}

json_t *cards_of_all(struct session *s, const json_t *args)
{
	struct shyper_system_info system;
	struct session_vm vm;
	json_t *list;

	if (session_device(s) || session_system(s, &system))
		return NULL;
	list = json_array();
	if (json_object_get(args, "vm")) {
		if (session_find(s, args, false, &vm)) {
			json_decref(list);
			return NULL;
		}
		add_cards(s, &vm, list);
		session_done(&vm);
		return list;
	}
	for (uint32_t id = 0; id < SHYPER_VMS; id++) {
		/* One that is removed meanwhile is not there. */
		if (!(system.vms >> id & 1) || session_open(s, id, false, &vm))
			continue;
		add_cards(s, &vm, list);
		session_done(&vm);
	}
	return list;
}

const char *cards_addresses(const json_t *cards, char *buf, size_t size)
{
	const json_t *card, *address;
	size_t i, j, used = 0;

	snprintf(buf, size, "-");
	json_array_foreach(cards, i, card) {
		json_array_foreach(json_object_get(card, "addresses"), j, address) {
			if (used < size)
				used += (size_t)snprintf(buf + used, size - used, "%s%s",
							 used ? " " : "",
							 json_string_value(address));
		}
	}
	return buf;
}

bool cards_is_vhost(const json_t *card)
{
	return json_object_get(card, "tap");
}

const char *cards_tap(const json_t *card, char *buf, size_t size)
{
	const char *bridge = json_string_value(json_object_get(card, "bridge"));

	snprintf(buf, size, "vhost, tap %s%s%s", json_string_value(json_object_get(card, "tap")),
		 bridge ? ", bridge " : "", bridge ? bridge : "");
	return buf;
}

/* The number that "card" of a request is; -1: absent, -2: something else. */
static int card_number(const json_t *args)
{
	const char *text = json_string_value(json_object_get(args, "card"));

	if (!text)
		return -1;
	return text[0] >= '0' && text[0] < '0' + SHYPER_CARDS && !text[1] ? text[0] - '0' : -2;
}

/* Nothing was set: why. */
static int no_card(struct session *s, const struct session_vm *vm, int number)
{
	const struct def *def = definition_of(vm);
	char tap[DEF_BRIDGE];

	for (uint32_t n = 0; n < def->nics; n++) {
		if (!def->nic[n].vhost || (number != -1 && number != (int)n))
			continue;
		vhost_tap(tap, vm->id, n);
		return error_set(&s->error, "VM %u, card %u is the tap %s of this VM: use ip link "
				 "set %s down, or up, and tcpdump -i %s", vm->id, n, tap, tap, tap);
	}
	return error_set(&s->error, "VM %u (%s) has no such network card; `shyper net list` shows "
			 "those there are", vm->id, vm->info.name);
}

int cards_set(struct session *s, const struct session_vm *vm, const json_t *args, uint32_t what,
	      bool on)
{
	int number = card_number(args), err = -ENOENT;
	bool any = false;

	for (int n = 0; n < SHYPER_CARDS; n++) {
		const struct shyper_net_set set = {
			.vm = vm->id, .card = (uint32_t)n, .what = what, .value = on,
		};

		if (number != -1 && number != n)
			continue;
		err = device.net_set(s->fd, &set);
		any |= err >= 0;
		if (err < 0 && err != -ENOENT)
			return session_refused(s, s->fd, err, "VM %u, card %d", vm->id,
					       n);
	}
	return any ? 0 : no_card(s, vm, number);
}
