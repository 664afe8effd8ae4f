#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# kernel-headers.sh [FOLDER] - what a module for the images' kernel is built with: Debian's headers
# and Kbuild programs of exactly the cached kernel, unpacked in FOLDER (build/deps/kernel) as
# FOLDER/headers. Done once for each kernel.
set -eu
cd "$(dirname "$0")/.."
. tools/debian.sh
out=$(realpath -m "${1:-build/deps/kernel}")
image=$(guest_cached 'linux-image-[0-9]*_riscv64.deb') || {
	sh tools/deps.sh guest
	image=$(guest_cached 'linux-image-[0-9]*_riscv64.deb')
}
name=$(basename "$image" _riscv64.deb)		# linux-image-ABI-riscv64_VERSION
abi=${name#linux-image-} abi=${abi%-riscv64_*}
version=${name##*_}
host=$(dpkg --print-architecture)		# Kbuild's programs run here

# host_apt TOOL ARGUMENT… - like guest_apt, with the host's architecture too and lists of its own.
state=$CACHE/apt-kernel
host_apt() {
	tool=$1; shift
	guest_apt "$tool" -o APT::Architectures::="$host" -o Dir::State="$state" \
		-o Dir::Etc::SourceList="$state/sources.list" -o Dir::State::Lists="$state/lists" \
		-o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" "$@"
}

# host_get PATTERN PACKAGE - unless a file of that pattern is cached already.
updated=
host_get() {
	! guest_cached "$1" >/dev/null || return 0
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$CACHE/debs/partial"
	say "deb [signed-by=$KEYRING] $(mirror) $GUEST_SUITE main" >"$state/sources.list"
	: >"$state/status"
	[ -n "$updated" ] || host_apt apt-get -q -q update
	updated=yes
	say "deps: downloading ${2%%[:=]*} ($GUEST_SUITE)"
	(cd "$CACHE/debs/partial" && host_apt apt-get -q -q download "$2" && mv ./*.deb ..) ||
		die "no $2 on $(mirror). If the mirror has a newer kernel now, remove $image" \
			"and build the images anew"
}

# Debian's makefiles name /usr/src; without vmlinux Kbuild makes no BTF, which would need pahole.
adapt() {
	sed -i "s#\([ =]\)/usr/src/#\1$1/usr/src/#" "$1/headers/Makefile"
	rm -f "$1/headers/vmlinux"
}

# run_here FOLDER - Kbuild's programs that want a newer C library than the host's get the release's.
run_here() {
	find "$(readlink -f "$1/headers/scripts")" -type f -perm -u+x | while read -r program; do
		"$program" </dev/null 2>&1 | grep -q 'version .GLIBC_.* not found' || continue
		library=$(find "$1/glibc" -name libc.so.6 2>/dev/null | head -n 1)
		if [ -z "$library" ]; then
			host_get "libc6_*_$host.deb" "libc6:$host"
			dpkg-deb -x "$(guest_cached "libc6_*_$host.deb")" "$1/glibc"
			library=$(find "$1/glibc" -name libc.so.6 | head -n 1)
		fi
		loader=$(find "$1/glibc" -name 'ld-linux*.so.*' | head -n 1)
		mv "$program" "$program.elf"
		{
			say '#!/bin/sh'
			say "exec $loader --library-path $(dirname "$library") $program.elf \"\$@\""
		} >"$program"
		chmod 755 "$program"
	done
}

[ "$(cat "$out/kernel" 2>/dev/null)" != "$out $version" ] || exit 0
host_get "linux-headers-$abi-riscv64_${version}_*.deb" "linux-headers-$abi-riscv64:riscv64=$version"
host_get "linux-headers-$abi-common_${version}_*.deb" "linux-headers-$abi-common=$version"
host_get "linux-kbuild-${abi}_${version}_$host.deb" "linux-kbuild-$abi:$host=$version"
say "deps: unpacking the headers of kernel $abi into ${out#"$PWD/"}"
rm -rf "$out"
mkdir -p "$out"
for deb in "linux-headers-$abi-riscv64_${version}" "linux-headers-$abi-common_${version}" \
	"linux-kbuild-${abi}_${version}"; do
	dpkg-deb --fsys-tarfile "$(guest_cached "${deb}_*.deb")" |
		tar -x --no-same-owner -C "$out"
done
ln -s "usr/src/linux-headers-$abi-riscv64" "$out/headers"
adapt "$out"
run_here "$out"
echo "$out $version" >"$out/kernel"
