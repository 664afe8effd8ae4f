# SPDX-License-Identifier: BSD-2-Clause
# The Linux kernel of the MVM and its guests, sourced by tools/debian.sh: which one, and its
# packages in the cache. KERNEL_SUITE is the Debian release that it comes from; all that is made for
# another than the usual one has a suffix of its own.
# shellcheck shell=sh
KERNEL_SUITE=${KERNEL_SUITE:-$GUEST_SUITE}
KERNEL_SUFFIX=-$KERNEL_SUITE
KERNEL_SUFFIX=${KERNEL_SUFFIX#"-$GUEST_SUITE"}
kernel_debs=$CACHE/debs$KERNEL_SUFFIX
kernel_list=$CACHE/kernel$KERNEL_SUFFIX.list	# packages: that with the image first, maybe modules
kernel_state=$CACHE/apt-kernel$KERNEL_SUFFIX

# kernel_apt TOOL ARGUMENT… - as guest_apt, for KERNEL_SUITE, with the host's architecture too.
kernel_apt() {
	tool=$1; shift
	guest_apt "$tool" -o APT::Architectures::="$(dpkg --print-architecture)" \
		-o Dir::State="$kernel_state" \
		-o Dir::Etc::SourceList="$kernel_state/sources.list" \
		-o Dir::State::Lists="$kernel_state/lists" \
		-o Dir::State::status="$kernel_state/status" \
		-o Dir::Cache="$kernel_state/cache" "$@"
}

kernel_apt_update() {
	[ -z "${kernel_updated:-}" ] || return 0
	kernel_updated=yes
	mkdir -p "$kernel_state/lists/partial" "$kernel_state/cache/archives/partial"
	say "deb [signed-by=$KEYRING] $(mirror) $KERNEL_SUITE main" >"$kernel_state/sources.list"
	: >"$kernel_state/status"
	kernel_apt apt-get -q -q update
}

# kernel_download FILE PACKAGE… - fetch them, unless a package file of that pattern is cached.
kernel_download() {
	! kernel_cached "$1" >/dev/null || return 0
	shift
	kernel_apt_update
	say "deps: downloading $* ($KERNEL_SUITE)"
	fetch kernel_apt "$kernel_debs" "$@"
}

# kernel_cached PATTERN - the newest cached package whose file name matches, or failure.
kernel_cached() { newest "$kernel_debs/$1"; }

# The package that linux-image-riscv64 stands for. Its name has the version: written down nowhere.
kernel_package() {
	kernel_apt apt-cache depends linux-image-riscv64 |
		sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1
}

# kernel_get - have the kernel in the cache. Later releases keep image and modules apart.
kernel_get() {
	if [ -e "$kernel_list" ] && kernel_complete; then return 0; fi
	kernel_apt_update
	package=$(kernel_package)
	[ -n "$package" ] || die "cannot find linux-image-riscv64 of $KERNEL_SUITE on $(mirror)"
	version=$(kernel_apt apt-cache show "$package" | sed -n 's/^Version: //p' | head -n 1)
	abi=${package#linux-image-}
	packages=$package
	if kernel_apt apt-cache show "linux-binary-$abi" >/dev/null 2>&1; then
		packages="linux-binary-$abi linux-modules-$abi"
	fi
	for package in $packages; do
		file=${package}_${version}_riscv64.deb
		kernel_download "$file" "$package=$version" >&2
		say "$file"
	done >"$kernel_list.new"
	mv "$kernel_list.new" "$kernel_list"
}

kernel_complete() {
	while read -r deb; do
		[ -e "$kernel_debs/$deb" ] || return 1
	done <"$kernel_list"
}

# kernel_version - as "ABI VERSION".
kernel_version() {
	sed -n '1s/^linux-[a-z]*-\(.*\)-riscv64_\(.*\)_riscv64\.deb$/\1 \2/p' "$kernel_list"
}

# kernel_image - the Image, to standard output.
kernel_image() {
	deb=$kernel_debs/$(head -n 1 "$kernel_list")
	image=$(dpkg-deb -c "$deb" | awk '$6 ~ "/vmlinu[xz](-[^/]*)?$" { print $6 }')
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "$image"
}

# kernel_modules FOLDER [TAR-OPTION…] - unpack its modules there, in usr/lib/modules.
kernel_modules() {
	folder=$1; shift
	while read -r deb; do
		dpkg-deb --fsys-tarfile "$kernel_debs/$deb" |
			tar -x --no-same-owner -C "$folder" --wildcards \
				--exclude='*/vmlinuz' "$@" ./usr/lib/modules
	done <"$kernel_list"
}
