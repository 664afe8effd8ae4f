#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# build.sh OUTPUT KERNEL INITRD GUEST-DISK - the MVM's root file system: Debian's packages, what
# images/common and images/mvm hold, and in /root what its guests need. What this project compiles
# is put in later, by install.sh, since it changes far more often.
set -eu
out=$(realpath -m "$1") kernel=$(realpath "$2") initrd=$(realpath "$3") disk=$(realpath "$4")
cd "$(dirname "$0")/../.."
. images/rootfs.sh
as_owner images/mvm/build.sh "$out" "$kernel" "$initrd" "$disk"
sh tools/deps.sh guest

SIZE=16G	# room for the guests' disks, should they fill
GUESTS="vm1 vm2 vm3"

new_work
unpack_packages mvm "$work/root"
unpack_kernel "$work/root"
add_init "$work/root"
add_files "$work/root" images/common/files images/mvm/files
set_password "$work/root" root
cp "$kernel" "$work/root/root/Image"
cp "$initrd" "$work/root/root/initrd.gz"
for guest in $GUESTS; do
	image=$work/root/root/$guest.img
	cp --sparse=always "$disk" "$image"
	echo "$guest" >"$work/hostname"
	echo "$work/hostname /etc/hostname 0644" | put_files "$image"
done
make_disk "$out.new" $SIZE "$work/root" mvm
mv "$out.new" "$out"
