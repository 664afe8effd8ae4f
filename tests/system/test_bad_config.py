# SPDX-License-Identifier: BSD-2-Clause
"""Definitions that the real Shyper refuses, or that never come so far: each with a clear error,
file, line and column, status 1 and nothing half-done left.
"""
import json

import pytest

from guests import FOLDER

RUST = (FOLDER / "vm1_config_riscv.json").read_text()
SMALL = {"name": "small", "kernel": "mediated-cfg.json"}     # any file will do


def text_of(definition):
    """Each member on a line of its own."""
    return "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}"
                              for k, v in definition.items()) + "\n}\n"


def native(**changes):
    return text_of({"name": "bad", "kernel": "Image", "memory": "64M"} | changes)


def rust(old, new):
    """Rust-Shyper's example with a change."""
    assert old in RUST
    return RUST.replace(old, new, 1)


def mapped(pa, ipa):
    """The example with a page of the board."""
    return rust('"passthrough_device_list": []', '"passthrough_device_list": [\n'
                f'{{"base_pa": "{pa}", "base_ipa": "{ipa}", "length": "0x1000"}}]')


@pytest.fixture
def refused(shyper, tmp_path):
    """A function: what is said of this text; all is as before then."""
    def check(text):
        (tmp_path / "bad.json").write_text(text)
        shyper.mvm.put(tmp_path / "bad.json", "/root/bad.json")
        vms, free = shyper.json("vm list"), shyper.json("system info")
        said = shyper.fails("vm config bad.json")
        after = shyper.json("system info")
        assert [vm["id"] for vm in shyper.json("vm list")] == [vm["id"] for vm in vms]
        assert (after["pages_free"], after["harts_free"]) == (free["pages_free"],
                                                             free["harts_free"])
        files = shyper.mvm.run("ls /var/lib/shyper 2>/dev/null | grep -c 'json$' || true")
        assert files == str(len(vms) - 1)
        return " ".join(said.split())      # as long as a line of the terminal, it is cut there

    return check


@pytest.mark.parametrize("text, said", [
    (native(harts=[9]), "bad.json:5:10: harts: hart 9 for vCPU 0 does not exist"),
    (native(harts=[0]), "bad.json:5:10: harts: hart 0 for vCPU 0 serves another vCPU"),
    (native(harts=[1, 9]), "bad.json:5:10: harts: hart 9 for vCPU 1 does not exist"),
    (native(vcpus=5), "bad.json:5:10: vcpus: vCPU 3 of 5 has no hart left"),
    (native(memory="64G"), "bad.json:4:11: memory: needs 65536 MiB, "),
    (native(memory="16M"), "bad.json:4:11: the kernel ("),
    (native(memory="1M"), "does not fit into the memory"),
    (native(name="mvm"), "bad.json:2:9: name: another VM has this name"),
    (native(kernel="none"), 'bad.json:3:11: kernel: the kernel "none" does not exist'),
    (native(colour=1), 'bad.json:5:1: unknown key "colour"'),
    (native(vcpu=1), 'did you mean "vcpus"?'),
    ("", "bad.json:1:1: the file is empty"),
    (native()[:30], "bad.json:3:"),
    ("[" * (1 << 20), "bad.json:1:"),
    ('{"name": "a", "name": "b"}', "duplicate object key"),
    (native(memory=1 << 65), "bad.json:4:"),
    (rust("0b1110", "0b110010"),
     "bad.json:22:22: allocate_bitmap: hart 4 for vCPU 1 does not exist"),
    (rust("0b1110", "0b1111"),
     "bad.json:22:22: allocate_bitmap: hart 0 for vCPU 1 serves another vCPU"),
    (rust("0x40000000", "0x1000000000"), "bad.json:17:4: region[0]: needs 65536 MiB, "),
    (rust('"0x10001000"', '"0x80001000"'),
     "bad.json:39:17: base_ipa: 0x80001000 + 0x1000 overlaps /memory@80000000"),
    (rust("19,", "1023,"), "bad.json:41:15: irq_id: is 1023; possible are 1 to 95"),
    (rust("19,", "21,"), "irq_id: source 21 is used twice"),
    (rust("0xc000000", "0xc000004"), "bad.json:30:17: base_ipa: "),
    (rust("EMU_DEVICE_T_PLIC", "EMU_DEVICE_T_GICD"),
     "bad.json:35:13: type: EMU_DEVICE_T_GICD is an Arm device"),
    (rust("EMU_DEVICE_T_PLIC", "EMU_DEVICE_T_SGIR"), "is an Arm device"),
    (mapped("0x80000000", "0xc0000000"),
     "bad.json:68:13: base_pa: 0x80000000 is no device of the board that a VM may have"),
    (mapped("0x28006000", "0x30000000"), "no definition may name"),
], ids=lambda value: "" if "\n" in value else ascii(value)[:60])
def test_refused(refused, text, said):
    assert said in refused(text)


def test_what_others_have(shyper, refused):
    """Hart and name of a VM that is there."""
    shyper.config(**SMALL | {"memory": "64M", "harts": [2]})
    assert "harts: hart 2 for vCPU 0 serves another vCPU" in refused(native(harts=[2]))
    assert "name: another VM has this name" in refused(native(name="small"))


def test_more_vms_than_memory(shyper, refused):
    shyper.config(**SMALL | {"memory": "2G"})
    said = refused(native(memory="2G"))
    assert "bad.json:4:11: memory: needs 2048 MiB, " in said and "MiB are missing" in said
    shyper.run("vm remove small")
    shyper.config(**SMALL | {"memory": "2G"})


def test_more_vms_than_harts(shyper, refused):
    for number in range(3):
        shyper.config(**SMALL | {"name": f"v{number}", "memory": "64M"})
    assert "vcpus: vCPU 0 of 1 has no hart left" in refused(native())


def test_a_kernel_that_shrinks_and_grows(shyper):
    """Between config and boot: the VM stays as it was, and boots when the file is right again."""
    shyper.mvm.run("head -c 100000 Image >kernel.bin")
    shyper.config(**SMALL | {"kernel": "kernel.bin", "memory": "34M"})
    shyper.mvm.run("truncate -s 40M kernel.bin")
    assert "does not fit into the memory" in shyper.fails("vm boot small")
    shyper.mvm.run("truncate -s 0 kernel.bin")
    assert "is empty" in shyper.fails("vm boot small")
    shyper.mvm.run("rm kernel.bin")
    assert "kernel.bin: No such file" in shyper.fails("vm boot small")
    assert shyper.vm("small")["state"] == "made"
    shyper.mvm.run("cp Image kernel.bin")
    shyper.run("vm boot small")
