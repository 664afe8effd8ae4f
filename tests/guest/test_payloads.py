# SPDX-License-Identifier: BSD-2-Clause
"""Runs the guest payloads, each in a fresh QEMU: one static VM under Shyper.

SHYPER_TEST_BARE=1 runs them on QEMU's own board with OpenSBI instead, to check the payloads.
"""
import json
import os
import re
import subprocess
from dataclasses import dataclass, field

import pytest

from machine import IMAGE_BASE, TOP
from terminal import SCALE

BARE = os.environ.get("SHYPER_TEST_BARE") == "1"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
RV64, MAX, NO_SSTC = "rv64", "max", "rv64,sstc=off"


@dataclass
class Case:
    """One payload on one machine. talk: pairs of what to wait for and what to type then."""
    payload: str
    cpu: str = RV64
    vcpus: int = 1
    talk: list = field(default_factory=list)
    status: object = 0  # QEMU's exit status, or "failure" for any but 0
    finishes: bool = True  # prints its `done` line
    more: dict = field(default_factory=dict)  # variables of make run-guest
    bare: bool = True  # makes sense on the bare board too

    def __str__(self):
        parts = [self.payload, self.cpu.replace(",", "-"), str(self.vcpus)]
        typed = [typed[:1] for _, typed in self.talk]
        return "-".join(parts + [str(v) for v in self.more.values()] + typed)


def each(payload, cpus=(RV64,), vcpus=(1,), **rest):
    return [Case(payload, cpu, n, **rest) for cpu in cpus for n in vcpus]


def reboots(keys, last, status, **rest):
    ready = "reset ready"
    return Case("reset", talk=[(ready, k) for k in keys + last], status=status, finishes=False,
                **rest)


DIRECT = {"IRQ": "aplic"}       # QEMU's keeps a level pending that has fallen
HLVX = {"QEMUFLAGS": "-append hlvx=1"}  # Shyper reads the instruction itself, as if htinst were 0

CASES = [
    *each("sbi_base", (RV64, MAX, NO_SSTC), (2,)),
    *each("sbi_time", (RV64, MAX, NO_SSTC), (1,)),
    *each("sbi_ipi", (RV64, NO_SSTC), (1, 2, 4)),
    *each("sbi_rfence", (RV64, MAX), (1, 2, 4)),
    *each("sbi_hsm", (RV64, NO_SSTC), (1, 2, 4)),
    *each("sbi_dbcn", talk=[("dbcn send", "shyper")]),
    *each("sbi_legacy", talk=[("legacy send", "k")]),
    *each("sbi_sta", (RV64,), (1,), more={"QEMUFLAGS": "-icount shift=0,sleep=off"}, bare=False),
    *each("sbi_susp", (RV64, NO_SSTC), (1, 3), talk=[("susp send", "k")], bare=False),
    *each("sbi_pmu", (RV64, MAX)),
    *each("sbi_fuzz", (RV64, MAX), (2,)),
    reboots("", "s", 0),
    reboots("", "f", "failure", bare=False),  # OpenSBI 1.5 ends QEMU with 0 here
    reboots("", "p", 0),
    reboots("", "x", "failure"),
    reboots("cwr", "s", 0, vcpus=2),
    reboots("hch", "s", 0, vcpus=4),
    reboots("cwr", "p", 0, cpu=NO_SSTC, vcpus=2),
    *each("plic", (RV64, NO_SSTC), (1, 2, 4)),
    *each("imsic", (RV64, MAX), (1, 2, 4), more={"IRQ": "aia", "AIA_GUESTS": "0"}),
    *each("imsic", (RV64, MAX), (1, 2, 4), more={"IRQ": "aia", "AIA_GUESTS": "1"}, bare=False),
    *each("imsic", more={"IRQ": "aia", "AIA_GUESTS": "7"}, bare=False),
    *each("imsic", more={"IRQ": "aia", "AIA_GUESTS": "0"} | HLVX, bare=False),
    *each("uart", talk=[("uart send", "abc"), ("uart flood", LETTERS * 2)]),
    *each("uart", talk=[("uart send", "abc"), ("uart flood", LETTERS * 2)], more=DIRECT,
          bare=False),
    *each("rtc", (RV64, NO_SSTC)),
    *each("rtc", more=DIRECT, bare=False),
    *each("time", vcpus=(1, 2)),
    *each("smp", vcpus=(1, 2, 8, 16)),
    *each("dtcheck", (RV64, MAX, NO_SSTC), (1, 4)),
    *each("exceptions", (RV64, MAX)),
    *each("unknown_mmio", (RV64, MAX)),
    *each("unknown_mmio", more=HLVX, bare=False),
    *each("mmio_insn", (RV64, MAX)),
    *each("mmio_insn", (RV64, MAX), more=HLVX, bare=False),
    *each("mmio_fuzz", (RV64, MAX), (2,)),
    *each("mmio_fuzz", more=HLVX, bare=False),
    *each("virtual_insn", (RV64, MAX)),
    *each("csr_scan", (RV64, MAX, NO_SSTC), bare=False),
    *each("fp_vector", (RV64, MAX), (1, 2)),
    *each("hypercall", bare=False),
]
CASES = [c for c in CASES if c.bare or not BARE]


@pytest.fixture(scope="session", autouse=True)
def payloads(make):
    make("guest-payloads")


def image(name):
    return TOP / f"build/guest/{name}.bin"


def start(machine, case):
    variables = {"BARE": 1} if BARE else {}
    if case.payload == "plic":      # on every machine
        variables["GUEST_IRQ"] = "plic"
    return machine(KERNEL=image(case.payload), CPU=case.cpu, VCPUS=case.vcpus, MEM="64M",
                   timeout=120, **variables, **case.more)


@pytest.mark.skipif(BARE, reason="about Shyper")
@pytest.mark.parametrize("cpu, boot_hart", ((RV64, 0), (RV64, 1), (MAX, 0), (NO_SSTC, 0)))
def test_hypercalls_of_an_mvm(machine, static_vms, cpu, boot_hart):
    fit = static_vms({"name": "mvm", "kernel": str(image("hypercall")), "harts": [0],
                      "management": True,
                      "nics": [{"switch": "own", "vlan": 9, "locked": True}]})
    guest = machine(FIT=fit, SMP=2, MEMORY="512M", CPU=cpu, boot_hart=boot_hart,
                    timeout=180)
    assert guest.wait() == 0, guest.output()[-3000:]
    assert re.search(r"done \d\d\d+ passed, 0 failed", guest.output())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_payload(machine, case):
    guest = start(machine, case)
    for wait_for, typed in case.talk:
        guest.expect(wait_for)
        guest.send(typed)
    status = guest.wait()
    text = guest.output()
    bad = [line for line in text.split("\n") if "not ok " in line]
    assert not bad, f"{len(bad)} checks failed, see {guest.log}:\n" + "\n".join(bad[:20])
    if case.finishes:
        done = re.search(r"done (\d+) passed, (\d+) failed", text)
        assert done and int(done.group(1)) > 0 and done.group(2) == "0", text[-2000:]
    if case.status == "failure":
        assert status > 0
    else:
        assert status == case.status


@pytest.mark.skipif(BARE, reason="about Shyper")
def test_log_tells_but_does_not_flood(machine):
    guest = start(machine, Case("unknown_mmio"))
    assert guest.wait() == 0
    assert 1 <= len(re.findall("load of 0x8 at pc .* refused: access fault", guest.output())) <= 20


@pytest.fixture
def static_vms(tmp_path):
    """A function that makes a boot image of VMs, each given as for mkvm.py's JSON."""

    def make_image(*vms):
        definition, fit = tmp_path / "vms.json", tmp_path / "vms.itb"
        definition.write_text(json.dumps([{"memory": "64M"} | vm for vm in vms]))
        subprocess.run([TOP / "tools/mkvm.py", "--out", fit, "--vm", definition], check=True)
        return fit

    return make_image


@pytest.mark.skipif(BARE, reason="about Shyper")
@pytest.mark.parametrize("neighbour", ["spin", "crash_stack", "mmio_fuzz", "sbi_fuzz",
                                       "unknown_mmio", "smp"])
def test_neighbour_does_not_pause(machine, static_vms, neighbour):
    """One VM misbehaves; the other's counter keeps its pace (a busy host may delay both)."""
    fit = static_vms({"name": "good", "kernel": str(image("counter")), "harts": [0]},
                     {"name": "bad", "kernel": str(image(neighbour)), "harts": [1, 2],
                      "vcpus": 2})
    guest = machine(FIT=fit, SMP=3, MEMORY="512M", CPU=RV64, timeout=120)
    guest.expect("bad.*ok ")
    for _ in range(30):
        late = int(guest.expect(r"count \d+ late (\d+) us").group(1))
        assert late < 3_000_000 * SCALE


@pytest.mark.skipif(BARE, reason="about Shyper")
@pytest.mark.parametrize("board", [{"IRQ": "aia", "AIA_GUESTS": "0"},
                                   {"IRQ": "aia", "AIA_GUESTS": "1", "CPU": MAX},
                                   {"IRQ": "aia", "AIA_GUESTS": "3"}, {"IRQ": "aplic"}],
                         ids=lambda v: "-".join(v.values()))
def test_abuse_of_the_irqchip_stays_at_home(machine, static_vms, board):
    """One VM does to its APLIC and IMSIC what it can; another would hear any of it."""
    fit = static_vms({"name": "victim", "kernel": str(image("aia_victim")), "harts": [0]},
                     {"name": "abuser", "kernel": str(image("aia_abuse")), "harts": [1, 2],
                      "vcpus": 2})
    guest = machine(FIT=fit, SMP=3, MEMORY="512M", timeout=300, **board)
    guest.expect("victim clean 1\r*\n")
    done = guest.expect(r"done (\d+) passed, (\d+) failed", timeout=240)
    guest.expect("victim clean")
    guest.expect("victim clean")
    bad = [line for line in guest.output().split("\n") if "not ok " in line]
    assert not bad and done.group(2) == "0", bad
    assert "victim hit" not in guest.output()


@pytest.mark.skipif(BARE, reason="about Shyper")
def test_neighbour_survives_resets(machine, static_vms):
    """Four vCPUs reset their VM while they start each other, some hundred times."""
    fit = static_vms({"name": "good", "kernel": str(image("counter")), "harts": [0]},
                     {"name": "bad", "kernel": str(image("reset_storm")), "memory": "16M",
                      "harts": [1, 2, 3, 4], "vcpus": 4})
    guest = machine(FIT=fit, SMP=5, MEMORY="512M", LOGLEVEL="info", timeout=120)
    for _ in range(80):
        late = int(guest.expect(r"count \d+ late (\d+) us").group(1))
        assert late < 3_000_000 * SCALE
    lives, logged = (guest.output().count(text) for text in ("[bad] ok storm", "starting again"))
    assert lives > 40 and 10 <= logged < lives / 2


@pytest.mark.skipif(BARE, reason="about Shyper")
def test_crashes_restart_as_often_as_allowed(machine, static_vms):
    """Three lives more, then it stays stopped; without a policy there is one life."""
    fit = static_vms({"name": "bad", "kernel": str(image("crash_vector")), "harts": [1],
                      "on_crash": "restart", "max_restarts": 3},
                     {"name": "once", "kernel": str(image("crash_vector")), "harts": [2]},
                     {"name": "good", "kernel": str(image("sbi_base")), "harts": [0]})
    guest = machine(FIT=fit, SMP=3, MEMORY="512M", LOGLEVEL="info", timeout=60)
    assert guest.wait() == 1
    text = guest.output()
    for name, again in (("bad", 3), ("once", 0)):
        assert len(re.findall(rf"{name}: stopped by Shyper: .*trap vector", text)) == again + 1
        assert len(re.findall(rf"{name}: crashed \(code 0\), starting again", text)) == again
        assert len(re.findall(rf"{name}: crashed \(code 0\)\n", text)) == 1
    assert "good: powered off" in text


@pytest.mark.skipif(BARE, reason="about Shyper")
def test_first_ends_before_second_is_made(machine, static_vms):
    fit = static_vms({"name": "quick", "kernel": str(image("sbi_base")), "harts": [1]},
                     {"name": "late", "kernel": str(image("counter")), "harts": [2],
                      "memory": "512M"})
    guest = machine(FIT=fit, SMP=3, MEMORY="1G", timeout=60)
    guest.expect("late.*count 3 ")


def word_of(guest, symbol, size):
    """What Shyper has in a variable, by QEMU's monitor."""
    names = subprocess.run(["riscv64-linux-gnu-nm", TOP / "build/shyper.elf"], check=True,
                           capture_output=True, text=True).stdout
    offset = int(re.search(rf"^(\w+) b {symbol}$", names, re.MULTILINE).group(1), 16)
    guest.send("\x01c")
    guest.expect(r"\(qemu\)")
    guest.send(f"xp /1{size}x {IMAGE_BASE + offset:#x}")
    value = int(guest.expect(r"[0-9a-f]{16}: 0x([0-9a-f]+)\r").group(1), 16)
    guest.send("\x01c")
    return value


@pytest.mark.skipif(BARE, reason="about Shyper")
def test_mvm_leaves(machine, static_vms):
    """It pauses and stops two that reset all the time; what it had registered ends with it."""
    bad = {"kernel": str(image("reset_storm")), "memory": "16M", "vcpus": 2}
    fit = static_vms({"name": "mvm", "kernel": str(image("leave")), "harts": [0],
                      "management": True},
                     bad | {"name": "bad-1", "harts": [1, 2]},
                     bad | {"name": "bad-2", "harts": [3, 4]},
                     {"name": "good", "kernel": str(image("counter")), "harts": [5]})
    guest = machine(FIT=fit, SMP=6, MEMORY="512M", LOGLEVEL="info", boot_hart=5, timeout=180)
    guest.expect(r"\] hart 5: mvm: VM 0, 1 vCPU")
    guest.expect(r"mvm\] done \d+ passed, 0 failed")
    guest.expect(r"mvm: powered off")
    guest.expect(r"good\] count")
    assert word_of(guest, "events", "g") == 0 and word_of(guest, "on", "b") == 0
    guest.expect(r"good\] count")


@pytest.mark.skipif(BARE, reason="about Shyper")
def test_flood_of_output_leaves_others_their_turn(machine, static_vms):
    """Two vCPUs print without end. The terminal is shared, so the other's lines may be late."""
    fit = static_vms({"name": "good", "kernel": str(image("counter")), "harts": [0]},
                     {"name": "bad", "kernel": str(image("flood")), "harts": [1, 2],
                      "vcpus": 2})
    guest = machine(FIT=fit, SMP=3, MEMORY="512M", timeout=120)
    guest.expect("bad.*flood")
    for number in range(10, 40, 10):
        guest.expect(f"count {number} ", timeout=20)


@pytest.mark.skipif(BARE, reason="about Shyper")
@pytest.mark.parametrize("irq", ("plic", "aia"))
def test_network(machine, static_vms, irq):
    """One VM does to its network card and its neighbours whatever a guest can do."""
    vms = [{"name": name, "kernel": str(image("net")),
            "nics": [{"mac": f"02:00:00:00:00:{n:02x}"} | more]}
           for n, (name, more) in enumerate((("tester", {}), ("echo", {}), ("deaf", {}),
                                             ("plain", {}), ("apart", {"vlan": 7})), 1)]
    guest = machine(FIT=static_vms(*vms), SMP=5, MEMORY="1G", IRQ=irq, timeout=180)
    done = guest.expect(r"done (\d+) passed, (\d+) failed", timeout=150)
    bad = [line for line in guest.output().split("\n") if "not ok " in line]
    assert int(done.group(1)) > 200 and done.group(2) == "0", "\n".join(bad[:20])
    assert "[apart] heard" not in guest.output()


@pytest.mark.skipif(BARE, reason="about Shyper")
def test_network_limits(machine, static_vms):
    """A card with a rate of its own and a smaller MTU."""
    vms = [{"name": name, "kernel": str(image("net")),
            "nics": [{"mac": f"02:00:00:00:00:{role:02x}"} | more]}
           for name, role, more in (("tester", 8, {"rate": "80K", "mtu": 600}), ("echo", 2, {}))]
    guest = machine(FIT=static_vms(*vms), SMP=2, MEMORY="512M", timeout=120)
    done = guest.expect(r"done (\d+) passed, (\d+) failed", timeout=100)
    assert int(done.group(1)) > 5 and done.group(2) == "0", guest.output()
