# SPDX-License-Identifier: BSD-2-Clause
# The MVM's kernel module. It fits exactly the kernel of the images, so that comes first.
kmod-sources := $(wildcard kmod/*.[ch]) kmod/Kbuild $(wildcard src/include/abi/*.h)
kmod := $(B)/kmod$(kernel-suffix)/shyper_riscv64.ko
mvm-products += $(kmod)

$(kmod): $(kmod-sources) $(B)/images$(kernel-suffix)/linux/Image tools/kmod.sh \
		tools/kernel-headers.sh | $(tools-stamp)
	$(call say,KMOD,$@)
	$(Q)sh tools/kmod.sh $(@D)
