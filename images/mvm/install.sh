#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# install.sh DISK - put what images/mvm/products lists into an image of the MVM's root file system,
# beside all that its user keeps there. The image remembers what it got: nothing happens when it
# is up to date. Nobody may have it mounted.
set -eu
disk=$(realpath "$1")
cd "$(dirname "$0")/../.."
. images/rootfs.sh
record=/var/lib/shyper/products

new_work
# The module is for the kernel that the image has.
sed -e '/^#/d' -e "s#^build/kmod/#build/kmod$KERNEL_SUFFIX/#" images/mvm/products |
while read -r pattern target mode; do
	for source in $pattern; do
		[ -e "$source" ] || continue
		case $target in
		*/) say "$source $target$(basename "$source") $mode" ;;
		*) say "$source $target $mode" ;;
		esac
	done
done >"$work/files"
while read -r source target mode; do
	say "$target $mode $(sha256sum <"$source")"
done <"$work/files" >"$work/products"

debugfs -R "cat $record" "$disk" >"$work/installed" 2>/dev/null || :
! cmp -s "$work/products" "$work/installed" || exit 0

# After a crash the journal holds what must be written first.
status=0
e2fsck -p "$disk" >"$work/log" 2>&1 || status=$?
[ $status -lt 4 ] || {
	cat "$work/log" >&2
	die "the file system needs repair: e2fsck -f $disk"
}
say "$work/products $record 0644" >>"$work/files"
put_files "$disk" <"$work/files"
