#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run-mvm.sh [VARIABLE=value…] - start QEMU with Shyper and the management VM. The variables are
# those of `make run`, from the environment or as arguments. The disk DISK is made when it is not
# there and brought up to date otherwise; it belongs to the user. With SNAPSHOT=1 the machine starts
# from the pristine image, and what it writes is forgotten. The exit status is that of QEMU.
set -eu
prog=run-mvm
top=$(dirname "$0")/..
. "$top/tools/qemu.sh"
take_variables "SMP MEMORY IRQ AIA_GUESTS PORT DISK MVM SNAPSHOT CPU LOGLEVEL APPEND \
	QEMUFLAGS OUT BARE" "$@"
: "${SMP:=4}" "${MEMORY:=4G}" "${PORT:=5555}" "${OUT:=$top/build}"
suffix=-${KERNEL_SUITE:-trixie} suffix=${suffix#-trixie}
: "${DISK:=$top/build/mvm$suffix.img}" "${MVM:=$top/config/mvm.dts}"
DISK=$(realpath -m --relative-to=. "$DISK")
images=$top/build/images$suffix/mvm
root=$images/root.img

# The lock is QEMU's as long as it runs: nobody else may write to a mounted file system.
lock_disk() {
	exec 9>"$DISK.lock"
	flock -n 9 || die "$DISK is in use by another run; with SNAPSHOT=1 several can run at once"
}

disk_uuid() { PATH=$PATH:/usr/sbin:/sbin dumpe2fs -h "$1" 2>/dev/null | grep 'Filesystem UUID'; }

# A disk made from other packages does not fit this kernel and its modules any more.
keep_old_disk() {
	[ "$(disk_uuid "$DISK")" != "$(disk_uuid "$root")" ] || return 0
	replaced=
	[ ! -e "$DISK.old" ] || replaced=" (the one kept before is gone)"
	mv "$DISK" "$DISK.old"
	echo "The MVM's image has changed. Your disk is kept as $DISK.old$replaced."
}

prepare_disk() {
	lock_disk
	[ ! -e "$DISK" ] || keep_old_disk
	if [ -e "$DISK" ]; then
		sh "$top/images/mvm/install.sh" "$DISK"
	else
		echo "Making the MVM's disk $DISK"
		cp --sparse=always --reflink=auto "$root" "$DISK.new"
		mv "$DISK.new" "$DISK"
	fi
}

# Some sentences for people; a snapshot is started by tests.
greet() {
	echo "Starting the management VM: $SMP harts, $MEMORY of memory."
	echo "  log in:  root, password root, here or by: ssh -p $PORT root@localhost"
	echo "  leave:   poweroff in the MVM; Ctrl-A X ends QEMU at once"
	[ -n "${SNAPSHOT:-}" ] && echo "  disk:    changes are forgotten" ||
		echo "  disk:    $DISK is yours; remove it to begin anew"
}

machine() {
	qemu -drive "file=$DISK,format=raw,if=none,id=mvm,discard=unmap$snapshot" \
		-device virtio-blk-device,drive=mvm \
		-netdev "user,id=net,hostfwd=tcp:127.0.0.1:$PORT-:22" \
		-device virtio-net-device,netdev=net "$@"
}

readable "the MVM's image" "$root"
mkdir -p "$OUT"
snapshot=
if [ -n "${SNAPSHOT:-}" ]; then
	DISK=$root snapshot=,snapshot=on
else
	prepare_disk
fi
greet
if [ -n "${BARE:-}" ]; then
	machine -kernel "$images/Image" -initrd "$images/initrd.gz" \
		-append "console=ttyS0 root=/dev/vda rw"
fi
readable shyper.bin "$top/build/shyper.bin"
readable MVM "$MVM"
/usr/bin/python3 "$top/tools/mkvm.py" --out "$OUT/mvm.itb" --dts "$MVM" \
	--kernel "$images/Image" --initrd "$images/initrd.gz" >"$OUT/mkvm.log" 2>&1 || {
	cat "$OUT/mkvm.log" >&2
	die "cannot make the boot image"
}
append="${LOGLEVEL:+loglevel=$LOGLEVEL }${APPEND:-}"
machine -no-reboot -kernel "$top/build/shyper.bin" -initrd "$OUT/mvm.itb" \
	${append:+-append "$append"}
