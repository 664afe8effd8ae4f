# SPDX-License-Identifier: BSD-2-Clause
"""Schedules on their way into a boot image: the example, JSON, and what is refused there."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

from edit import changed

TOP = Path(__file__).resolve().parents[2]
GOOD = {"partitions": {"a b": {"harts": [1, 2], "period_us": 5000, "duration_us": 1000}},
        "tables": {"t": {"frame_us": 5000, "relaxed": True, "harts": {
            "1": [[0, 1000, "a b"]], "2": [[0, 1000, "a b"]]}}}}


def pack(folder, schedule, status=0):
    """Pack a VM with the schedule, a path or JSON; returns what mkvm.py wrote to stderr."""
    (folder / "kernel").write_bytes(b"x" * 64)
    if not isinstance(schedule, Path):
        (folder / "schedule.json").write_text(json.dumps(schedule))
        schedule = folder / "schedule.json"
    (folder / "vm.json").write_text(json.dumps(
        {"name": "control", "kernel": "kernel", "sched": {"policy": "partition"}}))
    done = subprocess.run([sys.executable, TOP / "tools/mkvm.py", "--out", folder / "boot.itb",
                           "--vm", folder / "vm.json", "--schedule", schedule],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status and "Traceback" not in done.stderr, done.stderr
    return done.stderr


@pytest.mark.parametrize("schedule", (TOP / "config/partitions.dts", GOOD), ids=("dts", "json"))
def test_is_packed_beside_vms(tmp_path, schedule):
    pack(tmp_path, schedule)
    listing = subprocess.run(["dumpimage", "-l", tmp_path / "boot.itb"], capture_output=True,
                             text=True, timeout=60, check=True).stdout
    assert "(schedule)" in listing and "(vm-1)" in listing


@pytest.mark.parametrize("path, value, message", [
    (("frames",), 1, "schedule: unknown key 'frames'"),
    (("partitions",), [], "schedule: [] is not an object"),
    (("partitions", "a b", "period_us"), -1, "partition a b: -1 is not a number"),
    (("partitions", "a b", "harts"), None, "/partitions/partition-0: harts: is missing"),
    (("tables", "t", "frame_us"), 7000, "is 7000, no multiple of the period of a b, 5000"),
    (("tables", "t", "harts", "1"), [[0, 1000, "c"]], "hart 1: there is no partition 'c'"),
    (("tables", "t", "harts", "1"), [[0, 1000]], "is no window; write it like"),
    (("tables", "t", "harts", "one"), [], "harts are written like"),
    (("tables", "t", "harts", "2"), None, "a b has 0 us on hart 2 in its period"),
    (("tables", "t", "relaxed"), "yes", "'yes' is neither true nor false"),
    (("tables", "a/b"), {}, "a table's name is"),
])
def test_refused(tmp_path, path, value, message):
    assert message in pack(tmp_path, changed(GOOD, path, value), status=1)
