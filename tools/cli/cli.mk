# SPDX-License-Identifier: BSD-2-Clause
# The shyper command: for the MVM, linked with the libraries of its Debian, and for the host with
# the tests' device in place of /dev/shyper.
cli-src := $(wildcard tools/cli/*.c tools/cli/lib/*.c tools/cli/daemon/*.c)
# Shyper's own code reads and checks schedules.
cli-src += src/schedule.c src/schedule_check.c src/vmdef_walk.c src/vmdef_value.c src/lib/format.c
cli-host-src := $(filter-out tools/cli/lib/device.c,$(cli-src)) tests/tools/cli/fake_device.c
cli-libs := -ljansson -lsmartcols -lfdt -lm
cli-flags := -std=gnu11 -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE $(warnings) \
	-Isrc/include -I$(B)/include
mvm-products += $(B)/tools/shyper tools/cli/completion.bash $(wildcard tools/cli/man/*)
# The cross compiler brings a libc of its own, an older one: the sysroot's comes before it.
cli-sysroot := --sysroot=$(B)/sysroot -B$(B)/sysroot/usr/lib/riscv64-linux-gnu/ \
	-isystem $(B)/sysroot/usr/include -isystem $(B)/sysroot/usr/include/riscv64-linux-gnu

cli-objs := $(cli-src:%.c=$(B)/cli/%.o)
$(B)/tools/shyper: $(cli-objs)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(cli-sysroot) -pie -Wl,-z,relro,-z,now -o $@ $^ \
		$(cli-libs)

$(B)/cli/%.o: %.c $(B)/sysroot/stamp $(B)/include/version.h tools/cli/cli.mk
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(cli-sysroot) $(cli-flags) -MMD -MP -c -o $@ $<

$(B)/sysroot/stamp: tools/sysroot.sh tools/cli/packages | $(tools-stamp)
	$(call say,SYSROOT,$(@D))
	$(Q)sh tools/sysroot.sh $(@D) && touch $@

cli-host-objs := $(cli-host-src:%.c=$(B)/cli-host/%.o)
$(B)/tools/shyper-host: $(cli-host-objs)
	$(call say,HOSTLD,$@)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(hostcflags) -o $@ $^ $(cli-libs)

$(B)/cli-host/%.o: %.c $(B)/include/version.h tools/cli/cli.mk | $(tools-stamp)
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D) && $(HOSTCC) $(hostcflags) -Itools/cli -I$(B)/include -MMD -MP \
		-c -o $@ $<

-include $(cli-objs:.o=.d) $(cli-host-objs:.o=.d)
