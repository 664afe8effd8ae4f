# SPDX-License-Identifier: BSD-2-Clause
"""Devices that user space of the MVM serves, with eventfds in both directions: backend_vm.c serves
the payloads tests/guest/virtio_rng.c and, with vhost-net, tests/guest/virtio_net.c.
"""
import re

import pytest

from guests import DEBUG, compile_program, compile_tree, pack
from machine import TOP

HERE = TOP / "tests/system"
SOURCES = "backend_vm.c", "backend.c", "backend_net.c", "vm.c"


@pytest.fixture(scope="module")
def archive(tmp_path_factory, make):
    """What the tests bring into the MVM: the program, its definition, the payloads."""
    make("guest-payloads")
    folder = tmp_path_factory.mktemp("backends")
    compile_program(folder / "backend_vm", *(HERE / name for name in SOURCES))
    compile_tree((HERE / "disk_vm.dts").read_text(), folder / "vm.dtb")
    return pack(folder, "backend_vm", "vm.dtb", *(TOP / f"build/guest/virtio_{name}.bin"
                                                  for name in ("rng", "net")))


@pytest.fixture
def host(shyper, archive):
    """The MVM with all that in /tmp."""
    shyper.mvm.put(archive, "/tmp/archive.tar")
    shyper.mvm.run("cd /tmp && tar -xf archive.tar")
    return shyper.mvm


def serve(mvm, mode, payload):
    """Program and guest are content."""
    mvm.run("stty -F /dev/hvc1 raw -echo; cat /dev/hvc1 >/tmp/console & echo $! >/tmp/reader")
    said = mvm.run(f"timeout 100 ./backend_vm {mode} vm.dtb {payload}", timeout=120)
    console = mvm.run("sleep 1; kill $(cat /tmp/reader); grep -v ^ok /tmp/console")
    assert re.search(r"^done \d+ passed, 0 failed", console, re.M), console
    assert said.endswith("passed") and "ended: reason 0" in said, said


def test_every_refusal(host):
    host.run("truncate -s 1M /tmp/a.img")
    said = host.run("timeout 100 ./backend_vm refuse vm.dtb /tmp/a.img", timeout=120)
    assert said.endswith("passed"), said


def test_a_device_of_user_space(host):
    serve(host, "rng", "virtio_rng.bin")


def test_its_server_is_killed(host):
    serve(host, "die", "virtio_rng.bin")


def hypercalls(mvm):
    """How often each was called."""
    lines = (line.split() for line in mvm.run(f"cat {DEBUG}/hypercalls").split("\n"))
    return {name: int(count) for name, count in lines}


def test_vhost_net(host):
    """The guest is interrupted without this program, and nothing else is asked of Shyper, which
    makes and unmakes a VM in steps.
    """
    host.run("modprobe -a tun vhost_net")
    before = hypercalls(host)
    serve(host, "net", "virtio_net.bin")
    calls = {name: count - before[name] for name, count in hypercalls(host).items()}
    assert calls["device-interrupt"] >= 200
    for name in "device-interrupt", "vm-create", "vm-destroy":
        del calls[name]
    assert sum(calls.values()) < 200, calls
