/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets which interrupt of the board. */
#include <asm/hart.h>
#include <hv/board.h>
#include <hv/errno.h>
#include <hv/host_irq.h>
#include <hv/log.h>
#include <hv/spinlock.h>

#define SOURCES 1024	/* as many as a PLIC can have */

struct owner {
	host_irq_handler handler;	/* NULL: nobody. Atomic pointer; ctx is valid when set */
	void *ctx;
	u32 hart;
	enum irq_trigger trigger;	/* as attached */
};

static const struct host_irqchip_ops *chip;
static u32 sources;			/* numbers 1 .. sources - 1 exist; fixed after init */
static struct spinlock lock;		/* attach and detach */
static struct owner owners[SOURCES];

int host_irq_init(const struct board *from)
{
	chip = from->irqchip == BOARD_PLIC ? plic_probe(from) : aplic_probe(from);
	if (!chip)
		return -ENODEV;
	sources = MIN(from->sources + 1, (u32)SOURCES);
	/* By messages a source needs an identity between Shyper's own, the first and the last. */
	if (from->irqchip == BOARD_IMSIC)
		sources = MIN(sources, from->imsic_ids - 1);
	return 0;
}

void host_irq_hart_init(void)
{
	if (chip)
		chip->hart_init(this_hart()->index);
}

int host_irq_attach(u32 source, const struct host_irq_target *target)
{
	int err = 0;

	if (!chip)
		return -ENODEV;
	if (source == 0 || source >= sources)
		return -ERANGE;
	spin_lock(&lock);
	if (owners[source].handler) {
		err = -EBUSY;
	} else {
		owners[source].ctx = target->ctx;
		owners[source].hart = target->hart_index;
		owners[source].trigger = target->trigger ? target->trigger : IRQ_TRIGGER_HIGH;
		__atomic_store_n(&owners[source].handler, target->handler, __ATOMIC_RELEASE);
		if (!chip->route(source, &(struct host_irq_route){
				.trigger = owners[source].trigger,
				.enabled = true, .hart_index = target->hart_index })) {
			__atomic_store_n(&owners[source].handler, NULL, __ATOMIC_RELEASE);
			err = -EIO;
		}
	}
	spin_unlock(&lock);
	return err;
}

void host_irq_detach(u32 source)
{
	spin_lock(&lock);
	if (owners[source].handler) {
		(void)chip->route(source,
				  &(struct host_irq_route){ .hart_index = owners[source].hart });
		/* One that was never completed would stay blocked for the next owner. */
		chip->complete(owners[source].hart, source);
		__atomic_store_n(&owners[source].handler, NULL, __ATOMIC_RELEASE);
	}
	spin_unlock(&lock);
}

bool host_irq_route(u32 source, const struct host_irq_route *route)
{
	owners[source].hart = route->hart_index;
	return chip->route(source, route);
}

/* First the route: whoever completes it by the new hart finds it there. */
bool host_irq_move(u32 source, u32 hart_index)
{
	bool routed = chip->route(source, &(struct host_irq_route){
		.trigger = owners[source].trigger, .enabled = true, .hart_index = hart_index });

	owners[source].hart = hart_index;
	return routed;
}

void host_irq_moved(u32 source, u32 old_hart_index)
{
	if (chip->leave)
		chip->leave(source, old_hart_index);
}

void host_irq_sync(void)
{
	if (chip && chip->sync)
		chip->sync();
}

void host_irq_forget(u32 source)
{
	if (chip->forget)
		chip->forget(source);
}

void host_irq_pend(u32 source, bool pending)
{
	if (chip->pend)
		chip->pend(source, pending);
}

bool host_irq_pending(u32 source)
{
	return chip->pending && chip->pending(source);
}

bool host_irq_input(u32 source)
{
	return chip->input && chip->input(source);
}

void host_irq_complete(u32 source)
{
	chip->complete(owners[source].hart, source);
}

/* What else is pending interrupts again, behind timers and whoever they wake. */
void host_irq_handle(void)
{
	u32 hart = this_hart()->index, source = chip->claim(hart);
	host_irq_handler handler;

	if (source == 0)
		return;
	handler = source < sources ? __atomic_load_n(&owners[source].handler, __ATOMIC_ACQUIRE) :
				     NULL;
	if (!handler || handler(source, owners[source].ctx))
		chip->complete(hart, source);
}
