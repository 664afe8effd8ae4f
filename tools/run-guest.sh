#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run-guest.sh [VARIABLE=value…] - start QEMU with Shyper and one static guest (KERNEL=…), or
# with the static VMs of a boot image (FIT=…). The variables are those of `make run-guest`, from the
# environment or as arguments. Runs at the same time need an OUT of their own. The exit status is
# that of QEMU.
set -eu
prog=run-guest
top=$(dirname "$0")/..
. "$top/tools/qemu.sh"
take_variables "KERNEL INITRD CMDLINE VCPUS MEM FIT SMP MEMORY CPU LOGLEVEL APPEND QEMUFLAGS OUT \
	BARE IRQ AIA_GUESTS GUEST_IRQ" "$@"
shyper=$top/build/shyper.bin
case ${LOGLEVEL:-warn} in
err | warn | info | debug) ;;
*) die "LOGLEVEL=$LOGLEVEL is none of err, warn, info, debug" ;;
esac
case ${SMP:-1} in
*[!0-9]* | 0*) die "SMP=$SMP is not a number of harts" ;;
esac

# mebibytes SIZE - 256M, 1G, 65536K or bytes, in MiB, rounded up.
mebibytes() {
	number=${1%[KMGkmg]}
	case $number in '' | *[!0-9]*) die "$1 is not a size; write it like 256M or 1G" ;; esac
	case $1 in
	*[Gg]) echo $((number * 1024)) ;;
	*[Mm]) echo "$number" ;;
	*[Kk]) echo $(((number + 1023) / 1024)) ;;
	*) echo $(((number + 1048575) / 1048576)) ;;
	esac
}

check_payload() {
	[ -n "${KERNEL:-}" ] || die "name a payload: make run-guest KERNEL=path"
	readable KERNEL "$KERNEL"
	[ -z "${INITRD:-}" ] || readable INITRD "$INITRD"
	: "${VCPUS:=1}" "${SMP:=$VCPUS}" "${MEM:=256M}"
}

# Describe one guest in a boot image; the machine gets its memory, the image's and 128M for us.
make_fit() {
	out=${OUT:-$top/build}
	mkdir -p "$out"
	FIT=$out/guest.itb
	/usr/bin/python3 "$top/tools/mkvm.py" --out "$FIT" --kernel "$KERNEL" \
		${INITRD:+--initrd "$INITRD"} ${CMDLINE:+--cmdline "$CMDLINE"} \
		--vcpus "$VCPUS" --memory "$MEM" ${GUEST_IRQ:+--irqchip "$GUEST_IRQ"} \
		>"$out/mkvm.log" 2>&1 || {
		cat "$out/mkvm.log" >&2
		die "cannot make the boot image"
	}
	guest=$(mebibytes "$MEM")
	fit=$(mebibytes "$(stat -c %s "$FIT")")
	: "${MEMORY:=$(((guest + fit + 128 + 15) / 16 * 16))M}"
}

if [ -n "${BARE:-}" ]; then
	check_payload
	MEMORY=${MEMORY:-$MEM}
	qemu -nic none -kernel "$KERNEL" ${INITRD:+-initrd "$INITRD"} ${CMDLINE:+-append "$CMDLINE"}
fi
readable shyper.bin "$shyper"
if [ -n "${FIT:-}" ]; then
	readable FIT "$FIT"
else
	check_payload
	make_fit
fi
# Shyper restarts guests by itself and never resets the machine, hence -no-reboot.
append="${LOGLEVEL:+loglevel=$LOGLEVEL }${APPEND:-}"
: "${SMP:=4}" "${MEMORY:=1G}"
qemu -nic none -no-reboot -kernel "$shyper" -initrd "$FIT" ${append:+-append "$append"}
