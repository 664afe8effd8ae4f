// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: Shyper sets bits in a page of ours and requests one interrupt, whose number the device
 * "shyper,events" of the device tree tells. Bits stay until they are taken, so that nothing is lost
 * when interrupts merge.
 */
#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/workqueue.h>

#include "kmod.h"

static struct shyper_events *events;
static int irq;

static_assert(sizeof(*events) <= PAGE_SIZE);

static void forget(__u64 *word, unsigned long bits)
{
	atomic_long_andnot(bits, (atomic_long_t *)word);
}

/* Tell who serves. Their bits stay until they have heard; those of nobody are in the way. */
static void tell(__u64 *word, u32 id, bool doorbells)
{
	unsigned long bits = READ_ONCE(*word);
	unsigned long nobody = bits ? shyper_servers_tell(id, bits, doorbells) : 0;

	if (nobody)
		forget(word, nobody);
}

/* Other bits of the word have not interrupted while these stood. Returns which of them did. */
static unsigned long heard(__u64 *word, u32 id, unsigned long bits, bool doorbells)
{
	bits &= atomic_long_fetch_andnot(bits, (atomic_long_t *)word);
	tell(word, id, doorbells);
	return bits;
}

unsigned long shyper_events_doorbells_heard(u32 id, u32 device)
{
	return heard(&events->doorbell[id], id, SHYPER_DOORBELLS(device), true) >>
	       SHYPER_DOORBELL(device, 0);
}

void shyper_events_device_heard(u32 id, u32 device)
{
	heard(&events->device[id], id, BIT(device), false);
}

/*
 * Windows of partitions that were missed or late may come in thousands: whose they were is told
 * once a second. Bits that stand do not interrupt again.
 */
static void tell_health(struct work_struct *work)
{
	unsigned long health = xchg(&events->health, 0);
	unsigned int id;

	for_each_set_bit(id, &health, SHYPER_VMS)
		shyper_vm_changed(id);
}

static DECLARE_DELAYED_WORK(health_work, tell_health);

static irqreturn_t take(int number, void *context)
{
	unsigned long state = xchg(&events->state, 0);
	unsigned int id;

	for_each_set_bit(id, &state, SHYPER_VMS) {
		shyper_vm_changed(id);
		shyper_servers_changed(id);
	}
	for (id = 0; id < SHYPER_VMS; id++) {
		tell(&events->device[id], id, false);
		tell(&events->doorbell[id], id, true);
	}
	if (READ_ONCE(events->health))
		schedule_delayed_work(&health_work, HZ);
	/* Bits of several interrupts may have been taken at once: ours, even when none is left. */
	return IRQ_HANDLED;
}

static int attach(struct platform_device *pdev, phys_addr_t page)
{
	u32 source;
	int err;

	/* The first cell is the source's number, whatever controller it is. */
	err = of_property_read_u32_index(pdev->dev.of_node, "interrupts", 0, &source);
	if (err)
		return err;
	mutex_lock(&shyper_lock);
	err = hc_events(page, source);
	mutex_unlock(&shyper_lock);
	return err;
}

int shyper_events_start(struct platform_device *pdev)
{
	int err;

	irq = platform_get_irq(pdev, 0);
	if (irq < 0)
		return irq;
	events = (void *)get_zeroed_page(GFP_KERNEL);
	if (!events)
		return -ENOMEM;
	err = request_irq(irq, take, 0, "shyper", events);
	if (err)
		goto no_irq;
	err = attach(pdev, virt_to_phys(events));
	if (err)
		goto no_events;
	return 0;

no_events:
	free_irq(irq, events);
no_irq:
	free_page((unsigned long)events);
	return err;
}

void shyper_events_stop(void)
{
	mutex_lock(&shyper_lock);
	hc_events(0, 0);
	mutex_unlock(&shyper_lock);
	free_irq(irq, events);
	cancel_delayed_work_sync(&health_work);
	free_page((unsigned long)events);
}
