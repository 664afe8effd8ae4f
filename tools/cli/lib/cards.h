/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network cards as the CLI shows them: what Shyper knows of each, or the kernel where vhost serves
 * it, and the addresses that the management VM's DHCP server has given it.
 */
#ifndef CLI_CARDS_H
#define CLI_CARDS_H

#include <jansson.h>

#include "session.h"

/* cards_of() - the cards of a VM, each an object (man shyper, JSON). A list, perhaps empty. */
json_t *cards_of(const struct session *s, const struct session_vm *vm);

/*
 * cards_of_all() - those of the VM that the argument "vm" means, or of all VMs when it is absent.
 * NULL: the error is set.
 */
json_t *cards_of_all(struct session *s, const json_t *args);

/* cards_addresses() - "10.77.0.11 10.77.0.12" of one card or more, or "-", in buf. */
const char *cards_addresses(const json_t *cards, char *buf, size_t size);

/* cards_is_vhost() - one of the list is served by vhost. cards_tap() - how it is, in buf. */
bool cards_is_vhost(const json_t *card);
const char *cards_tap(const json_t *card, char *buf, size_t size);

/* cards_set() - of the VM's card "card", or all. 0, or -1 with the error set. */
int cards_set(struct session *s, const struct session_vm *vm, const json_t *args, uint32_t what,
	      bool on);

#endif
