/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A byte ring for one producer and one consumer, which may be different harts: no lock, each side
 * writes only its own index. Several of one side need a lock of theirs.
 */
#ifndef HV_RING_H
#define HV_RING_H

#include <hv/types.h>

struct ring {
	u8 *data;	/* fixed after ring_init() */
	u32 mask;	/* size - 1; fixed after ring_init() */
	u32 head;	/* producer: bytes ever put, modulo 2^32 */
	u32 tail;	/* consumer: bytes ever taken, modulo 2^32 */
};

/* ring_init() - empty ring over size bytes at data; size is a power of two, at most 2^31. */
static inline void ring_init(struct ring *ring, u8 *data, u32 size)
{
	*ring = (struct ring){ .data = data, .mask = size - 1 };
}

/* ring_used() - bytes waiting; exact for the consumer, may have shrunk for the producer. */
static inline u32 ring_used(const struct ring *ring)
{
	return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) -
	       __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
}

/* ring_space() - bytes that fit; exact for the producer, may have shrunk for the consumer. */
static inline u32 ring_space(const struct ring *ring)
{
	return ring->mask + 1 - ring_used(ring);
}

/* ring_put() - producer: append one byte. Returns false when the ring is full. */
static inline bool ring_put(struct ring *ring, u8 byte)
{
	u32 head = ring->head;

	if (!ring_space(ring))
		return false;
	ring->data[head & ring->mask] = byte;
	/* The byte is there before the consumer sees that it is. */
	__atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE);
	return true;
}

/* ring_get() - consumer: take the oldest byte. Returns false when the ring is empty. */
static inline bool ring_get(struct ring *ring, u8 *byte)
{
	u32 tail = ring->tail;

	if (!ring_used(ring))
		return false;
	*byte = ring->data[tail & ring->mask];
	/* The byte is read before the producer may use its place. */
	__atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
	return true;
}

/* ring_write() - producer: append as much of n bytes as fits. Returns how many. */
static inline u32 ring_write(struct ring *ring, const void *buf, u32 n)
{
	const u8 *bytes = buf;
	u32 head = ring->head, fits = ring_space(ring);

	if (fits > n)
		fits = n;
	for (u32 i = 0; i < fits; i++)
		ring->data[(head + i) & ring->mask] = bytes[i];
	__atomic_store_n(&ring->head, head + fits, __ATOMIC_RELEASE);
	return fits;
}

/* ring_read() - consumer: take up to n bytes. Returns how many. */
static inline u32 ring_read(struct ring *ring, void *buf, u32 n)
{
	u8 *bytes = buf;
	u32 tail = ring->tail, there = ring_used(ring);

	if (there > n)
		there = n;
	for (u32 i = 0; i < there; i++)
		bytes[i] = ring->data[(tail + i) & ring->mask];
	__atomic_store_n(&ring->tail, tail + there, __ATOMIC_RELEASE);
	return there;
}

#endif
