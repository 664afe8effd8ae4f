#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Instructions in HS-mode for an Ethernet frame from one card to another, besides its copy.

The payload tests/guest/bench_net.c has both cards. It runs on QEMU with -icount shift=0, so the
figures repeat. A frame of 1514 bytes costs as much more than one of 60 as copying the difference
does; what is left when all bytes are taken off at that price is the work besides the copy. The
figures are kept in build/bench/frames.json.
usage: bench/frames.py [CPU]   (a CPU model of QEMU, default rv64)
"""
import json
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from machine import TOP, Machine  # noqa: E402

OUT = TOP / "build/bench"
GOAL = 600


def measure(folder, cpu="rv64"):
    """{name: instructions}, by one run of the payload."""
    folder.mkdir(parents=True, exist_ok=True)
    definition, fit = folder / "vm.json", folder / "vm.itb"
    definition.write_text(json.dumps([{
        "name": "frames", "kernel": str(TOP / "build/guest/bench_net.bin"), "memory": "64M",
        "nics": [{}, {}]}]))
    subprocess.run([TOP / "tools/mkvm.py", "--out", fit, "--vm", definition], check=True)
    run = Machine(folder / "run", timeout=120, FIT=fit, SMP=1, MEMORY="512M", CPU=cpu, IRQ="plic",
                  QEMUFLAGS="-icount shift=0,sleep=off")
    try:
        run.expect(r"done (\d+) passed, 0 failed")
        found = {name: int(value) for name, value in
                 re.findall(r"bench (\w+) (\d+)", run.output())}
    finally:
        run.close()
    for how in "", "_alone":
        small, large = found[f"frame_60{how}"], found[f"frame_1514{how}"]
        found[f"copy{how}"] = (large - small) * 1514 // (1514 - 60)
        found[f"besides{how}"] = large - found[f"copy{how}"]
    return found


def main():
    subprocess.run(["make", "-s", "all", "guest-payloads"], cwd=TOP, check=True)
    found = measure(OUT / "frames", *sys.argv[1:2])
    print("instructions for a frame of 1514 bytes     64 at once   alone, with its exit")
    for name, text in (("frame_1514", "all"), ("copy", "its copy"),
                       ("besides", f"besides (goal {GOAL})")):
        print(f"{text:40}{found[name]:13}{found[name + '_alone']:13}")
    (OUT / "frames.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
