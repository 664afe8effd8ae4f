# SPDX-License-Identifier: BSD-2-Clause
"""JSON definitions: what becomes of them, and how bad ones are refused."""
import copy
import json
import struct
import subprocess

import pytest

from commandline import TOP, short

CHECK = TOP / "build/tools/vmdef-check"
EXAMPLES = TOP / "images/mvm/files/root"
RUST = json.loads((EXAMPLES / "vm1_config_riscv.json").read_text())
MIB = 1 << 20


def prop(tree, node, name, kind="s"):
    done = subprocess.run(["fdtget", "-t", kind, str(tree), node, name], capture_output=True,
                          text=True, check=False, timeout=30)
    return done.stdout.strip() if done.returncode == 0 else None


def nodes(tree):
    """Of the devices."""
    return subprocess.run(["fdtget", "-l", str(tree), "/devices"], capture_output=True, text=True,
                          check=True, timeout=30).stdout.split()


def checked(tree):
    """A tree that Shyper's own parser accepts."""
    done = subprocess.run([str(CHECK), str(tree)], capture_output=True, text=True, check=False,
                          timeout=30)
    assert done.returncode == 0, done.stdout
    return tree


def files(*places):
    """Interrupt files of the board at these places of the guest, as Rust-Shyper writes them."""
    return [{"base_ipa": hex(at), "base_pa": hex(0x28001000 + 0x4000 * n), "length": "0x1000"}
            for n, at in enumerate(places)]


def rust(**changes):
    """Rust-Shyper's example with other values: image__kernel_filename="x"."""
    vm = copy.deepcopy(RUST)
    for path, value in changes.items():
        *outer, last = path.split("__")
        inner = vm
        for step in outer:
            inner = inner[int(step) if step.isdigit() else step]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return vm


def linux_image(path, size=MIB, room=4 * MIB, offset=0x200000):
    header = struct.pack("<IIQQQIIQ4s4s", 0, 0, offset, room, 0, 2, 0, 0, b"RISC", b"V\0\0\0")
    header = header[:48] + b"RISCV\0\0\0" + b"RSC\x05" + b"\0" * 4
    path.write_bytes(header.ljust(size, b"k"))


# --- The native form ------------------------------------------------------------------------------

def test_all_keys(cli):
    (cli.folder / "rd").write_bytes(b"initrd" * 1000)
    cli.config(initrd="rd", cmdline="console=ttyS0", vcpus=2, memory="512M", harts=[2, 1],
               disks=["/srv/a.img", {"path": "b.img", "readonly": True}],
               nics=[{}, {"mac": "52:54:00:12:34:56"}], restart="always")
    tree = checked(cli.tree(1))
    assert prop(tree, "/", "vm-name") == "a"
    assert prop(tree, "/", "bootargs") == "console=ttyS0"
    assert prop(tree, "/", "vcpus", "u") == "2"
    assert prop(tree, "/", "harts", "u") == "0 2 0 1"
    assert prop(tree, "/memory@80000000", "reg", "x") == "0 80000000 0 20000000"
    assert prop(tree, "/kernel", "image") is None
    assert cli.vm("a")["restart"] == "always"
    stored = json.loads((cli.state / "1.json").read_text())
    assert stored["kernel"] == str(cli.folder / "flat.bin")
    assert stored["initrd"] == str(cli.folder / "rd")
    assert stored["definition"]["disks"][0] == "/srv/a.img"
    assert cli.vm("a")["disks"] == [
        {"path": "/srv/a.img", "readonly": False, "mediated": False},
        {"path": str(cli.folder / "b.img"), "readonly": True, "mediated": False}]
    assert prop(tree, "/devices/virtio1", "reg") is None
    assert nodes(tree) == ["console", "virtio0", "virtio1"]


@pytest.mark.parametrize("memory, size", [
    ("64M", 64 * MIB), ("0x4000000", 64 * MIB), ("1g", 1 << 30), (67108864, 64 * MIB),
    ("65536K", 64 * MIB)])
def test_sizes(cli, memory, size):
    cli.config(memory=memory)
    assert cli.vm("a")["memory"] == size


def test_defaults(cli):
    cli.write({"name": "a", "kernel": "flat.bin"})
    cli.run("vm", "config", "vm.json")
    vm = cli.vm("a")
    assert (vm["memory"], vm["vcpus"], vm["restart"]) == (256 * MIB, 1, "never")
    checked(cli.tree(1))


def test_harts_say_the_number_of_vcpus(cli):
    cli.config(harts=[1, 3])
    assert cli.vm("a")["harts"] == [1, 3]


def test_files_lie_beside_the_definition_or_here(cli):
    folder = cli.folder / "sub"
    folder.mkdir()
    (folder / "beside.bin").write_bytes(b"x")
    for kernel, expected in (("beside.bin", folder / "beside.bin"),
                             ("flat.bin", cli.folder / "flat.bin")):
        cli.write({"name": "s", "kernel": kernel}, "sub/s.json")
        cli.run("vm", "config", "sub/s.json")
        assert cli.vm("s")["kernel"] == str(expected)
        cli.run("vm", "remove", "s")


# --- Rust-Shyper's form ---------------------------------------------------------------------------

@pytest.fixture
def images(cli):
    linux_image(cli.folder / "Image")
    (cli.folder / "initrd.gz").write_bytes(b"i" * 5000)
    return cli


def test_rust_example(images):
    images.run("vm", "config", EXAMPLES / "vm1_config_riscv.json")
    tree = checked(images.tree(1))
    assert prop(tree, "/", "vm-name") == "guest-os-1"
    assert prop(tree, "/", "vcpus", "u") == "3"
    assert prop(tree, "/", "harts", "u") == "0 1 0 2 0 3"
    assert prop(tree, "/devices/plic", "reg", "x") == "0 c000000 0 600000"
    assert nodes(tree) == ["plic", "console", "virtio0"]
    assert prop(tree, "/devices/virtio0", "reg", "x") == "0 10001000 0 1000"
    assert prop(tree, "/devices/virtio0", "interrupt", "u") == "19"
    assert prop(tree, "/devices/console", "reg", "x") == "0 40001000 0 1000"
    assert prop(tree, "/devices/console", "interrupt", "u") == "21"
    images.mediated("m.img")
    out, error = images.run("vm", "boot", 1)
    assert "booted" in out
    entry, initrd, initrd_size, fdt = images.boot_words(1)
    assert (entry, initrd_size, fdt) == (0x80200000, 5000, 0xa0000000)
    assert images.ram(1, initrd, 5000) == b"i" * 5000


def test_rust_shypers_guide_has_comments(images):
    text = json.dumps(RUST, indent=1).replace('"memory"', '// the "memory"\n/* "x": */ "memory"')
    assert text.count("//") == 1
    images.write(text)
    images.run("vm", "config", "vm.json")


def test_master_is_first_and_unknown_keys_are_tolerated(images):
    images.write(rust(cpu__master=2, cpu__allocate_bitmap="0b1110", cpu__future=1, more=[{}]))
    images.run("vm", "config", "vm.json")
    assert images.vm("guest-os-1")["harts"] == [2, 1, 3]


def test_a_ramdisk_without_address_may_be_absent(images):
    (images.folder / "initrd.gz").unlink()
    images.write(rust())
    _, error = images.run("vm", "config", "vm.json")
    assert "vm.json:1:" in error and "boots without" in error
    images.mediated("m.img")
    images.run("vm", "boot", 1)
    assert images.boot_words(1)[1:3] == (0, 0)
    images.write(rust(image__ramdisk_load_ipa="0x90000000"))
    assert '"initrd.gz" does not exist' in images.error("vm", "config", "vm.json")


def test_interrupt_files_are_handled_automatically(images):
    aia = json.loads((EXAMPLES / "vm1_config_riscv_aia.json").read_text())
    images.write(rust(passthrough_device=aia["passthrough_device"]))
    _, error = images.run("vm", "config", "vm.json")
    assert error.count("handled automatically") == 3
    assert prop(checked(images.tree(1)), "/passthrough/device@0", "reg", "x") is None


def test_interrupt_files_of_others_are_out_of_reach(images):
    images.write(rust(passthrough_device__passthrough_device_list=[
        {"base_ipa": "0x50001000", "base_pa": "0x28006000", "length": "0x1000"}]))
    assert "no definition may name" in images.error("vm", "config", "vm.json")


def test_places_that_are_left_to_us(images):
    devices = [{"type": "EMU_DEVICE_T_VIRTIO_BLK_MEDIATED"}, {"type": "EMU_DEVICE_T_VIRTIO_BLK"},
               {"type": "EMU_DEVICE_T_VIRTIO_BLK_MEDIATED", "base_ipa": "0x30000000"}]
    images.write(rust(emulated_device__emulated_device_list=devices))
    _, error = images.run("vm", "config", "vm.json")
    assert "served like EMU_DEVICE_T_VIRTIO_BLK_MEDIATED" in error
    tree = checked(images.tree(1))
    assert nodes(tree) == ["virtio0", "virtio1", "virtio2"]
    assert prop(tree, "/devices/virtio0", "reg") is None
    assert prop(tree, "/devices/virtio2", "reg", "x") == "0 30000000 0 1000"
    assert prop(tree, "/devices/virtio2", "interrupt") is None


def test_rust_aia_example(images):
    _, error = images.run("vm", "config", EXAMPLES / "vm1_config_riscv_aia.json")
    assert "the interrupt file at 0x28004000 is handled automatically" in error
    tree = checked(images.tree(1))
    assert prop(tree, "/devices/aplic", "reg", "x") == "0 d000000 0 8000"
    assert prop(tree, "/devices/imsic", "reg", "x") == "0 28000000 0 c000"
    assert prop(tree, "/devices/imsic", "guest-index-bits", "u") == "2"
    assert nodes(tree) == ["aplic", "imsic", "console", "virtio0"]


@pytest.mark.parametrize("irqchip", ["board", "plic", "aplic"])
def test_native_irqchip(images, irqchip):
    images.write({"name": "a", "kernel": "flat.bin", "irqchip": irqchip})
    images.run("vm", "config", "vm.json")
    here = [name for name in nodes(checked(images.tree(1))) if name in ("plic", "aplic", "imsic")]
    assert here == ([] if irqchip == "board" else [irqchip])


def test_devices_of_the_board(images):
    images.write(rust(passthrough_device__passthrough_device_list=[
        {"name": "serial", "base_pa": "0x10000000", "base_ipa": "0x10000000", "length": "0x1000",
         "irq_num": 1, "irq_list": [10], "smmu_id": 3}],
        dtb_device__dtb_device_list=[{"name": "serial", "type": "DTB_DEVICE_T_X", "irq_num": 1,
                                      "irq_list": [10], "addr_region_ipa": "0x10000000"}]))
    _, error = images.run("vm", "config", "vm.json")
    assert "smmu_id" in error and '"serial" is handled automatically' in error
    tree = checked(images.tree(1))
    assert prop(tree, "/passthrough/device@0", "host-reg", "x") == "0 10000000 0 1000"
    assert prop(tree, "/passthrough/device@0", "interrupts", "u") == "10"
    assert prop(tree, "/devices/uart", "status") == "disabled"


@pytest.mark.parametrize("changes, words", [
    ({"emulated_device__emulated_device_list__0__type": "EMU_DEVICE_T_GICD"}, "is an Arm device"),
    ({"emulated_device__emulated_device_list__0__type": 11}, "EMU_DEVICE_T_GICR is an Arm device"),
    ({"emulated_device__emulated_device_list__0__type": "EMU_DEVICE_T_PLICK"},
     'did you mean "EMU_DEVICE_T_PLIC"'),
    ({"emulated_device__emulated_device_list": [{"type": 13, "length": 0x600000}, {"type": 14}]},
     "second interrupt controller"),
    ({"emulated_device__emulated_device_list": [{"type": 14}]}, 'needs a "length"'),
    ({"passthrough_device__passthrough_device_list": files(0x28000000, 0x28004000, 0x28006000)},
     "not spaced evenly"),
    ({"passthrough_device__passthrough_device_list": files(0x28000000, 0x28003000)},
     "not spaced evenly"),
    ({"passthrough_device__passthrough_device_list": files(0x28001000, 0x28000000)},
     "not spaced evenly"),
    ({"passthrough_device__passthrough_device_list": files(0x28000800)}, "not a whole page"),
    ({"passthrough_device__passthrough_device_list":
      files(*range(0x28000000, 0x28011000, 0x1000))}, "one interrupt file too many"),
    ({"emulated_device__emulated_device_list__0__type": 99}, "is 99"),
    ({"emulated_device__emulated_device_list__2__cfg_list": [1, 2, 3]}, "6 bytes of a MAC"),
    ({"emulated_device__emulated_device_list__2__cfg_list": [1, 2, 3, 4, 5, 256]}, "not a byte"),
    ({"emulated_device__emulated_device_list": [{"type": "EMU_DEVICE_T_VIRTIO_CONSOLE"}] * 2},
     "second virtio console"),
    ({"emulated_device__emulated_device_list": [{"type": 7}] * 9}, "one disk too many"),
    ({"image__device_tree_filename": "my.dtbo"}, "device trees and overlays cannot be given"),
    ({"image__kernel_filename": ""}, "must name a file"),
    ({"image__kernel_filename": None}, '"kernel_filename" is missing'),
    ({"image": None}, '"image" is missing'),
    ({"cpu__master": 0}, "hart 0 is not in allocate_bitmap"),
    ({"cpu__allocate_bitmap": "0b12"}, '"0b12" is not a number'),
    ({"cpu__allocate_bitmap": "0x1ffff"}, "names 17 harts"),
    ({"memory__region__0__length": "0"}, "size 0"),
    ({"memory__region__0__ipa_start": "0x80000001"}, "not a multiple of 4 KiB"),
    ({"memory__region": [{"ipa_start": 0x80000000, "length": 0x2000}] * 2}, "overlaps"),
    ({"memory__region": [{"ipa_start": 0x80000000, "length": 0x1000}] * 9}, "has 9 items"),
    ({"memory__region__0__length": "0x1ffffffffffffffff"}, "not a number of 64 bits"),
    ({"type": "VM_T_WINDOWS"}, "VM_T_WINDOWS"),
    ({"name": "x" * 32}, "has 32 bytes; at most 31"),
    ({"image__kernel_entry_point": "0x70000000"}, "entry 0x70000000"),
    ({"image__device_tree_load_ipa": "0x80200000"}, "device tree"),
], ids=short)
def test_rust_refusals(images, changes, words):
    images.write(rust(**changes))
    error = images.error("vm", "config", "vm.json")
    assert words in error and "vm.json:1:" in error
    assert images.json("vm", "list") == []


# --- What Shyper refuses ----------------------------------------------------------------------

def refused(cli, definition, words):
    """What is said of a definition that Shyper refuses in these words."""
    (cli.fake / "0.refuse").write_text(words)
    cli.write(definition)
    error = cli.error("vm", "config", "vm.json")
    assert cli.json("vm", "list") == [] and not list(cli.state.glob("*.json"))
    return error


RUST_TEXT = """{"name": "g", "image": {"kernel_filename": "Image"},
 "memory": {"region": [
  {"ipa_start": "0x90000000", "length": "0x1000000"},
  {"ipa_start": "0x80000000", "length": "0x1000000"}]},
 "cpu": {"num": 3, "allocate_bitmap": "0b1110", "master": 1},
 "emulated_device": {"emulated_device_list": [
  {"base_ipa": "0xc000000", "length": "0x600000", "type": "EMU_DEVICE_T_PLIC"},
  {"irq_id": 9, "type": "EMU_DEVICE_T_VIRTIO_BLK"},
  {"base_ipa": "0x10002000", "type": 7},
  {"type": "EMU_DEVICE_T_VIRTIO_CONSOLE"}]},
 "passthrough_device": {"passthrough_device_list": [
  {"base_ipa": "0x28000000", "base_pa": "0x28006000", "length": "0x1000"},
  {"base_pa": "0x10000000", "base_ipa": "0x10000000", "length": "0x1000"}]}}
"""


@pytest.mark.parametrize("words, place, said", [
    ("g refused: node /, property vm-name: is taken", '"g"', "name: is taken"),
    ("g refused: node /, property harts: hart 5", '"0b1110"', "allocate_bitmap: hart 5"),
    ("g refused: node /, property vcpus: too many", '3, "all', "num: too many"),
    ("node /memory@90000000, property reg: x", '{"ipa_start": "0x9', "region[0]: x"),
    ("node /memory@80000000, property reg: x", '{"ipa_start": "0x8', "region[1]: x"),
    ("node /memory@a0000000, property reg: x", '{"region"', "memory: x"),
    ("node /devices/virtio0, property interrupt: is 99", '9, "type"', "irq_id: is 99"),
    ("node /devices/virtio1, property reg: overlaps", '"0x10002000"', "base_ipa: overlaps"),
    ("node /devices/plic, property reg: is odd", '"0xc000000"', "base_ipa: is odd"),
    ("node /devices/console, property x: y", '{"type"', "emulated_device_list[3]: y"),
    ("node /devices/console: y", '{"type"', "emulated_device_list[3]: y"),
    ("node /passthrough/device@0, property host-reg: x", '"0x10000000", "base_ipa', "base_pa: x"),
    ("node /passthrough/device@1, property reg: x", None, "node /passthrough/device@1, property"),
    ("node /devices/uart: is refused", None, "node /devices/uart: is refused"),
    ("node /: x", None, "node /: x"),
    ("node : x", None, "node : x"),
    ("g refused: there are 16 VMs already", None, "there are 16 VMs already"),
    ("", None, "Invalid argument"),
])
def test_rust_refusals_of_shyper(images, words, place, said):
    at = ""
    if place:
        before = RUST_TEXT.partition(place)[0]
        at = f"{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}:"
    assert f"shyper: vm.json:{at} {said}" in refused(images, RUST_TEXT, words)


@pytest.mark.parametrize("words, said", [
    ("a refused: node /, property harts: hart 1 is taken", "vm.json:4:12: harts: hart 1 is taken"),
    ("a refused: node /memory@80000000, property reg: is too large", "vm.json:1:1: memory: is"),
    ("node /devices/virtio1, property reg: overlaps", "vm.json:5:18: disks[1]: overlaps"),
    ("node /devices/virtio2, property reg: x", "vm.json: node /devices/virtio2"),
    ("node /devices/plic, property reg: x", "vm.json: node /devices/plic"),
    ("node /, property compatible: x", "vm.json: node /, property compatible: x"),
])
def test_native_refusals_of_shyper(cli, words, said):
    assert said in refused(cli, native(harts=[1], disks=["a", "b"]), words)


# --- Bad files ------------------------------------------------------------------------------------

@pytest.mark.parametrize("text, words", [
    ("", "vm.json:1:1: the file is empty"),
    ("  \n// nothing\n", "the file is empty"),
    ('{"name": "a", "kernel": "fl', "vm.json:1:"),
    ('{"name": "a",\n "kernel": ', "vm.json:2:"),
    ("[" * 1000000, "depth"),
    ('{"a":' * 100000, "depth"),
    ("[]", "is an object"),
    ('"text"', "expected near"),
    ('{"name": "a", "kernel": "flat.bin",}', "vm.json:1:36"),
    ('{"name": "a",\n "name": "b", "kernel": "flat.bin"}', "vm.json:2:7: duplicate object key"),
    ('{"name": "a", "kernel": "\\u0000"}', "vm.json:1:"),
    ("\xff\xfe{}", "vm.json:1:"),
    ("x" * (3 << 20), "larger than 2 MiB"),
    ("{" + " " * 100 + "\0}", "NUL"),
    ("/*", "vm.json:1:"),
    ('"', "vm.json:1:"),
], ids=short)
def test_not_json(cli, text, words):
    cli.write(text)
    assert words in cli.error("vm", "config", "vm.json")


def native(**changes):
    vm = {"name": "a", "kernel": "flat.bin"} | changes
    return "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in vm.items()) + "\n}"


@pytest.mark.parametrize("changes, words", [
    ({"vcpu": 2}, 'vm.json:4:3: unknown key "vcpu"; did you mean "vcpus"?'),
    ({"colour": 2}, 'vm.json:4:3: unknown key "colour"\n'),
    ({"vcpus": 0}, "vm.json:4:12: vcpus: is 0; possible are 1 to 16"),
    ({"vcpus": 17}, "is 17; possible are 1 to 16"),
    ({"vcpus": -1}, "not negative"),
    ({"vcpus": 1.5}, "whole number"),
    ({"vcpus": True}, "must be a number"),
    ({"vcpus": "two"}, '"two" is not a number'),
    ({"vcpus": "0x"}, '"0x" is not a number'),
    ({"vcpus": "0x0x1"}, "is not a number"),
    ({"vcpus": " 1"}, "is not a number"),
    ({"vcpus": "1k"}, "is not a number"),
    ({"memory": "12X"}, "is not a size"),
    ({"memory": "1MM"}, "is not a size"),
    ({"memory": "100"}, "not a multiple of 4 KiB"),
    ({"memory": 0}, "size 0"),
    ({"memory": "16777216T"}, "64 bits"),
    ({"memory": "70000T"}, "more than an address can reach"),
    ({"memory": "4M", "load": "0x80000000", "kernel": "big.bin"}, "does not fit into the memory"),
    ({"memory": "1M"}, "vm.json:4:13: the kernel"),
    ({"memory": "2M"}, "does not fit"),
    ({"harts": []}, "at least one"),
    ({"harts": [1, 1]}, "names hart 1 twice"),
    ({"harts": [1], "vcpus": 2}, "names 1 harts, but the VM has 2"),
    ({"harts": [0, "one"]}, "vm.json:4:16: harts[1]:"),
    ({"harts": list(range(17))}, "has 17 items"),
    ({"harts": [9]}, "vm.json:4:12: harts: hart 9 for vCPU 0 does not exist"),
    ({"disks": ["a", 5]}, "vm.json:4:18: disks[1]:"),
    ({"disks": [{"file": "x"}]}, 'unknown key "file"'),
    ({"disks": [{}]}, '"path" is missing'),
    ({"disks": [{"path": ""}]}, "must not be empty"),
    ({"disks": [{"path": "x", "serial": "s" * 21}]}, "has 21 bytes; at most 20"),
    ({"disks": ["x"] * 9}, "has 9 items"),
    ({"nics": [{"mac": "52:54:00:12:34:5g"}]}, "is not a MAC address"),
    ({"nics": [{"mac": "01:54:00:12:34:56"}]}, "group address"),
    ({"nics": {}}, "must be a list"),
    ({"restart": "on-fail"}, 'did you mean "on-failure"'),
    ({"restart": "sometimes"}, "possible are never, on-failure, always"),
    ({"name": ""}, "must not be empty"),
    ({"name": "12"}, "could be taken for a VM's id"),
    ({"name": "a\tb"}, "printable ASCII"),
    ({"name": 5}, "must be a text"),
    ({"cmdline": "x" * 2048}, "has 2048 bytes; at most 2047"),
    ({"kernel": "none.bin"}, 'vm.json:3:13: kernel: the kernel "none.bin" does not exist'),
    ({"kernel": "."}, "is not an ordinary file"),
    ({"kernel": "x" * 5000}, "at most 4095"),
    ({"kernel": "empty"}, "is empty"),
    ({"kernel": "a.gz"}, "unpack it with gzip"),
    ({"kernel": "a.elf"}, "objcopy"),
    ({"kernel": "a.efi"}, "another machine"),
    ({"initrd": "none"}, 'vm.json:4:13: initrd: the initrd "none" does not exist'),
    ({"initrd": "big.bin", "memory": "4M"}, "the initrd"),
    ({"load": "0x70000000"}, "does not fit"),
    ({"entry": "0x80200001"}, "odd or outside"),
], ids=short)
def test_native_refusals(cli, changes, words):
    for name, data in (("empty", b""), ("big.bin", b"b" * 5 * MIB),
                       ("a.gz", b"\x1f\x8b" + b"x" * 99), ("a.elf", b"\x7fELF" + b"x" * 99),
                       ("a.efi", b"MZ" + b"x" * 99)):
        (cli.folder / name).write_bytes(data)
    cli.write(native(**changes))
    assert words in cli.error("vm", "config", "vm.json")
    assert cli.json("vm", "list") == [] and not list(cli.state.glob("*.json"))


def test_missing_keys_and_files(cli):
    cli.write('{"name": "a"}')
    assert 'vm.json:1:1: "kernel" is missing' in cli.error("vm", "config", "vm.json")
    assert "No such file" in cli.error("vm", "config", "none.json")
    assert "is a folder" in cli.error("vm", "config", ".")


def test_an_image_that_wants_too_much(cli):
    linux_image(cli.folder / "Image", room=1 << 40)
    cli.write(native(kernel="Image"))
    assert "does not fit" in cli.error("vm", "config", "vm.json")
    linux_image(cli.folder / "Image", offset=1 << 60)
    assert "is damaged" in cli.error("vm", "config", "vm.json")


def test_names_cannot_fool_a_terminal(cli):
    cli.write('{"name": "a", "kernel": "flat.bin", "\\u001b[31m": 1}')
    assert "\033" not in cli.error("vm", "config", "vm.json")
