# SPDX-License-Identifier: BSD-2-Clause
"""The verbs about the machine: test, update, reboot, shutdown."""
import json

import pytest

from commandline import WAYS


@pytest.fixture(params=WAYS)
def cli(cli, request):
    cli.environment["SHYPER_IMAGE"] = str(cli.folder / "boot.bin")
    return cli.served(request.param)


def test_system_test(cli):
    before = cli.json("system", "info")
    lines = cli.out("system", "test").splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["interface", "passed:"], ["log", "passed:"], ["state", "passed:"], ["guest", "passed:"]]
    results = [json.loads(line)["test"] for line in
               cli.out("system", "test", "--json").splitlines()]
    assert [r["result"] for r in results] == ["passed"] * 4 and results[3]["name"] == "guest"
    after = cli.json("system", "info")
    assert after["pages_free"] == before["pages_free"] and cli.json("vm", "list") == []


def test_system_test_without_a_hart(cli):
    cli.config(vcpus=4)
    assert "guest      skipped: all 4 harts serve VMs" in cli.out("system", "test")


def test_system_test_that_fails(cli):
    (cli.fake / "0.sick").touch()
    out, error = cli.run("system", "test", status=1)
    assert "guest      failed: ended by crash" in out and "1 of the tests failed" in error
    (cli.fake / "0.refuse").write_text("there are 16 VMs already")
    out, error = cli.run("system", "test", status=1)
    assert "guest      failed: cannot be made: there are 16 VMs already" in out
    assert cli.json("vm", "list") == [] and not list(cli.fake.glob("1.*"))


def shyper_image(path, size=20000, magic=b"RSC\5", form=b"shyper,vm-v1\0"):
    path.write_bytes((bytes(56) + magic + b"x" * 100 + form).ljust(size, b"i")[:size])


def test_system_update(cli):
    boot = cli.folder / "boot.bin"
    shyper_image(cli.folder / "new.bin", 30000)
    assert "does not come from" in cli.error("system", "update", "new.bin")
    shyper_image(boot)
    before, new = boot.read_bytes(), (cli.folder / "new.bin").read_bytes()
    assert "takes effect when" in cli.out("system", "update", "new.bin")
    assert boot.read_bytes() == new
    assert (cli.folder / "boot.bin.old").read_bytes() == before
    assert cli.json("system", "update", "new.bin")["image"] == str(boot)


@pytest.mark.parametrize("change", [
    {"size": 100}, {"size": 17 << 20}, {"magic": b"RSC\0"}, {"form": b"other,vm-v1\0"}])
def test_system_update_refuses_what_is_not_shyper(cli, change):
    shyper_image(cli.folder / "boot.bin")
    shyper_image(cli.folder / "bad.bin", **change)
    assert "bad.bin: is not an image of Shyper" in cli.error("system", "update", "bad.bin")
    assert "No such file" in cli.error("system", "update", "none.bin")
    assert "Is a directory" in cli.error("system", "update", ".")
    assert not list(cli.folder.glob("boot.bin.*"))


@pytest.mark.parametrize("verb", ["reboot", "shutdown"])
def test_the_machine_stays_up_for_guests(cli, verb, tmp_path):
    """reboot and poweroff are programs of the test's here."""
    for name in "reboot", "poweroff":
        (tmp_path / name).write_text("#!/bin/sh\necho $0 ends the machine\n")
        (tmp_path / name).chmod(0o755)
    cli.environment["PATH"] = f"{tmp_path}:{cli.environment['PATH']}"
    cli.config()
    cli.run("vm", "boot", "a")
    assert "VM 1 (a) is running: shut it down first" in cli.error("system", verb)
    assert json.loads(cli.error("system", verb, "--json"))["error"].startswith("VM 1 (a)")
    assert "ends the machine" in cli.out("system", verb, "-f")
    assert cli.vm("a")["reason"] == "stop"
    assert "ends the machine" in cli.out("system", verb)
