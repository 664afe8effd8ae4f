# SPDX-License-Identifier: BSD-2-Clause
"""The verbs of the shyper command, served by itself and by the daemon."""
import json
import subprocess

import pytest

from commandline import SHYPER, WAYS


@pytest.fixture(params=WAYS)
def cli(cli, request):
    return cli.served(request.param)


def test_life_of_a_vm(cli):
    assert cli.config() == 1
    assert cli.vm(1)["state"] == "made"
    assert cli.out("vm", "boot", "a") == "a (VM 1): booted\n"
    assert cli.vm("a")["state"] == "running"
    entry, initrd, size, fdt = cli.boot_words(1)
    assert (entry, initrd, size) == (0x80200000, 0, 0) and fdt == 0x83e00000
    assert cli.ram(1, 0x80200000, 20000) == (cli.folder / "flat.bin").read_bytes()
    assert "running already" in cli.error("vm", "start", 1)
    cli.run("vm", "pause", 1)
    assert cli.vm(1)["state"] == "paused"
    assert "it is paused" in cli.error("vm", "pause", 1)
    cli.run("vm", "resume", 1)
    assert "it is running" in cli.error("vm", "resume", 1)
    assert "use --force" in cli.error("vm", "reboot", 1)
    cli.run("vm", "reboot", "-f", 1)
    cli.run("vm", "reset", "a")
    assert cli.vm(1)["boots"] == 3
    assert "use --force" in cli.error("vm", "shutdown", "a")
    cli.run("vm", "stop", "--force", "a")
    vm = cli.vm(1)
    assert (vm["state"], vm["reason"]) == ("ended", "stop")
    cli.run("vm", "boot", 1)
    cli.run("vm", "remove", 1)
    assert cli.json("vm", "list") == []
    assert not list(cli.state.glob("1.json"))
    names = [e["event"] for e in cli.events() if e["event"] != "ended"]
    assert names == ["configured", "booted", "paused", "resumed", "rebooted", "reset", "stopped",
                     "booted", "removed"]


def test_between_two_lives(cli):
    """A VM of the boot image may look as if it ended, and restarts if nobody stops it."""
    for verb, words, state in (("pause", (), "paused"), ("stop", ("-f",), "ended")):
        cli.config(name=verb)
        cli.run("vm", "boot", verb)
        cli.stopping(cli.vm(verb)["id"])
        assert cli.vm(verb)["state"] == "stopping"
        cli.run("vm", verb, *words, verb)
        assert cli.vm(verb)["state"] == state


def test_pin(cli):
    cli.config(vcpus=2)
    assert cli.out("vm", "pin", "a", 1, 3) == "a (VM 1): moved\n"
    assert cli.vm(1)["harts"][1] == 3
    assert "does not exist" in cli.error("vm", "pin", "a", 0, 9)
    assert "no such vCPU" in cli.error("vm", "pin", 1, 2, 0)
    moved = [e for e in cli.events() if e["event"] == "moved"]
    assert [(e["vcpu"], e["hart"]) for e in moved] == [(1, 3)]


def test_many_cycles(cli):
    for _ in range(20):
        assert cli.config() == 1
        cli.run("vm", "boot", 1)
        cli.run("vm", "remove", 1)
    assert cli.json("system", "info")["pages_free"] == 1 << 20


def test_delconfig_and_getdefconfig(cli):
    cli.config(restart="always")
    definition = cli.json("vm", "getdefconfig", "a")
    assert definition["restart"] == "always" and definition == json.loads(
        cli.out("vm", "getdefconfig", 1))
    cli.run("vm", "boot", "a")
    assert "shut it down first" in cli.error("vm", "delconfig", 1)
    cli.run("vm", "delconfig", 1, "-f")
    assert "there is no VM 1" in cli.error("vm", "info", 1)
    cli.config()
    cli.run("vm", "delconfig", "a")


def test_getvmid(cli):
    assert cli.out("vm", "getvmid") == "0\n"


def test_list_for_people(cli):
    cli.config(harts=[1, 2], memory="1536M")
    cli.config(name="b", memory="64M", restart="on-failure")
    cli.run("vm", "boot", "b")
    cli.end(2, "failure", 7)
    lines = cli.out("vm", "list").splitlines()
    assert lines[0].split() == ["ID", "NAME", "STATE", "VCPUS", "HARTS", "MEMORY", "DISKS",
                                "UPTIME", "RESTART"]
    assert lines[1].split() == ["1", "a", "made", "2", "1", "2", "1.5G", "0",
                                "00:00:00", "never"]
    assert lines[2].split()[:2] == ["2", "b"]


def test_a_name_that_two_have(cli):
    cli.config()
    cli.config()
    assert "2 VMs are named" in cli.error("vm", "boot", "a")
    cli.run("vm", "boot", 2)


def test_harts_that_are_taken(cli):
    cli.config(harts=[1])
    assert "harts: hart 1 for vCPU 0 serves another vCPU" in cli.error("vm", "config", "a.json")


def test_images_that_vanish_or_change(cli):
    cli.config()
    kernel = cli.folder / "flat.bin"
    kernel.rename(cli.folder / "elsewhere")
    assert "flat.bin: No such file" in cli.error("vm", "boot", "a")
    kernel.write_bytes(b"n" * 99)
    cli.run("vm", "boot", "a")
    assert cli.ram(1, 0x80200000, 99) == b"n" * 99


def test_nothing_can_be_remembered(cli):
    """The folder is a file: there is no VM then that nobody could boot."""
    for process in cli.daemons:
        process.terminate()
        process.wait(10)
    cli.environment["SHYPER_STATE"] = str(cli.folder / "flat.bin")
    cli.write({"name": "a", "kernel": "flat.bin", "memory": "64M"})
    assert "flat.bin" in cli.error("vm", "config", "vm.json")
    assert cli.json("vm", "list") == [] and not list(cli.fake.glob("1.*"))


def test_output_that_cannot_be_written(cli):
    with open("/dev/full", "w") as full:
        done = subprocess.run([str(SHYPER), "vm", "getvmid"], stdout=full, stderr=subprocess.PIPE,
                              env=cli.environment, text=True, check=False, timeout=60)
    assert done.returncode == 1 and "could not be written" in done.stderr


def test_a_record_that_is_damaged(cli):
    cli.config()
    (cli.state / "1.json").write_text("{")
    assert "was not made by" in cli.error("vm", "boot", "a")
    cli.run("vm", "info", "a")
    cli.run("vm", "remove", "a")


def test_the_log(cli):
    assert cli.out("system", "log") == "first line\nsecond ?[31mline\n"


@pytest.mark.parametrize("words, text", [
    ([], "a command is missing"),
    (["vm"], "vm needs one of config boot list info console pause"),
    (["system", "--json"], "system needs one of info log daemon"),
    (["v"], 'there is no command "v"'), (["vm "], 'there is no command "vm "'),
    (["vm", "lst"], 'did you mean "vm list"'),
    (["vm", "boot"], "vm boot needs NAME|ID"),
    (["vm", "boot", "a", "b"], "one too many"),
    (["vm", "pin", "a", "0"], "vm pin needs NAME|ID VCPU HART"),
    (["vm", "pin", "a", "0", "1", "2"], 'takes three arguments; "2" is one too many'),
    (["vm", "pin", "a", "x", "1"], 'needs the number of a vCPU, not "x"'),
    (["vm", "pin", "a", "0", "4294967296"], "needs the number of a hart"),
    (["vm", "list", "a"], "takes no argument"),
    (["vm", "boot", "--fast", "a"], "has no option --fast"),
    (["vm", "boot", "a", "--display"], "needs a value"),
])
def test_usage(cli, words, text):
    assert text in cli.error(*words, status=2)


def test_unknown_vms(cli):
    for name in ("1", "x", "16", "99999999999999", "-1"):
        assert "there is no VM" in cli.error("vm", "boot", "--", name)
    assert json.loads(cli.run("vm", "info", "x", "--json", status=1)[1])["error"]


def test_help(cli):
    text = cli.out("help")
    for verb in ("vm config FILE", "vm boot NAME|ID", "system daemon [CFG]", "events"):
        assert verb in text
    assert "--follow" in cli.out("events", "--help")
    assert "shyper vm start" in cli.out("help", "vm", "boot")
    assert cli.out("--version").startswith("shyper ")


def test_without_the_module(cli):
    for process in cli.daemons:
        process.terminate()
        process.wait(10)
    cli.environment.pop("SHYPER_FAKE")
    assert "insmod shyper_riscv64.ko" in cli.error("vm", "list")
    assert "insmod" in cli.error("system", "daemon")
