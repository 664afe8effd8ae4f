#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# kernel-headers.sh [FOLDER] - what a module for the images' kernel is built with: Debian's headers
# and Kbuild programs of exactly the cached kernel, unpacked in FOLDER (build/deps/kernel) as
# FOLDER/headers. A kernel of a later release than the usual one needs the compiler of its release:
# FOLDER/tools/usr/bin/riscv64-linux-gnu-gcc. Done once for each kernel.
set -eu
cd "$(dirname "$0")/.."
. tools/debian.sh
out=$(realpath -m "${1:-build/deps/kernel$KERNEL_SUFFIX}")
[ -e "$kernel_list" ] || sh tools/deps.sh guest
version=$(kernel_version) abi=${version% *} version=${version#* }
host=$(dpkg --print-architecture)		# Kbuild's programs run here

# need FILE PACKAGE - of the kernel; only the newest is on the mirror.
need() {
	kernel_download "$1" "$2" ||
		die "no $2 on $(mirror). If it has a newer kernel now, remove $kernel_list" \
			"and build the images anew"
}

# unpack PATTERN FOLDER [TAR-OPTION…]
unpack() {
	pattern=$1 folder=$2; shift 2
	mkdir -p "$folder"
	dpkg-deb --fsys-tarfile "$(kernel_cached "$pattern")" |
		tar -x --no-same-owner -C "$folder" "$@"
}

# Debian's makefiles name /usr/src; without vmlinux Kbuild makes no BTF, which would need pahole.
adapt() {
	sed -i "s#\([ =]\)/usr/src/#\1$1/usr/src/#" "$1/headers/Makefile"
	rm -f "$1/headers/vmlinux"
}

# get_libraries FOLDER - the release's C library.
get_libraries() {
	kernel_download "libc6_*_$host.deb" "libc6:$host"
	unpack "libc6_*_$host.deb" "$1"
}

# wrap PROGRAM FOLDER - have it run with the libraries of a release unpacked in FOLDER.
wrap() {
	loader=$(find "$2" -name 'ld-linux*.so.*' -type f | head -n 1)
	mv "$1" "$1.elf"
	{
		say '#!/bin/sh'
		say "exec $loader --library-path $(dirname "$loader") \\"
		say "	--argv0 \"\$0\" $1.elf \"\$@\""
	} >"$1"
	chmod 755 "$1"
}

# run_here FOLDER - Kbuild's programs that want a newer C library than the host's get the release's.
run_here() {
	find "$(readlink -f "$1/headers/scripts")" -type f -perm -u+x | while read -r program; do
		"$program" </dev/null 2>&1 | grep -q 'version .GLIBC_.* not found' || continue
		[ -e "$1/glibc" ] || get_libraries "$1/glibc"
		wrap "$program" "$1/glibc"
	done
}

# What apt would install for the compiler, as package:host=version; without riscv64's libraries.
compiler_packages() {
	kernel_apt apt-get -q -q -s -o APT::Architecture="$host" -o APT::Install-Recommends=0 \
		install "$1-riscv64-linux-gnu" |
		sed -n -e '/-riscv64-cross /d' -e '/base /d' \
			-e "s/^Inst \([^ ]*\) (\([^ ]*\) .*/\1:$host=\2/p"
}

# deb_file PACKAGE:host=VERSION - the name of its file.
deb_file() { say "$1" | sed -e 's/:[^=]*=/_/' -e 's/:/%3a/g' -e "s/\$/_$host.deb/"; }

# get_compiler FOLDER - the one that the kernel's makefiles name, in FOLDER/tools.
get_compiler() {
	name=$(sed -n 's/^CC = .*CROSS_COMPILE)\(gcc-[0-9]*\)$/\1/p' "$1/headers/.kernelvariables")
	[ -n "$name" ] || die "the kernel's makefiles name no compiler"
	kernel_apt_update
	packages=$(compiler_packages "$name")
	missing=
	for package in $packages; do
		kernel_cached "$(deb_file "$package")" >/dev/null || missing="$missing $package"
	done
	if [ -n "$missing" ]; then
		say "deps: downloading $name and its libraries ($KERNEL_SUITE)"
		# shellcheck disable=SC2086 # a list
		fetch kernel_apt "$kernel_debs" $missing
	fi
	for package in $packages; do
		unpack "$(deb_file "$package")" "$1/tools" --wildcards --exclude='*/share/*' \
			--exclude='*/lto*' --exclude='*-lto-*' --exclude='*gcov*' \
			--exclude='*gprof*'
	done
	find "$1/tools/usr/bin" "$1/tools/usr/libexec" -type f -perm -u+x |
	while read -r program; do
		wrap "$program" "$1/tools"
	done
	ln -sf "riscv64-linux-gnu-$name" "$1/tools/usr/bin/riscv64-linux-gnu-gcc"
}

[ "$(cat "$out/kernel" 2>/dev/null)" != "$out $version" ] || exit 0
need "linux-headers-$abi-riscv64_${version}_*.deb" "linux-headers-$abi-riscv64:riscv64=$version"
need "linux-headers-$abi-common_${version}_*.deb" "linux-headers-$abi-common=$version"
need "linux-kbuild-${abi}_${version}_$host.deb" "linux-kbuild-$abi:$host=$version"
say "deps: unpacking the headers of kernel $abi into ${out#"$PWD/"}"
rm -rf "$out"
for deb in "linux-headers-$abi-riscv64_${version}" "linux-headers-$abi-common_${version}" \
	"linux-kbuild-${abi}_${version}"; do
	unpack "${deb}_*.deb" "$out"
done
ln -s "usr/src/linux-headers-$abi-riscv64" "$out/headers"
adapt "$out"
run_here "$out"
[ -z "$KERNEL_SUFFIX" ] || get_compiler "$out"
echo "$out $version" >"$out/kernel"
