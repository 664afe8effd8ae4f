# SPDX-License-Identifier: BSD-2-Clause
#
# Shyper's one Makefile. `make help` lists the targets and the variables. Each folder names its
# objects in its objects.mk; everything that is built lands in build/.

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/sh
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

## Variables
ARCH ?= riscv64##		the architecture to build for: riscv64 is the one there is
CROSS_COMPILE ?= riscv64-linux-gnu-##	prefix of the cross tools
DEBUG ?=##			1: ownership checks and assertions, -O1, frame pointers
UBSAN ?=##			1: undefined behaviour in the hypervisor traps (and panics)
GCOV ?=##			1: host tests count which lines they run (see coverage)
V ?=##				1: show the commands
KERNEL_SUITE ?= trixie##		the Debian release whose Linux the MVM has: trixie (6.12), forky (7.x)
MIRROR ?=##			Debian mirror for deps and images (default: the host's own)

ifneq ($(ARCH),riscv64)
$(error ARCH=$(ARCH) is not supported; use ARCH=riscv64)
endif

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')
B := build
kernel-suffix := $(patsubst -trixie,,-$(KERNEL_SUITE))
PYTHON := /usr/bin/python3

# --- Tools and flags -----------------------------------------------------------------------------

CC := $(CROSS_COMPILE)gcc
OBJCOPY := $(CROSS_COMPILE)objcopy
OBJDUMP := $(CROSS_COMPILE)objdump
READELF := $(CROSS_COMPILE)readelf
HOSTCC := gcc

warnings := -Wall -Wextra -Werror -Wmissing-prototypes -Wshadow -Wvla -Wconversion
includes := -Isrc/include -Iarch/$(ARCH)/include

# The image is linked at 0 and relocates itself, so all code is position independent, and hidden
# visibility (hidden.h) keeps it free of GOT loads. The ABI is lp64d because Debian's libfdt.a is;
# that no FP instruction follows from it is proved by check-image. No libc header is in reach.
machine := -march=rv64gc -mabi=lp64d -mcmodel=medany
cppflags = -nostdinc -isystem $(shell $(CC) -print-file-name=include) $(includes) \
	-Isrc/include/libfdt -I$(B)/include -isystem $(B)/deps/include $(if $(DEBUG),-DDEBUG=1)
optimise := $(if $(DEBUG),-O1 -fno-omit-frame-pointer,-O2) -g
cflags := -std=gnu11 $(optimise) -ffreestanding -fpie -include hv/hidden.h -fno-common \
	-fno-strict-aliasing -fstack-protector-strong -ffunction-sections -fdata-sections \
	$(machine) $(warnings) \
	$(if $(UBSAN),-fsanitize=undefined -fsanitize-undefined-trap-on-error)
ldscript := arch/$(ARCH)/shyper.ld
# No __global_pointer$ is defined, so the linker relaxes calls but never addresses through gp.
ldflags := -nostdlib -static-pie $(machine) -T $(ldscript) \
	-Wl,--no-dynamic-linker,-z,text,-z,max-page-size=4096,--gc-sections,--build-id=none \
	-Wl,--no-warn-rwx-segments,--fatal-warnings,-Map=$(B)/shyper.map

hostcflags := -std=gnu11 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all $(warnings) -Itests/host/include $(includes) -DDEBUG=1 \
	$(if $(GCOV),--coverage)
hostlibs := -lcmocka -lfdt

# --- What is built -----------------------------------------------------------------------------

tools-stamp := $(B)/deps/tools.stamp
objs :=
host-tests :=
fuzz-targets :=
include src/objects.mk drivers/objects.mk arch/$(ARCH)/objects.mk tests/host/objects.mk
include tests/fuzz/objects.mk
makefiles := $(MAKEFILE_LIST)
include tests/guest/payloads.mk
# What is compiled for the MVM joins mvm-products before images.mk reads it.
mvm-products :=
include kmod/kmod.mk
include tools/cli/cli.mk
include images/images.mk

O := $(B)/obj
H := $(B)/host
obj-files := $(addprefix $(O)/,$(objs))
host-bins := $(addprefix $(H)/,$(host-tests))
race-bins := $(race-tests:%=$(H)/%_tsan)
host-objs = $(addprefix $(H)/,tests/host/$(1).o $(patsubst %.c,%.o,$($(1)-src)))
short-fuzz := $(foreach t,$(fuzz-targets),$(if $($(t)-seeds),,$(H)/$(t)))

##
## Build
.PHONY: all
all: $(B)/shyper.bin check-image ## build the hypervisor: build/shyper.elf and build/shyper.bin

$(B)/shyper.bin: $(B)/shyper.elf
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -O binary $< $@

$(B)/shyper.elf: $(obj-files) $(ldscript) $(O)/flags $(makefiles) | $(tools-stamp)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ldflags) -o $@ $(obj-files) $(B)/deps/lib/libfdt.a -lgcc

.PHONY: dis
dis: $(B)/shyper.dis ## disassemble the hypervisor into build/shyper.dis
$(B)/shyper.dis: $(B)/shyper.elf
	$(call say,OBJDUMP,$@)
	$(Q)$(OBJDUMP) -d -S $< >$@

.PHONY: check-image
check-image: $(B)/checked.stamp ## FP and vector state only in fp_*, vec_*; only relative relocations
$(B)/checked.stamp: $(B)/shyper.elf tools/check-nofp.py
	$(call say,CHECK,$<)
	$(Q)$(OBJDUMP) -d $< | $(PYTHON) tools/check-nofp.py
	$(Q)! $(READELF) -rW $< | grep R_RISCV_ | grep -v R_RISCV_RELATIVE
	$(Q)touch $@

$(O)/%.o: %.c $(O)/flags | $(tools-stamp) $(B)/include/version.h
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(cppflags) $(cflags) -MMD -MP -c -o $@ $<

$(O)/%.o: %.S $(O)/flags | $(tools-stamp) $(B)/include/version.h
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(cppflags) $(machine) -g -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

git-version := GIT_OPTIONAL_LOCKS=0 git describe --always --dirty 2>/dev/null

# A file that changes only when its text does: flags and version are compared at every start.
.PHONY: always
update = @mkdir -p $(@D) && printf '%s\n' $(1) >$@.new && \
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(O)/flags: always
	$(call update,'$(CC) $(cflags) $(ldflags) $(if $(DEBUG),DEBUG)')
$(H)/flags: always
	$(call update,'$(HOSTCC) $(hostcflags) $(hostlibs)')
$(B)/include/version.h: always
	$(call update,"#define SHYPER_VERSION \"$$($(git-version) || echo unknown)\"")

.PHONY: kmod
kmod: $(kmod) ## build the MVM's kernel module: build/kmod/shyper_riscv64.ko

.PHONY: cli
cli: $(B)/tools/shyper ## build the MVM's command: build/tools/shyper

##
## Test
.PHONY: test test-host test-guest
test: ## everything: host tests, then payloads and whole systems, with PLIC and with AIA
	$(Q)$(MAKE) -k test-host test-guest test-some-aia

test-host: $(host-bins) $(race-bins) $(short-fuzz) ## unit tests of host-compilable code, with ASan, UBSan, TSan; a little fuzzing
	$(Q)sh tools/test-host.sh $^

test-guest: $(B)/shyper.bin vmdef-check $(B)/tools/shyper-host guest-payloads images ## payloads and systems in QEMU (T=path: only these; IRQ=aia: of that machine)
	$(Q)$(PYTHON) -m pytest -o cache_dir=$(B)/pytest-cache/$(IRQ) \
		$(or $(T),tests/tools tests/guest tests/system)

# The same tests again on machines with AIA; what runs on no machine is not run twice. Of them,
# make test takes those that interrupts matter to.
.PHONY: test-aia test-some-aia
test-aia: ## test-guest on machines with AIA (IRQ=aia)
	$(Q)$(MAKE) test-guest IRQ=aia T="$(or $(T),tests/guest tests/system)"

test-some-aia:
	$(Q)$(MAKE) test-guest IRQ=aia T="$(patsubst %,tests/%.py,guest/test_exits guest/test_payloads \
		guest/test_shared system/test_aia system/test_disks system/test_guests \
		system/test_linux system/test_passthrough system/test_virtio_console)"

.PHONY: test-again
test-again: test-host ## what has failed in the last run
	$(Q)for irq in plic aia; do \
		if grep -qs true $(B)/pytest-cache/$$irq/v/cache/lastfailed; then \
			$(MAKE) test-guest IRQ=$$irq T=--last-failed || failed=1; fi; done; \
		[ -z "$$failed" ]

define host-test
$(H)/$(1): $(call host-objs,$(1)) $(makefiles)
	$$(call say,HOSTLD,$$@)
	$(Q)$(HOSTCC) $(hostcflags) -o $$@ $$(filter %.o,$$^) $(hostlibs)
endef
$(foreach t,$(host-tests),$(eval $(call host-test,$(t))))

# Races once more, with ThreadSanitizer; what fences order, it does not know.
tsancflags := $(filter-out -fsanitize=% --coverage,$(hostcflags)) -fsanitize=thread -Wno-tsan
define race-test
$(H)/$(1)_tsan: $(patsubst %.c,$(H)/tsan/%.o,tests/host/$(1).c $($(1)-src)) $(makefiles)
	$$(call say,HOSTLD,$$@)
	$(Q)$(HOSTCC) $(tsancflags) -o $$@ $$(filter %.o,$$^) $(hostlibs)
endef
$(foreach t,$(race-tests),$(eval $(call race-test,$(t))))

$(H)/tsan/%.o: %.c $(H)/flags | $(tools-stamp)
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(tsancflags) -MMD -MP -c -o $@ $<

FUZZ_TIME ?= 60##		fuzz: seconds for each target
fuzzcflags := $(filter-out -fsanitize=% -Wconversion,$(hostcflags)) \
	-fsanitize=fuzzer,address,undefined
.PHONY: fuzz
fuzz: $(addprefix $(B)/fuzz/,$(fuzz-targets)) ## random input for a bounded time, by libFuzzer (clang)
	$(Q)for f in $^; do $$f -max_total_time=$(FUZZ_TIME) -max_len=2048 \
		-artifact_prefix=$$f. -verbosity=0 -print_final_stats=1 $$f.corpus || exit 1; done

define fuzz-target
$(B)/fuzz/$(1): tests/fuzz/$(1).c $($(1)-src) $(makefiles) $(H)/flags
	$(Q)sh tools/deps.sh fuzz
	$$(call say,CLANG,$$@)
	$(Q)mkdir -p $$(@D) && clang $(fuzzcflags) -o $$@ $$(filter %.c,$$^) $($(1)-libs)
	$(Q)mkdir -p $$@.corpus $(if $($(1)-seeds),&& cp $($(1)-seeds) $$@.corpus)
endef
$(foreach t,$(fuzz-targets),$(eval $(call fuzz-target,$(t))))

# The same targets with a short list of random input, for test-host.
define short-fuzz-target
$(H)/$(1): $(patsubst %.c,$(H)/%.o,tests/fuzz/$(1).c tests/fuzz/random.c $($(1)-src)) $(makefiles)
	$$(call say,HOSTLD,$$@)
	$(Q)$(HOSTCC) $(hostcflags) -o $$@ $$(filter %.o,$$^) $(hostlibs) $($(1)-libs)
endef
$(foreach t,$(fuzz-targets),$(eval $(call short-fuzz-target,$(t))))

.PHONY: vmdef-check
vmdef-check: $(B)/tools/vmdef-check ## build/tools/vmdef-check TREE.dtb: check VM definitions on the host
vmdef-check-src := tools/vmdef-check.c $(wildcard src/vmdef*.c) src/schedule.c \
	src/schedule_check.c src/lib/format.c
$(B)/tools/vmdef-check: $(patsubst %.c,$(H)/%.o,$(vmdef-check-src))
	$(call say,HOSTLD,$@)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(hostcflags) -o $@ $^ $(hostlibs)

$(H)/%.o: %.c $(H)/flags | $(tools-stamp)
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(hostcflags) -MMD -MP -c -o $@ $<

.PHONY: coverage
coverage: ## host tests with GCOV=1, then the share of lines run, file by file
	$(Q)$(MAKE) GCOV=1 test-host
	$(Q)sh tools/coverage.sh $(H)

##
## Run
KERNEL ?=##			run-guest: the payload, a flat image or Linux Image
INITRD ?=##			run-guest: its initrd
CMDLINE ?=##			run-guest: its command line
VCPUS ?= 1##			run-guest: number of its vCPUs
MEM ?= 256M##			run-guest: size of its memory
FIT ?=##			run-static: boot image made by tools/mkvm.py
SMP ?=##			number of harts (default: VCPUS of run-guest, else 4)
MEMORY ?=##			memory of the machine (default: what run-guest needs, 1G, run: 4G)
CPU ?=##			QEMU's CPU model: rv64, max, rv64,sstc=off … (default: QEMU's)
LOGLEVEL ?=##			lines of Shyper's log to show: err, warn, info or debug
APPEND ?=##			further boot arguments of Shyper, e.g. panic=halt
QEMUFLAGS ?=##			more arguments for QEMU
BARE ?=##			run, run-guest: 1: the same without Shyper, to compare
OUT ?= build##			where run and run-guest write the boot image
IRQ ?= plic##			interrupt controller: plic, aclint (and SSWI), aplic, aia (and IMSIC)
GUEST_IRQ ?=##			run-guest: plic, aplic (default: of the machine's kind)
AIA_GUESTS ?= 3##		IRQ=aia: guest interrupt files for each hart, 0 to 7
PORT ?= 5555##			run: the host's port that leads to the MVM's ssh server
DISK ?=##			run: the MVM's disk (default: build/mvm.img, made from the image)
SNAPSHOT ?=##			run: 1: start from the image and keep nothing
MVM ?=##			run: the MVM's definition (default: config/mvm.dts)

export KERNEL INITRD CMDLINE VCPUS MEM FIT SMP MEMORY CPU LOGLEVEL APPEND QEMUFLAGS BARE OUT MIRROR
export KERNEL_SUITE IRQ AIA_GUESTS GUEST_IRQ PORT DISK SNAPSHOT MVM

.PHONY: run
run: $(B)/shyper.bin vmdef-check images ## the management VM: its console here, ssh -p 5555 root@localhost
	@exec sh tools/run-mvm.sh

.PHONY: run-guest run-static debug
run-guest: $(B)/shyper.bin vmdef-check ## one static guest from KERNEL, its UART on the terminal
	@exec sh tools/run-guest.sh

run-static: $(B)/shyper.bin ## the static VMs of a boot image: FIT=file.itb
	@exec sh tools/run-guest.sh

debug: $(B)/shyper.bin vmdef-check ## run-guest, stopped at the first instruction, waiting for gdb at :1234
	@QEMUFLAGS="$$QEMUFLAGS -S -s" exec sh tools/run-guest.sh

##
## Check
.PHONY: check headers layers format-check docs-check tests-check analyze kmod-check
check: headers layers format-check docs-check tests-check ## the checks of the source that need no more tools

headers: $(B)/include/version.h | $(tools-stamp) ## every header compiles alone
	$(Q)for h in $$(find src arch drivers -name '*.h' ! -name shyper.h | sort); do \
		$(CC) $(cppflags) $(cflags) -fsyntax-only -x c $$h || exit 1; done
	$(Q)$(HOSTCC) $(warnings) -fsyntax-only -x c src/include/abi/shyper.h # for user programs
	@echo "headers: every header compiles alone"

layers: ## the include arrows of DESIGN hold
	$(Q)$(PYTHON) tools/check-layers.py

format-check: ## tabs, 100 columns, SPDX lines, function length
	$(Q)$(PYTHON) tools/check-format.py

docs-check: ## what README and docs name exists
	$(Q)$(PYTHON) tools/check-docs.py

tests-check: ## pytest finds and can load every test
	$(Q)$(PYTHON) -m pytest --collect-only -qq tests >/dev/null || \
		$(PYTHON) -m pytest --collect-only -qq tests

analyze: ## cppcheck over the hypervisor
	$(Q)cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
		--enable=warning,performance,portability --suppressions-list=tools/cppcheck.suppress \
		-D__riscv -D__riscv_xlen=64 $(includes) src arch drivers

kmod-check: $(kmod) ## sparse over the kernel module
	$(Q)sh tools/deps.sh sparse
	$(call say,SPARSE,kmod)
	$(Q)sh tools/kmod.sh $(<D)-check KBUILD_CHECKSRC=2 CF=-Wsparse-error \
		CHECK="sh $(CURDIR)/tools/sparse.sh"

##
## Prepare
.PHONY: deps images
deps: ## install the tools and download the packages that are missing
	$(Q)sh tools/deps.sh all

$(tools-stamp): tools/deps.sh tools/debian.sh
	$(Q)sh tools/deps.sh tools

images: $(I)/linux/Image $(I)/mvm/root.img ## build kernel, initrds and disks of the MVM and of guests

##
## Clean
.PHONY: clean distclean help
clean: ## remove what was built; keep downloads and images
	$(Q)rm -rf $(O) $(H) $(B)/cli $(B)/cli-host $(B)/tools/shyper* $(B)/include $(B)/guest $(B)/test-logs $(B)/bench $(B)/kmod* \
		$(B)/shyper.* $(B)/tools/vmdef-check $(B)/*.itb $(B)/checked.stamp

distclean: ## remove all of build/, downloads and the MVM's disk too
	$(Q)rm -rf $(B)

help: ## this list
	@awk -f tools/help.awk Makefile

-include $(shell find $(O) $(H) -name '*.d' 2>/dev/null)
