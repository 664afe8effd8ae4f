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

# irq_machine - the machine's interrupt controller, as QEMU wants to be told: IRQ is plic (default),
# aclint (a PLIC, and software interrupts without firmware), aplic (an APLIC alone) or aia (APLIC
# and IMSICs, with AIA_GUESTS guest interrupt files for each hart).
irq_machine() {
	case ${AIA_GUESTS:=3} in
	[0-7]) ;;
	*) die "AIA_GUESTS=$AIA_GUESTS is none of 0 to 7" ;;
	esac
	case ${IRQ:=plic} in
	plic) echo virt ;;
	aclint) echo virt,aclint=on ;;
	aplic) echo virt,aia=aplic ;;
	aia) echo "virt,aia=aplic-imsic,aia-guests=$AIA_GUESTS" ;;
	*) die "IRQ=$IRQ is none of plic, aclint, aplic, aia" ;;
	esac
}

# qemu ARGUMENT… - become QEMU, the machine's first serial port on the terminal. SMP and MEMORY are
# set; CPU, QEMUFLAGS, IRQ and AIA_GUESTS may be.
qemu() {
	machine=$(irq_machine)
	if [ -t 0 ]; then serial="-serial mon:stdio"; else serial="-serial stdio -monitor none"; fi
	# shellcheck disable=SC2086 # two lists
	exec qemu-system-riscv64 -machine "$machine" ${CPU:+-cpu "$CPU"} -smp "$SMP" -m "$MEMORY" \
		-display none $serial -bios default "$@" ${QEMUFLAGS:-}
}
