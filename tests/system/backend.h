/* SPDX-License-Identifier: BSD-2-Clause */
/* A device of a VM that a test program serves: what every back-end does. */
#ifndef TEST_BACKEND_H
#define TEST_BACKEND_H

#include "vm.h"

#define QUEUES 2
#define ENTRIES 128	/* of a queue */

struct backend {
	int vm;
	char *ram;		/* the guest's, from RAM on */
	int kick[QUEUES];	/* eventfds: the guest notifies */
	int call;		/* eventfd: interrupts the guest */
	struct shyper_device_info info;	/* as follow() has last seen it */
};

/* What distinguishes one; ops are called by serve(). */
struct backend_ops {
	unsigned int device_id;
	unsigned long features;
	const void *config;
	unsigned int config_size;
	void (*start)(struct backend *b);	/* b->info has the queues */
	void (*stop)(struct backend *b);	/* let go of them */
	void (*kicked)(struct backend *b, unsigned int queue, unsigned long times);
};

/* host() - where the guest's memory is here. */
static inline void *host(const struct backend *b, unsigned long gpa)
{
	return b->ram + (gpa - RAM);
}

/* backend_make() - a VM with the device set up as its device 0, and its eventfds. */
void backend_make(struct backend *b, const struct backend_ops *ops, const char *tree);

/* backend_serve() - boot the payload and serve its device until it ends; then it is destroyed. */
void backend_serve(struct backend *b, const struct backend_ops *ops, const char *payload);

/* backend_net() - serve a network device by vhost-net and a tap. */
int backend_net(char **args);

#endif
