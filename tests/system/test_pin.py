# SPDX-License-Identifier: BSD-2-Clause
"""vCPUs are moved from hart to hart, whatever they do."""
import re

import pytest

from guests import Shyper, compile_program, compile_tree
from machine import IRQ, TOP

HERE = TOP / "tests/system"
MOVED = TOP / "build/guest/moved.bin"


@pytest.fixture(autouse=True)
def payloads(make):
    make("guest-payloads")


SHARES = {"sched": {"policy": "priority"}}


def start(shyper, **more):
    """A ring of vCPUs that wake each other, at its console."""
    shyper.mvm.put(MOVED, "/root/moved.bin")
    shyper.config(**{"name": "m", "kernel": "moved.bin", "memory": "16M"} | more)
    shyper.run("vm boot m")
    listen(shyper, "m")


def listen(shyper, name, until="ring of"):
    """Its console: what it says to a file, what it hears by a descriptor."""
    shyper.mvm.run(f"rm -f in said; mkfifo in; (shyper vm console {name} <in >said 2>&1 &) ; "
                   f"exec 7>in; until grep -q '{until}' said; do sleep 0.1; done")


def move(shyper, *way, times=1, name="m"):
    """Moves, each (vCPU, hart), so often."""
    pins = " && ".join(f"shyper vm pin {name} {vcpu} {hart}" for vcpu, hart in way)
    said = shyper.mvm.run(f"n=0; while [ $n -lt {times} ]; do n=$((n + 1)); {pins} || break; "
                          "done 2>&1 >/dev/null; echo $n", 60 + 5 * times)
    assert said == str(times)


def goes_on(shyper):
    """Two reports later, of 256 rounds each."""
    shyper.mvm.run("n=$(grep -ac 'round ' said); until [ $(grep -ac 'round ' said) -ge "
                   "$((n + 2)) ]; do sleep 0.1; done", 180)


def ends(shyper, name="m"):
    """It has lost nothing."""
    goes_on(shyper)
    shyper.mvm.run("printf q >&7; until grep -q 'done ' said; do sleep 0.1; done; exec 7>&-", 60)
    said = shyper.mvm.run("tail -n 8 said")
    done = re.search(r"done (\d+) passed, (\d+) failed", said)
    assert done and done.group(2) == "0", said
    print(re.search("rounds.*", said).group())
    shyper.run(f"vm remove {name}")


def test_moves_of_a_running_vm(shyper):
    start(shyper, vcpus=2, harts=[1, 2])
    move(shyper, (1, 3), (0, 2), (0, 1), (1, 2), times=15)
    assert shyper.vm("m")["harts"] == [1, 2]
    ends(shyper)


def test_moves_between_files_and_memory(boot_mvm):
    """Each hart has one interrupt file, and that of hart 3 is another VM's, which sleeps."""
    shyper = Shyper(boot_mvm(IRQ="aia", AIA_GUESTS=1))
    shyper.mvm.put(TOP / "build/guest/counter.bin", "/root/counter.bin")
    shyper.config(name="other", kernel="counter.bin", memory="16M", harts=[3], **SHARES)
    shyper.run("vm boot other")
    start(shyper, vcpus=2, harts=[1, 2], **SHARES)
    move(shyper, (1, 3), (0, 2), (0, 1), (1, 2), (0, 3), (0, 1), times=8)
    ends(shyper)
    shyper.run("vm remove other")
    shyper.end()


def test_moves_of_one_that_does_not_run(shyper):
    shyper.mvm.put(MOVED, "/root/moved.bin")
    shyper.config(name="m", kernel="moved.bin", memory="16M", vcpus=2, harts=[1, 2])
    move(shyper, (0, 3), (0, 1), (1, 3))
    shyper.run("vm remove m")
    start(shyper, vcpus=2, harts=[1, 2])
    shyper.run("vm pause m")
    move(shyper, (0, 3), (1, 1), (1, 2), (0, 1), times=3)
    move(shyper, (0, 3))
    shyper.run("vm resume m")
    assert shyper.vm("m")["harts"] == [3, 2]
    goes_on(shyper)
    shyper.run("vm stop -f m")
    move(shyper, (0, 1), (1, 3))
    shyper.mvm.run("exec 7>&-")
    shyper.run("vm remove m")
    start(shyper, vcpus=1, harts=[1])
    move(shyper, (0, 2), (0, 3), (0, 1), times=10)
    ends(shyper)


def test_moves_of_one_that_starves(shyper):
    """From a hart that is busy with a more important VM: not booted, not begun, under way."""
    for name in ("spin", "counter"):
        shyper.mvm.put(TOP / f"build/guest/{name}.bin", f"/root/{name}.bin")
    shyper.config(name="busy", kernel="spin.bin", memory="16M", harts=[1],
                  sched={"policy": "priority", "priority": 9})
    shyper.run("vm boot busy")
    shyper.config(name="m", kernel="counter.bin", memory="16M", harts=[1], **SHARES)
    move(shyper, (0, 2), (0, 1), times=2)
    shyper.run("vm boot m")
    move(shyper, (0, 2), (0, 1), (0, 2), times=3)
    assert shyper.vm("m")["harts"] == [2]
    listen(shyper, "m", "count [0-9]")
    shyper.mvm.run("exec 7>&-")
    for name in ("m", "busy"):
        shyper.run(f"vm remove {name}")


@pytest.mark.parametrize("irq", sorted({IRQ, "aia"}))
def test_wires_follow(boot_mvm, tmp_path, irq):
    """The board's RTC is a VM's, and not the management VM's."""
    definition = (TOP / "config/mvm.dts").read_text()
    shorter = re.sub(r"\t\trtc \{\s*host-node[^}]*\};\n", "", definition)
    assert shorter != definition
    (tmp_path / "mvm.dts").write_text(shorter)
    compile_program(tmp_path / "wire_vm", HERE / "wire_vm.c", HERE / "vm.c")
    compile_tree((HERE / "wire_vm.dts").read_text(), tmp_path / "vm.dtb")
    shyper = Shyper(boot_mvm(MVM=tmp_path / "mvm.dts", IRQ=irq))
    for file in (tmp_path / "wire_vm", tmp_path / "vm.dtb", TOP / "build/guest/wire.bin"):
        shyper.mvm.put(file, f"/root/{file.name}")
    assert "booted" in shyper.mvm.run("chmod +x wire_vm; ./wire_vm vm.dtb wire.bin")
    listen(shyper, "disk-vm")
    move(shyper, (0, 2), (0, 3), (0, 1), times=8, name="disk-vm")
    ends(shyper, "disk-vm")


def test_refusals(shyper):
    shyper.mvm.put(MOVED, "/root/moved.bin")
    shyper.config(name="m", kernel="moved.bin", memory="16M", vcpus=2, harts=[1, 2])
    for words, text in (("m 2 3", "m has no vCPU 2; it has 2, from 0"),
                        ("m 0 9", "hart 9, which does not exist or did not start"),
                        ("m 0 0", "and this VM shares with nobody"),
                        ("m 0 2", "and this VM shares with nobody"),
                        ("0 0 3", "VM 0 is this machine")):
        assert text in shyper.fails(f"vm pin {words}")
    shyper.run("vm remove m")
    shyper.config(name="m", kernel="moved.bin", memory="16M", vcpus=2, harts=[1, 2], **SHARES)
    assert "serves another vCPU of this VM" in shyper.fails("vm pin m 0 2")
    assert "serves a vCPU that has it to itself" in shyper.fails("vm pin m 0 0")
    shyper.config(name="p", kernel="moved.bin", memory="16M", vcpus=1, harts=[3])
    assert "this VM shares with nobody" in shyper.fails("vm pin p 0 1")
    assert shyper.vm("m")["harts"] == [1, 2] and shyper.vm("p")["harts"] == [3]
    shyper.run("vm remove p")
    shyper.run("vm remove m")
