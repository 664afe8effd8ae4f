# SPDX-License-Identifier: BSD-2-Clause
# What the scripts that start QEMU share; sourced. $prog is the script's name in messages.
# shellcheck shell=sh
die() { echo "$prog: $*" >&2; exit 2; }

readable() { [ -r "$2" ] || die "$1=$2 cannot be read"; }

# take_variables NAMES ARGUMENT… - export arguments of the form NAME=value, if NAMES has the name.
take_variables() {
	# shellcheck disable=SC2086,SC2116 # a list, its words one space apart
	names=" $(echo $1) "
	shift
	for assignment; do
		case $names in
		*" ${assignment%%=*} "*) export "${assignment%%=*}=${assignment#*=}" ;;
		*) die "unknown argument $assignment" ;;
		esac
	done
}

# qemu ARGUMENT… - become QEMU, the machine's first serial port on the terminal. SMP and MEMORY are
# set; CPU and QEMUFLAGS may be.
qemu() {
	if [ -t 0 ]; then serial="-serial mon:stdio"; else serial="-serial stdio -monitor none"; fi
	# shellcheck disable=SC2086 # two lists
	exec qemu-system-riscv64 -machine virt ${CPU:+-cpu "$CPU"} -smp "$SMP" -m "$MEMORY" \
		-display none $serial -bios default "$@" ${QEMUFLAGS:-}
}
