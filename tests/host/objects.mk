# SPDX-License-Identifier: BSD-2-Clause
# Host unit tests, two lines each: host-tests += test_x, test_x-src := the files it tests.
host-tests += test_mmio
test_mmio-src := src/mmio.c
host-tests += test_page
test_page-src := src/page.c src/page_init.c src/owner.c tests/host/sim_ram.c
host-tests += test_vplic
test_vplic-src := drivers/guest/vplic.c
host-tests += test_vplic_race
test_vplic_race-src := drivers/guest/vplic.c
host-tests += test_vimsic
test_vimsic-src := drivers/guest/vimsic.c
host-tests += test_vimsic_race
test_vimsic_race-src := drivers/guest/vimsic.c
host-tests += test_aia_csr
test_aia_csr-src := arch/riscv64/aia_csr.c arch/riscv64/insn.c drivers/guest/vimsic.c
host-tests += test_guest_files
test_guest_files-src := src/guest_files.c
host-tests += test_string
test_string-src :=
host-tests += test_lib
test_lib-src := src/lib/format.c
host-tests += test_log
test_log-src := src/log.c src/lib/format.c
host-tests += test_console
test_console-src := src/console.c src/console_input.c src/console_out.c src/lib/format.c
host-tests += test_monitor
test_monitor-src := src/monitor.c src/monitor_commands.c src/vm_show.c src/stream.c src/log.c \
	src/lib/format.c tests/host/no_fiber.c
host-tests += test_uart16550
test_uart16550-src := drivers/guest/uart16550.c
host-tests += test_finisher
test_finisher-src := drivers/guest/finisher.c
host-tests += test_rtc_goldfish
test_rtc_goldfish-src := drivers/guest/rtc_goldfish.c
host-tests += test_insn
test_insn-src := arch/riscv64/insn.c
host-tests += test_vpmu
test_vpmu-src := arch/riscv64/vpmu.c
vmdef-src := src/vmdef.c src/vmdef_devices.c src/vmdef_value.c src/vmdef_check.c src/vmdef_walk.c
host-tests += test_vmdef
test_vmdef-src := $(vmdef-src) src/lib/format.c \
	tests/host/vmdef_tree.c
host-tests += test_vmdef_refuse
test_vmdef_refuse-src := $(test_vmdef-src)
host-tests += test_fit
test_fit-src := src/fit.c src/lib/crc32.c src/lib/format.c
host-tests += test_crc32
test_crc32-src := src/lib/crc32.c
host-tests += test_isa
test_isa-src := src/lib/isa.c arch/riscv64/guest_isa.c
host-tests += test_guest_fdt
test_guest_fdt-src := src/board.c src/board_irq.c src/fdt_read.c src/lib/isa.c src/lib/format.c \
	arch/riscv64/guest_fdt.c arch/riscv64/guest_fdt_copy.c src/passthrough.c \
	src/passthrough_needs.c $(vmdef-src) tests/host/dts.c
host-tests += test_board
test_board-src := src/board.c src/board_irq.c src/fdt_read.c src/lib/isa.c
host-tests += test_ptable
test_ptable-src := arch/riscv64/ptable.c arch/riscv64/ptable_walk.c arch/riscv64/ptable_pages.c \
	src/page.c src/page_init.c src/owner.c src/lib/format.c tests/host/sim_ram.c \
	tests/host/no_fiber.c
host-tests += test_vmid
test_vmid-src := arch/riscv64/vmid.c tests/host/sim_ram.c
host-tests += test_gmap
test_gmap-src := src/gmap.c src/page.c src/page_init.c src/owner.c tests/host/sim_ram.c \
	tests/host/no_fiber.c
host-tests += test_vm_load
test_vm_load-src := src/vm_load.c src/gmap.c src/page.c src/page_init.c src/owner.c \
	tests/host/sim_ram.c tests/host/no_fiber.c
host-tests += test_vcpu
test_vcpu-src := src/vcpu.c src/steal.c src/log.c src/lib/format.c tests/host/no_trace.c
host-tests += test_fiber
test_fiber-src := src/fiber.c
host-tests += test_sched
sched-src := src/sched_priority.c src/sched_partition.c src/frames.c src/schedule.c \
	src/schedule_check.c $(vmdef-src) src/lib/format.c
test_sched-src := src/sched.c src/vcpu.c src/steal.c $(sched-src) tests/host/no_trace.c \
	tests/host/no_log.c tests/host/no_finish.c tests/host/sched_sides.c
host-tests += test_sched_windows
test_sched_windows-src := $(test_sched-src)
host-tests += test_schedule
test_schedule-src := $(sched-src) tests/host/dts.c
host-tests += test_sched_partition
test_sched_partition-src := $(sched-src)
host-tests += test_sched_priority
test_sched_priority-src := $(sched-src)
host-tests += test_trace
test_trace-src := src/trace.c src/page.c src/page_init.c src/owner.c tests/host/sim_ram.c
host-tests += test_passthrough
test_passthrough-src := src/passthrough.c src/passthrough_needs.c src/board.c \
	src/board_irq.c src/fdt_read.c $(vmdef-src) \
	src/lib/isa.c src/lib/format.c tests/host/dts.c
host-tests += test_virtio_remote
test_virtio_remote-src := drivers/guest/virtio_remote.c drivers/guest/virtio_mmio.c
host-tests += test_stream
test_stream-src := src/stream.c
host-tests += test_virtio_mmio
virtio-src := drivers/guest/virtio_mmio.c src/gmap.c src/page.c src/page_init.c src/owner.c \
	tests/host/sim_ram.c tests/host/virtio_driver.c tests/host/no_fiber.c
test_virtio_mmio-src := $(virtio-src)
host-tests += test_virtio_race
test_virtio_race-src := $(virtio-src)
host-tests += test_passthrough_own
test_passthrough_own-src := src/passthrough_own.c $(test_passthrough-src) src/page.c \
	src/page_init.c \
	src/owner.c tests/host/sim_ram.c
host-tests += test_quiesce
test_quiesce-src := drivers/host/quiesce.c src/fdt_read.c tests/host/dts.c tests/host/sim_ram.c
host-tests += test_virtqueue
test_virtqueue-src := drivers/guest/virtqueue.c $(virtio-src)
host-tests += test_virtio_console
test_virtio_console-src := drivers/guest/virtio_console.c drivers/guest/virtio_console_control.c \
	drivers/guest/virtqueue.c src/stream.c $(virtio-src) tests/host/console_sides.c
host-tests += test_virtio_console_ports
test_virtio_console_ports-src := $(test_virtio_console-src)
host-tests += test_cli_policy
test_cli_policy-src := tools/cli/lib/policy.c
host-tests += test_cli_vhost
test_cli_vhost-src := tools/cli/lib/vhost_start.c tools/cli/lib/error.c
host-tests += test_blk_parse
test_blk_parse-src := kmod/blk_parse.c kmod/vqueue.c kmod/guest.c
vaplic-src := drivers/guest/vaplic.c drivers/guest/vaplic_source.c tests/host/vaplic_guest.c
host-tests += test_vaplic
test_vaplic-src := $(vaplic-src)
host-tests += test_vaplic_msi
test_vaplic_msi-src := $(vaplic-src)
host-tests += test_vaplic_random
test_vaplic_random-src := $(vaplic-src) tests/host/vaplic_model.c
host-tests += test_vaplic_wire
test_vaplic_wire-src := $(vaplic-src)
host-tests += test_vaplic_race
test_vaplic_race-src := $(vaplic-src)
host-tests += test_vswitch
test_vswitch-src := src/vswitch.c
net-src := drivers/guest/virtio_net.c drivers/guest/virtio_net_rx.c \
	drivers/guest/virtio_net_control.c drivers/guest/virtqueue.c src/vswitch.c
host-tests += test_virtio_net
test_virtio_net-src := $(net-src) $(virtio-src) tests/host/net_sides.c
host-tests += test_virtio_net_control
test_virtio_net_control-src := $(test_virtio_net-src)
host-tests += test_aplic
test_aplic-src := drivers/host/aplic.c src/host_irq.c
host-tests += test_machine_irq
test_machine_irq-src := drivers/guest/machine_irq.c drivers/guest/vaplic.c \
	drivers/guest/vaplic_source.c drivers/guest/vimsic.c drivers/guest/vplic.c
host-tests += test_net_race
test_net_race-src := $(net-src) drivers/guest/virtio_mmio.c src/gmap.c src/page.c src/page_init.c \
	src/owner.c tests/fuzz/board.c tests/host/no_fiber.c
# These run with ThreadSanitizer, too.
race-tests := test_net_race
