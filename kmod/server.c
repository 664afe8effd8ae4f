// SPDX-License-Identifier: GPL-2.0-only
/* Who serves which device of a VM: a disk, or a back-end in user space. */
#include <linux/bitops.h>
#include <linux/spinlock.h>

#include "kmod.h"

/* Written under shyper_lock and table_lock; the latter is for interrupts. */
static struct shyper_server *servers[SHYPER_VMS][SHYPER_DEVICES];
static DEFINE_SPINLOCK(table_lock);

static void table_set(u32 id, u32 number, struct shyper_server *server)
{
	unsigned long flags;

	lockdep_assert_held(&shyper_lock);
	spin_lock_irqsave(&table_lock, flags);
	servers[id][number] = server;
	spin_unlock_irqrestore(&table_lock, flags);
}

void shyper_server_add(u32 id, u32 number, struct shyper_server *server)
{
	table_set(id, number, server);
}

/* A bit that nobody takes would keep Shyper from interrupting for others. */
void shyper_server_remove(u32 id, u32 number)
{
	table_set(id, number, NULL);
	shyper_events_doorbells_heard(id, number);
	shyper_events_device_heard(id, number);
}

struct shyper_server *shyper_server_of(u32 id, u32 number)
{
	lockdep_assert_held(&shyper_lock);
	return servers[id][number];
}

unsigned long shyper_servers_tell(u32 id, unsigned long bits, bool doorbells)
{
	unsigned long flags, nobody = bits;

	spin_lock_irqsave(&table_lock, flags);
	for (u32 number = 0; number < SHYPER_DEVICES; number++) {
		unsigned long mine = doorbells ? SHYPER_DOORBELLS(number) : BIT(number);
		struct shyper_server *server = servers[id][number];

		if (!server || !(bits & mine))
			continue;
		nobody &= ~mine;
		if (doorbells)
			server->ops->rung(server);
		else
			server->ops->changed(server);
	}
	spin_unlock_irqrestore(&table_lock, flags);
	return nobody;
}

void shyper_servers_changed(u32 id)
{
	shyper_servers_tell(id, BIT(SHYPER_DEVICES) - 1, false);
}
