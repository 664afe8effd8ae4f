/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper net list and net stats: tables of the network cards of all VMs or of one. */
#include <stdio.h>

#include "lib/cards.h"
#include "lib/describe.h"
#include "lib/table.h"
#include "verb.h"

static const char *text_vm(const json_t *card, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return json_string_value(json_object_get(card, "name"));
}

static const char *text_card(const json_t *card, char *buf, size_t size)
{
	snprintf(buf, size, "%d", (int)json_integer_value(json_object_get(card, "card")));
	return buf;
}

static const char *text_switch(const json_t *card, char *buf, size_t size)
{
	const char *name = json_string_value(json_object_get(card, "switch"));
	int vlan = (int)json_integer_value(json_object_get(card, "vlan"));

	if (cards_is_vhost(card))
		return cards_tap(card, buf, size);
	if (!name)
		return "(monitor)";
	if (!vlan)
		return name;
	snprintf(buf, size, "%s, VLAN %d", name, vlan);
	return buf;
}

static const char *text_mac(const json_t *card, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return json_string_value(json_object_get(card, "mac"));
}

static const char *text_address(const json_t *card, char *buf, size_t size)
{
	json_t *one = json_array();

	json_array_append(one, (json_t *)(uintptr_t)card);
	cards_addresses(one, buf, size);
	json_decref(one);
	return buf;
}

static const char *text_state(const json_t *card, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s",
		 !json_is_true(json_object_get(card, "link")) ? "cable out" :
		 json_is_true(json_object_get(card, "driver")) ? "in use" : "no driver",
		 json_is_true(json_object_get(card, "mirrored")) ? ", mirrored" : "");
	return buf;
}

static const char *frames(const json_t *card, const char *key, char *buf, size_t size)
{
	snprintf(buf, size, "%" JSON_INTEGER_FORMAT,
		 json_integer_value(json_object_get(card, key)));
	return buf;
}

static const char *text_tx(const json_t *card, char *buf, size_t size)
{
	return frames(card, "tx_frames", buf, size);
}

static const char *text_rx(const json_t *card, char *buf, size_t size)
{
	return frames(card, "rx_frames", buf, size);
}

static const char *bytes(const json_t *card, const char *key, char *buf, size_t size)
{
	return describe_size(json_integer_value(json_object_get(card, key)), buf, size);
}

static const char *text_tx_bytes(const json_t *card, char *buf, size_t size)
{
	return bytes(card, "tx_bytes", buf, size);
}

static const char *text_rx_bytes(const json_t *card, char *buf, size_t size)
{
	return bytes(card, "rx_bytes", buf, size);
}

static const char *text_drops(const json_t *card, char *buf, size_t size)
{
	const char *name;
	json_t *count;
	size_t used = 0;

	snprintf(buf, size, "-");
	json_object_foreach(json_object_get(card, "drops"), name, count) {
		if (json_integer_value(count) && used < size)
			used += (size_t)snprintf(buf + used, size - used,
						 "%s%s %" JSON_INTEGER_FORMAT, used ? ", " : "",
						 name, json_integer_value(count));
	}
	return buf;
}

static void print_list(const json_t *cards)
{
	static const struct column columns[] = {
		{ "VM", 0, text_vm }, { "CARD", SCOLS_FL_RIGHT, text_card },
		{ "SWITCH", 0, text_switch }, { "MAC", 0, text_mac },
		{ "ADDRESS", 0, text_address }, { "STATE", 0, text_state },
	};

	table_print(cards, columns, sizeof(columns) / sizeof(columns[0]));
}

static void print_stats(const json_t *cards)
{
	static const struct column columns[] = {
		{ "VM", 0, text_vm }, { "CARD", SCOLS_FL_RIGHT, text_card },
		{ "SENT", SCOLS_FL_RIGHT, text_tx }, { "BYTES", SCOLS_FL_RIGHT, text_tx_bytes },
		{ "RECEIVED", SCOLS_FL_RIGHT, text_rx }, { "BYTES", SCOLS_FL_RIGHT, text_rx_bytes },
		{ "DROPPED", 0, text_drops },
	};

	table_print(cards, columns, sizeof(columns) / sizeof(columns[0]));
}

const struct verb verb_net_list = {
	.name = "net list",
	.help = "list the network cards of all VMs",
	.op = cards_of_all,
	.print = print_list,
};

const struct verb verb_net_stats = {
	.name = "net stats",
	.argument = "[NAME|ID]",
	.key = "vm",
	.help = "what network cards have sent, received and dropped",
	.op = cards_of_all,
	.print = print_stats,
};
