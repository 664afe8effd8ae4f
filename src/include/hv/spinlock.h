/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticket spinlock: fair, so no hart starves while a guest hammers a device. Never taken twice by
 * one hart; Shyper runs with interrupts off, so no interrupt variant exists. Order of locks:
 * docs/locking.md. Compiles on the host too.
 */
#ifndef HV_SPINLOCK_H
#define HV_SPINLOCK_H

#include <hv/types.h>

#include <asm/pause.h>

struct spinlock {
	u32 next;	/* ticket for the next who comes */
	u32 serving;	/* ticket that holds the lock */
};

static inline void spin_lock(struct spinlock *lock)
{
	u32 ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
		arch_pause();
}

/* spin_trylock() - take the lock if nobody holds it or waits for it; true: taken. */
static inline bool spin_trylock(struct spinlock *lock)
{
	u32 ticket = __atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE);

	return __atomic_compare_exchange_n(&lock->next, &ticket, ticket + 1, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static inline void spin_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
}

/* spin_is_contended() - by the holder: somebody waits for the lock. */
static inline bool spin_is_contended(const struct spinlock *lock)
{
	return __atomic_load_n(&lock->next, __ATOMIC_RELAXED) - lock->serving > 1;
}

/* spin_is_locked() - somebody holds the lock; for assertions of helpers that need it held. */
static inline bool spin_is_locked(const struct spinlock *lock)
{
	return __atomic_load_n(&lock->next, __ATOMIC_RELAXED) !=
	       __atomic_load_n(&lock->serving, __ATOMIC_RELAXED);
}

#endif
