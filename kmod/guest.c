// SPDX-License-Identifier: GPL-2.0-only
/* Guest physical addresses. */
#include "guest.h"

/* The piece that has this address; NULL: none. */
static const struct shyper_memory *find(const struct guest_memory *memory, u64 gpa)
{
	u32 low = 0, high = memory->pieces;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		const struct shyper_memory *piece = &memory->piece[middle];

		if (gpa < piece->guest)
			high = middle;
		else if (gpa - piece->guest >= piece->size)
			low = middle + 1;
		else
			return piece;
	}
	return NULL;
}

void *guest_pointer(const struct guest_memory *memory, u64 gpa, u64 *size)
{
	const struct shyper_memory *piece = find(memory, gpa);
	u64 offset;

	if (!piece)
		return NULL;
	offset = gpa - piece->guest;
	if (*size > piece->size - offset)
		*size = piece->size - offset;
	return shim_pointer(piece->host + offset);
}

bool guest_has(const struct guest_memory *memory, u64 gpa, u64 size)
{
	/* No piece ends beyond the address space, so a range that wraps leaves RAM on its way. */
	while (size) {
		u64 step = size;

		if (!guest_pointer(memory, gpa, &step))
			return false;
		gpa += step;
		size -= step;
	}
	return true;
}

bool guest_read(const struct guest_memory *memory, u64 gpa, void *to, u64 size)
{
	while (size) {
		u64 step = size;
		const void *from = guest_pointer(memory, gpa, &step);

		if (!from)
			return false;
		memcpy(to, from, step);
		to = (u8 *)to + step;
		gpa += step;
		size -= step;
	}
	return true;
}
