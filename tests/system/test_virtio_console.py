# SPDX-License-Identifier: BSD-2-Clause
"""Virtio consoles: of a static guest on the terminal, and of guests that are the MVM's hvcs."""
import gzip
import subprocess

import pytest

from machine import IMAGES, INITRD, LINUX, TOP

MVM_INITRD = IMAGES / "mvm/initrd.gz"     # has virtio_mmio.ko, a module in this kernel
MVM_IMAGE = IMAGES / "mvm/Image"
MVM_ROOT = IMAGES / "mvm/root.img"
HVC_PROMPT = "guest~# "
MVM_PROMPT = r"root@mvm:[^ ]*# "
AGENT = "org.qemu.guest_agent.0"

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin PS1='guest~# '
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
insmod /modules/virtio_mmio.ko
until [ -e /sys/class/virtio-ports/vport0p1/name ]; do usleep 100000; done
case " $(cat /proc/cmdline) " in
*" guest.wait "*) exec 4<>/dev/vport0p1; until read -r word <&4; do usleep 100000; done ;;
esac
while :; do setsid sh -i </dev/hvc0 >/dev/hvc0 2>&1; done
"""

GUEST = """/dts-v1/;
/ {{
	compatible = "shyper,vm-v1";
	#address-cells = <2>;
	#size-cells = <2>;
	vm-name = "{name}";
	harts = <{hart}>;
	bootargs = "{cmdline}";
	autostart;
	memory@80000000 {{ reg = <0 0x80000000 0 0x10000000>; }};
	kernel {{ image = "{kernel}"; }};
	initrd {{ image = "{initrd}"; }};
	devices {{ {devices} }};
}};
"""


@pytest.fixture
def hvc_initrd(tmp_path):
    """The test guest's initramfs with a shell on hvc0: archives one behind the other."""
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "init.hvc").write_text(INIT)
    (overlay / "init.hvc").chmod(0o755)
    archive = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], input=b"init.hvc\n",
                             cwd=overlay, capture_output=True, check=True).stdout
    out = tmp_path / "initrd.gz"
    out.write_bytes(MVM_INITRD.read_bytes() + INITRD.read_bytes() + gzip.compress(archive))
    return out


@pytest.fixture
def pack(tmp_path):
    """A function that makes a boot image of definition trees."""

    def make_image(*trees):
        arguments = []
        for n, tree in enumerate(trees):
            (tmp_path / f"{n}.dts").write_text(tree)
            arguments += ["--vm", tmp_path / f"{n}.dts"]
        subprocess.run([TOP / "tools/mkvm.py", "--out", tmp_path / "vms.itb", *arguments],
                       check=True)
        return tmp_path / "vms.itb"

    return make_image


def hvc_guest(initrd, name="guest", hart=0, more=""):
    return GUEST.format(name=name, hart=hart, kernel=LINUX, initrd=initrd,
                        cmdline=f"console=hvc0 rdinit=/init.hvc quiet {more}",
                        devices="console { };")


def test_static_guest_on_hvc0(machine, pack, hvc_initrd):
    guest = machine(FIT=pack(hvc_guest(hvc_initrd)), SMP=1, MEMORY="512M")
    guest.PROMPT = HVC_PROMPT
    guest.expect(HVC_PROMPT)
    assert guest.run("cat /sys/class/virtio-ports/*/name") == AGENT
    assert "hvc0" in guest.run("cat /proc/consoles")
    guest.run("i=0; while [ $i -lt 3000 ]; do echo line $i of many; i=$((i + 1)); done >/tmp/t")
    lines = guest.run("cat /tmp/t").split("\n")
    assert lines == [f"line {i} of many" for i in range(3000)]
    text = "0123456789abcdef" * 10
    assert guest.run(f"echo {text} | wc -c") == str(len(text) + 1)
    guest.send("reboot -f")
    guest.expect(HVC_PROMPT)
    guest.send("poweroff -f")
    assert guest.wait() == 0


def test_guests_are_the_hvcs_of_the_mvm(machine, pack, hvc_initrd):
    """VM 1 prints on its virtio console, VM 2 has a UART alone."""
    mvm_tree = (TOP / "config/mvm.dts").read_text().replace(
        "	memory@", f'	kernel {{ image = "{MVM_IMAGE}"; }};\n'
        f'	initrd {{ image = "{MVM_INITRD}"; }};\n	memory@', 1)
    uart_guest = GUEST.format(name="uart", hart=2, kernel=LINUX, initrd=INITRD,
                              cmdline="console=ttyS0 quiet", devices="")
    fit = pack(mvm_tree, hvc_guest(hvc_initrd, "hvc", 1, "guest.wait"), uart_guest)
    mvm = machine(FIT=fit, SMP=3, MEMORY="4G", QEMUFLAGS="-drive "
                  f"file={MVM_ROOT},format=raw,if=none,id=mvm,snapshot=on "
                  "-device virtio-blk-device,drive=mvm")
    mvm.PROMPT = MVM_PROMPT
    mvm.expect("mvm login: ")
    mvm.send("root")
    mvm.password("root")
    mvm.expect(MVM_PROMPT)
    assert mvm.run("ls -d /dev/hvc? | wc -l") == "8"
    assert mvm.run("ls /sys/class/virtio-ports | wc -l") == "10"
    assert mvm.run("cat /sys/class/virtio-ports/*/name").split() == ["shyper.agent.1",
                                                                    "shyper.agent.2"]
    mvm.run("echo go >/dev/vport0p17")  # by way of the agent's port
    for port in 1, 2:
        talk(mvm, port, r"echo sum \$((40 + 2))", "sum 42")
        numbers = talk(mvm, port, "seq 1000 3999; echo END", "END")
        assert "\n".join(map(str, range(1000, 4000))) in numbers
    talk(mvm, 1, "cat /sys/class/virtio-ports/*/name", AGENT)
    mvm.send("poweroff")
    assert mvm.wait() == 0


def talk(mvm, port, command, answer):
    """Type a command to a guest's shell until it is there and has answered; what it printed."""
    return mvm.run(
        f"cat /dev/hvc{port} >/tmp/out & reader=$!; "
        "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do "
        f"printf '\\003%s\\r' \"{command}\" >/dev/hvc{port}; "
        "for j in 1 2 3 4 5 6 7 8 9 10; do usleep 500000; "
        f"grep -q '^{answer}' /tmp/out && break 2; done; done; kill $reader; wait $reader; "
        "tr -d '\\r' </tmp/out | grep -E '^([0-9]{4}|sum|END|org)'", timeout=90)
