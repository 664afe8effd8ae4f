# SPDX-License-Identifier: BSD-2-Clause
"""A guest's data are not copied on their way between its memory and the image: watchpoints on the
guest's pages, where the MVM's kernel and where Shyper could touch them, never fire while the pages
are written and read. They do fire where the kernel cannot avoid a copy, and when Shyper wipes them.
"""
import pytest

from gdb import Gdb
from guests import Shyper
from machine import TOP

PAYLOAD = TOP / "build/guest/disk_inplace.bin"
RAM = 0x80000000                # of the guest
BUFFER, BACK = 0x85000000, 0x86000000
PAGE = 4096
# Where Linux maps all memory, from the lowest page of its own on: vm-layout in its documentation.
LINEAR = {"sv39": 0xffffffd600000000, "sv48": 0xffffaf8000000000, "sv57": 0xff60000000000000}


@pytest.fixture
def watched(boot_mvm, make, tmp_path):
    """An MVM with a debugger, and what belongs to them."""
    make("guest-payloads")
    path = tmp_path / "gdb"
    shyper = Shyper(boot_mvm(QEMUFLAGS=Gdb.flags(path)))
    shyper.mvm.put(PAYLOAD, "/root/disk_inplace.bin")
    shyper.mvm.run("truncate -s 16M /root/a.img")
    yield shyper, path
    shyper.end()


def linear_map(mvm):
    """What to add to a physical address."""
    first = mvm.run("grep -m 1 'System RAM' /proc/iomem").split("-")[0]
    mode = mvm.run("grep -m 1 mmu /proc/cpuinfo").split()[-1]
    return LINEAR[mode] - int(first, 16)


def pages_of(shyper, vm):
    """The two pages as the MVM's kernel and as Shyper see them."""
    host = shyper.mvm.run(f"shyper system log | sed -n 's/.*{vm}: Sv[^ ]* 0x{RAM:x}[^ ]* -> "
                          "\\(0x[0-9a-f]*\\) .*/\\1/p'").split()[-1]
    physical = [int(host, 16) + page - RAM for page in (BUFFER, BACK)]
    return physical + [page + linear_map(shyper.mvm) for page in physical]


class Console:
    """The payload, which obeys single letters."""

    def __init__(self, shyper, vm):
        self.line = shyper.mvm.shell(vm)
        self.line.send(f"shyper vm console {vm}")
        self.line.expect("ready")

    def order(self, letter, expected="ready"):
        self.line.type(letter)
        self.line.expect(expected)


def expect_touches(gdb, pages):
    """Each in turn, which is not watched any more then."""
    for page in pages:
        hit = gdb.stopped(60)
        assert hit is not None and hit & -PAGE == page
        gdb.unwatch(page, PAGE)
        gdb.go()


def test_nobody_touches_the_data(watched):
    shyper, path = watched
    shyper.config(name="inplace", kernel="disk_inplace.bin", memory="128M", harts=[1],
                  disks=["/root/a.img"])
    shyper.run("vm boot inplace")
    console = Console(shyper, "inplace")
    pages = pages_of(shyper, "inplace")
    gdb = Gdb(path)
    for page in pages:
        gdb.watch(page, PAGE)
    gdb.go()
    console.order("i")
    assert gdb.stopped(0) is None
    console.line.type("o")
    expect_touches(gdb, pages[2:])
    console.line.expect("ready")
    assert shyper.disks()[1, 0]["copied"] == "2"
    console.order("q", r"done \d+ passed, 0 failed")
    console.line.close()
    shyper.mvm.start("shyper vm remove inplace")
    expect_touches(gdb, pages[:2])
    shyper.mvm.finish()
    gdb.close()
