# SPDX-License-Identifier: BSD-2-Clause
"""Guests that live on a disk of the management VM's, used through their consoles there."""
import pytest

from mvm import PROMPT

GUEST_PROMPT = r"root@vm1:[^ ]*# "
FIO = ("fio --name=t --filename=/root/t --size=16M --bs=4k --rw=randwrite --ioengine=libaio "
       "--iodepth=32 --direct=1 --verify=crc32c --fsync=32 --output=/tmp/fio.log")


@pytest.fixture
def shyper(mvm):
    """The MVM with module and daemon."""
    mvm.run("insmod shyper_riscv64.ko")
    mvm.run("(shyper system daemon mediated-cfg.json >daemon.log 2>&1 &) ; i=0; "
            "until [ -S /run/shyper.sock ]; do i=$((i + 1)); [ $i -lt 50 ] || break; sleep 0.2; "
            "done; [ -S /run/shyper.sock ]")
    return mvm


class Console:
    """The guest's console on the MVM's."""

    def __init__(self, mvm, name):
        self.mvm = mvm
        mvm.send(f"shyper vm console {name}")
        mvm.expect("leaves it")

    def login(self):
        self.mvm.expect("vm1 login: ", 120)
        self.mvm.expect("vm1 login: ")      # of ttyS0 and of hvc0, which is asked from then on
        self.mvm.send("root")
        self.mvm.expect("Password: ")
        self.mvm.send("vm1")
        self.mvm.expect(GUEST_PROMPT)

    def run(self, command, timeout=None):
        self.mvm.PROMPT = GUEST_PROMPT
        try:
            return self.mvm.run(command, timeout)
        finally:
            self.mvm.PROMPT = PROMPT

    def leave(self):
        self.mvm.control("]")
        self.mvm.expect(PROMPT)


def test_native(shyper):
    shyper.run("shyper vm config vm1.json && shyper vm boot 1")
    guest = Console(shyper, "vm1")
    guest.login()
    assert "/dev/root" in guest.run("df /") or "/dev/vda" in guest.run("mount")
    guest.run(f"{FIO} || {{ cat /tmp/fio.log; false; }}", 120)
    mark = guest.run("sha256sum </root/t; sync").split()[0]
    guest.leave()
    assert "/root/vm1.img" in shyper.run("shyper vm info 1")
    guest = Console(shyper, 1)
    guest.mvm.send("")
    guest.mvm.expect(GUEST_PROMPT)
    guest.mvm.send("poweroff")
    guest.mvm.expect("(?i)power down|poweroff|halted", 60)
    guest.leave()
    shyper.run("i=0; until shyper vm info 1 | grep -q 'ended by: *poweroff'; do i=$((i + 1)); "
               "[ $i -lt 100 ] || break; sleep 0.2; done; shyper vm info 1 | grep poweroff")
    shyper.run("shyper vm remove 1")
    text = shyper.run("mkdir -p /tmp/m && mount -o loop,ro /root/vm1.img /tmp/m && "
                      "sha256sum </tmp/m/root/t; umount /tmp/m", 60)
    assert mark in text


def test_rust_shypers(shyper):
    shyper.run("shyper vm config vm1_config_riscv.json && shyper vm boot 1")
    guest = Console(shyper, "guest-os-1")
    guest.login()
    assert guest.run("nproc") == "3"
    guest.run(f"{FIO} || {{ cat /tmp/fio.log; false; }}", 120)
    guest.leave()
    shyper.run("shyper vm remove 1")
