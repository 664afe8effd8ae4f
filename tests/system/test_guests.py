# SPDX-License-Identifier: BSD-2-Clause
"""Guests that live on disks of the management VM's, used through their consoles there."""
import pytest

from guests import fio

GUESTS = 1, 2, 3


@pytest.fixture
def three(shyper):
    """Three guests at once, each on a hart and a disk of its own, logged in; and the daemon."""
    shyper.daemon()
    for n in GUESTS:
        shyper.config_guest(n)
        shyper.run(f"vm boot vm{n}")
    guests = [shyper.guest(f"vm{n}") for n in GUESTS]
    for guest in guests:
        guest.login()
    return guests


def check_images(shyper, sums):
    """The files of ended guests, as the MVM finds them on their disks."""
    shyper.mvm.run("mkdir -p /tmp/m")
    for n, mark in zip(GUESTS, sums):
        assert mark in shyper.mvm.run(
            f"mount -o loop,ro /root/vm{n}.img /tmp/m && sha256sum </tmp/m/root/t; umount /tmp/m")


def test_three_guests_write_at_once(shyper, three):
    for guest in three:
        guest.line.start(fio("t", "24M"))
    for guest in three:
        guest.line.finish(300)
    for guest in three:
        guest.line.start("sha256sum </root/t; sync")
    sums = [guest.line.finish().split()[0] for guest in three]
    assert len(set(sums)) == 3
    for n, guest in zip(GUESTS, three):
        guest.leave()
        assert f"/root/vm{n}.img" in shyper.run(f"vm info {n}")
        guest.attach(n)
        guest.line.send("")
        guest.line.expect(guest.prompt)
        guest.line.send("poweroff")
    for n in GUESTS:
        shyper.until(n, "ended by: *poweroff")
        shyper.run(f"vm remove {n}")
    check_images(shyper, sums)


def test_rust_shypers(shyper):
    shyper.daemon()
    shyper.run("vm config vm1_config_riscv.json")
    shyper.run("vm boot 1")
    guest = shyper.guest("guest-os-1", "vm1")
    guest.login()
    assert guest.run("nproc") == "3"
    guest.run(fio("t"), 120)
