/* SPDX-License-Identifier: BSD-2-Clause */
/* shyper net mirror and net link NAME|ID: what can be switched on network cards. */
#include "lib/cards.h"
#include "verb.h"

static json_t *set(struct session *s, const json_t *args, uint32_t what, bool on, const char *done)
{
	struct session_vm vm;
	json_t *result = NULL;

	if (session_find(s, args, false, &vm))
		return NULL;
	if (!cards_set(s, &vm, args, what, on))
		result = verb_done(&vm, done);
	session_done(&vm);
	return result;
}

static json_t *op_mirror(struct session *s, const json_t *args)
{
	bool on = !verb_flag(args, "off");

	return set(s, args, SHYPER_NET_SET_MIRROR, on, on ? "mirrored" : "not mirrored");
}

static json_t *op_link(struct session *s, const json_t *args)
{
	bool up = !verb_flag(args, "down");

	return set(s, args, SHYPER_NET_SET_LINK, up, up ? "link up" : "link down");
}

#define CARD { "card", 'c', "N", "only its card N, from 0 on" }

static const struct verb_option mirror_options[] = {
	{ "off", 0, NULL, "no longer" },
	CARD,
	{ NULL, 0, NULL, NULL },
};

static const struct verb_option link_options[] = {
	{ "down", 0, NULL, "take it out" },
	CARD,
	{ NULL, 0, NULL, NULL },
};

const struct verb verb_net_mirror = {
	.name = "net mirror",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "copy a VM's frames to the management VM's eth2",
	.options = mirror_options,
	.op = op_mirror,
	.print = verb_print_done,
};

const struct verb verb_net_link = {
	.name = "net link",
	.argument = "NAME|ID",
	.key = "vm",
	.help = "put a VM's network cable in, or take it out",
	.options = link_options,
	.op = op_link,
	.print = verb_print_done,
};
