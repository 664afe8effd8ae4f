# SPDX-License-Identifier: BSD-2-Clause
# Images for the management VM and its guests; images/rootfs.sh says how they are made.
I := $(B)/images$(kernel-suffix)
guest-disk := $(B)/images/guest/disk.img	# has no kernel
recipes = $(shell find images/rootfs.sh images/unwanted $(1) -type f)

$(I)/linux/Image $(I)/linux/initrd.gz &: $(wildcard images/linux/*) | $(tools-stamp)
	$(call say,IMAGE,$(I)/linux)
	$(Q)sh images/linux/build.sh $(I)/linux

$(I)/mvm/Image: $(I)/linux/Image
	$(Q)mkdir -p $(@D) && cp $< $@

$(I)/mvm/initrd.gz: $(call recipes,images/boot) | $(tools-stamp)
	$(call say,IMAGE,$@)
	$(Q)mkdir -p $(@D) && sh images/boot/build.sh $@

$(guest-disk): $(call recipes,images/guest images/common) | $(tools-stamp)
	$(call say,IMAGE,$@)
	$(Q)mkdir -p $(@D) && sh images/guest/build.sh $@

mvm-inputs := $(I)/mvm/Image $(I)/mvm/initrd.gz $(guest-disk)
$(I)/mvm/base.img: $(mvm-inputs) $(call recipes,images/mvm images/common) | $(tools-stamp)
	$(call say,IMAGE,$@)
	$(Q)sh images/mvm/build.sh $@ $(mvm-inputs)

# What the project compiles for the MVM joins mvm-products, and images/mvm/products says where it
# goes.
$(I)/mvm/root.img: $(I)/mvm/base.img images/mvm/products images/mvm/install.sh $(mvm-products)
	$(call say,INSTALL,$@)
	$(Q)cp --sparse=always --reflink=auto $< $@.new && sh images/mvm/install.sh $@.new && \
		mv $@.new $@
