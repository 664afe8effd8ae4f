/* SPDX-License-Identifier: BSD-2-Clause */
/* Network cards. */
#include "cards.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LEASES "/var/lib/misc/dnsmasq.leases"	/* or what the environment's SHYPER_LEASES names */

static const char *const drop_names[] = {
	"malformed", "spoofed", "limited", "storm", "down", "no-buffer", "unfit",
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
	card = json_pack("{si ss si ss so si si sI sb sb sb sb sb sb}", "vm", (int)vm->id, "name",
			 vm->info.name, "card", (int)n, "mac", mac, "addresses", leases_of(mac),
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

json_t *cards_of(const struct session *s, const struct session_vm *vm)
{
	json_t *cards = json_array();

	for (uint32_t n = 0; n < SHYPER_CARDS; n++) {
		struct shyper_net_card one = { .vm = vm->id, .card = n };

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

/* The number that "card" of a request is; -1: absent, -2: something else. */
static int card_number(const json_t *args)
{
	const char *text = json_string_value(json_object_get(args, "card"));

	if (!text)
		return -1;
	return text[0] >= '0' && text[0] < '0' + SHYPER_CARDS && !text[1] ? text[0] - '0' : -2;
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
	if (!any)
		return error_set(&s->error, "VM %u (%s) has no such network card; `shyper net "
				 "list` shows those there are", vm->id, vm->info.name);
	return 0;
}
