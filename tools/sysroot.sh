#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# sysroot.sh FOLDER - headers and libraries of the MVM's Debian, to link its programs with: what
# tools/cli/packages names, unpacked from the cache.
set -eu
out=$(realpath -m "$1")
cd "$(dirname "$0")/.."
. tools/debian.sh
sh tools/deps.sh guest

rm -rf "$out"
mkdir -p "$out/usr/lib"
ln -s usr/lib "$out/lib"	# where libc's linker script looks
grep -v '^#' "$CACHE/cli.list" | while read -r deb; do
	dpkg-deb --fsys-tarfile "$CACHE/debs/$deb" |
		tar -x --no-same-owner --keep-directory-symlink -C "$out" --wildcards \
			--exclude='./usr/share/*' --exclude='./usr/bin/*'
done
