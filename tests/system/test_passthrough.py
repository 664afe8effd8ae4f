# SPDX-License-Identifier: BSD-2-Clause
"""Devices of the board in a VM: they work, DMA and interrupts included; the terminal changes hands
and comes back; and no definition reaches what is Shyper's, the firmware's or another VM's."""
import hashlib
import json
import random
import subprocess

import pytest

from machine import IMAGES, IRQ, TOP

MVM = IMAGES / "mvm"
CRASH = TOP / "build/guest/crash_stack.bin"
COUNTER = TOP / "build/guest/counter.bin"
DISK_SIZE = 8 << 20
# As Linux calls it in /proc/interrupts, and its node on the board.
CONTROLLER = "APLIC-MSI" if IRQ == "aia" else "SiFive PLIC"
CONTROLLER_NODE = f"/soc/{'interrupt-controller@d' if IRQ == 'aia' else 'plic@c'}000000"
SHELL = "~ # "      # of the initramfs, when the disk has no file system

HEAD = """/dts-v1/;
/ {
	compatible = "shyper,vm-v1";
	#address-cells = <2>;
	#size-cells = <2>;
	vm-name = "thief";
	autostart;
	memory@98000000 { reg = <0 0x98000000 0 0x4000000>; identity-map; };
	devices {
		uart { status = "disabled"; };
		rtc { status = "disabled"; };
	};
	passthrough {
		#address-cells = <2>;
		#size-cells = <2>;
		loot { %s };
	};
};
"""


def pack(folder, vms):
    """A boot image of VMs given as for tools/mkvm.py's JSON."""
    (folder / "vms.json").write_text(json.dumps(vms))
    subprocess.run(["/usr/bin/python3", str(TOP / "tools/mkvm.py"), "--vm",
                    str(folder / "vms.json"), "--out", str(folder / "vms.itb")], check=True)
    return folder / "vms.itb"


def mvm(**changes):
    return {"dts": str(TOP / "config/mvm.dts"), "kernel": str(MVM / "Image"),
            "initrd": str(MVM / "initrd.gz"), "cmdline": "console=ttyS0 quiet root=/dev/vda",
            **changes}


def thief(folder, loot):
    (folder / "thief.dts").write_text(HEAD % loot)
    return {"dts": str(folder / "thief.dts"), "kernel": str(COUNTER)}


@pytest.fixture
def disk(tmp_path):
    data = random.Random(1).randbytes(DISK_SIZE)
    (tmp_path / "disk.img").write_bytes(data)
    return tmp_path / "disk.img", hashlib.sha256(data).hexdigest()


class Shell:
    """The MVM's initramfs, which finds no file system and offers a shell."""

    def __init__(self, machine, disk, vms, **variables):
        flags = f"-drive if=none,id=disk,format=raw,file={disk} " + variables.pop(
            "QEMUFLAGS", "-device virtio-blk-device,drive=disk")
        self.guest = machine(FIT=pack(disk.parent, vms), SMP=4, MEMORY="4G", QEMUFLAGS=flags,
                             **variables)
        self.boot()

    def boot(self):
        self.guest.expect("exec|cannot be mounted as ext4")
        self.guest.expect(SHELL)

    def run(self, command):
        self.guest.send(f"echo output'='; {command}; echo status'='$?")
        found = self.guest.expect(r"(?s)output=\r*\n(.*)status=(\d+)")
        self.guest.expect(SHELL)
        assert found.group(2) == "0", found.group(1)
        return found.group(1).replace("\r", "").strip()


def interrupts(shell, name):
    return int(shell.run(f"grep -E '{name}$' /proc/interrupts").split()[1])


@pytest.mark.parametrize("bus", ["virtio-blk-device", "virtio-blk-pci"])
def test_disk_by_dma(machine, disk, bus):
    """Known content is read, and what is written is on the disk, by virtio-mmio and by PCI."""
    image, digest = disk
    shell = Shell(machine, image, [mvm()], QEMUFLAGS=f"-device {bus},drive=disk,serial=known")
    assert shell.run("sha256sum /dev/vda").split()[0] == digest
    line = shell.run("grep virtio /proc/interrupts")
    assert CONTROLLER in line and sum(int(n.split()[1]) for n in line.split("\n")) > 10
    shell.run("dd if=/dev/urandom of=/noise bs=1M count=4")
    shell.run("dd if=/noise of=/dev/vda bs=1M seek=2 conv=notrunc oflag=direct")
    noise = shell.run("sha256sum /noise").split()[0]
    shell.guest.send("poweroff -f")
    assert shell.guest.wait() == 0
    data = image.read_bytes()
    assert hashlib.sha256(data[2 << 20:6 << 20]).hexdigest() == noise
    assert len(data) == DISK_SIZE


def test_devices_of_the_board(machine, disk):
    """UART, RTC and PCI host bridge answer; emulated ones stand beside them."""
    shell = Shell(machine, disk[0], [mvm()], QEMUFLAGS="-device virtio-blk-device,drive=disk "
                  "-device virtio-net-device,netdev=n -netdev user,id=n -device virtio-rng-pci")
    assert interrupts(shell, "ttyS0") > 10
    assert abs(int(shell.run("date +%s")) - int(subprocess.check_output(["date", "+%s"]))) < 60
    assert "0000:00:01.0" in shell.run("ls /sys/bus/pci/devices")
    assert "eth0" in shell.run("ls /sys/class/net")
    assert "test@100000" in shell.run("ls /proc/device-tree/soc")
    assert "clint" not in shell.run("ls /proc/device-tree/soc")
    assert shell.run("cat /proc/device-tree/aliases/serial0") == "/soc/serial@10000000\0"
    shell.guest.send("poweroff -f")
    assert shell.guest.wait() == 0


@pytest.mark.skipif(IRQ != "plic", reason="about a machine of its own")
def test_wires_of_an_aplic_alone(machine, disk):
    """Delivered directly, each by Shyper: the disk's and the UART's."""
    image, digest = disk
    shell = Shell(machine, image, [mvm()], IRQ="aplic")
    assert shell.run("sha256sum /dev/vda").split()[0] == digest
    line = shell.run("grep virtio /proc/interrupts")
    assert "APLIC-DIRECT" in line and sum(int(n.split()[1]) for n in line.split("\n")) > 10
    assert interrupts(shell, "ttyS0") > 10
    shell.guest.send("poweroff -f")
    assert shell.guest.wait() == 0


@pytest.mark.parametrize("bus", ["virtio-blk-device", "virtio-blk-pci"])
def test_restart_in_the_middle_of_dma(machine, disk, bus):
    """The disk is still filling memory when its VM restarts without a word to it."""
    image, digest = disk
    shell = Shell(machine, image, [mvm()], QEMUFLAGS=f"-device {bus},drive=disk")
    for _ in range(3):
        shell.run("for i in 1 2 3 4; do while :; do dd if=/dev/vda of=/dev/null bs=64k iflag=direct"
                  " 2>/dev/null; done & done; sleep 1")
        shell.guest.send("echo b >/proc/sysrq-trigger")
        shell.boot()
        assert shell.run("sha256sum /dev/vda").split()[0] == digest
    shell.guest.send("poweroff -f")
    assert shell.guest.wait() == 0


def test_poweroff_takes_the_machine_along(machine, disk):
    """Another VM runs on; what Shyper says of a third is held until the terminal is back."""
    vms = [mvm(), {"name": "counter", "kernel": str(COUNTER), "memory": "64M"},
           {"name": "victim", "kernel": str(CRASH), "memory": "64M"}]
    shell = Shell(machine, disk[0], vms)
    shell.run("sleep 2")
    assert "victim" not in shell.guest.output()
    shell.guest.send("poweroff -f")
    assert shell.guest.wait() == 0
    assert "victim: vCPU 0: store of" in shell.guest.output()


def test_panic_is_seen_whoever_has_the_terminal(machine, disk):
    guest = machine(FIT=pack(disk[0].parent, [mvm(harts=[1])]), SMP=2, MEMORY="4G",
                    APPEND="selftest=panic")
    guest.expect("PANIC: selftest")
    assert guest.wait() == 255


@pytest.mark.parametrize("host, reason", [
    ("0xc000000", "no device of the board that a VM may have"),     # the PLIC,
    ("0xc201000", "no device of the board that a VM may have"),     # its far end,
    ("0xd000000", "no device of the board that a VM may have"),     # an APLIC,
    ("0x28000000", "no device of the board that a VM may have"),    # an interrupt file,
    ("0x28001000", "no device of the board that a VM may have"),    # one for guests,
    ("0x2000000", "no device of the board that a VM may have"),     # the firmware's CLINT,
    ("0x100000", "no device of the board that a VM may have"),      # power switch,
    ("0x80000000", "no device of the board that a VM may have"),    # the firmware,
    ("0x80200000", "no device of the board that a VM may have"),    # Shyper,
    ("0x88000000", "no device of the board that a VM may have"),    # free memory,
    ("0x0", "no device of the board that a VM may have"),           # nothing;
    ("0x10000000", "host-reg: 0x10000000 is another's"),   # UART and RTC: only by node
    ("0x101000", "host-reg: 0x101000 is another's"),
])
def test_what_no_number_reaches(machine, tmp_path, host, reason):
    loot = f"reg = <0 0x40000000 0 0x1000>; host-reg = <0 {host} 0 0x1000>;"
    guest = machine(FIT=pack(tmp_path, [thief(tmp_path, loot)]), SMP=1, MEMORY="512M")
    guest.expect(f"thief refused: .*{reason}")
    assert guest.wait() == 254


@pytest.mark.parametrize("path, reason", [
    (CONTROLLER_NODE, "is the interrupt controller, which Shyper keeps"),
    ("/soc/clint@2000000", "interrupts harts"),
    ("/soc/test@100000", "ends the machine"),
    ("/memory@80000000", "is not a device"),
    ("/cpus/cpu@0/interrupt-controller", "is part of a hart"),
    ("/soc", "is a bus"),
    ("/soc/serial", "no such node; is /soc/serial@10000000 meant"),
    ("/soc/serial@10001000", "the board has no such node"),
    ("/poweroff", "property regmap: needs /soc/test@100000, which the VM is not given"),
])
def test_what_no_path_reaches(machine, tmp_path, path, reason):
    loot = thief(tmp_path, f'host-node = "{path}";')
    guest = machine(FIT=pack(tmp_path, [loot]), SMP=1, MEMORY="512M")
    guest.expect(f"thief refused: node {path}.*{reason}")
    assert guest.wait() == 254


def test_one_device_for_two(machine, tmp_path):
    """The second is refused; the first has the terminal, and Shyper has it back in the end."""
    first = thief(tmp_path, 'host-node = "/soc/virtio_mmio@10001000";')
    second = {**first, "name": "late"}
    (tmp_path / "late.dts").write_text(
        (tmp_path / "thief.dts").read_text().replace("98000000", "90000000"))
    second["dts"] = str(tmp_path / "late.dts")
    guest = machine(FIT=pack(tmp_path, [first, second]), SMP=2, MEMORY="1G", LOGLEVEL="info")
    guest.expect("thief: VM 0")
    guest.expect("late refused: node /soc/virtio_mmio@10001000, property reg: "
                 "0x10001000 is another's")


def test_dma_needs_identity_memory(tmp_path):
    """Found without a board, by mkvm.py's checker."""
    (tmp_path / "vm.dts").write_text(
        (HEAD % 'host-node = "/soc/pci@30000000";').replace("identity-map;", ""))
    done = subprocess.run(["/usr/bin/python3", str(TOP / "tools/mkvm.py"), "--dts",
                           str(tmp_path / "vm.dts"), "--kernel", str(COUNTER), "--out",
                           str(tmp_path / "vm.itb")], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "needs identity-map in all memory" in done.stderr
