# SPDX-License-Identifier: BSD-2-Clause
"""Definitions in Rust-Shyper's JSON, field for field: what becomes of them, and what is refused."""
import copy
import json

import pytest

from commandline import short
from trees import EXAMPLES, checked, linux_image, nodes, prop, refused

RUST = json.loads((EXAMPLES / "vm1_config_riscv.json").read_text())


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
    assert prop(tree, "/sched", "policy") == "priority"     # its harts may be others', too
    assert prop(tree, "/devices/plic", "reg", "x") == "0 c000000 0 600000"
    assert nodes(tree) == ["plic", "console", "virtio0", "net0"]
    assert prop(tree, "/devices/net0", "reg", "x") == "0 50000000 0 1000"
    assert prop(tree, "/devices/net0", "interrupt", "u") == "20"
    assert prop(tree, "/devices/net0", "mac", "bx") == "74 56 aa f 47 d1"
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


# As Rust-Shyper's guide has it, but for the names of the images.
GUIDE_TEXT = """
{"name":"guest-os-1","type":"VM_T_LINUX",
 "cmdline":"earlycon=sbi console=hvc1 root=/dev/vda rw audit=0",
 "image":{"kernel_filename":"Image","kernel_load_ipa":"0x80200000",
  "kernel_entry_point":"0x80200000","device_tree_filename":"","device_tree_load_ipa":"0xa0000000",
  "ramdisk_filename":"initrd.gz","ramdisk_load_ipa":"0"},
 "memory":{"num":1,"region":[{"ipa_start":"0x80000000","length":"0x40000000"}]},
 "cpu":{"num":3,"allocate_bitmap":"0b1110","master":1},
 "emulated_device":{"num":4,"emulated_device_list":[
  {"name":"plic@c000000","base_ipa":"0xc000000","length":"0x600000","irq_id":1,"cfg_num":2,
   "cfg_list":[0,0],"type":"EMU_DEVICE_T_PLIC"},
  {"name":"virtio_blk@10001000","base_ipa":"0x10001000","length":"0x1000","irq_id":19,"cfg_num":2,
   "cfg_list":[0,8192000],"type":"EMU_DEVICE_T_VIRTIO_BLK_MEDIATED"},
  {"name":"virtio_net@50000000","base_ipa":"0x50000000","length":"0x1000","irq_id":20,"cfg_num":6,
   "cfg_list":["0x74","0x56","0xaa","0x0f","0x47","0xd1"],"type":"EMU_DEVICE_T_VIRTIO_NET"},
  {"name":"virtio_console@40001000","base_ipa":"0x40001000","length":"0x1000","irq_id":21,
   "cfg_num":2,"cfg_list":["0","0x40001000"],"type":"EMU_DEVICE_T_VIRTIO_CONSOLE"}]},
 "passthrough_device":{"passthrough_device_list":[]},"dtb_device":{"num":0,"dtb_device_list":[]}}
"""
APLIC = {"name": "aplic@d000000", "base_ipa": "0xd000000", "length": "0x8000", "cfg_num": 2,
         "cfg_list": [0, 0], "type": "EMU_DEVICE_T_APLIC"}
MAPS = [{"base_ipa": "0x28000000", "base_pa": "0x28006000", "length": "0x1000"},
        {"base_ipa": "0x28004000", "base_pa": "0x2800a000", "length": "0x1000"},
        {"base_ipa": "0x28008000", "base_pa": "0x2800e000", "length": "0x1000"}]


def test_the_examples_are_the_guides(images):
    guide = json.loads(GUIDE_TEXT)
    assert RUST == guide
    guide["emulated_device"]["emulated_device_list"][0] = APLIC
    guide["passthrough_device"]["passthrough_device_list"] = MAPS
    assert json.loads((EXAMPLES / "vm1_config_riscv_aia.json").read_text()) == guide
    images.write(GUIDE_TEXT)
    images.run("vm", "config", "vm.json")
    checked(images.tree(1))
    assert images.json("vm", "getdefconfig", 1) == RUST


@pytest.mark.parametrize("form", [
    int, str, hex, bin, lambda n: f"0X{n:X}", lambda n: f"0B{n:b}", lambda n: f"0x{n:020x}"])
def test_numbers_in_every_form(images, form):
    images.write(rust(
        memory__region=[{"ipa_start": form(0x80000000), "length": form(0x40000000)}],
        image__kernel_load_ipa=form(0x80200000), image__kernel_entry_point=form(0x80200000),
        image__device_tree_load_ipa=form(0xa0000000), image__ramdisk_load_ipa=form(0x90000000),
        cpu__num=form(3), cpu__allocate_bitmap=form(14), cpu__master=form(3),
        emulated_device__emulated_device_list__1__irq_id=form(19),
        emulated_device__emulated_device_list__2__cfg_list=[form(n) for n in (2, 0, 0, 0, 0, 255)],
        passthrough_device__passthrough_device_list=[
            {"base_pa": form(0x101000), "base_ipa": form(0x101000), "length": form(0x1000),
             "irq_list": [form(11)]}]))
    images.run("vm", "config", "vm.json")
    tree = checked(images.tree(1))
    assert prop(tree, "/memory@80000000", "reg", "x") == "0 80000000 0 40000000"
    assert prop(tree, "/", "harts", "u") == "0 3 0 1 0 2"
    assert prop(tree, "/devices/virtio0", "interrupt", "u") == "19"
    assert prop(tree, "/passthrough/device@0", "interrupts", "u") == "11"
    images.mediated("m.img")
    images.run("vm", "boot", 1)
    assert images.boot_words(1) == (0x80200000, 0x90000000, 5000, 0xa0000000)


def test_what_the_guides_fragments_leave_out(images):
    """Names, interrupts and their numbers; num, cfg_num and whole lists."""
    vm = json.loads(GUIDE_TEXT)
    for entry in vm["emulated_device"]["emulated_device_list"]:
        for key in "name", "irq_id", "cfg_num":
            del entry[key]
    del vm["emulated_device"]["num"], vm["memory"]["num"], vm["dtb_device"], vm["type"]
    del vm["cpu"]["num"], vm["cmdline"]
    vm["passthrough_device"]["passthrough_device_list"] = [
        {"base_pa": "0x101000", "base_ipa": "0x101000", "length": "0x1000"}, {"irq_list": [11]}]
    images.write(vm)
    images.run("vm", "config", "vm.json")
    tree = checked(images.tree(1))
    assert prop(tree, "/devices/virtio0", "reg", "x") == "0 10001000 0 1000"
    assert prop(tree, "/devices/virtio0", "interrupt") is None
    assert prop(tree, "/passthrough/device@0", "interrupts") is None
    assert prop(tree, "/passthrough/device@1", "interrupts", "u") == "11"
    assert prop(tree, "/", "vcpus", "u") == "3"


def test_the_least(images):
    images.write({"name": "least", "image": {"kernel_filename": "Image"},
                  "memory": {"region": [{"ipa_start": 0x80000000, "length": 0x4000000}]}})
    images.run("vm", "config", "vm.json")
    assert prop(checked(images.tree(1)), "/", "vcpus", "u") == "1"


@pytest.mark.parametrize("changes, note", [
    ({"memory__colors": "0-13,15"}, "colors: has no meaning here"),
    ({"memory__budget": 5000}, "budget: has no meaning here"),
    ({"memory__colors": ""}, None),
    ({"type": "VM_T_BARE_MATEL_APP"}, None), ({"type": "VM_T_FREERTOS"}, None), ({"type": 0}, None),
    ({"cpu__num": 2}, "num: is 2, but allocate_bitmap names 3 harts"),
    ({"emulated_device__emulated_device_list__3__type": 0}, "EMU_DEVICE_T_CONSOLE is handled"),
    ({"emulated_device__emulated_device_list__3__type": "EMU_DEVICE_T_SHYPER"}, "is handled"),
    ({"emulated_device__emulated_device_list__3__type": "EMU_DEVICE_T_META"}, "is handled"),
    ({"dtb_device__dtb_device_list": [{}]}, 'dtb_device_list[0]: "" is handled automatically'),
    ({"dtb_device__dtb_device_list": [{"name": "serial@10000000", "type": "DTB_DEVICE_T_SERIAL"}]},
     '"serial@10000000" is handled automatically'),
    ({"passthrough_device__passthrough_device_list": MAPS},
     "the interrupt file at 0x28008000 is handled automatically"),
])
def test_what_is_accepted(images, changes, note):
    images.write(rust(**changes))
    _, error = images.run("vm", "config", "vm.json")
    assert not note if error == "" else note in error and error.startswith("note: vm.json:1:")
    checked(images.tree(1))


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
    assert nodes(tree) == ["aplic", "imsic", "console", "virtio0", "net0"]


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
    ({"passthrough_device__passthrough_device_list": files(0x28001000, 0x28001000)},
     "not spaced evenly"),
    ({"passthrough_device__passthrough_device_list": files(0x28000800)}, "not a whole page"),
    ({"passthrough_device__passthrough_device_list":
      files(*range(0x28000000, 0x28011000, 0x1000))}, "one interrupt file too many"),
    ({"emulated_device__emulated_device_list__0__type": 99}, "is 99"),
    ({"emulated_device__emulated_device_list__2__cfg_list": [1, 2, 3]}, "6 bytes of a MAC"),
    ({"emulated_device__emulated_device_list__2__cfg_list": [1, 2, 3, 4, 5, 256]}, "not a byte"),
    ({"emulated_device__emulated_device_list__2__cfg_list": [1, 2, 3, 4, 5, 6]}, "group address"),
    ({"emulated_device__emulated_device_list__2__cfg_list": [0] * 6}, "zero"),
    ({"emulated_device__emulated_device_list": [{"type": 4}] * 5}, "one network card too many"),
    ({"emulated_device__emulated_device_list": [{"type": "EMU_DEVICE_T_VIRTIO_CONSOLE"}] * 2},
     "second virtio console"),
    ({"emulated_device__emulated_device_list": [{"type": 7}] * 9}, "one disk too many"),
    ({"emulated_device__emulated_device_list__1__cfg_list": [2048, 8192000]},
     "cfg_list[0]: is the disk's first sector"),
    ({"dtb_device__dtb_device_list": [{"type": "DTB_DEVICE_T_GICR"}]}, "is an Arm device"),
    ({"dtb_device__dtb_device_list": [{"irq_list": [1024]}]}, "is 1024"),
    ({"passthrough_device__passthrough_device_list": [{}]}, 'neither "length" nor "irq_list"'),
    ({"passthrough_device__passthrough_device_list": [{"irq_list": "10"}]}, "must be a list"),
    ({"cpu__allocate_bitmap": None}, "has a master, but no allocate_bitmap"),
    ({"cpu__master": 64}, "is 64"), ({"cpu__num": 0}, "is 0"), ({"cpu": []}, "must be an object"),
    ({"memory": None}, '"memory" is missing'), ({"memory__region": None}, '"region" is missing'),
    ({"memory__region__0__ipa_start": None}, '"ipa_start" is missing'),
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


# --- What Shyper refuses --------------------------------------------------------------------------

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
    ("node /passthrough, property host-reg: 0x10000800 is another's", '"0x10000000", "base_ipa',
     "base_pa: 0x10000800 is another's"),
    ("node /passthrough, property host-reg: 0x10001000 is another's", None, "node /passthrough"),
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
