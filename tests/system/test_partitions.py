# SPDX-License-Identifier: BSD-2-Clause
"""Partitions under schedules that the management VM gives: set, switched, replaced, refused; and a
trace of them, drawn.

Under -icount QEMU runs one hart after the other, each until a quarter of the time to the next timer
is over. One of QEMU's own, every 40 us, makes turns so short that windows of several harts can be
measured. While all harts sleep, time is the host's: so something runs meanwhile.
"""
import json
import re

import pytest

from machine import TOP
from test_trace import start_recording, stop_recording

FRAME = 20000       # us
SWITCH = 20         # us that a window ends earlier
TURNS = 40          # us: no start and no end of a window is that late
HARTS = {"control": [1, 2, 3], "comms": [1, 2], "logger": [3], "legacy": [2]}
PER_FRAME = {"control": 4, "comms": 2, "logger": 2, "legacy": 1}


@pytest.fixture(scope="module")
def variables():
    return {"QEMUFLAGS": "-icount shift=0 -netdev hubport,id=turns,hubid=7 "
                         f"-object filter-buffer,id=turn,netdev=turns,interval={TURNS}",
            "timeout": 300}


def every(step, duration, vm, first=0):
    return [[at, duration, vm] for at in range(first, FRAME, step)]


def plan(comms, logger):
    """Two tables, in which `comms` and `logger` have so many microseconds twice a frame."""
    def table(one, other, **more):
        control = every(5000, 1000, "control")
        return {"frame_us": FRAME, **more, "harts": {
            "1": sorted(control + every(10000, one, "comms", 1000)),
            "2": sorted(control + every(10000, one, "comms", 1000) + [[6000, 4000, "legacy"]]),
            "3": sorted(control + every(10000, other, "logger", 1000))}}

    return {
        "switch_us": SWITCH, "late_us": 1,
        "partitions": {
            "control": {"harts": [1, 2, 3], "period_us": 5000, "duration_us": 1000},
            "comms": {"harts": [1, 2], "period_us": 10000, "duration_us": 2000},
            "logger": {"harts": [3], "period_us": 10000, "duration_us": 2000},
            "legacy": {"harts": [2], "period_us": 20000, "duration_us": 4000}},
        "tables": {"flight": table(comms, logger),
                   "survey": table(2000, 4000, correction_us=40, relaxed=True)}}


def write(shyper, tree, name="plan.json"):
    shyper.mvm.run(f"echo '{json.dumps(tree)}' >{name}")
    return f"sched set {name}"


def documented():
    """The script that gives a schedule and starts its VMs, and the line that has it run."""
    text = (TOP / "docs/scheduling.md").read_text()
    script = re.search(r"\n\n((?:    .*\n)+)\nwhich this line has run:\n\n    (.*)\n", text)
    return script.group(1), script.group(2)


@pytest.fixture
def files(shyper, tmp_path):
    """What the script wants: partitions on three harts that never sleep, and plan(4000, 3000)."""
    shyper.mvm.put(TOP / "build/guest/spin.bin", "/root/spin.bin")
    for name, harts in HARTS.items():
        vm = {"name": name, "kernel": "spin.bin", "memory": "16M", "vcpus": len(harts),
              "sched": {"policy": "partition"}}
        shyper.mvm.run(f"echo '{json.dumps(vm)}' >{name}.json")
    write(shyper, plan(4000, 3000))
    (tmp_path / "partitions").write_text(documented()[0])
    shyper.mvm.put(tmp_path / "partitions", "/root/partitions")
    return shyper


@pytest.fixture
def four(files):
    files.daemon()
    files.mvm.run("sh /root/partitions")
    return files


def counted(shyper):
    """{(VM, hart): windows that it had or missed}, the frame then, {(VM, hart): its run time}."""
    shown = shyper.json("sched show -i 0")
    vcpus = {(vcpu["name"], hart["hart"]): vcpu for hart in shown["harts"]
             if hart["policy"] == "partition" for vcpu in hart["vcpus"]}
    return ({key: vcpu["windows"] + vcpu["missed"] for key, vcpu in vcpus.items()},
            shown["schedule"]["frame"], {key: vcpu["ran"] for key, vcpu in vcpus.items()})


def look(shyper, **lengths):
    """In ten frames and more, all of the same table, each has its windows, of so many us."""
    shyper.mvm.run("(while :; do :; done) & busy=$!")
    before = counted(shyper)
    shyper.await_line("shyper sched show --json -i 0 | awk -F '[:,]' '/\"frame\"/ && "
                      f"$2 >= {before[1] + 10}'", "frame", 120)
    after = counted(shyper)
    shyper.mvm.run("kill $busy")
    passed = after[1] - before[1]
    assert set(after[0]) == {(name, hart) for name, harts in HARTS.items() for hart in harts}
    for key, windows in after[0].items():
        had = windows - before[0][key]
        ran = 1e6 * (after[2][key] - before[2][key]) / had
        print(key, f"{had} windows in {passed} frames, {ran:.1f} us each")
        # At both looks the frame is read last.
        assert abs(had - PER_FRAME[key[0]] * passed) <= PER_FRAME[key[0]] * 3
        # Of a window in which they look a part is counted.
        length = lengths[key[0]] - SWITCH
        assert abs(ran - length) <= TURNS + length / had


def test_schedule_from_the_management_vm(four):
    start_recording(four, "-e switch,window,exit")
    look(four, control=1000, comms=4000, logger=3000, legacy=4000)
    stop_recording(four)
    assert "table survey, from frame" in four.run("sched switch survey")
    shown = four.json("sched show -i 0")["schedule"]
    assert (shown["table"], shown["next"], shown["config"]) == (
        "survey", "survey", plan(4000, 3000))
    assert "frames begin +300 us, from frame" in four.run("sched shift 300")
    moved = four.json("sched show -i 0")["schedule"]
    assert (moved["length_us"], moved["shift_us"]) == (FRAME, 0)

    refused = plan(4000, 3000)
    del refused["partitions"]["logger"]
    for table in refused["tables"].values():
        table["harts"]["3"] = every(5000, 1000, "control")
    assert "the schedule has no partition logger" in four.fails(write(four, refused, "no.json"))
    refused = plan(4000, 3000)
    refused["partitions"]["comms"]["duration_us"] = 7000
    assert "hart 2 is used by 110.00 %" in four.fails(write(four, refused, "no.json"))
    refused = json.loads(json.dumps(plan(4000, 3000)).replace("[3]", "[9]").replace(
        '"3": ', '"9": ').replace("[1, 2, 3]", "[1, 2, 9]"))
    assert "the board has no hart 9" in four.fails(write(four, refused, "no.json"))
    assert "has its windows in the schedule" in four.fails("vm set comms -b 1000 -P 5000")
    assert "at most half a frame" in four.fails("sched shift 10001")
    assert four.json("sched show -i 0")["schedule"]["config"] == shown["config"]

    # Another schedule, live, and without a VM that goes meanwhile.
    four.run(write(four, plan(3000, 2000)))
    look(four, control=1000, comms=3000, logger=2000, legacy=4000)
    four.run("vm remove legacy")
    four.run("sched switch survey")
    gone = plan(4000, 3000)
    del gone["partitions"]["legacy"]
    for table in gone["tables"].values():
        table["harts"]["2"].remove([6000, 4000, "legacy"])
    four.run(write(four, gone))
    assert "the schedule has no partition legacy" in four.fails("vm config legacy.json")

    # Each was late by a microsecond some time.
    four.await_line("shyper events", "comms .*: overrun, late [0-9]+, late_max_us [0-9]+")
    report = four.run("trace report shyper.trace")
    print(report)
    four.run("trace svg shyper.trace --from 0.2 --to 0.26")
    drawn = four.mvm.run("grep -c 'class=\"hart\"' shyper.trace.svg")
    assert int(drawn) == four.json("system info")["harts"]
    for name in HARTS:
        four.run(f"vm remove {name} 2>/dev/null || true")


def test_at_each_start(files):
    """The management VM starts anew, and gives its partitions their schedule before they start."""
    files.mvm.run(documented()[1])
    files.mvm.send("sync; reboot -f")
    files.mvm.login()
    for name in HARTS:
        files.await_line("shyper vm list", f"{name} .*running", 120)
    assert set(counted(files)[0]) == {(name, n) for name, harts in HARTS.items() for n in harts}
    shown = files.json("sched show -i 0")["schedule"]
    assert (shown["table"], shown["config"]) == ("flight", plan(4000, 3000))
