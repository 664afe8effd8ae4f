#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Instructions in HS-mode for an Ethernet frame from one card to another, besides its copy.

The payload tests/guest/bench_net.c has both cards. It runs on QEMU with -icount shift=0, so the
figures repeat. A frame costs as much more than a shorter one of the same shape as copying the
difference does; what is left when all bytes are taken off at that price is the work besides the
copy. The figures are kept in build/bench/frames.json.
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
GOAL = 600	# of a frame of 1514 bytes

# Shapes of the payload: the sizes of their frames, how they lie.
SHAPES = {
    "one": (60, 1514, "in one piece"),
    "two": (790, 1514, "headers, data"),
    "five": (790, 1514, "headers, data in 4 pieces"),
    "large": (32646, 65226, "headers, 16 pages; 16 buffers"),
}


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
    for shape, (less, size, _) in SHAPES.items():
        for how in "", "_alone":
            small, whole = found[f"{shape}_{less}{how}"], found[f"{shape}_{size}{how}"]
            copy = (whole - small) * size // (size - less)
            found |= {f"{shape}{how}": whole, f"{shape}_copy{how}": copy,
                      f"{shape}_besides{how}": whole - copy}
    return found


def main():
    subprocess.run(["make", "-s", "all", "guest-payloads"], cwd=TOP, check=True)
    found = measure(OUT / "frames", *sys.argv[1:2])
    row = "{:>6}  {:32}" + 6 * "{:>9}"
    print(f"instructions for a frame; besides its copy, the goal at 1514 bytes is {GOAL}")
    print(row.format("bytes", "", "many", "copy", "besides", "alone", "copy", "besides"))
    for shape, (_, size, text) in SHAPES.items():
        print(row.format(size, text, *(found[f"{shape}{part}{how}"] for how in ("", "_alone")
                                       for part in ("", "_copy", "_besides"))))
    (OUT / "frames.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
