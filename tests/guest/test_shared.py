# SPDX-License-Identifier: BSD-2-Clause
"""Several VMs on the same harts: none sees anything of another, each has its time."""
import json
import re
import subprocess
from collections import Counter

import pytest

from machine import IMAGE_BASE, TOP

RV64, MAX, NO_SSTC = "rv64", "max", "rv64,sstc=off"
ICOUNT = "-icount shift=0,sleep=off"     # an instruction is 1 ns: lateness is exact


@pytest.fixture(scope="module", autouse=True)
def payloads(make):
    make("guest-payloads")


@pytest.fixture
def share(machine, tmp_path):
    """A function that starts payloads, each a VM with vCPUs on the same harts: name, definition of
    its share, and perhaps a command line.
    """

    def start(*vms, vcpus=1, harts=(), chip="plic", **variables):
        harts = harts or [list(range(vcpus))] * len(vms)
        tree = [{"kernel": str(TOP / f"build/guest/{payload}.bin"), "name": f"{payload}-{n}",
                 "memory": "64M", "vcpus": len(harts[n]), "harts": harts[n], "irqchip": chip,
                 "sched": {"policy": "priority"} | sched, "cmdline": "".join(cmdline)}
                for n, (payload, sched, *cmdline) in enumerate(vms)]
        definition, fit = tmp_path / "vms.json", tmp_path / "vms.itb"
        definition.write_text(json.dumps(tree))
        subprocess.run([TOP / "tools/mkvm.py", "--out", fit, "--vm", definition], check=True)
        return machine(FIT=fit, SMP=vcpus, MEMORY="512M", timeout=180, **variables)

    return start


def all_pass(guest, count):
    status = guest.wait()
    text = guest.output()
    bad = [line for line in text.split("\n") if "not ok " in line]
    assert not bad and status == 0, (status, bad[:20])
    # Who has the terminal repeats a line into which another's came.
    done = set(re.findall(r"\[(\S+)\] done (\d+) passed, (\d+) failed", text))
    assert len(done) == count and all(int(passed) and failed == "0" for _, passed, failed in done)


# Two that check themselves, on machines where that matters.
PAIRS = [
    *[(pair, 1, cpu, {}) for cpu in (MAX, NO_SSTC) for pair in (
        ("fp_vector", "fp_vector"), ("sbi_time", "fp_vector"))],
    # With AIA but without Smstateen nothing hides siselect from a VM that has a PLIC.
    *[(("csr_scan", "exceptions"), 1, cpu, {"IRQ": "plic"}) for cpu in (MAX, NO_SSTC)],
    *[(pair, 2, cpu, {}) for cpu in (MAX, NO_SSTC) for pair in (
        ("sbi_ipi", "sbi_rfence"), ("sbi_hsm", "plic"), ("sleep", "sleep"))],
    *[(("imsic", "imsic"), 2, MAX, {"IRQ": "aia", "AIA_GUESTS": n, "chip": "aplic"})
      for n in ("0", "1", "3")],
]


@pytest.mark.parametrize("pair, vcpus, cpu, more", PAIRS,
                         ids=lambda v: "-".join(v) if isinstance(v, tuple) else str(v))
def test_pair(share, pair, vcpus, cpu, more):
    all_pass(share(*[(payload, {}) for payload in pair], vcpus=vcpus, CPU=cpu, **more), 2)


@pytest.mark.parametrize("cpu", (MAX, NO_SSTC))
@pytest.mark.parametrize("hostile", ("spin", "sleep_storm", "sbi_fuzz"))
def test_priority_keeps_the_pace(share, cpu, hostile):
    """Microseconds of 1000 instructions, from when the timer is due to the guest's next line."""
    guest = share(("counter", {"priority": 9}), (hostile, {}), CPU=cpu, QEMUFLAGS=ICOUNT)
    for _ in range(12):
        assert int(guest.expect(r"count \d+ late (\d+) us").group(1)) <= 3


def test_budget_leaves_time_to_others(share):
    """The spinner has the higher priority, for 4 of every 7 ms."""
    guest = share(("counter", {}),
                  ("spin", {"priority": 9, "budget_us": 4000, "period_us": 7000}),
                  QEMUFLAGS=ICOUNT)
    late = [int(guest.expect(r"count \d+ late (\d+) us").group(1)) for _ in range(12)]
    assert max(late) <= 4003 and max(late) > 3


def test_equals_take_turns(share):
    """No one of three spinners nor the counter waits for more than the turns of the others."""
    guest = share(("counter", {}), ("spin", {}), ("spin", {}), ("spin", {}), QEMUFLAGS=ICOUNT)
    late = [int(guest.expect(r"count \d+ late (\d+) us").group(1)) for _ in range(6)]
    assert 3 < max(late) <= 15_010


@pytest.mark.parametrize("cpu", (MAX, RV64))
def test_fp_and_vector_are_private(share, cpu):
    """Three that use them check their own, one leaves them full at each of its ends."""
    guest = share(("fp_share", {}), ("fp_share", {}), ("fp_residue", {}), ("sleep_storm", {}),
                  CPU=cpu, QEMUFLAGS=ICOUNT)
    for _ in range(2):
        guest.expect(r"done \d+ passed, 0 failed")
    assert "not ok" not in guest.output() and guest.output().count("ok nothing was left") > 10


def after_wfi():
    """The address at which a hart that slept goes on."""
    code = subprocess.run(["riscv64-linux-gnu-objdump", "-d", "--disassemble=hart_loop",
                           TOP / "build/shyper.elf"], check=True, capture_output=True, text=True)
    return IMAGE_BASE + int(re.search(r"(\w+):\s+10500073\s+wfi", code.stdout).group(1), 16) + 4


def test_sleeping_harts_wake_for_guests_only(share, tmp_path):
    """10 s of two that want a timer ten times a second each; the other hart serves nobody."""
    log = tmp_path / "wakes.log"
    guest = share(("counter", {}), ("counter", {}), QEMUFLAGS=f"{ICOUNT} -smp 2 "
                  f"-d exec,nochain -dfilter {after_wfi():#x}+1 -D {log}")
    for number in (0, 1):
        guest.expect(rf"counter-{number}\] count 100 ")
    guest.close()
    wakes = Counter(re.findall(r"^Trace (\d+):", log.read_text(), re.MULTILINE))
    assert wakes["1"] <= 2 and 150 <= wakes["0"] <= 210, wakes


def test_steal_time(share):
    """What one says that it missed is what it sees missing; the other never sleeps."""
    guest = share(("sbi_sta", {}), ("spin", {}), ("spin", {"priority": 0}), QEMUFLAGS=ICOUNT)
    away, said = map(int, guest.expect(r"away (\d+) ns, said (\d+) ns").groups())
    assert away > 50_000_000 and abs(away - said) < away / 50 + 1_000_000
    guest.expect(r"done \d+ passed, 0 failed")


def test_steal_time_without_a_thief(share):
    """Six tenths of the time it has no budget, and the hart sleeps."""
    guest = share(("sbi_sta", {"budget_us": 4000, "period_us": 10000, "strict": True}),
                  QEMUFLAGS=ICOUNT)
    away, said = map(int, guest.expect(r"away (\d+) ns, said (\d+) ns").groups())
    assert 110_000_000 < away < 130_000_000 and abs(away - said) < away / 50 + 1_000_000
    guest.expect(r"done \d+ passed, 0 failed")


# What a guest that shares a hart may do, and what is left to another of the same rank at least.
DEEDS = [("spin", 495), ("wfi", 495), ("timers-past", 495), ("timers-anew", 495),
         ("timers-soon", 495), ("ipis", 495), ("ipis-wfi", 495), ("fences", 495),
         ("yields", 900), ("exits", 495)]


@pytest.mark.parametrize("deed, least, cpu", [(*deed, cpu) for deed in DEEDS
                                              for cpu in (MAX, NO_SSTC)
                                              if cpu == MAX or "timers" in deed[0]])
def test_greedy_neighbour_takes_its_half(share, deed, least, cpu):
    guest = share(("work", {}), ("greedy", {}, f"deed={deed}"), CPU=cpu, QEMUFLAGS=ICOUNT)
    had = [int(guest.expect(r"had (\d+) of 1000").group(1)) for _ in range(5)]
    print(deed, had)
    assert min(had[1:]) >= least


@pytest.mark.parametrize("deed", ("spin", "ipis", "ipis-wfi", "fences"))
def test_greedy_siblings_take_their_quarters(share, deed):
    """Two harts, whose turns QEMU deals out by its own rules: each has about half of the time, and
    each VM half of a hart. Fences concern all harts of their VM, so they cost others there.
    """
    guest = share(("work", {}), ("greedy", {}, f"deed={deed}"), vcpus=2, CPU=MAX,
                  QEMUFLAGS=ICOUNT)
    had = [int(guest.expect(r"had (\d+) of 1000").group(1)) for _ in range(5)]
    print(deed, had)
    assert min(had[1:]) >= 140


def test_fences_disturb_nobody_else(share):
    """2000 for a vCPU whose hart another VM has just now: it gets them when it comes back."""
    guest = share(("rfence_absent", {"priority": 9}), ("rfence_absent", {"priority": 1}),
                  vcpus=2, harts=([1], [0, 1]), LOGLEVEL="info", QEMUFLAGS=ICOUNT)
    all_pass(guest, 2)
    ipis = re.search(r"rfence_absent-0: exits \d+: .* ipi (\d+) ", guest.output())
    assert int(ipis.group(1)) <= 5


def test_resets_beside_another(share):
    """Two vCPUs reset their VM while they start each other, on harts that others use."""
    guest = share(("counter", {"priority": 9}), ("reset_storm", {}), vcpus=2)
    for _ in range(30):
        guest.expect(r"count \d+ late (\d+) us")
    assert guest.output().count("ok storm") > 10


def test_pinned_vcpu_keeps_its_hart(machine, tmp_path):
    """Definition trees are not compared with each other by the tool: Shyper refuses."""
    tree = """/dts-v1/;
    / { compatible = "shyper,vm-v1"; vm-name = "%s"; autostart; harts = <0>;
        #address-cells = <2>; #size-cells = <2>;
        kernel { image = "%s"; load = <0 0x80200000>; };
        memory@80000000 { reg = <0 0x80000000 0 0x4000000>; };
        sched { policy = "%s"; }; };"""
    arguments = []
    for name, policy in (("first", "pinned"), ("second", "priority")):
        file = tmp_path / f"{name}.dts"
        file.write_text(tree % (name, TOP / "build/guest/counter.bin", policy))
        arguments += ["--vm", file]
    subprocess.run([TOP / "tools/mkvm.py", "--out", tmp_path / "vms.itb", *arguments], check=True)
    guest = machine(FIT=tmp_path / "vms.itb", SMP=1, MEMORY="512M", timeout=60)
    guest.expect("second refused: node /, property harts: hart 0 for vCPU 0 serves another vCPU")
    guest.expect(r"count 3 ")
