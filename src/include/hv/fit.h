/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot image: a FIT (flattened image tree, made by mkimage, data inside or behind the tree)
 * with the VM definitions and their kernels and initrds, uncompressed. The definitions are the
 * loadables of the default configuration. Every image carries a CRC-32 hash, which is verified.
 */
#ifndef HV_FIT_H
#define HV_FIT_H

#include <hv/types.h>

#define FIT_VMS 17	/* 16 VMs and a schedule */
#define FIT_IMAGES 64

struct fit {
	const void *fdt;	/* the tree, in Shyper's memory; constant */
	size_t size;		/* bytes that may be read, images included */
};

struct fit_image {
	const u8 *data;		/* aligned to 4 bytes at least, when mkimage placed it */
	size_t size;
};

/*
 * fit_open() - check the whole FIT at data (8-byte aligned): header, structure, every image's
 * bounds and hash, the list of definitions. Takes time proportional to its size (boot only).
 * Returns 0, or -EPROTO with *why saying what is damaged. The other calls need an opened FIT.
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
