#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A guest's disk beside the management VM's own use of the same file: the same fio jobs, in turn.

The file lies on the MVM's root, written once from end to end. fio in the MVM opens it O_DIRECT, the
guest has it as a disk and opens that O_DIRECT: nothing is cached in either. Both are one QEMU with
one raw disk. What fio does in the guest is counted, too: exits of the guest and of the MVM,
doorbells, interrupts and copies, for each request. The figures are kept in build/bench/disk.json.
usage: bench/disk.py [RUNS [SECONDS [VARIABLE=value…]]]   (default 5 and 4; variables of make run)
"""
import json
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from guests import DiskCounts, Shyper  # noqa: E402
from machine import TOP  # noqa: E402
from mvm import Mvm  # noqa: E402

OUT = TOP / "build/bench"
FILE, MEGABYTES = "/root/bench.img", 256
# Name: fio's rw and bs, and where its terse output (version 3) has KiB/s, with IOPS behind.
JOBS = {
    "random read 4k": ("randread", "4k", 6),
    "random write 4k": ("randwrite", "4k", 47),
    "read 128k": ("read", "128k", 6),
    "write 128k": ("write", "128k", 47),
}
GOALS = {32: 0.8, 1: 0.5}     # of IOPS, by iodepth


def fio(run, path, job, depth, seconds):
    """KiB/s and IOPS of one job."""
    rw, block, column = JOBS[job]
    text = run(f"fio --name=t --minimal --thread --filename={path} --size={MEGABYTES}M --rw={rw} "
               f"--bs={block} --iodepth={depth} --direct=1 --ioengine=libaio --time_based "
               f"--runtime={seconds} --ramp_time=1", 60 + 20 * seconds)
    fields = next(line for line in text.split("\n") if line.startswith("3;fio")).split(";")
    return int(fields[column]), int(fields[column + 1])


def in_guest(shyper, guest, job, depth, seconds):
    before = DiskCounts(shyper, "vm1", 1)
    result = fio(guest.run, "/dev/vdb", job, depth, seconds)
    return result, DiskCounts(shyper, "vm1", 1).each(before)


def measure(shyper, guest, runs, seconds):
    """{(job, depth): [((KiB/s, IOPS) of the MVM, of the guest, counts)]}"""
    figures = {}
    for _ in range(runs):
        for job in JOBS:
            for depth in GOALS:
                own = fio(shyper.mvm.run, FILE, job, depth, seconds)
                figures.setdefault((job, depth), []).append(
                    (own, *in_guest(shyper, guest, job, depth, seconds)))
    return figures


def medians(rows):
    """Of the runs of one job, everything by itself; the ratio is that of neighbours."""
    own, guest, counts = zip(*rows)
    return {
        "mvm": [statistics.median(column) for column in zip(*own)],
        "guest": [statistics.median(column) for column in zip(*guest)],
        "ratio": statistics.median(g[1] / max(o[1], 1) for o, g in zip(own, guest)),
        "counts": {name: statistics.median(c[name] for c in counts) for name in counts[0]},
    }


def show(results):
    head = "{:16}{:>6}{:>10}{:>8}{:>12}{:>8}{:>8}{:>7}"
    print(head.format("", "depth", "MVM IOPS", "MB/s", "guest IOPS", "MB/s", "ratio", "goal"))
    for (job, depth), row in results.items():
        cells = [f"{cell:.0f}" for side in ("mvm", "guest")
                 for cell in (row[side][1], row[side][0] * 1024 / 1e6)]
        print(head.format(job, depth, *cells, f"{row['ratio']:.2f}", GOALS[depth]))
    print("for each request of the guest:")
    for (job, depth), row in results.items():
        counts = ", ".join(f"{name} {n:.2f}" for name, n in row["counts"].items() if n >= 0.005)
        print(f"{job:16}{depth:6}  {counts}")


def prepare(shyper):
    """The file, and a guest that has it as its second disk."""
    shyper.mvm.run(f"dd if=/dev/urandom of={FILE} bs=1M count={MEGABYTES} conv=fsync 2>/dev/null",
                   300)
    shyper.config_guest(1, disks=["/root/vm1.img", FILE])
    shyper.run("vm boot vm1")
    guest = shyper.guest("vm1")
    guest.login()
    return guest


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    variables = dict(word.split("=", 1) for word in sys.argv[3:])
    subprocess.run(["make", "-s", "all", "vmdef-check", "images"], cwd=TOP, check=True)
    disk = OUT / "disk.img"
    disk.unlink(missing_ok=True)
    mvm = Mvm(OUT / "disk", timeout=180, **{"SNAPSHOT": "", "DISK": disk} | variables)
    try:
        mvm.login()
        shyper = Shyper(mvm)
        figures = measure(shyper, prepare(shyper), runs, seconds)
    finally:
        mvm.close()
        disk.unlink(missing_ok=True)
    results = {key: medians(rows) for key, rows in figures.items()}
    print(f"{MEGABYTES} MiB, medians of {runs} runs of {seconds} s in turn")
    show(results)
    (OUT / "disk.json").write_text(json.dumps(
        [{"job": job, "depth": depth, **row} for (job, depth), row in results.items()], indent=1)
        + "\n")


main()
