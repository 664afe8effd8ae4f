#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# deps.sh tools|guest|fuzz|sparse|all - get what the build and the tests need and is not there yet.
#   tools: host packages (apt, as root or through sudo) and libfdt for riscv64 in build/deps
#   guest: the riscv64 packages that guest images are made of, in build/cache
#   fuzz: clang with libFuzzer (large, so not among all)
#   sparse: to check the module with (not among all either)
# Knows Debian 12 and 13. Elsewhere the tools must be there; the check is the same.
set -eu
cd "$(dirname "$0")/.."
. tools/debian.sh

QEMU_OLDEST=10

PATH=$PATH:/usr/sbin:/sbin
have() { command -v "$1" >/dev/null; }
have_qemu() {
	have qemu-system-riscv64 || return 1
	major=$(qemu-system-riscv64 --version | sed -n '1s/.*version \([0-9]*\)\..*/\1/p')
	[ "${major:-0}" -ge $QEMU_OLDEST ] && [ -e /usr/share/qemu/$opensbi ]
}
opensbi=opensbi-riscv64-generic-fw_dynamic.bin
python=/usr/lib/python3/dist-packages

# One line per tool: how to see that it is there, and the package that brings it.
missing_packages() {
	have riscv64-linux-gnu-gcc || say gcc-riscv64-linux-gnu
	[ -e /usr/riscv64-linux-gnu/include/stdio.h ] || say libc6-dev-riscv64-cross
	have gcc || say gcc
	[ -e /usr/include/stdio.h ] || say libc6-dev
	have git || say git
	have mkimage || say u-boot-tools
	have dtc || say device-tree-compiler
	[ -e /usr/include/libfdt.h ] || say libfdt-dev
	[ -e /usr/include/cmocka.h ] || say libcmocka-dev
	[ -x /usr/bin/python3 ] || say python3
	[ -d $python/pytest ] || say python3-pytest
	[ -d $python/pexpect ] || say python3-pexpect
	have cpio || say cpio
	have xz || say xz-utils
	have depmod || say kmod
	have mke2fs && have debugfs || say e2fsprogs
	have fakeroot || say fakeroot
	have openssl || say openssl
	have ssh || say openssh-client
	have cppcheck || say cppcheck
	[ -e /usr/include/jansson.h ] || say libjansson-dev
	[ -e /usr/include/libsmartcols/libsmartcols.h ] || say libsmartcols-dev
	[ -e /usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin ] || say u-boot-qemu
	[ -e $KEYRING ] || say debian-archive-keyring
}

install_tools() {
	packages=$(missing_packages | tr '\n' ' ')
	qemu=
	have_qemu || qemu="qemu-system-riscv opensbi"
	[ -n "$packages$qemu" ] || return 0
	case $(host_codename) in
	bookworm) ;;	# its own QEMU is 7.2, so that comes from its backports
	trixie) packages="$packages$qemu" qemu= ;;
	*) die "missing: $packages$qemu (only Debian 12 and 13 can be prepared automatically)" ;;
	esac
	if [ -n "$packages" ]; then
		say "deps: installing ${packages% }"
		# shellcheck disable=SC2086 # a list
		debian_install '' $packages
	fi
	if [ -n "$qemu" ]; then
		say "deps: installing $qemu from bookworm-backports"
		# shellcheck disable=SC2086 # a list
		debian_install bookworm-backports $qemu
	fi
	packages=$(missing_packages | tr '\n' ' ')
	[ -z "$packages" ] || die "still missing after the installation: $packages"
	have_qemu || die "QEMU is older than $QEMU_OLDEST after the installation"
}

# download PATTERN PACKAGE - unless a file of that pattern is in the cache already.
updated=
download() {
	! guest_cached "$1" >/dev/null || return 0
	[ -n "$updated" ] || guest_apt_update
	updated=yes
	say "deps: downloading $2 (riscv64, $GUEST_SUITE)"
	guest_get "$2"
}

unpack_libfdt() {
	[ ! -e build/deps/lib/libfdt.a ] || return 0
	download 'libfdt-dev_*_riscv64.deb' libfdt-dev
	say "deps: unpacking libfdt for riscv64 into build/deps"
	rm -rf build/deps/new
	mkdir -p build/deps/new build/deps/include build/deps/lib
	dpkg-deb --fsys-tarfile "$(guest_cached 'libfdt-dev_*_riscv64.deb')" |
		tar -x -C build/deps/new
	# Soft-float objects could not be linked with it, so its ABI is part of what we rely on.
	riscv64-linux-gnu-readelf -h build/deps/new/usr/lib/riscv64-linux-gnu/libfdt.a |
		grep Flags: | grep -vq 'double-float ABI' && die "libfdt.a is not lp64d"
	# libfdt_env.h is ours (src/include/libfdt).
	cp build/deps/new/usr/include/fdt.h build/deps/new/usr/include/libfdt.h build/deps/include/
	cp build/deps/new/usr/lib/riscv64-linux-gnu/libfdt.a build/deps/lib/libfdt.a
	rm -rf build/deps/new
}

get_tools() {
	install_tools
	unpack_libfdt
	touch build/deps/tools.stamp
}

get_guest() {
	kernel_get
	download 'busybox-static_*_riscv64.deb' busybox-static
	guest_closure mvm images/mvm/packages
	guest_closure guest images/guest/packages
	guest_closure cli tools/cli/packages
}

get_fuzz() {
	! have clang || [ ! -e "$(clang -print-file-name=libclang_rt.fuzzer-x86_64.a)" ] || return 0
	say "deps: installing clang and its run-time libraries"
	debian_install '' clang libclang-rt-dev
}

get_sparse() {
	! have sparse || return 0
	say "deps: installing sparse"
	debian_install '' sparse
}

case ${1:-} in
tools) get_tools ;;
guest) get_guest ;;
fuzz) get_fuzz ;;
sparse) get_sparse ;;
all) get_tools; get_guest; say "deps: everything is there" ;;
*) die "usage: deps.sh tools|guest|fuzz|sparse|all" ;;
esac
