#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Linux, 1 vCPU, start to init: CPU time of QEMU under Shyper over bare metal, and the exits.

Two spans: all, from the start of QEMU; guest, from the guest's first instruction, without loading
(which Shyper does itself, and QEMU on bare metal). Runs alternate, so that the host's mood falls
on both alike; the figures are medians.
usage: bench/boot.py [RUNS [VARIABLE=value…]]   (default 5; variables of make run-guest)
"""
import re
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from machine import INIT, INITRD, LINUX, TOP, Machine  # noqa: E402

COMMON = {"KERNEL": LINUX, "INITRD": INITRD, "VCPUS": 1, "MEM": "256M"}
FIRMWARE_DONE = "Boot HART MEDELEG"
GUEST_STARTS = "VM 0, 1 vCPU"


def boot(name, start, cmdline, **variables):
    """One boot: QEMU's user seconds in all and in the guest, guest uptime at init; the machine."""
    guest = Machine(TOP / "build/bench" / name, timeout=120, CMDLINE=cmdline, **variables)
    guest.expect(start)
    before = guest.user_seconds()
    uptime = float(guest.expect(INIT).group(1))
    after = guest.user_seconds()
    return (after, after - before, uptime), guest


def measure(name, start, variables):
    figures, guest = boot(name, start, "console=ttyS0 quiet", **variables)
    guest.close()
    return figures


def report_exits(variables):
    """A boot that ends at init, for what Shyper says about it: the memory map and the exits."""
    _, guest = boot("exits", GUEST_STARTS, "console=ttyS0 quiet guest.off", **variables)
    status = guest.wait()
    guest.close()
    if status:
        sys.exit(f"the guest's power-off ended QEMU with status {status}; see {guest.log}")
    for line in guest.output().split("\n"):
        if re.search(r"exits|Sv\d\d", line):
            print(f"  {line}")


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    variables = COMMON | dict(a.split("=", 1) for a in sys.argv[2:])
    under = variables | {"LOGLEVEL": "info"}
    subprocess.run(["make", "-s", "all", "images"], cwd=TOP, check=True)
    bare, shyper = [], []
    for _ in range(runs):
        bare.append(measure("bare", FIRMWARE_DONE, variables | {"BARE": 1}))
        shyper.append(measure("shyper", GUEST_STARTS, under))
    rows = {"bare": bare, "Shyper": shyper}
    rows = {name: [statistics.median(c) for c in zip(*runs_)] for name, runs_ in rows.items()}
    rows["ratio"] = [s / b for s, b in zip(rows["Shyper"], rows["bare"])]
    print(f"Linux to init, medians of {runs} runs: user time in all, in the guest; guest uptime")
    for name, row in rows.items():
        print("  {:8} {:7.2f} {:7.2f} {:7.2f}".format(name, *row))
    print("Start to init alone, as Shyper's log says:")
    report_exits(under)


main()
