# SPDX-License-Identifier: BSD-2-Clause
# Guest payloads: one name per line, tests/guest/NAME.c becomes build/guest/NAME.bin.
# Works inside the project's Makefile and alone: make -f tests/guest/payloads.mk guest-payloads
payloads += sbi_base
payloads += bench
payloads += unknown_mmio
payloads += sbi_fuzz
payloads += mmio_fuzz
payloads += sbi_pmu
payloads += rtc
payloads += smp
payloads += time
payloads += spin
payloads += crash_stack
payloads += counter
payloads += plic
payloads += uart
payloads += exceptions
payloads += fp_vector
payloads += mmio_insn
payloads += virtual_insn
payloads += reset
payloads += sbi_dbcn
payloads += sbi_legacy
payloads += sbi_susp
payloads += sbi_time
payloads += sbi_ipi
payloads += sbi_rfence
payloads += sbi_hsm

GUEST_CROSS ?= riscv64-linux-gnu-
GUEST_BUILD ?= build/guest
GUEST_CFLAGS := -march=rv64gc -mabi=lp64d -mcmodel=medany -O2 -g -std=gnu11 -nostdlib \
	-ffreestanding -fno-pie -fno-stack-protector -fno-common -ffunction-sections \
	-fdata-sections -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
	-Wall -Wextra -Werror -Wmissing-prototypes -Wshadow -Wvla -Wconversion -Itests/guest/lib
GUEST_LDFLAGS := -static -no-pie -nostdlib -Wl,-T,tests/guest/lib/guest.ld,--gc-sections \
	-Wl,--build-id=none,--no-warn-rwx-segments

guest-lib := crt0 print check trap hart mmu sbi_regs exec exec_slot
guest-lib-objs := $(guest-lib:%=$(GUEST_BUILD)/lib/%.o)
guest-bins := $(payloads:%=$(GUEST_BUILD)/%.bin)

.PHONY: guest-payloads
.SECONDARY: $(guest-lib-objs) $(payloads:%=$(GUEST_BUILD)/%.o) $(payloads:%=$(GUEST_BUILD)/%.elf)
guest-payloads: $(guest-bins)

$(GUEST_BUILD)/%.o: tests/guest/%.c tests/guest/payloads.mk
	@mkdir -p $(@D)
	$(if $(V),,@)$(GUEST_CROSS)gcc $(GUEST_CFLAGS) -MMD -c -o $@ $<
$(GUEST_BUILD)/%.o: tests/guest/%.S tests/guest/payloads.mk
	@mkdir -p $(@D)
	$(if $(V),,@)$(GUEST_CROSS)gcc $(GUEST_CFLAGS) -MMD -c -o $@ $<
$(GUEST_BUILD)/%.elf: $(GUEST_BUILD)/%.o $(guest-lib-objs) tests/guest/lib/guest.ld
	$(if $(V),,@)$(GUEST_CROSS)gcc $(GUEST_LDFLAGS) -o $@ $(filter %.o,$^) $(GUEST_LIBS)
$(GUEST_BUILD)/%.bin: $(GUEST_BUILD)/%.elf
	$(if $(V),,@)$(GUEST_CROSS)objcopy -O binary $< $@

-include $(wildcard $(GUEST_BUILD)/*.d $(GUEST_BUILD)/lib/*.d)
