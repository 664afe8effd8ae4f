# SPDX-License-Identifier: BSD-2-Clause
# Guest payloads: one name per line, tests/guest/NAME.c becomes build/guest/NAME.bin.
# Works inside the project's Makefile and alone: make -f tests/guest/payloads.mk guest-payloads
payloads += aia_abuse
payloads += aia_victim
payloads += bench
payloads += bench_msi
payloads += bench_net
payloads += bench_switch
payloads += conductor
payloads += control
payloads += counter
payloads += crash_stack
payloads += crash_vector
payloads += csr_scan
payloads += disk_inplace
payloads += disk_load
payloads += dtcheck
payloads += exceptions
payloads += flood
payloads += fp_residue
payloads += fp_share
payloads += fp_vector
payloads += greedy
payloads += hostile
payloads += hypercall
payloads += imsic
payloads += imsic_residue
payloads += leave
payloads += mmio_fuzz
payloads += mmio_insn
payloads += moved
payloads += net
payloads += partition
payloads += plic
payloads += reset
payloads += reset_storm
payloads += rtc
payloads += rfence_absent
payloads += sbi_base
payloads += sbi_dbcn
payloads += sbi_fuzz
payloads += sbi_hsm
payloads += sbi_ipi
payloads += sbi_legacy
payloads += sbi_pmu
payloads += sbi_rfence
payloads += sbi_sta
payloads += sbi_susp
payloads += sbi_time
payloads += sleep
payloads += sleep_storm
payloads += smp
payloads += spin
payloads += time
payloads += uart
payloads += unknown_mmio
payloads += virtio_blk
payloads += virtio_net
payloads += virtio_rng
payloads += virtual_insn
payloads += wire
payloads += work

GUEST_CROSS ?= riscv64-linux-gnu-
GUEST_BUILD ?= build/guest
GUEST_DEPS ?= build/deps
guest-cc := $(GUEST_CROSS)gcc
GUEST_CFLAGS := -march=rv64gc -mabi=lp64d -mcmodel=medany -O2 -g -std=gnu11 -nostdlib \
	-nostdinc -isystem $(shell $(guest-cc) -print-file-name=include) \
	-ffreestanding -fno-pie -fno-stack-protector -fno-common -ffunction-sections \
	-fdata-sections -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
	-Wall -Wextra -Werror -Wmissing-prototypes -Wshadow -Wvla -Wconversion \
	-Itests/guest/lib -Isrc/include -Isrc/include/libfdt -isystem $(GUEST_DEPS)/include
GUEST_LDFLAGS := -static -no-pie -nostdlib -Wl,-T,tests/guest/lib/guest.ld,--gc-sections \
	-Wl,--build-id=none,--no-warn-rwx-segments

# Devices and instructions are checked by code that is not under test, except for src/lib/string.c,
# which libfdt needs and the compiler may call.
guest-lib := crt0 print check trap hart irqchip mmu sbi_regs exec exec_slot virtio
guest-lib-objs := $(guest-lib:%=$(GUEST_BUILD)/lib/%.o) $(GUEST_BUILD)/lib/string.o
guest-bins := $(payloads:%=$(GUEST_BUILD)/%.bin)

.PHONY: guest-payloads
.SECONDARY: $(guest-lib-objs) $(payloads:%=$(GUEST_BUILD)/%.o) $(payloads:%=$(GUEST_BUILD)/%.elf)
guest-payloads: $(guest-bins)

guest-compile = @mkdir -p $(@D) && $(if $(V),set -x;) \
	$(guest-cc) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<
$(GUEST_BUILD)/lib/string.o: src/lib/string.c tests/guest/payloads.mk
	$(guest-compile)
$(GUEST_BUILD)/%.o: tests/guest/%.c tests/guest/payloads.mk
	$(guest-compile)
$(GUEST_BUILD)/%.o: tests/guest/%.S tests/guest/payloads.mk
	$(guest-compile)
fdt-payloads := conductor dtcheck hypercall partition
$(foreach p,$(fdt-payloads),$(GUEST_BUILD)/$p.o $(GUEST_BUILD)/$p.elf): $(GUEST_DEPS)/lib/libfdt.a
$(GUEST_BUILD)/%.elf: $(GUEST_BUILD)/%.o $(guest-lib-objs) tests/guest/lib/guest.ld
	$(if $(V),,@)$(guest-cc) $(GUEST_LDFLAGS) -o $@ $(filter %.o %.a,$^) -lgcc
$(GUEST_BUILD)/%.bin: $(GUEST_BUILD)/%.elf
	$(if $(V),,@)$(GUEST_CROSS)objcopy -O binary $< $@

-include $(wildcard $(GUEST_BUILD)/*.d $(GUEST_BUILD)/lib/*.d)
