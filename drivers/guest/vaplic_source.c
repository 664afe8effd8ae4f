/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sources of the guest's APLIC, without a lock but for wires of the board.
 *
 * A source is one word: mode, pending, enable, target, the wire, and a copy of the domain's IE and
 * DM. A change is a function from word to word; settle() then applies what section 4.7 ("Precise
 * effects on interrupt-pending bits") makes of it; one compare-and-swap makes both visible. So each
 * source behaves as if all of its changes came one after another, whoever makes them. A swap fails
 * only when another one has succeeded.
 *
 * What a change entails is done by whoever made it, after the swap:
 *
 * - MSIs. The swap that clears the pending bit counts a sender in the same word; the count falls
 *   when the MSI has arrived. Who sees no sender (genmsi, reset) knows that nothing is on its way.
 *
 * - `ready`, the sources that a scan looks at. Who made a source assert sets its bit; who made it
 *   stop clears the bit, then looks at the word again. When the two overlap, either the set comes
 *   later, or the clear has seen the set and therefore the word before it. So the bit is set in the
 *   end, and whoever set it last kicks after that.
 *
 * - Kicks. Whether a source counts for a vCPU depends on its word and on the IDC, written by
 *   different harts. Each writer changes its word, passes a full fence, then reads the other. Of
 *   two writers one has the later fence and sees what the other wrote; so the vCPU is kicked after
 *   the last relevant change, and evaluates everything anew.
 *
 * A wire of the board has its route programmed under the lock, so that the board's controller ends
 * up with what the guest wrote last. Delivered directly, a level-sensitive one is masked from its
 * interrupt until the guest looks for more and the wire is found low, or the route changes: lowered
 * first, rearmed after that. Whoever lowers it rearms it, so none stays masked; a wire that has
 * risen meanwhile interrupts again.
 */
#include <hv/board.h>
#include <hv/check.h>

#include "vaplic_parts.h"

_Static_assert(BOARD_HARTS < SOURCE_SENDERS / SOURCE_SENDER, "each hart may be a sender");

/* ---- Changes of a word ---- */

static bool is_active(u64 word)
{
	return source_mode(word) != VAPLIC_INACTIVE;
}

static bool is_inverted(u64 word)
{
	return source_mode(word) == VAPLIC_EDGE0 || source_mode(word) == VAPLIC_LEVEL0;
}

bool source_input(u64 word)
{
	if (!source_is_edge(word) && !source_is_level(word))
		return false;
	if (word & SOURCE_HELD)
		return true;
	return !(word & SOURCE_WIRE) && !(word & SOURCE_LEVEL) == is_inverted(word);
}

static u64 with_target(u64 word, u32 target)
{
	return (word & ~SOURCE_TARGET) | (u64)target << 32;
}

/* Section 4.5.16 leaves the value open: hart 0, and the least that each format can say. */
static u64 with_fresh_target(u64 word)
{
	return with_target(word, word & SOURCE_MSI ? 0 : 1);
}

u64 source_set_mode(u64 word, u32 mode)
{
	u64 now = (word & ~SOURCE_MODE) | mode;

	if (!is_active(word))
		now = with_fresh_target(now);
	/* Section 4.5.2 leaves this open. A driver that comes late would miss its device else. */
	return source_input(now) ? now | SOURCE_PENDING : now;
}

u64 source_set_target(u64 word, u32 value)
{
	u32 hart = value & TARGET_HART, iprio = value & TARGET_IPRIO;

	if (word & SOURCE_MSI)
		return with_target(word, hart | (value & TARGET_EIID));
	return with_target(word, hart | (iprio ? iprio : 1));
}

u64 source_set_domain(u64 word, u32 domaincfg)
{
	u64 now = word & ~(SOURCE_IE | SOURCE_MSI);

	if (domaincfg & DOMAINCFG_IE)
		now |= SOURCE_IE;
	if (domaincfg & DOMAINCFG_DM)
		now |= SOURCE_MSI;
	return (word ^ now) & SOURCE_MSI ? with_fresh_target(now) : now;
}

u64 source_set_enabled(u64 word, u32 enabled)
{
	return enabled ? word | SOURCE_ENABLED : word & ~SOURCE_ENABLED;
}

u64 source_set_pending(u64 word, u32 arg)
{
	(void)arg;
	return word | SOURCE_PENDING;
}

/* With MSIs nothing but this would end a pulse that nobody wants. */
u64 source_clear_pending(u64 word, u32 arg)
{
	(void)arg;
	if (source_is_level(word) && word & SOURCE_MSI)
		word &= ~SOURCE_HELD;
	return word & ~SOURCE_PENDING;
}

u64 source_set_level(u64 word, u32 level)
{
	return level ? word | SOURCE_LEVEL : word & ~SOURCE_LEVEL;
}

/* A pulse always counts as a rise, also of a wire that is high. */
u64 source_pulse(u64 word, u32 arg)
{
	(void)arg;
	if (source_is_edge(word))
		return word | SOURCE_PENDING;
	return word | SOURCE_HELD | (source_is_level(word) ? SOURCE_PENDING : 0);
}

u64 source_interrupt(u64 word, u32 arg)
{
	/* Detached: it was pending in the board's controller when the mode changed. */
	if (source_mode(word) == VAPLIC_DETACHED)
		return word | SOURCE_PENDING;
	return is_active(word) ? source_pulse(word, arg) : word;
}

u64 source_restart(u64 word, u32 domaincfg)
{
	return source_set_domain(word & ~(SOURCE_MODE | SOURCE_HELD), domaincfg);
}

/* An attached wire has a new route: nothing is held, and with MSIs the board's controller pends. */
static u64 withdraw(u64 word, u32 msi)
{
	return word & ~(SOURCE_HELD | (msi ? SOURCE_PENDING : 0));
}

/* ---- What follows from a change ---- */

/* It is claimed or sent. An attached wire, delivered directly, is held until it is found low. */
static u64 taken(u64 word)
{
	if (source_is_level(word) && (word & SOURCE_MSI || !(word & SOURCE_WIRE)))
		word &= ~SOURCE_HELD;
	return word & ~SOURCE_PENDING;
}

/* Section 4.7, for the change of a word from old to now; then, if it may be sent, it is. */
static u64 settle(u64 old, u64 now)
{
	const u64 sendable = SOURCE_MSI | SOURCE_IE | SOURCE_ENABLED | SOURCE_PENDING;

	if (!is_active(now))
		return now & ~(SOURCE_PENDING | SOURCE_ENABLED | SOURCE_TARGET);
	if (source_input(now) && !source_input(old))
		now |= SOURCE_PENDING;
	if (source_is_edge(now))
		now &= ~SOURCE_HELD;
	else if (source_is_level(now) && !source_input(now))
		now &= ~SOURCE_PENDING;
	else if (source_is_level(now) && !(now & SOURCE_MSI))
		now |= SOURCE_PENDING;
	if ((now & sendable) == sendable)
		now = taken(now) + SOURCE_SENDER;
	return now;
}

void vaplic_send(struct vaplic *aplic, u32 target)
{
	u32 vcpu = target_hart(target), eiid = target & TARGET_EIID;

	if (vcpu < aplic->vcpus && eiid && eiid <= aplic->eiids)
		aplic->hooks->msi(aplic->ctx, vcpu, eiid);
}

/* Behind the fence: kick the target of a word that asserts, if it counts there. */
static void notify(const struct vaplic *aplic, u64 word)
{
	u32 target = source_target(word), vcpu = target_hart(target);
	const struct vaplic_idc *idc;

	if (!source_asserts(word) || vcpu >= aplic->vcpus)
		return;
	idc = &aplic->idc[vcpu];
	if (__atomic_load_n(&idc->idelivery, __ATOMIC_RELAXED) &&
	    idc_passes(idc, target & TARGET_IPRIO))
		aplic->hooks->kick(aplic->ctx, vcpu);
}

/* The word asserts, or does so no more, or for somebody else. */
static void signal_change(struct vaplic *aplic, u32 source, u64 old, u64 now)
{
	u64 *ready = &aplic->ready[source / 64], bit = BIT(source % 64);

	if (!source_asserts(now)) {
		__atomic_fetch_and(ready, ~bit, __ATOMIC_ACQ_REL);
		now = source_load(aplic, source);
	}
	if (source_asserts(now))
		__atomic_fetch_or(ready, bit, __ATOMIC_ACQ_REL);
	full_fence();
	notify(aplic, old);
	notify(aplic, now);
}

static void follow(struct vaplic *aplic, u32 source, u64 old, u64 now)
{
	bool asserted = source_asserts(old), asserts = source_asserts(now);

	if ((old ^ now) & SOURCE_SENDERS) {
		vaplic_send(aplic, source_target(now));
		__atomic_fetch_sub(&aplic->source[source], SOURCE_SENDER, __ATOMIC_RELEASE);
	}
	if (asserted != asserts || (asserts && (old ^ now) & SOURCE_TARGET))
		signal_change(aplic, source, old, now);
}

static bool swap(struct vaplic *aplic, u32 source, u64 *old, u64 now)
{
	return __atomic_compare_exchange_n(&aplic->source[source], old, now, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

u64 source_update(struct vaplic *aplic, u32 source, source_change *change, u32 arg)
{
	u64 old = source_load(aplic, source), now;

	do {
		now = settle(old, change(old, arg));
	} while (now != old && !swap(aplic, source, &old, now));
	if (now != old)
		follow(aplic, source, old, now);
	return old;
}

bool source_claim(struct vaplic *aplic, u32 source, u64 word)
{
	u64 now = settle(word, taken(word));

	if (now == word)
		return true;
	if (!swap(aplic, source, &word, now))
		return false;
	follow(aplic, source, word, now);
	return true;
}

/* ---- Wires of the board ---- */

static struct vaplic_route route_of(const struct vaplic *aplic, u64 word)
{
	struct vaplic_route route = { .mode = source_mode(word) };
	u32 target = source_target(word), eiid = target & TARGET_EIID;

	if (route.mode == VAPLIC_INACTIVE)
		return route;
	route.msi = word & SOURCE_MSI;
	if (!(word & SOURCE_ENABLED) || target_hart(target) >= aplic->vcpus)
		return route;
	/* topi does not ask for IE. */
	if (route.msi && (!(word & SOURCE_IE) || !eiid || eiid > aplic->eiids))
		return route;
	route.enabled = true;
	route.vcpu = target_hart(target);
	route.eiid = route.msi ? eiid : 0;
	return route;
}

static bool same_route(const struct vaplic_route *a, const struct vaplic_route *b)
{
	return a->mode == b->mode && a->msi == b->msi && a->enabled == b->enabled &&
	       a->vcpu == b->vcpu && a->eiid == b->eiid;
}

/*
 * Held before: lowered first, so that nothing of the old route counts under the new one, and
 * rearmed last, under the new one. So is a level that Shyper did not hear of until now: its MSI may
 * have gone out long ago.
 */
static void program(struct vaplic *aplic, u32 source, const struct vaplic_route *before,
		    const struct vaplic_route *after, source_change *change, u32 arg)
{
	u64 old = source_update(aplic, source, withdraw, after->msi);
	bool due = old & SOURCE_HELD;

	if (after->mode >= VAPLIC_LEVEL1 && !after->msi)
		due |= before->msi || before->mode != after->mode;
	source_update(aplic, source, change, arg);
	aplic->wire_ops->configure(aplic->ctx, source, after);
	if (due)
		aplic->wire_ops->rearm(aplic->ctx, source);
	else if (after->msi && old & SOURCE_PENDING)
		aplic->wire_ops->set_pending(aplic->ctx, source);
}

/* With the lock, nobody else changes what a route is made of. */
void source_configure_locked(struct vaplic *aplic, u32 source, source_change *change, u32 arg)
{
	u64 word = source_load(aplic, source);
	struct vaplic_route before, after;

	ASSERT(spin_is_locked(&aplic->lock));
	if (source_is_wire(word)) {
		before = route_of(aplic, word);
		after = route_of(aplic, settle(word, change(word, arg)));
		if (!same_route(&before, &after)) {
			program(aplic, source, &before, &after, change, arg);
			return;
		}
	}
	source_update(aplic, source, change, arg);
}

void source_configure(struct vaplic *aplic, u32 source, source_change *change, u32 arg)
{
	if (!(source_is_wire(source_load(aplic, source)))) {
		source_update(aplic, source, change, arg);
		return;
	}
	spin_lock(&aplic->lock);
	source_configure_locked(aplic, source, change, arg);
	spin_unlock(&aplic->lock);
}

void source_lower(struct vaplic *aplic, u32 source)
{
	if (source_update(aplic, source, withdraw, 0) & SOURCE_HELD)
		aplic->wire_ops->rearm(aplic->ctx, source);
}

void vaplic_reroute(struct vaplic *aplic, u32 vcpu)
{
	spin_lock(&aplic->lock);
	for (u32 source = 1; source < aplic->sources; source++) {
		u64 word = source_load(aplic, source);
		struct vaplic_route route = route_of(aplic, word);

		if (source_is_wire(word) && route.enabled && route.vcpu == vcpu)
			program(aplic, source, &route, &route, withdraw, route.msi);
	}
	spin_unlock(&aplic->lock);
}
