# SPDX-License-Identifier: BSD-2-Clause
# File systems made of Debian's riscv64 packages, sourced by the recipes of images: no root, no
# foreign program. Run from the top of the source tree.
# shellcheck shell=sh
. tools/debian.sh
PATH=$PATH:/usr/sbin:/sbin	# depmod, mke2fs, debugfs, where users have no such path

# as_owner SCRIPT ARGUMENT… - start the script anew with files that look as if root owned them.
as_owner() {
	[ "$(id -u)" = 0 ] || exec fakeroot sh "$@"
}

# new_work - $work becomes a folder for this run, on the disk of build/, removed at the end.
new_work() {
	mkdir -p build/images
	work=$(mktemp -d build/images/work.XXXXXX)
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' INT TERM
}

# unpack_kernel FOLDER - modules of the cached kernel and their index, in FOLDER/usr/lib/modules.
# Folders of devices that the machine cannot have stay out.
unpack_kernel() {
	mkdir -p "$1"
	kernel_modules "$1" --exclude='*/kernel/sound' \
		--exclude='*/drivers/gpu' --exclude='*/drivers/media' \
		--exclude='*/drivers/iio' --exclude='*/drivers/infiniband' \
		--exclude='*/drivers/net/wireless' --exclude='*/drivers/staging'
	[ -e "$1/lib" ] || ln -s usr/lib "$1/lib"	# where depmod looks
	depmod -b "$1" "$(ls "$1/usr/lib/modules")"
}

# module_order FOLDER MODULE[?]… - the files of modules under FOLDER, dependencies first, none
# twice. One with a question mark may be missing.
module_order() {
	index=$(ls -d "$1"/usr/lib/modules/*)
	shift
	for module; do
		awk -v name="${module%\?}" -F '[: ]+' '{
			file = $1
			sub(/.*\//, "", file)
			sub(/\.ko.*/, "", file)
			gsub(/-/, "_", file)
			if (file == name) {
				for (i = NF; i > 0; i--) if ($i != "") print $i
				found = 1
			}
		} END { exit !found }' "$index/modules.dep" ||
			[ "${module%\?}" != "$module" ] ||
			die "the kernel has no module $module"
	done | awk '!seen[$0]++' | sed "s#^#usr/lib/modules/$(basename "$index")/#"
}

# unpack_packages LIST FOLDER - the cached packages of a list made by guest_closure, without their
# pages of documentation. base-files comes first: it lays the links from /bin to /usr/bin.
unpack_packages() {
	mkdir -p "$2"
	{
		grep '^base-files_' "$CACHE/$1.list"
		grep -v -e '^base-files_' -e '^#' "$CACHE/$1.list"
	} |
	while read -r deb; do
		dpkg-deb --fsys-tarfile "$CACHE/debs/$deb" |
			tar -x --no-same-owner --keep-directory-symlink -C "$2" --wildcards \
				--exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
				--exclude='./usr/share/locale/*' --exclude='./usr/share/info/*' \
				--exclude='./usr/share/lintian/*' --exclude='./usr/share/bug/*' \
				--exclude='./usr/lib/systemd/*' --exclude='./etc/init.d/*'
	done
}

# add_init FOLDER - busybox as init, shell and all that packages do not bring; its other names are
# made at the first start (etc/init.d/rcS).
add_init() {
	ln -sf busybox "$1/usr/bin/sh"
	ln -sf ../bin/busybox "$1/usr/sbin/init"
}

# add_files FOLDER SOURCE… - the trees of files that a recipe keeps, over what is there.
add_files() {
	target=$1
	shift
	for source; do
		cp -R --no-preserve=ownership,timestamps "$source/." "$target"
	done
}

# set_password FOLDER PASSWORD - root's.
set_password() {
	hash=$(openssl passwd -6 -salt shyper "$2")
	printf 'root:%s:20000:0:99999:7:::\n' "$hash" >"$1/etc/shadow"
	chmod 600 "$1/etc/shadow"
}

# image_uuid LABEL - a UUID that is the same for the same packages and recipes.
image_uuid() {
	{
		say "$1"
		cat "$CACHE/mvm.list" "$CACHE/guest.list"
		head -n 1 "$kernel_list"
		find images/rootfs.sh images/boot images/common images/guest images/mvm/files \
			images/mvm/build.sh -type f | LC_ALL=C sort | xargs sha256sum
	} | sha256sum | sed -E 's/(.{8})(.{4})(.{4})(.{4})(.{12}).*/\1-\2-\3-\4-\5/'
}

# make_disk FILE SIZE FOLDER LABEL - a sparse ext4 image with the folder's files. Its tables count
# as initialized, so that Linux does not write them in the background, during a measurement.
make_disk() {
	rm -f "$1"
	truncate -s "$2" "$1"
	mke2fs -q -t ext4 -m 0 -i 65536 -J size=64 -E lazy_itable_init=0 -L "$4" \
		-U "$(image_uuid "$4")" -d "$3" "$1"
}

# put_files DISK - copy files into an ext4 image: lines of "source target mode" on standard input.
# The folders of the targets are made; what was there before is replaced.
put_files() {
	while read -r source target mode; do
		folder=
		for part in $(dirname "$target" | tr / ' '); do
			folder=$folder/$part
			say "mkdir $folder"
		done
		say "rm $target"
		say "write $source $target"
		say "set_inode_field $target mode 010$mode"
		say "set_inode_field $target uid 0"
		say "set_inode_field $target gid 0"
	done >"$1.commands"
	# It says what failed, but not by its status. Two failures are none.
	debugfs -w -f "$1.commands" "$1" 2>&1 >/dev/null |
		grep -v -e '^debugfs ' -e 'directory already exists' -e '^mkdir:' -e '^rm:' >&2 &&
		die "files could not be put into $1"
	rm "$1.commands"
}
