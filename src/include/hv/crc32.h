/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32 as FIT images, zlib and IEEE 802.3 use it: reflected polynomial 0xedb88320, start value
 * and result inverted.
 */
#ifndef HV_CRC32_H
#define HV_CRC32_H

#include <hv/types.h>

/* crc32() - continue crc (0 at the start) over size bytes of any alignment. Any context. */
u32 crc32(u32 crc, const void *data, size_t size);

#endif
