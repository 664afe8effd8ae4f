# SPDX-License-Identifier: BSD-2-Clause
"""What Shyper says when it cannot run: a message that names the cause, an exit status, no hang.
And what must not disturb it: many harts, one bad VM beside a good one.
"""
import json
import re
import subprocess

import pytest

from guests import compile_tree
from machine import INITRD, IRQ, LINUX, TOP

UBOOT = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"
REFUSED = 254       # QEMU's status when Shyper does not run


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


def test_boot_image_beyond_the_memory(machine, tmp_path):
    """A loader has put it where, by the device tree, is none; QEMU itself would not."""
    tree = tmp_path / "board.dtb"
    kind = "virt,aia=aplic-imsic" if IRQ == "aia" else "virt"
    subprocess.run(["qemu-system-riscv64", "-machine", f"{kind},dumpdtb={tree}", "-m", "512M"],
                   check=True)
    subprocess.run(["fdtput", "-t", "x", tree, "/memory@80000000", "reg", "0", "80000000", "0",
                    "4000000"], check=True)
    mkvm(tmp_path / "one.itb", "--kernel", UBOOT)
    guest = machine(FIT=tmp_path / "one.itb", SMP=1, MEMORY="512M", QEMUFLAGS=f"-dtb {tree}")
    size, missing = map(int, guest.expect(
        r"the boot image \((\d+) KiB at 0x[0-9a-f]+\) does not fit into the board's memory: "
        r"(\d+) KiB are missing; give it more memory").groups())
    assert 0 < missing == size
    assert guest.wait() == REFUSED


def test_too_little_memory_is_named(machine):
    guest = machine(KERNEL=UBOOT, MEM="256M", MEMORY="200M")
    guest.expect(r"needs 256 MiB, \d+ MiB are free")
    assert guest.wait() != 0


SMALL = """/dts-v1/;
/ {{
    compatible = "shyper,vm-v1";
    vm-name = "{name}";
    sched {{ policy = "priority"; }};
    memory@80000000 {{ reg = <0 0x80000000 {high:#x} {low:#x}>; }};
    kernel {{ image = "{image}"; load = <0x80000000>; }};
}};
"""


def test_no_vm_fails_without_a_word(machine, tmp_path):
    """Memory ends somewhere in the making of VMs: each is made, or refused in words."""
    def make(sizes):
        options = []
        for n, size in enumerate(sizes):
            (tmp_path / f"v{n}.dts").write_text(SMALL.format(
                name=f"v{n}", high=size >> 32, low=size & 0xffffffff,
                image=TOP / "build/guest/counter.bin"))
            options += ["--vm", tmp_path / f"v{n}.dts"]
        mkvm(tmp_path / "small.itb", *options)
        guest = machine(FIT=tmp_path / "small.itb", SMP=1, MEMORY="128M", LOGLEVEL="info")
        assert guest.wait() == REFUSED      # none starts
        return guest.output()

    def make_beside_large(pages):
        text = make([(free - 1) << 20, *(n << 12 for n in pages)])
        made = re.findall(r"v(\d+): VM \d+, 1 vCPU", text)
        refused = re.findall(r"v(\d+) refused: .*memory", text)
        assert "0" in made and sorted(map(int, made + refused)) == list(range(16)), text
        return text

    free = int(re.search(r"v0 refused: .* (\d+) MiB are free", make([1 << 40] * 16)).group(1))
    pages = range(520, 130, -26)
    too_large = re.findall(r"v(\d+) refused: .* property reg: needs", make_beside_large(pages))
    first = pages[min(set(range(1, 16)) - set(map(int, too_large))) - 1]
    text = "".join(make_beside_large(range(n, n - 15, -1))
                   for n in (first + 26, first + 12, first - 2))
    assert "no memory is left for its vCPUs" in text and "for its address map" in text, text


def board_tree(tmp_path, edit):
    """The board's device tree, its text changed; QEMU's flags that have it used."""
    tree = tmp_path / "board.dtb"
    subprocess.run(["qemu-system-riscv64", "-machine", f"virt,dumpdtb={tree}", "-smp", "2", "-m",
                    "512M"], check=True, capture_output=True)
    text = subprocess.run(["dtc", "-q", "-I", "dtb", tree], check=True, capture_output=True,
                          text=True).stdout
    compile_tree(edit(text), tree)
    return f"-dtb {tree}"


@pytest.mark.skipif(IRQ != "plic", reason="about a tree of its own")
@pytest.mark.parametrize("pattern, instead", [
    (r'\triscv,isa-(?:base|extensions) = ".*";\n', ""),       # older firmware
    (r'\triscv,isa = ".*";', '\triscv,isa = "rv64imafdc";'),    # the newer one wins
], ids=["old", "new"])
def test_either_binding_of_the_isa(machine, tmp_path, pattern, instead):
    flags = board_tree(tmp_path, lambda text: re.sub(pattern, instead, text))
    guest = machine(KERNEL=TOP / "build/guest/smp.bin", VCPUS=2, MEMORY="512M", QEMUFLAGS=flags)
    assert guest.wait() == 0


@pytest.mark.skipif(IRQ != "plic", reason="about a tree of its own")
def test_a_hart_without_h_stays_unused(machine, tmp_path):
    def edit(text):
        begin = text.index("cpu@1 {")
        end = text.index("interrupt-controller", begin)
        without = re.sub(r'(riscv,isa = "rv64imafdc)h|\\0h(?=\\0)', r"\1", text[begin:end])
        return text[:begin] + without + text[end:]

    guest = machine(KERNEL=TOP / "build/guest/smp.bin", VCPUS=2, MEMORY="512M",
                    QEMUFLAGS=board_tree(tmp_path, edit))
    guest.expect(r"hart 1 lacks the hypervisor extension \(H\), .*it stays unused")
    guest.expect("guest refused: .*vCPU 1 of 2 has no hart left")
    assert guest.wait() == REFUSED


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
