#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whole-machine instructions per operation: bare metal and Shyper, beside what others cost.

The payload tests/guest/bench.c runs on QEMU with -icount shift=0, where each executed instruction
is 1 ns, so the figures repeat exactly. They are kept in build/bench/exits.json.
usage: bench/exits.py [CPU]   (a CPU model of QEMU, default rv64)
"""
import json
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from machine import TOP, Machine  # noqa: E402

OUT = TOP / "build/bench"
PAYLOADS = TOP / "build/guest"

# Operation: its description, and Bao (PLIC), Xvisor, KVM 6.12, measured in the same way on QEMU
# 10.0.2 with OpenSBI 1.5, and what Shyper wants to reach.
OPERATIONS = {
    "null_call": ("null SBI call", 238, 735, 1175, 30),
    "set_timer": ("set_timer", 240, 758, 1231, 35),
    "stimecmp": ("write of stimecmp", 2, 2, 1, 2),
    "self_ipi": ("IPI to self, seen and cleared", 5185, 2451, 1737, 45),
    "fence_i": ("remote fence.i to self", 5042, 4547, 2143, 45),
    "hart_status": ("hart_get_status", 246, 836, 1373, 70),
    "plic_read": ("read of an emulated register", 284, 1084, 1491, 140),
    "lsr_read": ("read of the UART's LSR", None, 1099, 4011, 140),
    "ipi_round_trip": ("IPI round trip, two harts asleep", None, None, 28000, None),
    "plic_claim": ("PLIC claim, nothing pending", 27098, 1454, None, 160),
    "sswi_round_trip": ("IPI round trip, SSWI, asleep", None, None, None, 550),
    "msi_self": ("MSI to the own file, and claim", 6, None, None, 6),
    "msi_round_trip": ("MSI round trip, two harts asleep", None, None, None, 29),
}


def measure(folder, cpu="rv64", vcpus=1, payload="bench", **variables):
    """One run of the payload; returns {operation: instructions}. Two vCPUs: only the round trip."""
    run = Machine(folder, timeout=120, KERNEL=PAYLOADS / f"{payload}.bin", CPU=cpu, VCPUS=vcpus,
                  MEM="64M",
                  QEMUFLAGS="-icount shift=0,sleep=off",
                  **{"GUEST_IRQ": "plic"} | variables)
    try:
        status = run.wait()
        found = re.findall(r"bench (\w+) (\d+)", run.output())
    finally:
        run.close()
    if status or not found:
        sys.exit(f"the benchmark ended with status {status}; see {run.log}")
    return {name: int(value) for name, value in found}


def measure_messages(folder, cpu="rv64", vcpus=1, **variables):
    """MSIs on a machine with AIA; the bare board's files are a page apart if AIA_GUESTS=0."""
    return measure(folder, cpu, vcpus, "bench_msi", GUEST_IRQ="", IRQ="aia", **variables)


def measure_sswi(folder, cpu="rv64", **variables):
    """The IPI between two harts where Shyper has the ACLINT's SSWI."""
    found = measure(folder, cpu, 2, IRQ="aclint", **variables)
    return {"sswi_round_trip": found["ipi_round_trip"]}


def show(bare, shyper):
    row = "{:32}" + 6 * "{:>9}"
    print(row.format("instructions", "bare", "Bao", "Xvisor", "KVM", "Shyper", "goal"))
    for name, (text, bao, xvisor, kvm, goal) in OPERATIONS.items():
        cells = (bare.get(name), bao, xvisor, kvm, shyper.get(name), goal)
        print(row.format(text, *("–" if cell is None else cell for cell in cells)))


def main():
    cpu = sys.argv[1] if len(sys.argv) > 1 else "rv64"
    subprocess.run(["make", "-s", "all", "guest-payloads"], cwd=TOP, check=True)
    bare = measure(OUT / "exits-bare", cpu, BARE=1)
    bare |= measure(OUT / "exits-bare-2", cpu, 2, BARE=1)
    shyper = measure(OUT / "exits-shyper", cpu) | measure(OUT / "exits-shyper-2", cpu, 2)
    shyper |= measure_sswi(OUT / "exits-sswi", cpu)
    for vcpus in (1, 2):
        bare |= measure_messages(OUT / f"msi-bare-{vcpus}", cpu, vcpus, BARE=1, AIA_GUESTS=0)
        shyper |= measure_messages(OUT / f"msi-shyper-{vcpus}", cpu, vcpus)
    show(bare, shyper)
    (OUT / "exits.json").write_text(json.dumps({"cpu": cpu, "bare": bare, "shyper": shyper},
                                               indent=1) + "\n")


if __name__ == "__main__":
    main()
