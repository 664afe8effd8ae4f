#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two Linux guests with 3 and 2 vCPUs on harts 1 to 3 and 2 to 3, fio and stress-ng --cpu in both.

Each has a budget in percent of its harts: what each has had of them, as Shyper counts it; and each
process looks whether FP and vector registers still have its own patterns. Time is virtual: QEMU
counts instructions, so that the host's other work does not matter.
usage: bench/shares.py [SECONDS [PERCENT PERCENT [VARIABLE=value…]]]
(default 600, 70 and 30; variables of make run)
"""
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import pair  # noqa: E402
from guests import Shyper  # noqa: E402
from machine import TOP  # noqa: E402
from mvm import Mvm  # noqa: E402

GOAL = 2    # percent


def measure(shyper, folder, seconds, percent):
    pair.put_registers(shyper, folder)
    guests = pair.start(shyper)
    pair.set_shares(shyper, percent)
    pair.keep_busy(guests)
    had = pair.had(shyper, seconds)
    return had, pair.stop(guests)


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    percent = tuple(map(int, sys.argv[2:4])) if len(sys.argv) > 3 else (70, 30)
    variables = {"CPU": "max"} | pair.VIRTUAL
    variables |= dict(a.split("=", 1) for a in sys.argv[4:])
    subprocess.run(["make", "-s", "all", "images", "cli", "kmod"], cwd=TOP, check=True)
    folder = TOP / "build/bench/shares"
    mvm = Mvm(folder, timeout=900, **variables)
    mvm.login()
    had, said = measure(Shyper(mvm), folder, seconds, percent)
    mvm.close()
    off = 0.0
    for (hart, vm), share in sorted(had.items()):
        off = max(off, abs(share - percent[vm - 1]))
        print(f"hart {hart}, VM {vm}: {share:7.3f} % of {seconds} s, set to {percent[vm - 1]} %")
    for vm, (rounds, mismatches) in said.items():
        print(f"VM {vm}: {mismatches} mismatches of registers in {rounds} rounds")
    sys.exit(off > GOAL or any(mismatches for _, mismatches in said.values()))


if __name__ == "__main__":
    main()
