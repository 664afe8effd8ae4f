/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which guest interrupt files of a hart are whose. The bit in `taken` decides between two takers;
 * the owner's name follows it, and goes before it.
 */
#include <hv/bitmap.h>
#include <hv/check.h>
#include <hv/errno.h>
#include <hv/guest_files.h>

/* Bits 1 .. count: the files that exist. */
static u64 existing(const struct guest_files *files)
{
	return files->count ? GENMASK(files->count, 1) : 0;
}

static u64 left(const struct guest_files *files)
{
	return existing(files) & ~__atomic_load_n(&files->taken, __ATOMIC_RELAXED);
}

void guest_files_init(struct guest_files *files, u32 count)
{
	CHECK(count <= GUEST_FILES_MAX);
	*files = (struct guest_files){ .count = count };
}

struct vcpu *guest_files_owner(const struct guest_files *files, u32 file)
{
	if (file == 0 || file > files->count)
		return NULL;
	return __atomic_load_n(&files->owner[file], __ATOMIC_ACQUIRE);
}

static bool has_one(const struct guest_files *files, const struct vcpu *vcpu)
{
	for (u32 file = 1; file <= files->count; file++) {
		if (guest_files_owner(files, file) == vcpu)
			return true;
	}
	return false;
}

/* Each lost race means that another taker got a file, so there are at most as many as files. */
int guest_files_take(struct guest_files *files, struct vcpu *vcpu)
{
	u64 free;

	if (has_one(files, vcpu))
		return -EEXIST;
	while ((free = left(files)) != 0) {
		u32 file = (u32)__builtin_ctzll(free);

		if (!bitmap_set_atomic(&files->taken, file)) {
			__atomic_store_n(&files->owner[file], vcpu, __ATOMIC_RELEASE);
			return (int)file;
		}
	}
	return -ENOMEM;
}

int guest_files_give(struct guest_files *files, u32 file, struct vcpu *vcpu)
{
	if (!vcpu || guest_files_owner(files, file) != vcpu)
		return -ENOENT;
	__atomic_store_n(&files->owner[file], NULL, __ATOMIC_RELAXED);
	bitmap_clear_atomic(&files->taken, file);
	return 0;
}

u32 guest_files_left(const struct guest_files *files)
{
	return (u32)__builtin_popcountll(left(files));
}
