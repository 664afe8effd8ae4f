#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Linux, 1 vCPU, start to init: CPU time of QEMU under Shyper over bare metal, and the exits.

Runs alternate between the two so that the host's mood falls on both alike; medians of RUNS.
usage: bench/boot.py [RUNS [VARIABLE=value…]]   (variables of make run-guest, default RUNS 5)
"""
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from machine import INITRD, LINUX, TOP, Machine  # noqa: E402

OUT = TOP / "build/bench"
CMDLINE = "console=ttyS0 quiet"


def boot(folder, **variables):
    """One boot; returns QEMU's user seconds and the guest's uptime at init, and the machine."""
    guest = Machine(folder, timeout=120, CMDLINE=CMDLINE, **variables)
    uptime = guest.boot()
    return guest.user_seconds(), uptime, guest


def bare(variables):
    seconds, uptime, guest = boot(OUT / "bare", KERNEL=LINUX, INITRD=INITRD, BARE=1, **variables)
    guest.close()
    return seconds, uptime


def shyper(variables):
    seconds, uptime, guest = boot(OUT / "shyper", KERNEL=LINUX, INITRD=INITRD, LOGLEVEL="info",
                                  **variables)
    guest.send("poweroff -f")
    status = guest.wait()
    guest.close()
    if status:
        sys.exit(f"the guest's power-off ended QEMU with status {status}; see {guest.log}")
    return seconds, uptime, guest.output()


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    variables = {"VCPUS": 1, "MEM": "256M"} | dict(a.split("=", 1) for a in sys.argv[2:])
    subprocess.run(["make", "-s", "all", "images"], cwd=TOP, check=True)
    results = {"bare": [], "Shyper": []}
    log = ""
    for _ in range(runs):
        results["bare"].append(bare(variables))
        *figures, log = shyper(variables)
        results["Shyper"].append(figures)
    print(f"Linux to init, medians of {runs} runs: QEMU's user time, guest's uptime at init")
    median = {}
    for name, figures in results.items():
        median[name] = [statistics.median(column) for column in zip(*figures)]
        print("  {:8} {:6.2f} s {:6.2f} s".format(name, *median[name]))
    ratios = [a / b for a, b in zip(median["Shyper"], median["bare"])]
    print("  {:8} {:6.2f}   {:6.2f}".format("ratio", *ratios))
    print("Shyper's log of the last run, from the guest's stop on:")
    lines = [line for line in log.split("\n") if "exit" in line]
    print("\n".join(f"  {line}" for line in lines) or "  (no exits reported)")


main()
