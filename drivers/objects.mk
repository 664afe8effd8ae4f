# SPDX-License-Identifier: BSD-2-Clause
# Objects of drivers/host and drivers/guest, one line each, full path.
objs += drivers/guest/vplic.o
objs += drivers/guest/vimsic.o
objs += drivers/guest/uart16550.o
objs += drivers/guest/finisher.o
objs += drivers/guest/rtc_goldfish.o
objs += drivers/guest/machine.o
objs += drivers/guest/virtio_remote.o
objs += drivers/guest/machine_console.o
objs += drivers/host/ns16550.o
objs += drivers/host/plic.o
objs += drivers/host/aplic.o
objs += drivers/host/quiesce.o
objs += drivers/guest/virtio_mmio.o
objs += drivers/guest/virtqueue.o
objs += drivers/guest/virtio_console.o
objs += drivers/guest/virtio_console_control.o
