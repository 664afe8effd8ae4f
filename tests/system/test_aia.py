# SPDX-License-Identifier: BSD-2-Clause
"""Interrupts without exits, on machines with AIA; what no VM may find of another's.

SHYPER_TEST_CYCLES: how often VMs are made and removed (default 20).
"""
import os
import subprocess

import pytest

from guests import fio
from machine import IRQ, TOP

pytestmark = pytest.mark.skipif(IRQ != "aia", reason="about AIA")
HERE = TOP / "tests/system"
RESIDUE = TOP / "build/guest/imsic_residue.bin"
CYCLES = int(os.environ.get("SHYPER_TEST_CYCLES", "20"))


@pytest.fixture(autouse=True)
def payloads(make):
    make("guest-payloads")


@pytest.mark.parametrize("files", [0, 3])
def test_reboots_leave_nothing_pending(machine, files):
    """1000 lives: each finds its interrupt file empty, and leaves it full, with more to come."""
    guest = machine(KERNEL=RESIDUE, MEM="16M", AIA_GUESTS=files)
    for _ in range(10):
        for _ in range(100):
            guest.expect("ok residue\r*\n")
    assert "not ok" not in guest.output()


@pytest.mark.parametrize("files", [0, 3])
def test_reboots_with_a_wire_of_the_board(machine, tmp_path, files):
    """The same, and the RTC is the board's: its APLIC sends."""
    definition = (HERE / "wire_vm.dts").read_text().replace('vm-name', 'autostart; vm-name')
    (tmp_path / "wire.dts").write_text(definition.replace("harts = <1>", "harts = <0>"))
    subprocess.run([TOP / "tools/mkvm.py", "--dts", tmp_path / "wire.dts", "--kernel", RESIDUE,
                    "--out", tmp_path / "wire.itb"], check=True)
    guest = machine(FIT=tmp_path / "wire.itb", SMP=1, MEMORY="512M", AIA_GUESTS=files)
    for _ in range(2):
        for _ in range(50):
            guest.expect("ok the wire is high\r*\n")
    assert "not ok" not in guest.output()


def test_vms_leave_nothing_pending(shyper):
    """VMs that come one after another on one hart have one and the same file."""
    shyper.mvm.put(RESIDUE, "/root/residue.bin")
    shyper.mvm.run("echo '{\"name\": \"r\", \"kernel\": \"residue.bin\", \"memory\": \"16M\", "
                   "\"harts\": [2]}' >r.json")
    one_life = ("shyper vm config r.json && shyper vm boot r && "
                "until shyper vm info r | grep -q 'ended by: *reboot'; do :; done")
    said = shyper.mvm.run(f"n=0; while [ $n -lt {CYCLES} ]; do n=$((n + 1)); {one_life} && "
                          "shyper vm remove r || break; done 2>&1 >/dev/null; echo $n",
                          60 + 6 * CYCLES)
    assert said == str(CYCLES)      # a failed check would end it by a failure
    assert shyper.pages() == shyper.free
    shyper.mvm.run(f"{{ {one_life}; }} >/dev/null")
    # It has a file of the hart's yet: one in memory would be read by exits.
    assert shyper.vm("r")["exits"]["instruction"] == 0
    shyper.run("vm remove r")


@pytest.mark.parametrize("files", [0, 1, 7])
def test_wires_reach_files_of_either_kind(boot_mvm, files):
    """A level of the board's (the UART's) comes once, and again when the guest asks for it."""
    mvm = boot_mvm(AIA_GUESTS=files)
    before = counts(mvm, "ttyS0")
    assert mvm.run("seq 2000 | tail -1") == "2000"
    assert "Level" in mvm.run("grep ttyS0 /proc/interrupts")
    assert counts(mvm, "ttyS0") > before


def exits(shyper, vm, command, run):
    """What a VM's exits came to while a command ran."""
    before = shyper.vm(vm)["exits"]
    run(command, 120)
    after = shyper.vm(vm)["exits"]
    return {cause: after[cause] - before[cause] for cause in after}


# Ten seconds of everything: writes with flushes, processes that wake each other on all harts.
LOAD = ("(sleep 10; touch /tmp/stop) & for i in 1 2 3; do "
        "(until [ -e /tmp/stop ]; do echo | cat | cat >/dev/null; done) & done; "
        f"{fio('load', '8M', '/root/load')}; wait; rm /tmp/stop")


def test_interrupts_need_no_exit(shyper):
    shyper.daemon()
    shyper.config_guest(1, vcpus=3, harts=[1, 2, 3])
    shyper.run("vm boot vm1")
    guest = shyper.guest("vm1")
    guest.login()
    count = exits(shyper, "vm1", LOAD, guest.run)
    print(count)
    assert count["timer"] == count["external"] == count["sbi"] == 0
    assert count["mmio-read"] <= 10     # the 16550 is not used here
    assert count["ipi"] <= 10           # Shyper's own, of the two questions
    shyper.run("vm remove vm1")


def test_passed_through_interrupts_need_no_exit(shyper):
    """The management VM's own disk: its interrupts come from the board's APLIC."""
    def disk():
        return sum(int(n) for line in shyper.mvm.run("grep virtio /proc/interrupts").split("\n")
                   for n in line.split()[1:2])

    before = disk()
    count = exits(shyper, 0, fio("own", "8M", "/root/own"), shyper.mvm.run)
    interrupts = disk() - before
    print(interrupts, count)
    assert interrupts > 200
    assert count["external"] == count["timer"] == 0
    assert count["mmio-write"] < interrupts / 2     # the UART's, which is level-sensitive


def counts(guest, line):
    """Interrupts of a line of /proc/interrupts, by CPU that is online."""
    words = guest.run(f"grep -E '{line}' /proc/interrupts | head -1").split()
    return [int(word) for word in words[1:] if word.isdigit()]


def balance(banned="", once="--oneshot"):
    """irqbalance, told that each interrupt is to have one CPU, but none of these."""
    return (f"IRQBALANCE_BANNED_CPULIST={banned} irqbalance --foreground {once} --interval=1 "
            "--policyscript=/tmp/policy >>/tmp/balance 2>&1")


def prepare_balance(guest):
    """And $irq is the disk's, in whose folder one is then."""
    guest.run("printf '#!/bin/sh\\necho balance_level=core\\n' >/tmp/policy; "
              "chmod +x /tmp/policy; disk=$(basename $(readlink -f /sys/block/vda/device)); "
              "irq=$(grep \"$disk\\$\" /proc/interrupts | sed 's/^ *//; s/:.*//'); "
              "cd /proc/irq/$irq")


def all_go_to(guest, cpu):
    """Of the disk's interrupts; the last of the old way may be on its way yet."""
    assert int(guest.run("cat smp_affinity"), 16) == 1 << cpu
    before = counts(guest, "^ *'$irq':")
    guest.run(f"until [ $(awk -v irq=$irq: '$1 == irq {{ print ${cpu + 2} }}' /proc/interrupts) "
              f"-gt {before[cpu] + 20} ]; do sleep 0.2; done", 120)
    more = [a - b for a, b in zip(counts(guest, "^ *'$irq':"), before)]
    print(cpu, more)
    assert sum(more) - more[cpu] <= 2


def offline_and_online(guest, cpus, times):
    guest.run(f"cd /sys/devices/system/cpu; for n in $(seq {times}); do for c in {cpus}; do "
              "echo 0 >cpu$c/online && [ $(cat cpu$c/online) = 0 ] && "
              "echo 1 >cpu$c/online || exit; done; done", 300)


def trouble(guest):
    return guest.run("dmesg | grep -E 'BUG|stall|INFO: task|I/O error' || true")


def test_affinity_and_hotplug(shyper):
    """irqbalance, hands that are quicker, and CPUs that go and come, while the disk is written."""
    shyper.daemon()
    shyper.config_guest(1, vcpus=3, harts=[1, 2, 3])
    shyper.run("vm boot vm1")
    guest = shyper.guest("vm1")
    guest.login()
    guest.write_for_ever("4M")
    prepare_balance(guest)
    for cpu, banned in (2, "0,1"), (0, "1,2"), (1, "0,2"):
        guest.run(balance(banned))
        all_go_to(guest, cpu)
    # Back and forth, in the middle of everything.
    guest.run(f"({balance(once='')} & echo $! >/tmp/pid)")
    guest.run("for n in $(seq 100); do for m in 1 2 4 7 6; do echo $m >smp_affinity; done; done",
              120)
    guest.run("echo 4 >smp_affinity")
    offline_and_online(guest, "2 1", 10)
    guest.run("kill $(cat /tmp/pid)")       # it has lived that long
    assert guest.run("cat online") == "0-2"
    assert guest.stop_writing() > 0
    assert trouble(guest) == ""
    shyper.run("vm remove vm1")


def test_affinity_and_hotplug_of_the_mvm(boot_mvm, tmp_path):
    """With two harts: its devices' wires go with their vCPU's file."""
    definition = (TOP / "config/mvm.dts").read_text()
    larger = definition.replace("vcpus = <1>", "vcpus = <2>").replace("harts = <0>",
                                                                      "harts = <0 1>")
    (tmp_path / "mvm.dts").write_text(larger)
    mvm = boot_mvm(MVM=tmp_path / "mvm.dts")
    assert mvm.run("nproc") == "2"
    mvm.run("rm -f /tmp/stop /tmp/bad; (until [ -e /tmp/stop ]; do "
            f"{fio('load', '4M', '/root/load')} >>/tmp/said || touch /tmp/bad; done; "
            "touch /tmp/done) & true")
    prepare_balance(mvm)
    for cpu in (1, 0, 1):
        mvm.run(balance(str(1 - cpu)))
        all_go_to(mvm, cpu)
    mvm.run(f"({balance(once='')} & echo $! >/tmp/pid)")
    offline_and_online(mvm, "1", 20)
    mvm.run("kill $(cat /tmp/pid); touch /tmp/stop; until [ -e /tmp/done ]; do sleep 0.2; done; "
            "[ ! -e /tmp/bad ]", 120)
    assert trouble(mvm) == ""
