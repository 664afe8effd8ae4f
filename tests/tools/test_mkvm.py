# SPDX-License-Identifier: BSD-2-Clause
"""tools/mkvm.py: what it packs, seen by U-Boot's and dtc's tools, and what it refuses."""
import gzip
import json
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
MKVM = TOP / "tools/mkvm.py"
RAM = 0x80000000


def mkvm(*args, status=0):
    """Run it; returns what it wrote to stderr."""
    done = subprocess.run([sys.executable, str(MKVM), *map(str, args)], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


class Boot:
    """A boot image taken apart."""

    def __init__(self, path, folder):
        self.path = path
        self.listing = self.tool("dumpimage", "-l", path)
        self.names = re.findall(r"Image \d+ \((\S+)\)", self.listing)
        self.folder = folder

    @staticmethod
    def tool(*args):
        done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=60,
                              check=True)
        return done.stdout

    def image(self, name):
        out = self.folder / f"{name}.out"
        self.tool("dumpimage", "-T", "flat_dt", "-p", self.names.index(name), "-o", out, self.path)
        return out.read_bytes()

    def vms(self):
        return re.search(r"Loadables:\s+((?:\S+\s*)+?)(?:\n\S|$)", self.listing)[1].split()

    def prop(self, vm, node, name, kind="s"):
        """A property of a definition; None when it is absent."""
        tree = self.folder / f"{vm}.dtb"
        tree.write_bytes(self.image(vm))
        done = subprocess.run(["fdtget", "-t", kind, str(tree), node, name], capture_output=True,
                              text=True, timeout=60, check=False)
        return done.stdout.rstrip("\n") if done.returncode == 0 else None

    def number(self, vm, node, name):
        """A property of two cells."""
        high, low = (int(c, 16) for c in self.prop(vm, node, name, "x").split())
        return high << 32 | low


@pytest.fixture
def pack(tmp_path):
    """Pack with these options and take the result apart."""
    def run(*args):
        out = tmp_path / "out/boot.itb"
        mkvm("--out", out, *args)
        return Boot(out, tmp_path)
    return run


@pytest.fixture
def flat(tmp_path):
    path = tmp_path / "flat.bin"
    path.write_bytes(b"\x13\0\0\0" * 1000)
    return path


@pytest.fixture
def initrd(tmp_path):
    path = tmp_path / "initrd.gz"
    path.write_bytes(b"initrd" * 999)
    return path


def linux_image(text_offset=0x200000, image_size=0x5000):
    head = struct.pack("<IIQQQIIQ8sII", 0x13, 0x13, text_offset, image_size, 0, 2, 0, 0,
                       b"RISCV\0\0\0", 0x05435352, 0)
    return head + b"linux" * 100


def elf(segments, entry, machine=243, kind=2):
    """segments: (vaddr, paddr, data, memsz)."""
    data = bytearray(struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", kind, 1, 1, 0, 2, machine, 1,
                                 entry, 64, 0, 0, 64, 56, len(segments), 0, 0, 0))
    offset = 64 + 56 * len(segments)
    for vaddr, paddr, content, memsz in segments:
        data += struct.pack("<IIQQQQQQ", 1, 7, offset, vaddr, paddr, len(content), memsz, 4)
        offset += len(content)
    return bytes(data) + b"".join(s[2] for s in segments)


# --- One VM from options --------------------------------------------------------------------------

def test_defaults(pack, flat):
    boot = pack("--kernel", flat)
    assert boot.vms() == ["vm-1"]
    assert boot.prop("vm-1", "/", "compatible") == "shyper,vm-v1"
    assert boot.prop("vm-1", "/", "vm-name") == "guest"
    assert boot.prop("vm-1", "/", "vcpus", "u") == "1"
    assert boot.prop("vm-1", "/", "autostart") == ""
    assert boot.prop("vm-1", "/", "harts") is None
    assert boot.prop("vm-1", "/initrd", "image") is None
    assert boot.prop("vm-1", "/memory@80000000", "reg", "x") == "0 80000000 0 10000000"
    assert boot.prop("vm-1", "/kernel", "image") == "kernel-1"
    assert boot.number("vm-1", "/kernel", "load") == RAM + 0x200000
    assert boot.prop("vm-1", "/kernel", "entry") is None
    assert boot.image("kernel-1") == flat.read_bytes()


def test_every_option(pack, flat, initrd):
    boot = pack("--kernel", flat, "--initrd", initrd, "--cmdline", 'a="b\\c" d=\u00fc',
                "--vcpus", 2, "--memory", "1G", "--harts", "3,0x1", "--name", "web",
                "--on-reboot", "stop", "--on-crash", "restart", "--max-restarts", 7,
                "--max-leaf", "2M")
    assert boot.prop("vm-1", "/", "vm-name") == "web"
    assert boot.prop("vm-1", "/", "bootargs", "bx") == \
        " ".join(f"{b:x}" for b in 'a="b\\c" d=\u00fc'.encode() + b"\0")
    assert boot.prop("vm-1", "/", "harts", "u") == "0 3 0 1"
    assert boot.prop("vm-1", "/", "on-reboot") == "stop"
    assert boot.prop("vm-1", "/", "on-crash") == "restart"
    assert boot.prop("vm-1", "/", "max-restarts", "u") == "7"
    assert boot.prop("vm-1", "/", "max-leaf") == "2M"
    assert boot.prop("vm-1", "/memory@80000000", "reg", "x") == "0 80000000 0 40000000"
    assert boot.image(boot.prop("vm-1", "/initrd", "image")) == initrd.read_bytes()


def test_every_image_has_a_hash(pack, flat, initrd):
    listing = pack("--kernel", flat, "--initrd", initrd).listing
    assert listing.count("Hash algo:    crc32") == 3


def test_nothing_of_this_machine_inside(pack, flat, tmp_path):
    assert str(tmp_path).encode() not in pack("--kernel", flat).path.read_bytes()


# --- Kernels --------------------------------------------------------------------------------------

def test_linux_image(pack, tmp_path):
    path = tmp_path / "Image"
    path.write_bytes(linux_image(text_offset=0x400000))
    boot = pack("--kernel", path)
    assert boot.number("vm-1", "/kernel", "load") == RAM + 0x400000
    assert boot.image("kernel-1") == path.read_bytes()


def test_gzip(pack, tmp_path):
    path = tmp_path / "vmlinuz"
    path.write_bytes(gzip.compress(linux_image(text_offset=0)))
    boot = pack("--kernel", path)
    assert boot.number("vm-1", "/kernel", "load") == RAM
    assert boot.image("kernel-1") == linux_image(text_offset=0)


def test_efi_zboot(pack, tmp_path):
    packed = gzip.compress(linux_image())
    path = tmp_path / "vmlinuz.efi"
    path.write_bytes(struct.pack("<4s4sII8x32s", b"MZ\0\0", b"zimg", 64, len(packed), b"gzip")
                     .ljust(64, b"\0") + packed + b"tail")
    assert pack("--kernel", path).image("kernel-1") == linux_image()


def test_elf(pack, tmp_path):
    path = tmp_path / "kernel.elf"
    path.write_bytes(elf([(0xffffffff80001000, 0x80301000, b"data", 0x100),
                          (0xffffffff80000000, 0x80300000, b"text", 4)], 0xffffffff80000002))
    boot = pack("--kernel", path)
    assert boot.number("vm-1", "/kernel", "load") == 0x80300000
    assert boot.number("vm-1", "/kernel", "entry") == 0x80300002
    assert boot.image("kernel-1") == b"text".ljust(0x1000, b"\0") + b"data".ljust(0x100, b"\0")


@pytest.mark.parametrize("content, message", [
    (b"", "empty"),
    (b"\x1f\x8b\x08garbage", "damaged gzip"),
    (b"\x7fELF", "not a little-endian 64-bit ELF"),
    (elf([(RAM, RAM, b"x", 1)], RAM, kind=1), "not a little-endian 64-bit ELF"),
    (elf([(RAM, RAM, b"x", 1)], RAM, machine=62), "another machine"),
    (elf([], RAM), "nothing to load"),
    (elf([(RAM, RAM, b"x", 1)], 0x1000), "entry 0x1000 is in no segment"),
    (elf([(RAM, RAM, b"xyz", 3)], RAM)[:-1], "segment 0 is cut off"),
    (elf([(RAM, RAM, b"xyz", 3)], RAM)[:80], "headers are cut off"),
    (elf([(0, 0, b"x", 1), (RAM, RAM, b"x", 1)], RAM), "spread over"),
    (struct.pack("<4s4sII8x32s", b"MZ\0\0", b"zimg", 64, 0, b"zstd"), "compressed with zstd"),
    (elf([(0x1000, 0x1000, b"x", 1)], 0x1000), "outside its memory"),
    (linux_image(image_size=0x10000000), "MiB are missing"),
])
def test_bad_kernels(tmp_path, content, message):
    path = tmp_path / "kernel"
    path.write_bytes(content)
    stderr = mkvm("--out", tmp_path / "o", "--kernel", path, status=1)
    assert stderr.startswith("mkvm: ") and message in stderr
    assert not (tmp_path / "o").exists()


# --- Definition files -----------------------------------------------------------------------------

def write_json(path, tree):
    path.write_text(json.dumps(tree))
    return path


def test_json_list(pack, flat, initrd, tmp_path):
    file = write_json(tmp_path / "vms.json", [
        {"name": "a", "kernel": flat.name, "harts": [0, 1], "vcpus": 2, "memory": "64M"},
        {"name": "b", "kernel": flat.name, "initrd": initrd.name, "harts": [2],
         "cmdline": "x", "on_reboot": "stop", "on_crash": "restart", "max_restarts": 3,
         "max_leaf": "4K", "time": "stops-while-paused", "autostart": False}])
    boot = pack("--vm", file)
    assert boot.vms() == ["vm-1", "vm-2"]
    assert boot.names.count("kernel-1") == 1 and "kernel-2" not in boot.names
    assert boot.prop("vm-1", "/", "vm-name") == "a"
    assert boot.prop("vm-2", "/", "vm-name") == "b"
    assert boot.prop("vm-2", "/", "time") == "stops-while-paused"
    assert boot.prop("vm-2", "/", "autostart") is None
    assert boot.prop("vm-2", "/initrd", "image") == "initrd-1"


def test_json_nics(pack, flat, tmp_path):
    boot = pack("--vm", write_json(tmp_path / "vm.json", {"kernel": flat.name, "nics": [
        {}, {"switch": "dmz", "mac": "52:54:00:12:34:56", "vlan": 5, "rate": "2G", "mtu": 9000,
             "locked": True, "small_frames": True}, {"monitor": True, "locked": False}]}))
    assert boot.prop("vm-1", "/devices/net0", "switch") is None
    assert boot.prop("vm-1", "/devices/net1", "switch") == "dmz"
    assert boot.prop("vm-1", "/devices/net1", "rate", "u") == "2000000"
    assert boot.prop("vm-1", "/devices/net1", "mac", "bx") == "52 54 0 12 34 56"
    assert boot.prop("vm-1", "/devices/net1", "locked") == ""
    assert boot.prop("vm-1", "/devices/net2", "monitor") == ""
    assert boot.prop("vm-1", "/devices/net2", "locked") is None


def test_json_sched(pack, flat, tmp_path):
    sched = {"policy": "priority", "priority": 3, "budget_us": 2500, "period_us": 10000,
             "strict": True}
    boot = pack("--vm", write_json(tmp_path / "vms.json", [
        {"name": n, "kernel": flat.name, "harts": [1], "sched": sched} for n in "ab"]))
    for vm in ("vm-1", "vm-2"):
        assert boot.prop(vm, "/sched", "policy") == "priority"
        assert boot.prop(vm, "/sched", "budget-us", "u") == "2500"
        assert boot.prop(vm, "/sched", "period-us", "u") == "10000"
        assert boot.prop(vm, "/sched", "strict") == ""


def test_json_forms(pack, flat, tmp_path):
    vm = {"kernel": flat.name}
    assert pack("--vm", write_json(tmp_path / "a.json", vm)).vms() == ["vm-1"]
    assert pack("--vm", write_json(tmp_path / "b.json", {"vms": [vm]})).vms() == ["vm-1"]


def test_several_files(pack, flat, tmp_path):
    files = []
    for name in "cab":
        file = write_json(tmp_path / f"{name}.json", {"name": name, "kernel": flat.name})
        files += ["--vm", file]
    boot = pack(*files)
    assert [boot.prop(vm, "/", "vm-name") for vm in boot.vms()] == ["c", "a", "b"]


BASE = """/dts-v1/;
/ {
	compatible = "shyper,vm-v1";
	#address-cells = <2>;
	#size-cells = <2>;
	vm-name = "own";
	vcpus = <2>;
	memory@90000000 { reg = <0 0x90000000 0 0x4000000>; };
	kernel { image = "flat.bin"; };
	devices { rtc { status = "disabled"; }; };
};
"""


def test_dts(pack, flat, tmp_path):
    (tmp_path / "own.dts").write_text(BASE)
    boot = pack("--vm", tmp_path / "own.dts")
    assert boot.prop("vm-1", "/", "vm-name") == "own"
    assert boot.prop("vm-1", "/", "autostart") is None
    assert boot.prop("vm-1", "/devices/rtc", "status") == "disabled"
    assert boot.prop("vm-1", "/kernel", "image") == "kernel-1"
    assert boot.number("vm-1", "/kernel", "load") == 0x90200000
    assert boot.image("kernel-1") == flat.read_bytes()


def test_options_override_a_dts(pack, flat, initrd, tmp_path):
    (tmp_path / "own.dts").write_text(BASE.replace("flat.bin", "absent"))
    boot = pack("--dts", tmp_path / "own.dts", "--kernel", flat, "--initrd", initrd, "--vcpus", 3)
    assert boot.prop("vm-1", "/", "vcpus", "u") == "3"
    assert boot.prop("vm-1", "/initrd", "image") == "initrd-1"


def test_load_of_a_dts_is_kept(pack, flat, tmp_path):
    own = BASE.replace('"flat.bin";', '"flat.bin"; load = <0x91000000>;')
    (tmp_path / "own.dts").write_text(own)
    assert pack("--vm", tmp_path / "own.dts").prop("vm-1", "/kernel", "load", "x") == "91000000"


def test_committed_configurations():
    """They are valid, whether or not the kernels they name have been built."""
    for path in (TOP / "config").glob("*.json"):
        for vm in json.loads(path.read_text()):
            assert vm["name"] and vm["kernel"]


# --- Refusals -------------------------------------------------------------------------------------

@pytest.mark.parametrize("tree, message", [
    ("{", "not JSON"),
    ('{"name": "a", "name": "b"}', "twice"),
    ("[]", "no VM"),
    ("[1]", "a VM is an object"),
    ({"kernel": "flat.bin", "colour": 1}, "unknown key 'colour'"),
    ({"name": "x"}, "x: no kernel"),
    ({"kernel": 1}, "kernel: 1 is not a text"),
    ({"kernel": "absent"}, "No such file"),
    ({"kernel": "flat.bin", "vcpus": 17}, "vcpus: 17 is not a number from 1 to 16"),
    ({"kernel": "flat.bin", "vcpus": True}, "vcpus: True"),
    ({"kernel": "flat.bin", "memory": "1.5G"}, "memory: '1.5G' is not a size"),
    ({"kernel": "flat.bin", "memory": "1000"}, "multiple of 4K"),
    ({"kernel": "flat.bin", "memory": "0"}, "multiple of 4K"),
    ({"kernel": "flat.bin", "memory": "99999999T"}, "more than an address"),
    ({"kernel": "flat.bin", "memory": "2M"}, "outside its memory"),
    ({"kernel": "flat.bin", "memory": "3M"}, "MiB are missing"),
    ({"kernel": "flat.bin", "harts": []}, "not a list of harts"),
    ({"kernel": "flat.bin", "harts": [-1]}, "-1 is not a number"),
    ({"kernel": "flat.bin", "harts": [0, 1]}, "1 vCPUs but 2 harts"),
    ({"kernel": "flat.bin", "on_crash": "panic"}, "choose from restart, stop"),
    ({"kernel": "flat.bin", "time": "stops"}, "choose from runs, stops-while-paused"),
    ({"kernel": "flat.bin", "max_leaf": "4M"}, "choose from 4K"),
    ({"kernel": "flat.bin", "autostart": 1}, "neither true nor false"),
    ({"kernel": "flat.bin", "nics": {}}, "a list of at most 4"),
    ({"kernel": "flat.bin", "nics": [{}] * 5}, "a list of at most 4"),
    ({"kernel": "flat.bin", "nics": [{"speed": 1}]}, "is no network device"),
    ({"kernel": "flat.bin", "nics": [{"mac": "52:54:00"}]}, "not a MAC address"),
    ({"kernel": "flat.bin", "nics": [{"mac": "01:00:5e:00:00:01"}]}, "no address that a card"),
    ({"kernel": "flat.bin", "nics": [{"rate": "fast"}]}, "is not a rate"),
    ({"kernel": "flat.bin", "nics": [{"rate": "200G"}]}, "possible are 1 to 100000000"),
    ({"kernel": "flat.bin", "nics": [{"vlan": 4095}]}, "4095 is not a number from 1 to 4094"),
    ({"kernel": "flat.bin", "sched": "priority"}, 'write it like {"policy"'),
    ({"kernel": "flat.bin", "sched": {"policy": "fair"}}, "choose from pinned, priority"),
    ({"kernel": "flat.bin", "sched": {"policy": "priority", "prio": 1}}, "unknown key 'prio'"),
    ({"kernel": "flat.bin", "sched": {"policy": "priority", "priority": 32}}, "from 0 to 31"),
    ({"kernel": "flat.bin", "sched": {"policy": "pinned", "priority": 1}}, '"priority" only'),
    ([{"kernel": "flat.bin", "name": "a", "harts": [1], "sched": {"policy": "priority"}},
      {"kernel": "flat.bin", "name": "b", "harts": [1]}], "hart 1 is given to a and b"),
    ({"kernel": "flat.bin", "dts": "absent.dts"}, "absent.dts"),
    ([{"kernel": "flat.bin"}] * 2, "two VMs have the name guest"),
    ([{"kernel": "flat.bin", "name": "a", "harts": [1]},
      {"kernel": "flat.bin", "name": "b", "harts": [1]}], "hart 1 is given to a and b"),
    ([{"kernel": "flat.bin", "name": f"vm{n}"} for n in range(17)], "17 VMs; possible are 16"),
])
@pytest.mark.usefixtures("flat")
def test_refused_json(tmp_path, tree, message):
    path = tmp_path / "vms.json"
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree))
    assert message in mkvm("--out", tmp_path / "o", "--vm", path, status=1)


@pytest.mark.parametrize("args, message", [
    ((), "--out"),
    (("--out", "o"), "name a --kernel"),
    (("--out", "o", "--kernel", "k", "--vcpus", "0"), "from 1 to 16"),
    (("--out", "o", "--kernel", "k", "--memory", "lots"), "is not a size"),
    (("--out", "o", "--kernel", "k", "--harts", "a,b"), "is not a list of harts"),
    (("--out", "o", "--kernel", "k", "--vm", "v.json"), "cannot be combined"),
    (("--out", "o", "--colour"), "unrecognized"),
])
def test_usage(args, message):
    assert message in mkvm(*args, status=2)


def test_other_failures(tmp_path, flat):
    (tmp_path / "bad.dts").write_text("/dts-v1/; / {")
    (tmp_path / "file").write_text("")
    for args, message in (
            (("--out", tmp_path / "o", "--vm", tmp_path / "bad.dts"), "bad.dts"),
            (("--out", tmp_path / "o", "--vm", flat), "ends in .dts or .json"),
            (("--out", tmp_path / "o", "--kernel", tmp_path), "Is a directory"),
            (("--out", tmp_path / "file/o", "--kernel", flat), "file/o: ")):
        assert message in mkvm(*args, status=1)


@pytest.mark.skipif(not (TOP / "build/tools/vmdef-check").exists(), reason="make vmdef-check")
def test_the_hypervisors_own_check(tmp_path, flat):
    stderr = mkvm("--out", tmp_path / "o", "--kernel", flat, "--name", "a\tb", status=1)
    assert "vm-name" in stderr and "printable" in stderr
