/* SPDX-License-Identifier: BSD-2-Clause */
/* Harts, the vCPUs on them, and what each has had of its hart. */
#ifndef CLI_SHARES_H
#define CLI_SHARES_H

#include <jansson.h>

#include "session.h"

/*
 * shares_of() - all harts (man shyper, JSON, sched show); of each vCPU also its share of the ms
 * that this takes, unless they are 0. NULL: the error is set.
 */
json_t *shares_of(struct session *s, unsigned int ms);

/* shares_ms() - the argument "interval", seconds, in ms; none: 1000. -1: the error is set. */
int shares_ms(struct session *s, const json_t *args);

/* shares_get() - the vCPU of a VM, among harts; NULL: it is on none. *hart: its hart's id. */
const json_t *shares_get(const json_t *harts, uint32_t vm, uint32_t vcpu, json_int_t *hart);

/* shares_find() - what one vCPU of a VM is set to. 0, or -1 with the error set. */
int shares_find(struct session *s, uint32_t vm, struct shyper_sched_vcpu *vcpu);

/* shares_note() - a note for each hart on which the budgets of VMs come to more than it has. */
void shares_note(struct session *s);

/* shares_time() - "1.234567 s" of a member in seconds, or "-"; in buf. */
const char *shares_time(const json_t *one, const char *key, char *buf, size_t size);

#endif
