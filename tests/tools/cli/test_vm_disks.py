# SPDX-License-Identifier: BSD-2-Clause
"""Disks of VMs: which files the module gets, in either form, alone and with a daemon."""
import pytest

from commandline import WAYS

RUST = {"name": "r", "image": {"kernel_filename": "flat.bin"},
        "memory": {"region": [{"ipa_start": "0x80000000", "length": "0x4000000"}]},
        "emulated_device": {"emulated_device_list": [
            {"type": "EMU_DEVICE_T_VIRTIO_BLK_MEDIATED", "base_ipa": "0x10001000", "irq_id": 19}]}}


@pytest.fixture(params=WAYS)
def cli(cli, request):
    return cli.served(request.param)


def rust(cli, name, count=1):
    vm = RUST | {"name": name}
    entry = RUST["emulated_device"]["emulated_device_list"][0]
    vm["emulated_device"] = {"emulated_device_list": [
        entry | {"base_ipa": hex(0x10001000 + n * 0x1000), "irq_id": 19 + n}
        for n in range(count)]}
    return cli.json("vm", "config", cli.write(vm, f"{name}.json"))["id"]


def test_attached_at_each_boot(cli):
    one, two = cli.image("one.img"), cli.image("two.img")
    cli.config(disks=["one.img", {"path": two, "readonly": True, "serial": "s" * 20}])
    assert cli.disk(1, 0) is None
    cli.run("vm", "boot", "a")
    assert cli.disk(1, 0) == ["0", "", one] and cli.disk(1, 1) == ["1", "s" * 20, two]
    cli.run("vm", "reset", "a")
    assert cli.disk(1, 0) == ["0", "", one]
    cli.end(1, "poweroff")
    cli.run("vm", "boot", "a")
    cli.run("vm", "shutdown", "-f", "a")
    assert cli.disk(1, 0) is None and cli.disk(1, 1) is None


def test_shown(cli):
    cli.config(disks=["x.img", {"path": "/dev/null", "readonly": True}])
    assert f"disks:      {cli.folder}/x.img\n" in cli.out("vm", "info", "a")
    assert "            /dev/null, read-only\n" in cli.out("vm", "info", "a")
    assert cli.out("vm", "list").splitlines()[1].split()[-3] == "2"
    rust(cli, "r")
    assert "the first mediated disk that is free" in cli.out("vm", "info", "r")


@pytest.mark.parametrize("disk, words", [
    ("none.img", "none.img does not exist"), (".", "neither a file nor a block device"),
    ("/dev/null", "neither a file nor a block device"), ("loop", "symbolic links")])
def test_bad_files(cli, disk, words):
    (cli.folder / "loop").symlink_to("loop")
    cli.image("good.img")
    cli.config(disks=["good.img", disk])
    assert words in cli.error("vm", "boot", "a")
    assert cli.vm("a")["state"] == "made" and cli.disk(1, 0) is None


def test_one_image_of_two_vms(cli):
    cli.image("one.img")
    cli.config(disks=["one.img"])
    cli.config(name="b", disks=["one.img"])
    cli.run("vm", "boot", "a")
    error = cli.error("vm", "boot", "b")
    assert "one.img of VM 2 (b): the image is a disk already" in error
    cli.run("vm", "shutdown", "-f", "a")
    cli.run("vm", "boot", "b")


@pytest.mark.parametrize("reason, restart", [
    ("poweroff", "on-failure"), ("crash", "never"), ("failure", "never")])
def test_an_ended_vms_image_serves_another(cli, reason, restart):
    cli.image("one.img")
    cli.config(disks=["one.img"], restart=restart)
    cli.config(name="b", disks=["one.img"])
    cli.run("vm", "boot", "a")
    cli.end(1, reason)
    cli.run("vm", "boot", "b")
    assert cli.disk(1, 0) is None and cli.disk(2, 0)
    assert "one.img of VM 1 (a): the image is a disk already" in cli.error("vm", "boot", "a")


def test_a_killed_boot_keeps_no_image(cli):
    one = cli.image("one.img")
    cli.config(disks=["one.img"])
    cli.config(name="b", disks=["one.img"])
    (cli.fake / "1.disk0").write_text(f"0  {one}\n")    # attached when it was killed
    cli.run("vm", "boot", "b")
    assert cli.disk(1, 0) is None


def test_an_image_is_kept_for_the_restart(cli):
    cli.image("one.img")
    cli.config(disks=["one.img"], restart="on-failure")
    cli.config(name="b", disks=["one.img"])
    cli.run("vm", "boot", "a")
    cli.end(1, "crash")
    assert "the image is a disk already" in cli.error("vm", "boot", "b")
    assert cli.disk(1, 0)
    cli.run("vm", "shutdown", "-f", "a")
    cli.run("vm", "boot", "b")


def test_nothing_stays_attached_when_an_image_vanished(cli):
    cli.image("one.img")
    cli.config(disks=["one.img"])
    (cli.folder / "flat.bin").unlink()
    assert "flat.bin" in cli.error("vm", "boot", "a")
    assert cli.disk(1, 0) is None


def test_a_module_that_knows_no_disks(cli):
    (cli.fake / "0.old").touch()
    cli.image("one.img")
    cli.config(disks=["one.img"])
    assert "too old for disks" in cli.error("vm", "boot", "a")
    cli.config(name="b")
    cli.run("vm", "boot", "b")


def test_mediated_disks_in_their_order(cli):
    cli.mediated("m0.img", "m1.img", "m2.img")
    cli.config(disks=["m1.img"])            # in use, if not by the list
    rust(cli, "r")
    rust(cli, "two", 2)
    cli.run("vm", "boot", "r")
    assert cli.disk(2, 0)[2].endswith("m0.img")
    error = cli.error("vm", "boot", "two")
    assert "other VMs have all 3" in error
    cli.run("vm", "remove", "a")
    cli.run("vm", "boot", "two")
    assert [cli.disk(3, n)[2][-6:] for n in (0, 1)] == ["m1.img", "m2.img"]
    info = cli.out("vm", "info", "two")
    assert "m1.img, mediated" in info


def test_a_mediated_disk_stays_its_vms(cli):
    cli.mediated("m0.img", "m1.img")
    rust(cli, "a")
    rust(cli, "b")
    cli.run("vm", "boot", "b")
    cli.run("vm", "shutdown", "-f", "b")
    cli.run("vm", "boot", "a")
    cli.run("vm", "boot", "b")
    assert cli.disk(2, 0)[2].endswith("m0.img") and cli.disk(1, 0)[2].endswith("m1.img")
    cli.run("vm", "shutdown", "-f", "b")
    cli.mediated("m1.img", "m3.img")        # its own is not on the list any more
    cli.run("vm", "boot", "b")
    assert cli.disk(2, 0)[2].endswith("m3.img")
    cli.run("vm", "remove", "a")
    rust(cli, "c")
    cli.run("vm", "boot", "c")
    assert cli.disk(1, 0)[2].endswith("m1.img")


def test_without_a_list(cli):
    rust(cli, "r")
    assert "run shyper system daemon mediated-cfg.json" in cli.error("vm", "boot", "r")
    assert cli.vm("r")["state"] == "made"
