#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# build.sh OUTPUT-FOLDER - Debian's riscv64 kernel (Image) and a busybox initramfs (initrd.gz).
# Needs no root and runs no foreign program; the same packages give the same bytes.
set -eu
out=$(realpath -m "$1")
cd "$(dirname "$0")/../.."
. tools/debian.sh
sh tools/deps.sh guest

mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kernel_image >"$out/Image.new"

mkdir -p "$work/bin" "$work/dev" "$work/proc" "$work/sys" "$work/tmp" "$work/root" "$work/etc"
dpkg-deb --fsys-tarfile "$(guest_cached 'busybox-static_*_riscv64.deb')" |
	tar -xO --wildcards './*bin/busybox' >"$work/bin/busybox"
cp images/linux/init "$work/init"
cp images/linux/inittab images/linux/profile "$work/etc"
chmod 755 "$work" "$work/init" "$work/bin/busybox"
find "$work" -exec touch -h -d @0 {} +
(cd "$work" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) |
	gzip -9n >"$out/initrd.gz"
mv "$out/Image.new" "$out/Image"
