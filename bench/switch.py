#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Instructions from the last one of a guest to the first one of another, on one hart.

Two VMs execute tests/guest/bench_switch.c with -icount shift=0 and give their turn to each other by
WRS.NTO. QEMU writes down every instruction of some of these turns, which are then counted by
function: the world switch is what saves and loads registers, the rest decides.
usage: bench/switch.py [CPU]   (a CPU model of QEMU, default rv64)
"""
import bisect
import json
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from machine import TOP, Machine  # noqa: E402

OUT = TOP / "build/bench"
IMAGE_BASE = 0x80200000
ICOUNT = "-icount shift=0,sleep=off"

# Functions that move registers, and no others.
WORLD = {"trap_entry", "resume", "leave", "arch_vcpu_load", "switch_fp", "switch_vector",
         "units_load", "fp_out_in", "fp_in", "vec_save", "vec_restore", "vcpu_enter",
         "arch_vcpu_enter"}


# What may stand where a payload's name does.
LINUX = {"linux": {"kernel": str(TOP / "build/images/linux/Image"), "memory": "256M",
                   "initrd": str(TOP / "build/images/linux/initrd.gz"),
                   "cmdline": "console=ttyS0 quiet panic=1", "on_crash": "restart"}}


def shared(folder, *vms, cpu="rv64", flags=ICOUNT, timeout=600, **variables):
    """A machine with these VMs, (payload, sched), on its only hart."""
    folder.mkdir(parents=True, exist_ok=True)
    tree = [{"kernel": str(TOP / f"build/guest/{payload}.bin"), "name": f"{payload}-{n}",
             "memory": "64M", "harts": [0],
             "irqchip": "aplic" if variables.get("IRQ") == "aia" else "plic",
             "sched": {"policy": "priority"} | sched} | LINUX.get(payload, {})
            for n, (payload, sched) in enumerate(vms)]
    definition, fit = folder / "vms.json", folder / "vms.itb"
    definition.write_text(json.dumps(tree))
    subprocess.run([TOP / "tools/mkvm.py", "--out", fit, "--vm", definition], check=True)
    return Machine(folder, timeout=timeout, FIT=fit, SMP=1, MEMORY="512M", CPU=cpu,
                   QEMUFLAGS=flags, **variables)


def totals(folder, cpu="rv64"):
    """Whole turns, as the guests themselves count them: {state of the units: instructions}."""
    run = shared(folder, ("bench_switch", {}), ("bench_switch", {}), cpu=cpu)
    try:
        run.wait()
        found = re.findall(r"bench_switch-0\] bench (\w+) (\d+)", run.output())
    finally:
        run.close()
    return {name: int(value) for name, value in found}


def record(folder, after, cpu="rv64", size=1_500_000):
    """The machine's instructions, once it has printed this: [(address, in Shyper)]."""
    log, monitor = folder / "exec.log", folder / "monitor"
    for path in (log, monitor):
        path.unlink(missing_ok=True)
    run = shared(folder, ("bench_switch", {}), ("bench_switch", {}), cpu=cpu,
                 flags=f"{ICOUNT} -accel tcg,one-insn-per-tb=on "
                       f"-monitor unix:{monitor},server,nowait")
    try:
        run.expect(after)
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(monitor))
            line.sendall(f"logfile {log}\nlog exec,nochain\n".encode())
            end = time.monotonic() + 60
            while time.monotonic() < end and (not log.exists() or log.stat().st_size < size):
                time.sleep(0.05)
            line.sendall(b"log none\nquit\n")
            run.wait()
    finally:
        run.close()
    trace = re.compile(r"\[[0-9a-f]+/([0-9a-f]+)/([0-9a-f]+)/")
    return [(int(found[1], 16), is_hs(int(found[2], 16)))
            for found in map(trace.search, log.read_text(errors="replace").splitlines()) if found]


def is_hs(flags):
    """QEMU's flags of a block of translated code: neither virtualized nor M-mode."""
    return bool(flags & 0x80000000) and not flags & 4


def functions():
    nm = subprocess.run(["riscv64-linux-gnu-nm", "-n", TOP / "build/shyper.elf"],
                        check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in nm.splitlines()]
    return [(int(at, 16), name) for at, kind, name in rows if kind in "tTwW" and name[0] != "."]


def turns(trace):
    """Per stay in Shyper, its instructions by function."""
    names = functions()
    starts = [at for at, _ in names]
    stay = Counter()
    for address, hs in trace:
        if hs:
            stay[names[bisect.bisect_right(starts, address - IMAGE_BASE) - 1][1]] += 1
        elif stay:
            yield stay
            stay = Counter()


def breakdown(folder, after, cpu="rv64"):
    """The commonest turn: {function: instructions}."""
    stays = Counter(tuple(sorted(stay.items())) for stay in turns(record(folder, after, cpu)))
    return dict(stays.most_common(1)[0][0])


def world(stay):
    return sum(count for name, count in stay.items() if name in WORLD)


# State of the units: what the second VM prints when the phase before has ended.
PHASES = {"switch_fp_clean": r"switch-1\] bench switch \d+",
          "switch_fp": r"switch-1\] bench switch_fp_clean \d+"}


def main():
    cpu = sys.argv[1] if len(sys.argv) > 1 else "rv64"
    subprocess.run(["make", "-s", "all", "guest-payloads"], cwd=TOP, check=True)
    found = {name: {"turn": value} for name, value in totals(OUT / "switch", cpu).items()}
    for name, after in PHASES.items():
        stay = breakdown(OUT / "switch-functions", after, cpu)
        found[name] |= {"world": world(stay), "functions": stay}
    for name, figures in found.items():
        print(f"{name:24}{figures['turn']:6} a turn", f"{figures.get('world', '–'):>6} to move it")
    for name, count in sorted(stay.items(), key=lambda row: -row[1]):
        print(f"{count:10} {name}")
    (OUT / "switch.json").write_text(json.dumps({"cpu": cpu} | found, indent=1) + "\n")


if __name__ == "__main__":
    main()
