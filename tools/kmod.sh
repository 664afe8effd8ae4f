#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# kmod.sh OUTPUT-FOLDER [ARGUMENT…] - shyper_riscv64.ko for the images' kernel, with more arguments
# for Kbuild. It builds where the sources are; links to them keep what it makes out of kmod/.
set -eu
mkdir -p "$1"
out=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
. tools/debian.sh
headers=${KERNEL_HEADERS:-}
if [ -z "$headers" ]; then
	sh tools/kernel-headers.sh
	headers=$PWD/build/deps/kernel$KERNEL_SUFFIX/headers
fi
ln -sf "$PWD"/kmod/* "$out"
find "$out" -xtype l -delete
log=$out/build.log
cross=${CROSS_COMPILE:-riscv64-linux-gnu-}
compiler=$(dirname "$headers")/tools/usr/bin/riscv64-linux-gnu-
[ ! -x "${compiler}gcc" ] || cross=$compiler
# Kbuild takes nothing from the make that may have called us.
env -u MAKEFLAGS -u MFLAGS make -j "$(nproc)" -C "$headers" M="$out" ARCH=riscv \
	CROSS_COMPILE="$cross" CC="${cross}gcc" SHYPER_INCLUDE="$PWD/src/include" \
	KCFLAGS=-Werror "$@" modules >"$log" 2>&1 || {
	cat "$log" >&2
	die "the module cannot be built"
}
"${cross}strip" --strip-debug "$out/shyper_riscv64.ko"
