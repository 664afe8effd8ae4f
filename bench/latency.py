#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How late a control loop of 1 kHz wakes up, in instructions, alone and beside hostile guests.

tests/guest/control.c has a hart and its higher priority; the others do their worst. A Linux boots,
makes and ends processes that fill memory, sleep for microseconds and print, and crashes, again and
again. The figures are exact, for QEMU runs with -icount shift=0; they are kept in
build/bench/latency.json.
usage: bench/latency.py [CPU]   (a CPU model of QEMU, default rv64)
"""
import json
import re
import subprocess
import sys

from switch import LINUX, OUT, TOP, shared

HOSTILE = ("alone", "spin", "sleep_storm", "sbi_fuzz", "mmio_fuzz", "hostile", "net", "linux")
LOAD = ("for i in 1 2 3; do while :; do dd if=/dev/urandom of=/tmp/$i bs=64k count=8 2>&1 | "
        "sha256sum; usleep 100; done & done; usleep 1500000; echo c >/proc/sysrq-trigger")
LINUX["linux"]["cmdline"] += f' run="{LOAD}"'  # typed, it would take the hart too
LINUX["net"] = {"nics": [{"mac": "02:00:00:00:00:06"}]}     # by it, it floods its switch
LINE = r"latency count {} max (\d+) p9999 (\d+) p99 (\d+) p50 (\d+)\r"


def measure(folder, other, count=10000, cpu="rv64", timeout=1800, **variables):
    """The loop beside this payload; count is one of those that control.c reports at."""
    vms = [("control", {"priority": 9})] + ([] if other == "alone" else [(other, {})])
    run = shared(folder / other, *vms, cpu=cpu, timeout=timeout, **variables)
    try:
        line = LINE.format(count)
        found = run.expect(line)
        run.expect("latency end")
        told = run.output().split(found.group(0).strip())[1]
        rows = re.findall(r"latency below (\d+): (\d+)", told)
    finally:
        run.close()
    names = ("max", "p9999", "p99", "p50")
    return {name: int(value) for name, value in zip(names, found.groups())} | {
        "histogram": {int(below): int(seen) for below, seen in rows}}


def main():
    cpu = sys.argv[1] if len(sys.argv) > 1 else "rv64"
    subprocess.run(["make", "-s", "all", "guest-payloads", "images"], cwd=TOP, check=True)
    found = {}
    print("{:14}{:>8}{:>8}{:>8}{:>8}".format("beside", "max", "p99.99", "p99", "p50"))
    for other in HOSTILE:
        found[other] = row = measure(OUT / "latency", other, cpu=cpu)
        print("{:14}{max:>8}{p9999:>8}{p99:>8}{p50:>8}".format(other, **row))
    (OUT / "latency.json").write_text(json.dumps({"cpu": cpu} | found, indent=1) + "\n")


if __name__ == "__main__":
    main()
