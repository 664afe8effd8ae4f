#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# build.sh OUTPUT - the disk of a ready guest: ext4, busybox init, fio, qemu-guest-agent, root/vm1.
set -eu
out=$(realpath -m "$1")
cd "$(dirname "$0")/../.."
. images/rootfs.sh
as_owner images/guest/build.sh "$out"
sh tools/deps.sh guest

# As large as the disk of Rust-Shyper's examples: 8192000 sectors.
SIZE=4000M

new_work
unpack_packages guest "$work/root"
add_init "$work/root"
add_files "$work/root" images/common/files images/guest/files
set_password "$work/root" vm1
echo guest >"$work/root/etc/hostname"
make_disk "$out.new" $SIZE "$work/root" guest
mv "$out.new" "$out"
