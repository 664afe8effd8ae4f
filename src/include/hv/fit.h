/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot image: a FIT (flattened image tree, made by mkimage) with the VM definitions and their
 * kernels and initrds. Every image carries a CRC-32 hash node, which is verified.
 */
#ifndef HV_FIT_H
#define HV_FIT_H

#include <hv/types.h>

#define FIT_VMS 16

struct fit {
	const void *fdt;	/* the tree, in Shyper's memory; constant */
	size_t size;		/* bytes that may be read, images included */
};

struct fit_image {
	const u8 *data;
	size_t size;
};

/*
 * fit_open() - check the whole FIT: header, structure, every image's bounds and hash. Takes time
 * proportional to its size (boot only). Returns 0, or -EPROTO with *why saying what is damaged.
 */
int __must_check fit_open(struct fit *fit, const void *data, size_t size,
			  char *why, size_t why_size);

/* fit_vms() - number of VM definitions in the default configuration, in order (at most FIT_VMS). */
u32 fit_vms(const struct fit *fit);

/* fit_vm() - definition tree of VM number n. 0, or -ENOENT. */
int __must_check fit_vm(const struct fit *fit, u32 n, struct fit_image *image);

/* fit_image_get() - the image of this name. 0; -ENOENT. */
int __must_check fit_image_get(const struct fit *fit, const char *name, struct fit_image *image);

#endif
