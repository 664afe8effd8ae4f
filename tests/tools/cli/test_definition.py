# SPDX-License-Identifier: BSD-2-Clause
"""Native definitions in JSON: what becomes of them, and how bad files of any form are refused."""
import json
import os

import pytest

from commandline import short
from trees import MIB, checked, linux_image, nodes, prop, refused


def test_all_keys(cli):
    (cli.folder / "rd").write_bytes(b"initrd" * 1000)
    cli.config(initrd="rd", cmdline="console=ttyS0", vcpus=2, memory="512M", harts=[2, 1],
               disks=["/srv/a.img", {"path": "b.img", "readonly": True}],
               nics=[{}, {"mac": "52:54:00:12:34:56"}], restart="always",
               time="stops-while-paused")
    tree = checked(cli.tree(1))
    assert prop(tree, "/", "vm-name") == "a"
    assert prop(tree, "/", "time") == "stops-while-paused"
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
    assert nodes(tree) == ["console", "virtio0", "virtio1", "net0", "net1"]


def test_network_cards(cli):
    cli.config(nics=[{}, {"switch": "dmz", "mac": "52:54:00:12:34:56", "vlan": 7, "rate": "100M",
                          "mtu": 9000, "locked": True, "small_frames": True},
                     {"rate": "3k", "locked": False}, {"rate": "100G"}])
    tree = checked(cli.tree(1))
    assert nodes(tree) == ["console", "net0", "net1", "net2", "net3"]
    for name in ("switch", "mac", "vlan", "rate", "mtu", "locked", "small-frames", "reg"):
        assert prop(tree, "/devices/net0", name) is None
    assert prop(tree, "/devices/net1", "switch") == "dmz"
    assert prop(tree, "/devices/net1", "mac", "bx") == "52 54 0 12 34 56"
    assert prop(tree, "/devices/net1", "vlan", "u") == "7"
    assert prop(tree, "/devices/net1", "rate", "u") == "100000"
    assert prop(tree, "/devices/net1", "mtu", "u") == "9000"
    assert prop(tree, "/devices/net1", "locked") == prop(tree, "/devices/net1",
                                                         "small-frames") == ""
    assert prop(tree, "/devices/net2", "rate", "u") == "3"
    assert prop(tree, "/devices/net2", "locked") is None
    assert prop(tree, "/devices/net3", "rate", "u") == "100000000"


def test_vhost_cards_are_devices_of_the_management_vm(cli):
    cli.config(nics=[{"backend": "switch"}, {"backend": "vhost", "bridge": "br0"}, {}],
               disks=["/srv/a.img"])
    assert nodes(checked(cli.tree(1))) == ["console", "virtio0", "virtio1", "net0", "net2"]


def test_vsock(cli):
    """A device of the management VM's, too, with an address that no other VM has."""
    cli.config(nics=[{"backend": "vhost"}], disks=["/srv/a.img"], vsock={})
    assert nodes(checked(cli.tree(1))) == ["console", "virtio0", "virtio1", "virtio2"]
    cli.config(name="b", vsock={"cid": 5})
    cli.config(name="c")
    assert [cli.vm(name).get("cid") for name in "abc"] == [3, 5, None]
    assert "vsock cid:  3\n" in cli.out("vm", "info", "a")
    for vsock in {"cid": 5}, {"cid": 3}:
        cli.write(native(name="d", vsock=vsock))
        assert f"vm.json:4:12: vsock: cid {vsock['cid']} is VM" in cli.error("vm", "config",
                                                                             "vm.json")
    cli.config(name="d", vsock={"cid": 4294967294})
    cli.run("vm", "remove", "c")
    cli.run("vm", "remove", "b")
    cli.config(name="b", vsock={"cid": 5})  # VM 2 again, so VM 3's default is taken
    cli.write(native(name="c", vsock={}))
    assert "cid 5 is VM 2's already; name another" in cli.error("vm", "config", "vm.json")
    assert [vm["name"] for vm in cli.json("vm", "list")] == ["a", "b", "d"]


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


@pytest.mark.parametrize("irqchip", ["board", "plic", "aplic"])
def test_irqchip(cli, irqchip):
    cli.config(irqchip=irqchip)
    here = [name for name in nodes(checked(cli.tree(1))) if name in ("plic", "aplic", "imsic")]
    assert here == ([] if irqchip == "board" else [irqchip])


def test_sched(cli):
    cli.config(sched={"policy": "priority", "priority": 3, "budget_us": 2500, "period_us": 10000})
    tree = checked(cli.tree(1))
    assert prop(tree, "/sched", "policy") == "priority"
    assert prop(tree, "/sched", "priority", "u") == "3"
    assert prop(tree, "/sched", "budget-us", "u") == "2500"
    assert prop(tree, "/sched", "period-us", "u") == "10000"
    assert prop(tree, "/sched", "strict") is None


def test_strict_budget(cli):
    cli.config(sched={"policy": "priority", "budget_us": 2500, "period_us": 10000, "strict": True})
    assert prop(checked(cli.tree(1)), "/sched", "strict") == ""


def test_partition(cli):
    cli.config(sched={"policy": "partition"})
    tree = checked(cli.tree(1))
    assert prop(tree, "/sched", "policy") == "partition"
    assert prop(tree, "/sched", "priority", "u") is None


@pytest.mark.parametrize("sched, policy", [
    ({"policy": "pinned"}, None), ({"policy": "priority"}, "priority")])
def test_sched_without_numbers(cli, sched, policy):
    cli.config(sched=sched)
    assert prop(checked(cli.tree(1)), "/sched", "policy") == policy


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
    ('{"name": "a",\n "vcpus": 99999999999999999999}', "vm.json:2:"),
    ('{"name": "a",\n "vcpus": 1e999}', "vm.json:2:"),
    ('{"name": "a",\n "vcpus": 0x10}', "vm.json:2:"),
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
    ({"sched": "priority"}, "must be an object"),
    ({"sched": {"priority": 1}}, '"policy" is missing'),
    ({"sched": {"policy": "fair"}}, "possible are pinned, priority, partition"),
    ({"sched": {"policy": "priority", "priorty": 1}}, 'did you mean "priority"'),
    ({"sched": {"policy": "priority", "priority": 32}}, "is 32; possible are 0 to 31"),
    ({"sched": {"policy": "pinned", "priority": 1}}, 'with policy "priority" only'),
    ({"sched": {"policy": "partition", "priority": 1}}, 'with policy "priority" only'),
    ({"sched": {"policy": "partition", "budget_us": 500, "period_us": 5000}}, "only"),
    ({"sched": {"policy": "pinned", "budget_us": 500}}, 'with policy "priority" only'),
    ({"sched": {"policy": "pinned", "period_us": 5000}}, 'with policy "priority" only'),
    ({"sched": {"policy": "priority", "budget_us": 99, "period_us": 5000}}, "is 99"),
    ({"sched": {"policy": "priority", "budget_us": 100, "period_us": 999}}, "is 999"),
    ({"sched": {"policy": "priority", "budget_us": 100}}, "budget_us and period_us together"),
    ({"sched": {"policy": "priority", "strict": True}}, "strict without a budget"),
    ({"sched": {"policy": "priority", "period_us": 5000}}, "budget_us and period_us together"),
    ({"sched": {"policy": "priority", "budget_us": 5001, "period_us": 5000}},
     "a budget of 5001 us, more than the period, 5000"),
    ({"disks": ["a", 5]}, "vm.json:4:18: disks[1]:"),
    ({"disks": [{"file": "x"}]}, 'unknown key "file"'),
    ({"disks": [{}]}, '"path" is missing'),
    ({"disks": [{"path": ""}]}, "must not be empty"),
    ({"disks": [{"path": "x", "serial": "s" * 21}]}, "has 21 bytes; at most 20"),
    ({"disks": ["x"] * 9}, "has 9 items"),
    ({"nics": [{"mac": "52:54:00:12:34:5g"}]}, "is not a MAC address"),
    ({"nics": [{"mac": "52:54:00:12:34:-1"}]}, "is not a MAC address"),
    ({"nics": [{"mac": "52:54:00:12:34: 1"}]}, "is not a MAC address"),
    ({"nics": [{"mac": "52:54:00:12:34:567"}]}, "is not a MAC address"),
    ({"nics": [{"mac": "01:54:00:12:34:56"}]}, "group address"),
    ({"nics": [{"mac": "00:00:00:00:00:00"}]}, "group address or zero"),
    ({"nics": [{"mac": "52:54:00:12:34:56:"}]}, "is not a MAC address"),
    ({"nics": [{"switch": ""}]}, "must not be empty"),
    ({"nics": [{"switch": "x" * 32}]}, "has 32 bytes; at most 31"),
    ({"nics": [{"switch": "lan\n"}]}, "vm.json:4:23: switch: must be printable ASCII"),
    ({"nics": [{"switch": "\x1b[2J"}]}, "must be printable ASCII"),
    ({"nics": [{"switch": "\x7f"}]}, "must be printable ASCII"),
    ({"nics": [{"switch": "büro"}]}, "must be printable ASCII"),
    ({"nics": [{"switch": 3}]}, "must be a text"),
    ({"nics": [{"vlan": 0}]}, "1 to 4094"),
    ({"nics": [{"backend": "tap"}]}, "vhost"),
    ({"nics": [{"bridge": "br0"}]}, "goes with"),
    ({"nics": [{"backend": "vhost", "bridge": ""}]}, "not the name of a bridge"),
    ({"nics": [{"backend": "vhost", "bridge": "a/b"}]}, "not the name of a bridge"),
    ({"nics": [{"backend": "vhost", "bridge": "x" * 16}]}, "15"),
    ({"nics": [{"backend": "vhost", "switch": "lan"}]}, "the card is on none"),
    ({"nics": [{"backend": "vhost", "rate": "1M"}]}, "the card is on none"),
    ({"nics": [{"backend": "vhost"}], "disks": [f"/d{n}" for n in range(8)]}, "at most 8 disks"),
    ({"nics": [{"vlan": 4095}]}, "1 to 4094"),
    ({"nics": [{"mtu": 67}]}, "68 to 65535"),
    ({"nics": [{"rate": "0M"}]}, "not a rate"),
    ({"nics": [{"rate": "100"}]}, "not a rate"),
    ({"nics": [{"rate": "1MM"}]}, "not a rate"),
    ({"nics": [{"rate": "-1M"}]}, "not a rate"),
    ({"nics": [{"rate": "101G"}]}, "not a rate"),
    ({"nics": [{"rate": 100}]}, "text"),
    ({"nics": [{"locked": 1}]}, "true or false"),
    ({"nics": [{"speed": 1}]}, "speed"),
    ({"nics": [{}] * 5}, "at most 4"),
    ({"nics": {}}, "must be a list"),
    ({"vsock": 3}, "vsock"),
    ({"vsock": {"cid": 2}}, "3 to 4294967294"),
    ({"vsock": {"cid": 4294967295}}, "3 to 4294967294"),
    ({"vsock": {"cid": -1}}, "not negative"),
    ({"vsock": {"port": 1}}, 'unknown key "port"'),
    ({"vsock": {}, "disks": [f"/d{n}" for n in range(8)]}, "vsock: a VM has at most 8 disks"),
    ({"restart": "on-fail"}, 'did you mean "on-failure"'),
    ({"time": "stops"}, "possible are runs, stops-while-paused"),
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


@pytest.mark.parametrize("text, place", [
    ('{"name":"a","kernel":"flat.bin","vcpu":1}', "1:33"),
    ('{"name":"a","kernel":"flat.bin","vcpus":0}', "1:41"),
    ('{"name":"a","disks":["x","y",{"path":"z","size":1}],"kernel":"flat.bin"}', "1:42"),
    ('{"disks":[{"path":"a,b"},{"path":"}]\\"{"},[]],"name":"a","kernel":"flat.bin"}', "1:43"),
    ('{"nics":[{},{"mac":""}],"name":"a","kernel":"flat.bin"}', "1:20"),
    ('{"memory":1,"harts":[1,2,-1],"name":"a","kernel":"flat.bin"}', "1:26"),
])
def test_places_in_text_without_blanks(cli, text, place):
    cli.write(text)
    assert f"vm.json:{place}: " in cli.error("vm", "config", "vm.json")


def test_missing_keys_and_files(cli):
    cli.write('{"name": "a"}')
    assert 'vm.json:1:1: "kernel" is missing' in cli.error("vm", "config", "vm.json")
    assert "No such file" in cli.error("vm", "config", "none.json")
    assert "is a folder" in cli.error("vm", "config", ".")


def test_files_that_nobody_writes(cli):
    os.mkfifo(cli.folder / "fifo")
    assert "not an ordinary file" in cli.error("vm", "config", "fifo")
    cli.write('{"name": "a", "kernel": "fifo"}')
    assert "not an ordinary file" in cli.error("vm", "config", "vm.json")


def test_an_image_that_wants_too_much(cli):
    linux_image(cli.folder / "Image", room=1 << 40)
    cli.write(native(kernel="Image"))
    assert "does not fit" in cli.error("vm", "config", "vm.json")
    linux_image(cli.folder / "Image", offset=1 << 60)
    assert "is damaged" in cli.error("vm", "config", "vm.json")


def test_names_that_are_not_utf8(cli):
    (cli.folder / "vm.json").write_bytes(
        b'{"name": "a", "kernel": "flat.bin",\n "nics": [{"switch": "b\xfcro"}]}')
    assert "vm.json:2:" in cli.error("vm", "config", "vm.json")


def test_names_cannot_fool_a_terminal(cli):
    cli.write('{"name": "a", "kernel": "flat.bin", "\\u001b[31m": 1}')
    assert "\033" not in cli.error("vm", "config", "vm.json")


# --- What Shyper refuses --------------------------------------------------------------------------

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
