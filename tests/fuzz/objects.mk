# SPDX-License-Identifier: BSD-2-Clause
# libFuzzer targets, two lines each: fuzz-targets += fuzz_x, fuzz_x-src := the files it feeds. Where
# there are any, fuzz_x-libs := libraries, fuzz_x-seeds := inputs to begin with.
fuzz-targets += fuzz_virtio
fuzz_virtio-src := drivers/guest/virtio_mmio.c drivers/guest/virtqueue.c \
	drivers/guest/virtio_console.c drivers/guest/virtio_console_control.c src/stream.c \
	src/gmap.c src/page.c src/page_init.c src/owner.c tests/fuzz/board.c tests/host/no_fiber.c
fuzz-targets += fuzz_net
fuzz_net-src := drivers/guest/virtio_mmio.c $(net-src) \
	src/gmap.c src/page.c src/page_init.c src/owner.c tests/fuzz/board.c tests/host/no_fiber.c
fuzz-targets += fuzz_blk
fuzz_blk-src := kmod/blk_parse.c kmod/vqueue.c kmod/guest.c
fuzz-targets += fuzz_vaplic
fuzz_vaplic-src := drivers/guest/vaplic.c drivers/guest/vaplic_source.c \
	tests/host/vaplic_guest.c tests/host/vaplic_model.c
fuzz-targets += fuzz_def
fuzz_def-src := $(addprefix tools/cli/lib/,blame.c def.c def_native.c def_rust.c document.c \
	error.c reader.c similar.c tree.c) $(wildcard src/vmdef*.c) src/lib/format.c
fuzz_def-libs := -ljansson -lfdt
fuzz_def-seeds := images/mvm/files/root/*.json
fuzz-targets += fuzz_trace
fuzz_trace-src := $(addprefix tools/cli/lib/,error.c trace_file.c trace_runs.c)
fuzz_trace-libs := -ljansson
fuzz-targets += fuzz_tree
fuzz_tree-src := $(wildcard src/vmdef*.c) arch/riscv64/guest_fdt.c arch/riscv64/guest_fdt_copy.c \
	src/passthrough.c src/passthrough_needs.c src/board.c src/board_irq.c src/fdt_read.c \
	src/lib/isa.c src/lib/format.c
fuzz_tree-libs := -lfdt
