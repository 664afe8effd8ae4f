#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# build.sh OUTPUT - the initramfs (gzip) that mounts an ext4 root on a virtio disk: busybox and the
# modules of the cached Debian kernel that images/boot/modules names. The same packages give the
# same bytes.
set -eu
out=$(realpath -m "$1")
cd "$(dirname "$0")/../.."
. images/rootfs.sh
sh tools/deps.sh guest

new_work
unpack_kernel "$work/kernel"
mkdir -p "$work/root/bin" "$work/root/dev" "$work/root/proc" "$work/root/sys" "$work/root/root" \
	"$work/root/modules"
dpkg-deb --fsys-tarfile "$(guest_cached 'busybox-static_*_riscv64.deb')" |
	tar -xO --wildcards './*bin/busybox' >"$work/root/bin/busybox"
cp images/boot/init "$work/root/init"
chmod 755 "$work/root" "$work/root/init" "$work/root/bin/busybox"

# Uncompressed, since all of it is compressed anyway and xz is slow on an emulated machine.
# shellcheck disable=SC2046 # a list
module_order "$work/kernel" $(grep -v '^#' images/boot/modules) | while read -r module; do
	name=$(basename "$module" .xz)
	xz -dc "$work/kernel/$module" >"$work/root/modules/$name"
	say "$name"
done >"$work/order"
mv "$work/order" "$work/root/modules/order"
find "$work/root" -exec touch -h -d @0 {} +
(cd "$work/root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) |
	gzip -9n >"$out.new"
mv "$out.new" "$out"
