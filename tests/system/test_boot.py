# SPDX-License-Identifier: BSD-2-Clause
"""What Shyper says when it cannot run: a message that names the cause, an exit status, no hang.
And what must not disturb it: many harts, one bad VM beside a good one.
"""
import json
import re
import subprocess

import pytest

from machine import INITRD, LINUX, TOP

UBOOT = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"


def test_without_the_h_extension(machine):
    guest = machine(KERNEL=UBOOT, CPU="rv64,h=off")
    guest.expect(r"(?i)hypervisor extension \(H\)")
    assert guest.wait() != 0


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_damaged_boot_image(machine, tmp_path, damage):
    good = tmp_path / "good.itb"
    mkvm(good, "--kernel", UBOOT)
    data = bytearray(good.read_bytes())
    if damage == "cut":
        del data[len(data) // 2:]
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
    else:
        data = bytearray(4)
    bad = tmp_path / "bad.itb"
    bad.write_bytes(data)
    guest = machine(FIT=bad, SMP=1, MEMORY="512M")
    guest.expect("boot image|damaged|hash|cut off|crc")
    assert guest.wait() != 0
    assert "U-Boot 20" not in guest.output()


def test_too_little_memory_is_named(machine):
    guest = machine(KERNEL=UBOOT, MEM="256M", MEMORY="200M")
    guest.expect(r"needs 256 MiB, \d+ MiB are free")
    assert guest.wait() != 0


def test_fewer_harts_than_vcpus(machine):
    guest = machine(KERNEL=UBOOT, VCPUS=4, SMP=2)
    guest.expect(r"guest refused: .*hart")
    assert guest.wait() != 0


def test_sixteen_harts(linux):
    guest = linux(VCPUS=16, SMP=16, timeout=240)
    assert guest.run("nproc") == "16"
    guest.send("poweroff -f")
    assert guest.wait() == 0


def test_large_memory(linux):
    guest = linux(VCPUS=1, MEM="2G", MEMORY="5G", LOGLEVEL="info")
    assert re.search(r"guest: Sv39x4 .* 1G×\d", guest.output()), "no 1G leaf where one fits"
    kilobytes = int(guest.run("grep MemTotal /proc/meminfo").split()[1])
    assert 1.8 * 2**20 < kilobytes < 2 * 2**20
    guest.send("poweroff -f")
    assert guest.wait() == 0


def mkvm(out, *arguments):
    subprocess.run(["/usr/bin/python3", str(TOP / "tools/mkvm.py"), "--out", str(out),
                    *map(str, arguments)], check=True)


def test_a_refused_vm_does_not_hurt_the_other(machine, tmp_path):
    """One VM asks for a hart that the board does not have: it is refused, the other runs."""
    one = {"kernel": str(LINUX), "initrd": str(INITRD), "cmdline": "console=ttyS0 quiet",
           "vcpus": 1, "memory": "256M", "harts": [0]}
    vms = [one | {"name": "bad", "harts": [7]}, one | {"name": "good"}]
    (tmp_path / "vms.json").write_text(json.dumps(vms))
    mkvm(tmp_path / "vms.itb", "--vm", tmp_path / "vms.json")
    guest = machine(FIT=tmp_path / "vms.itb", SMP=2, MEMORY="1G")
    guest.expect("bad refused: .*hart 7")
    guest.boot()
    guest.send("poweroff -f")
    guest.wait()
