# SPDX-License-Identifier: BSD-2-Clause
"""U-Boot, as Debian builds it for QEMU's S-mode, runs unmodified as a guest."""
UBOOT = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"


def test_prompt_and_poweroff(machine):
    guest = machine(KERNEL=UBOOT, VCPUS=1)
    guest.expect(r"U-Boot \d{4}\.\d\d")
    guest.expect("Hit any key to stop autoboot")
    guest.send("")
    guest.expect("=> ")
    guest.send("version")
    guest.expect("riscv64-linux-gnu-gcc")
    guest.expect("=> ")
    guest.send("poweroff")
    assert guest.wait() == 0


def test_harts_and_memory_are_as_defined(machine):
    guest = machine(KERNEL=UBOOT, VCPUS=2, MEM="256M")
    guest.expect("Hit any key to stop autoboot")
    guest.send("")
    guest.expect("=> ")
    guest.send("bdinfo")
    guest.expect(r"-> start\s+= 0x0*80000000\s+-> size\s+= 0x0*10000000")
    guest.expect("=> ")
    guest.send("poweroff")
    assert guest.wait() == 0
