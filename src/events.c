/* SPDX-License-Identifier: BSD-2-Clause */
/* Events for the MVM. */
#include <abi/hypercall.h>
#include <hv/errno.h>
#include <hv/events.h>
#include <hv/vm.h>

/* The page is set last and cleared first: whoever sees it sees the rest. */
static struct {
	struct shyper_events *page;	/* atomic pointer; NULL: nobody listens */
	struct irq_line line;
} events;

_Static_assert(sizeof(struct shyper_events) <= PAGE_SIZE, "fits the page");
_Static_assert(SHYPER_DOORBELL(SHYPER_DEVICES - 1, SHYPER_DEVICE_QUEUES - 1) < 64, "fits a word");

int events_attach(struct vm *mvm, u64 page, u32 source)
{
	struct shyper_events *at = gmap_ram_ptr(&mvm->gmap, GPA(page), PAGE_SIZE);

	if (!IS_ALIGNED(page, PAGE_SIZE) || source == 0 || source >= mvm->def.sources)
		return -EINVAL;
	if (!at)
		return -EFAULT;
	events_detach();
	events.line = (struct irq_line){ .ops = mvm->irqchip, .chip = mvm->irqchip_data,
					 .source = source };
	__atomic_store_n(&events.page, at, __ATOMIC_RELEASE);
	return 0;
}

void events_detach(void)
{
	if (__atomic_exchange_n(&events.page, NULL, __ATOMIC_ACQ_REL))
		arch_harts_sync(NULL);	/* a hart may have found it before */
}

/*
 * Set a bit of a word, and interrupt unless the word had bits: then somebody has, and the MVM has
 * not looked yet.
 */
static void post(u64 *word, u32 bit)
{
	if (__atomic_fetch_or(word, BIT(bit), __ATOMIC_ACQ_REL))
		return;
	irq_line_pulse(&events.line);
}

static struct shyper_events *page(void)
{
	return __atomic_load_n(&events.page, __ATOMIC_ACQUIRE);
}

void events_state(u32 id)
{
	struct shyper_events *at = page();

	if (at)
		post((u64 *)&at->state, id);
}

void events_health(u32 id)
{
	struct shyper_events *at = page();

	if (at)
		post((u64 *)&at->health, id);
}

void events_doorbell(u32 id, u32 device, u32 queue)
{
	struct shyper_events *at = page();

	if (at)
		post((u64 *)&at->doorbell[id], SHYPER_DOORBELL(device, queue));
}

void events_device(u32 id, u32 device)
{
	struct shyper_events *at = page();

	if (at)
		post((u64 *)&at->device[id], device);
}
