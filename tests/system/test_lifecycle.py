# SPDX-License-Identifier: BSD-2-Clause
"""VMs that are ended, reset, paused and removed at any moment: while they boot, and while fio keeps
their disks busy. The fixture sees that no page, file or request is left.
"""
import pytest

from guests import fio
from machine import TOP

GUESTS = 1, 2, 3

# What each guest does over and over, beside its shell.
BUSY = f"""#!/bin/sh
({fio("busy", "8M", "/root/load")}) >/dev/null || echo busy failed >/dev/hvc0
"""


class Deeds:
    """What is done to a VM that runs; it runs again afterwards."""

    def __init__(self, shyper):
        self.shyper = shyper

    def boot(self, n):
        self.shyper.run(f"vm boot {n}")

    def reset(self, n):
        self.shyper.run(f"vm reset {n}")

    def end(self, n):
        self.shyper.run(f"vm shutdown -f {n}")
        self.boot(n)

    def remove(self, n):
        self.shyper.run(f"vm remove {n}")
        assert self.shyper.config_guest(n) == n
        self.boot(n)

    def pause(self, n):
        for _ in range(5):
            self.shyper.run(f"vm pause {n}")
            assert self.shyper.vm(n)["state"] == "paused"
            self.shyper.run(f"vm resume {n}")
        self.shyper.await_requests([n])

    def paused(self, deed):
        def both(n):
            self.shyper.run(f"vm pause {n}")
            deed(n)
        return both


# One VM's part of the storm, by its name: 20 deeds, at moments that are not the others'.
STORM = """
vm() { shyper vm $1 $name; }
again() { shyper vm config $name.json && vm boot; }
name=$1 i=0
while [ $i -lt 20 ]; do
	case $((i % 5)) in
	0) vm reset ;;
	1) vm 'shutdown -f' && vm boot ;;
	2) vm remove && again ;;
	3) vm pause && vm resume && vm pause && vm reset ;;
	4) vm pause && vm remove && again ;;
	esac || exit
	usleep $((i * 7919 % 97 * 1000))
	i=$((i + 1))
done
echo weathered
"""


@pytest.fixture
def busy(shyper, tmp_path):
    """Three guests that write as soon as they have booted, and whose consoles are kept."""
    (tmp_path / "busy").write_text(BUSY)
    shyper.mvm.put(tmp_path / "busy", "/tmp/busy")
    shyper.daemon()
    for n in GUESTS:
        shyper.mvm.run(
            f"mkdir -p /tmp/m; mount -o loop /root/vm{n}.img /tmp/m && "
            "install -m 755 /tmp/busy /tmp/m/root/busy && "
            "echo null::respawn:/root/busy >>/tmp/m/etc/inittab; umount /tmp/m", 60)
        shyper.config_guest(n)
        shyper.mvm.run(f"stty -F /dev/hvc{n} raw -echo; cat /dev/hvc{n} >/tmp/said{n} & "
                       "echo $! >>/tmp/readers")
        shyper.run(f"vm boot {n}")
    yield shyper
    shyper.mvm.run("kill $(cat /tmp/readers); rm /tmp/readers")


@pytest.fixture
def loads(shyper):
    """Three VMs whose disks are never idle, and that boot in no time."""
    shyper.mvm.put(TOP / "build/guest/disk_load.bin", "/root/disk_load.bin")
    shyper.daemon()
    for n in GUESTS:
        shyper.mvm.run(f"truncate -s 8M /root/load{n}.img")
        shyper.config(name=f"load{n}", kernel="disk_load.bin", memory="128M", harts=[n],
                      irqchip="plic", disks=[f"/root/load{n}.img"],
                      restart="on-failure" if n == 2 else "never")
        shyper.run(f"vm boot load{n}")
    shyper.await_requests(GUESTS)
    return shyper


def test_under_io(busy):
    deeds = Deeds(busy)
    for one, two, three in ((deeds.reset, deeds.end, deeds.remove),
                            (deeds.pause, deeds.pause, deeds.pause),
                            (deeds.paused(deeds.remove), deeds.paused(deeds.reset),
                             deeds.paused(deeds.end))):
        busy.await_requests(GUESTS, 500)
        one(1)
        two(2)
        three(3)
    busy.await_requests(GUESTS)
    assert busy.mvm.run("grep -E 'busy failed|I/O error|EXT4-fs error' /tmp/said? || true") == ""
    busy.run("vm remove 1")
    busy.await_requests(GUESTS[1:])


def test_storm(loads, tmp_path):
    (tmp_path / "storm").write_text(STORM)
    loads.mvm.put(tmp_path / "storm", "/root/storm")
    storms = [f"(sh ./storm load{n} >/tmp/storm{n} 2>&1) &" for n in GUESTS]
    loads.mvm.run(f"{' '.join(storms)} wait", 300)
    for n in GUESTS:
        assert "weathered" in loads.mvm.run(f"tail -n 3 /tmp/storm{n}")
    loads.await_requests(loads.vm(f"load{n}")["id"] for n in GUESTS)


def test_the_mvm_starts_again(loads):
    """Its guests have lost their disks: they are reset by their policy, or can be as ever."""
    loads.mvm.send("sync; reboot -f")
    loads.mvm.login()
    loads.begin()
    assert [vm["state"] for vm in loads.json("vm list")] == ["running"] * 4
    assert loads.disks() == {}
    assert [loads.vm(n)["disks_lost"] for n in GUESTS] == [True] * 3
    loads.daemon()
    loads.until(2, "boots: +2")
    loads.run("vm reset 1")
    loads.run("vm shutdown -f 2")
    loads.run("vm boot 2")
    loads.run("vm remove 3")
    ways = [(e["name"], e.get("restart_in")) for e in loads.events()
            if e["event"] == "lost its disks"]
    assert ways == [("load1", None), ("load2", 0), ("load3", None)]
    loads.await_requests(GUESTS[:2])


def test_in_the_middle_of_a_boot(shyper):
    """One VM on each hart, all at once, after times from none to most of a boot."""
    for n in GUESTS:
        shyper.config_guest(n)
    shyper.mvm.run(
        "cycle() { for t in $2; do for step in boot $t reset $t remove config; do "
        "case $step in config) shyper vm config $1.json ;; [a-z]*) shyper vm $step $1 ;; "
        "*) sleep $step ;; esac || return; done; done && echo done; }; "
        "cycle vm1 '0 0.3 1.2' >/tmp/cycled1 2>&1 & cycle vm2 '0.05 0.5 1.6' >/tmp/cycled2 2>&1 & "
        "cycle vm3 '0.1 0.8 2.5' >/tmp/cycled3 2>&1 & wait; "
        "[ $(grep -c ^done /tmp/cycled? | grep -c :1) = 3 ] || { cat /tmp/cycled?; false; }", 300)
