/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper net info NAME|ID: all that is known of the network cards of a VM. */
#include <stdio.h>

#include "lib/cards.h"
#include "verb.h"

static const char *yes(const json_t *card, const char *key)
{
	return json_is_true(json_object_get(card, key)) ? "yes" : "no";
}

static json_int_t number(const json_t *card, const char *key)
{
	return json_integer_value(json_object_get(card, key));
}

static void print_rate(const json_t *card)
{
	json_int_t rate = number(card, "rate");

	if (!rate)
		printf("  rate:        no limit\n");
	else
		printf("  rate:        %" JSON_INTEGER_FORMAT "%s bits a second\n",
		       rate % 1000000 ? rate / 1000 : rate / 1000000,
		       rate % 1000000 ? "K" : "M");
}

static void print_counters(const json_t *card)
{
	const char *name;
	json_t *count;

	printf("  sent:        %" JSON_INTEGER_FORMAT " frames, %" JSON_INTEGER_FORMAT " bytes\n",
	       number(card, "tx_frames"), number(card, "tx_bytes"));
	printf("  received:    %" JSON_INTEGER_FORMAT " frames, %" JSON_INTEGER_FORMAT " bytes\n",
	       number(card, "rx_frames"), number(card, "rx_bytes"));
	json_object_foreach(json_object_get(card, "drops"), name, count)
		if (json_integer_value(count))
			printf("  dropped:     %" JSON_INTEGER_FORMAT " %s\n",
			       json_integer_value(count), name);
}

static void print_card(const json_t *card)
{
	const char *sw = json_string_value(json_object_get(card, "switch"));
	json_t *one = json_array();
	char buf[256];

	json_array_append(one, (json_t *)(uintptr_t)card);
	printf("card %d\n", (int)number(card, "card"));
	if (cards_is_vhost(card))
		printf("  back-end:    %s\n", cards_tap(card, buf, sizeof(buf)));
	else
		printf("  switch:      %s\n", sw ? sw : "none, it gets what is mirrored");
	if (number(card, "vlan"))
		printf("  VLAN:        %d\n", (int)number(card, "vlan"));
	printf("  MAC:         %s\n", json_string_value(json_object_get(card, "mac")));
	printf("  addresses:   %s\n", cards_addresses(one, buf, sizeof(buf)));
	printf("  MTU:         %d\n", (int)number(card, "mtu"));
	print_rate(card);
	printf("  link:        %s\n", json_is_true(json_object_get(card, "link")) ? "up" : "down");
	printf("  driver:      %s\n", yes(card, "driver"));
	printf("  locked:      %s\n", yes(card, "locked"));
	printf("  mirrored:    %s\n", yes(card, "mirrored"));
	print_counters(card);
	json_decref(one);
}

static void print(const json_t *cards)
{
	const json_t *card;
	size_t i;

	json_array_foreach(cards, i, card)
		print_card(card);
}

const struct verb verb_net_info = {
	.name = "net info",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "show what is known of a VM's network cards",
	.op = cards_of_all,
	.print = print,
};
