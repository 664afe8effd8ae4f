/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What fuzz targets of guest devices have in common: the input, byte by byte, and a board for
 * devices without Shyper: host memory, wires, nobody who reads the log. A panic aborts.
 */
#ifndef FUZZ_BOARD_H
#define FUZZ_BOARD_H

#include <stddef.h>

#include <hv/irqchip.h>
#include <hv/types.h>
#include <hv/virtio.h>

#define BOARD_BASE 0x1000u	/* host address of board_ram[0] */
#define BOARD_SIZE 0x40000u

extern u8 board_ram[BOARD_SIZE];

/* board_chip - the chip of a wire is a bool; only changes may be driven. */
extern const struct irqchip_ops board_chip;

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* input_begin() - from here on. input_left() - bytes that were not taken. */
void input_begin(const u8 *data, size_t size);
size_t input_left(void);

/* take() - the next bytes as a number; 0 where the input ends. */
u32 take(u32 bytes);

/* must() - abort unless it holds. */
void must(bool holds);

/*
 * driver_access() - what a driver does to a device, again and again while it is told to, at most
 * `rounds` times; false: that did not suffice. driver_write() - a register, and 64 must do.
 */
bool driver_access(struct virtio_dev *dev, u64 offset, u8 width, bool write, u64 value,
		   u32 rounds);
void driver_write(struct virtio_dev *dev, u64 offset, u32 value);

/*
 * driver_begin() - the driver has the device and these of the features that it has. driver_queue()
 * - queue n lies at base: descriptors, 0x100 behind the driver's ring, 0x100 behind the device's.
 */
void driver_begin(struct virtio_dev *dev, u64 features);
void driver_queue(struct virtio_dev *dev, u32 n, u64 base, u32 num);

#define NOTIFY 0x50u
#define STATUS 0x70u

#endif
