# SPDX-License-Identifier: BSD-2-Clause
"""No definition reaches what is Shyper's or the firmware's by passing it through."""
import subprocess

import pytest

from machine import TOP

UBOOT = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"
BASE = """/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	compatible = "shyper,vm-v1";
	vm-name = "thief";
	passthrough {
		#address-cells = <2>;
		#size-cells = <2>;
		loot { reg = <0 0x40000000 0 0x1000>; host-reg = <0 %s 0 0x1000>; };
	};
};
"""


@pytest.mark.parametrize("host", ["0xc000000", "0xc201000", "0x10000000", "0x101000", "0x100000",
                                  "0x80000000", "0x80200000", "0x88000000"])
def test_what_is_not_to_be_had(machine, tmp_path, host):
    """The PLIC, its far end, UART, RTC, power switch, the firmware, Shyper, free memory."""
    source, image = tmp_path / "thief.dts", tmp_path / "vm.itb"
    source.write_text(BASE % host)
    subprocess.run(["/usr/bin/python3", str(TOP / "tools/mkvm.py"), "--out", str(image),
                    "--kernel", UBOOT, "--dts", str(source)], check=True)
    guest = machine(FIT=image, SMP=1, MEMORY="512M")
    guest.expect(r"thief refused: passthrough of %s" % host)
    assert guest.wait() != 0
    assert "U-Boot 20" not in guest.output()
