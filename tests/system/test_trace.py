# SPDX-License-Identifier: BSD-2-Clause
"""A trace of VMs that share a hart, against what Shyper counts of them: `vm stats`, `vm info`."""
import pytest

from machine import TOP

SHARED = {"policy": "priority"}
VMS = {
    "budget": ("spin", {"priority": 2, "budget_us": 3000, "period_us": 10000}),
    "rest": ("spin", {"priority": 1}),
    "sleeper": ("counter", {"priority": 3}),
}


@pytest.fixture
def three(shyper):
    """All on hart 2, booted and paused."""
    for name, (payload, sched) in VMS.items():
        shyper.mvm.put(TOP / f"build/guest/{payload}.bin", f"/root/{payload}.bin")
        shyper.config(name=name, kernel=f"{payload}.bin", memory="64M", harts=[2],
                      sched=SHARED | sched)
        shyper.run(f"vm boot {name}")
        shyper.run(f"vm pause {name}")
    return shyper


def counted(shyper):
    """{name: (seconds that it ran, exits by cause)}"""
    ran = {vcpu["name"]: vcpu.get("run", 0) for vcpu in shyper.json("vm stats")}
    return {name: (ran[name], shyper.vm(name)["exits"]) for name in VMS}


def start_recording(shyper, words=""):
    shyper.mvm.run(f"rm -f shyper.trace*; (shyper trace record {words} >record.log 2>&1 & "
                   "echo $! >record.pid); i=0; until [ -e shyper.trace.part ]; do "
                   "i=$((i + 1)); [ $i -lt 100 ] || break; sleep 0.1; done")


def stop_recording(shyper):
    shyper.mvm.run("kill -INT $(cat record.pid); i=0; until [ -e shyper.trace ]; do "
                   "i=$((i + 1)); [ $i -lt 300 ] || { cat record.log; break; }; sleep 0.1; done; "
                   "[ -e shyper.trace ]", 60)


def test_sums_are_those_of_shyper(three):
    before = counted(three)
    start_recording(three)
    for name in VMS:
        three.run(f"vm resume {name}")
    three.mvm.run("sleep 2")
    for name in VMS:
        three.run(f"vm pause {name}")
    after = counted(three)
    stop_recording(three)
    report = three.json("trace report shyper.trace")
    print(three.run("trace report shyper.trace"))
    vcpus = {vcpu["name"]: vcpu for vcpu in report["vcpus"]}
    hart, = [one for one in report["harts"] if one["hart"] == 2]
    assert hart["lost"] == 0 and hart["switches"] > 100
    for name in VMS:
        exits = {cause: after[name][1][cause] - before[name][1][cause]
                 for cause in after[name][1]}
        assert {cause: one["count"] for cause, one in vcpus[name]["exits"].items()} == exits
    # What a switch takes is the next one's time for Shyper, and nobody's in a trace.
    ran = {name: after[name][0] - before[name][0] for name in VMS}
    for name in VMS:
        assert 0.8 * ran[name] < vcpus[name]["run"] <= ran[name] + 1e-6
        assert vcpus[name]["run"] / hart["run"] == pytest.approx(
            ran[name] / sum(ran.values()), abs=0.03)
    assert vcpus["sleeper"]["wakeups"] > 5
    assert vcpus["sleeper"]["latency"]["max"] > 0
    assert hart["run"] == pytest.approx(sum(vcpus[name]["run"] for name in VMS), rel=1e-6)
    three.run("trace svg shyper.trace")
    drawn = three.mvm.run("grep -c 'class=\"hart\"' shyper.trace.svg; "
                          "grep -o '>budget<' shyper.trace.svg | head -1").split()
    assert drawn[0] == str(three.json("system info")["harts"]) and drawn[1] == ">budget<"


def test_recorder_is_killed(three):
    """Its rings go with it: no page is lost, which the fixture checks, and another one can."""
    start_recording(three, "-r 65536")
    assert "one at a time" in three.fails("trace record -d 1 -o other.trace")
    three.mvm.run("kill -KILL $(cat record.pid); rm shyper.trace.part")
    three.await_line("shyper trace record -d 0.2 -e switch,wake 2>&1", "records")
    assert "cut off" in three.mvm.run("head -c 100 shyper.trace >cut; "
                                      "shyper trace report cut 2>&1 || [ $? = 1 ]")
