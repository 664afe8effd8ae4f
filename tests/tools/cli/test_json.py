# SPDX-License-Identifier: BSD-2-Clause
"""What --json promises to scripts."""
import json

import pytest

from commandline import WAYS


@pytest.fixture(params=WAYS)
def cli(cli, request):
    return cli.served(request.param)


DONE = {"id", "name", "done"}
VM = {"id", "name", "state", "vcpus", "harts", "memory", "boots", "uptime", "restart", "disks"}


def test_shapes(cli):
    """What shyper(1), JSON, promises."""
    vm = cli.write({"name": "a", "kernel": "flat.bin", "disks": ["a.img"], "memory": "64M"})
    cli.image("a.img")
    assert set(cli.json("vm", "config", vm)) == DONE
    for verb in "boot", "pause", "resume", "reset":
        assert set(cli.json("vm", verb, "a")) == DONE
    (listed,) = cli.json("vm", "list")
    assert set(listed) == VM
    assert set(listed["disks"][0]) == {"path", "readonly", "mediated"}
    info = cli.json("vm", "info", "a")
    assert set(info) == VM | {"agent", "exits", "blocks", "file", "kernel", "cards"}
    assert set(info["exits"]) == {"sbi", "mmio-read", "mmio-write", "instruction", "ipi", "timer",
                                  "external", "fault", "other"}
    assert set(info["blocks"][0]) == {"guest", "size"}
    cli.end(1, "failure", 3)
    assert set(cli.vm("a")) == set(info) - {"agent"} | {"reason", "exit_code"}
    assert set(cli.json("system", "info")) == {
        "version", "abi", "uptime", "harts", "harts_free", "vms", "pages_total", "pages_free",
        "pages_shyper"}
    assert cli.json("vm", "getvmid") == {"id": 0}
    assert set(cli.events()[0]) == {"time", "id", "name", "event"}
    assert list(json.loads(cli.out("system", "log", "--json"))) == ["log"]
    assert set(cli.json("vm", "remove", "a")) == DONE


@pytest.mark.parametrize("words, status", [
    (["vm", "lst", "--json"], 2), (["--json", "vm"], 2), (["vm", "boot", "--json"], 2),
    (["vm", "boot", "x", "--json"], 1), (["vm", "console", "x", "--json"], 1),
    (["system", "daemon", "none.json", "--json"], 1), (["vm", "config", "none", "--json"], 1),
    (["vm", "boot", "--fast", "--json"], 2)])
def test_errors_are_json_too(cli, words, status):
    assert list(json.loads(cli.error(*words, status=status))) == ["error"]


def test_notes_are_json_too(cli):
    cli.config()
    out, error = cli.run("vm", "boot", "a", "--display", "sdl", "--json")
    assert json.loads(out)["done"] == "booted" and list(json.loads(error)) == ["note"]
