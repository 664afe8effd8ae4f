# SPDX-License-Identifier: BSD-2-Clause
"""VMs that share harts: sched show, vm set and vm stats."""
import json
import subprocess

import pytest

from commandline import SHYPER, WAYS
from edit import changed

SHARED = {"policy": "priority", "priority": 2, "budget_us": 2000, "period_us": 10000}


@pytest.fixture(params=WAYS)
def two(cli, request):
    """VM a with vCPUs on harts 1 and 2, b on hart 2, and c alone on 3; a and c run."""
    cli.served(request.param)
    cli.config(harts=[1, 2], sched=SHARED)
    cli.config(name="b", harts=[2], sched={"policy": "priority"})
    cli.config(name="c", harts=[3])
    cli.run("vm", "boot", "a")
    cli.run("vm", "boot", "c")
    return cli


def test_show(two):
    harts = two.json("sched", "show", "--interval", "0.1")["harts"]
    assert [(hart["hart"], hart["policy"], len(hart["vcpus"])) for hart in harts] == [
        (0, "free", 0), (1, "priority", 1), (2, "priority", 2), (3, "pinned", 1)]
    first, second = harts[2]["vcpus"]
    assert first["ran"] > first["waited"] > 0 and 74.9 < first["share"] < 75.1
    assert {key: first[key] for key in ("vm", "name", "vcpu", "state", "priority", "budget_us",
                                        "period_us")} == {
        "vm": 1, "name": "a", "vcpu": 1, "state": "running", "priority": 2, "budget_us": 2000,
        "period_us": 10000}
    assert (second["name"], second["state"], second["share"]) == ("b", "off", 0)
    assert harts[3]["vcpus"] == [{"vm": 3, "name": "c", "vcpu": 0, "state": "running"}]
    assert all("share" not in vcpu for hart in two.json("sched", "show", "-i", 0)["harts"]
               for vcpu in hart["vcpus"])


def test_show_for_people(two):
    lines = [line.split() for line in two.out("sched", "show", "-i", "0.1").splitlines()]
    assert lines[0] == ["HART", "POLICY", "VM", "VCPU", "STATE", "PRIORITY", "BUDGET", "RAN",
                        "WAITED", "SHARE"]
    assert lines[1] == ["0", "free"] + ["-"] * 8
    assert lines[3][:6] == ["2", "priority", "a", "1", "running", "2"]
    assert lines[3][6:10] == ["2000", "of", "10000", "us"] and lines[3][-2:] == ["75.0", "%"]
    assert lines[5] == ["3", "pinned", "c", "0", "running"] + ["-"] * 5


def test_stats(two):
    vcpus = two.json("vm", "stats")
    assert [(one["vm"], one["vcpu"], one["hart"]) for one in vcpus] == [
        (1, 0, 1), (1, 1, 2), (2, 0, 2), (3, 0, 3)]
    assert vcpus[0]["run"] > vcpus[0]["steal"] > 0
    assert "run" not in vcpus[3] and vcpus[3]["steal"] == 0
    assert [one["vm"] for one in two.json("vm", "stats", "b")] == [2]
    head, line = two.out("vm", "stats", "b").splitlines()
    assert head.split() == ["VM", "VCPU", "HART", "STATE", "RUN", "STEAL"]
    assert line.split() == ["b", "0", "2", "off", "0.000000", "s", "0.000000", "s"]


def test_set(two):
    def shares(vm):
        one = [vcpu for vcpu in two.json("sched", "show", "-i", 0)["harts"][2]["vcpus"]
               if vcpu["name"] == vm][0]
        return one["priority"], one["budget_us"], one["period_us"]

    assert two.out("vm", "set", "a", "--priority", 7) == "a (VM 1): set\n"
    assert shares("a") == (7, 2000, 10000)
    two.run("vm", "set", "a", "--budget", 3000, "-P", 5000)
    assert shares("a") == (7, 3000, 5000)
    two.run("vm", "set", 2, "-b", 2000, "-P", 5000, "-p", 1)
    assert shares("b") == (1, 2000, 5000)
    two.run("vm", "set", "a", "--budget", 0)
    assert shares("a") == (7, 0, 0)
    assert two.events()[-1]["event"] == "set"


def test_set_strict(two):
    def shown():
        return two.json("sched", "show", "-i", 0)["harts"][2]["vcpus"][0]["strict"]

    assert shown() is False
    two.run("vm", "set", "a", "--strict", "yes")
    assert shown() is True
    assert "2000 of 10000 us, strict" in two.out("sched", "show", "-i", 0)
    two.run("vm", "set", "a", "-p", 3)
    assert shown() is True
    two.run("vm", "set", "a", "-s", "no")
    assert shown() is False
    two.run("vm", "set", "a", "-s", "yes")
    two.run("vm", "set", "a", "-b", 0)
    assert shown() is False


def test_budgets_over_the_whole(two):
    two.run("vm", "set", "b", "-b", 5000, "-P", 10000)
    out, error = two.run("vm", "set", "a", "-b", 7000)
    assert out == "a (VM 1): set\n"
    assert "hart 2: the budgets come to 120 % (a 70 %, b 50 %)" in error


@pytest.mark.parametrize("words, text, status", [
    (["sched"], "needs one of show", 2), (["vm", "set"], "needs NAME|ID", 2),
    (["vm", "set", "a"], "nothing to set", 2), (["vm", "set", "x", "-p", 1], "no VM", 1),
    (["vm", "set", 0, "-p", 1], "VM 0 is this machine", 1),
    (["vm", "set", "c", "-p", 1], "has its harts to itself", 1),
    (["vm", "set", "a", "-b", 20000], "a budget too large", 1),
    (["vm", "set", "a", "-b", "1e3"], "--budget needs a number", 2),
    (["vm", "set", "a", "-P", "9999999999"], "--period needs a number", 2),
    (["vm", "set", "a", "-p", 65537], "a priority of 65537: possible are 0 to 31", 1),
    (["vm", "set", "a", "-s", "on"], "--strict needs yes or no", 2),
    (["vm", "set", "a", "-p", "-1"], "--priority needs a number", 2),
    (["sched", "show", "-i", "x"], "an interval of", 2),
    (["sched", "show", "-i", "-1"], "an interval of", 2),
    (["sched", "shw"], "sched show", 2), (["sched", "set"], "sched set needs FILE", 2),
    (["sched", "switch"], "sched switch needs TABLE", 2), (["sched", "shift"], "needs US", 2),
    (["sched", "set", "/none"], "/none: No such file", 1),
    (["sched", "switch", "x"], "there is no schedule", 1),
    (["sched", "shift", "1.5"], "needs microseconds", 2),
    (["sched", "shift", "--", "--1"], "needs microseconds", 2), (["vm", "stats", "x"], "no VM", 1)])
def test_refused(two, words, text, status):
    assert text in two.error(*words, status=status)


# --- Schedules of partitions ----------------------------------------------------------------------

PLAN = {
    "switch_us": 20,
    "partitions": {"a": {"harts": [1, 2], "period_us": 5000, "duration_us": 1000},
                   "b c": {"harts": [2], "period_us": 10000, "duration_us": 2000}},
    "tables": {
        "flight": {"frame_us": 10000, "harts": {
            "1": [[0, 1000, "a"], [5000, 1000, "a"]],
            "2": [[0, 1000, "a"], [1000, 2000, "b c"], [5000, 1000, "a"]]}},
        "survey": {"frame_us": 10000, "correction_us": 30, "relaxed": True, "harts": {
            "1": [[0, 1000, "a"], [5000, 1000, "a"]],
            "2": [[0, 1000, "a"], [1000, 3000, "b c"], [5000, 1000, "a"]]}}}}


def write(cli, plan):
    path = cli.folder / "plan.json"
    path.write_text(plan if isinstance(plan, str) else json.dumps(plan, indent=1))
    return path


def test_schedule(two):
    assert two.json("sched", "show", "-i", 0)["schedule"] is None
    done = two.json("sched", "set", write(two, PLAN))
    assert done["table"] == "flight" and done["frame"] > 0
    shown = two.json("sched", "show", "-i", 0)["schedule"]
    assert shown["frame"] >= done["frame"] and shown["length_us"] == 20000
    assert (shown["table"], shown["next"], shown["pending"]) == ("flight", "flight", False)
    assert shown["config"] == {**PLAN, "late_us": 10}
    two.run("sched", "set", write(two, shown["config"]))
    assert two.json("sched", "show", "-i", 0)["schedule"]["config"] == shown["config"]
    assert two.out("sched", "switch", "survey").startswith("table survey, from frame ")
    assert two.json("sched", "switch", "survey")["table"] == "survey"
    assert two.out("sched", "shift", 300).startswith("frames begin +300 us, from frame ")
    asked = two.json("sched", "show", "-i", 0)["schedule"]
    assert (asked["shift_us"], asked["length_us"]) == (0, 20000)
    done = json.loads(two.out("sched", "shift", "--json", "--", "-500"))
    assert done["shift_us"] == -500 and done["frame"] >= asked["frame"] + 4
    shown = two.json("sched", "show", "-i", 0)["schedule"]
    assert (shown["shift_us"], shown["length_us"]) == (0, 20000)
    assert [line["event"] for line in two.events()][-5:] == [
        "schedule set", "schedule switched", "schedule switched", "schedule shifted",
        "schedule shifted"]


def test_schedule_for_people(two):
    two.run("sched", "set", write(two, PLAN))
    (two.fake / "0.held").touch()
    shift = subprocess.Popen([SHYPER, "sched", "shift", "--", "-40"], cwd=two.folder,
                             env=two.environment)
    two.until(lambda: "still to be" in two.out("sched", "show", "-i", 0))
    text = two.out("sched", "show", "-i", "0.1")
    (two.fake / "0.held").unlink()
    assert shift.wait(timeout=60) == 0
    assert " of 20000 us, table flight, still to be shifted by -40 us\n" in text
    assert "partition a: 1000 of every 5000 us on hart 1 2\n" in text
    assert "table flight: frame of 10000 us, strict, re-sync at its end\n" in text
    assert "table survey: frame of 10000 us, relaxed, re-sync by 30 us a window\n" in text
    assert "  hart 2       1000 + 3000     b c\n" in text


def fares(cli, windows, missed, late, late_max):
    """What windows of VM 1 were; the daemon wakes."""
    (cli.fake / "1.health.new").write_text(f"{windows} {missed} {late} {late_max}")
    (cli.fake / "1.health.new").rename(cli.fake / "1.health")
    with open(cli.fake / "1.vm", "r+b") as file:
        byte = file.read(1)
        file.seek(0)
        file.write(byte)


def test_health(cli):
    cli.daemon()
    cli.run("sched", "set", write(cli, PLAN))
    cli.config(harts=[1, 2], vcpus=2, sched={"policy": "partition"})
    cli.run("vm", "boot", "a")
    fares(cli, 50, 0, 0, 95)
    assert ["a", "1", "2", "50", "0", "0", "9.5", "us"] == \
        cli.out("sched", "show", "-i", 0).splitlines()[-1].split()
    fares(cli, 60, 1, 2, 250)
    cli.until(lambda: cli.events()[-1]["event"] == "overrun")
    fares(cli, 70, 3, 2, 250)
    vcpu = cli.json("sched", "show", "-i", 0)["harts"][2]["vcpus"][0]
    assert [vcpu[key] for key in ("windows", "missed", "late", "late_max_us")] == [70, 3, 2, 25]
    missed, late = [event for event in cli.events() if "missed" in event or "late" in event][:2]
    assert (missed["event"], missed["name"], missed["missed"]) == ("missed windows", "a", 2)
    assert (late["late"], late["late_max_us"]) == (4, 25)
    # Within ten seconds of each other there is one line, and none is forgotten.
    cli.until(lambda: cli.events()[-1].get("missed") == 6)
    assert "a (VM 1): missed windows, missed 6\n" in cli.out("events")


FLIGHT = ("tables", "flight")


@pytest.mark.parametrize("path, value, text", [
    (("frames",), 1, 'unknown key "frames"'),
    (("tables",), None, '"tables" is missing'),
    (("tables",), {}, "/tables: there is none"),
    (("tables",), {str(n): {} for n in range(9)}, "has 9 members; at most 8 are possible"),
    (("switch_us",), 2000, "switch_us: is 2000; possible are 1 to 1000"),
    (("late_us",), 0, "late_us: is 0; possible are 1 to 1000000"),
    (("partitions",), [], "partitions: must be an object"),
    (("partitions", "a", "harts"), [], "harts: must name at least one hart"),
    (("partitions", "a", "harts"), [1, 1], "names hart 1 twice"),
    (("partitions", "a", "period_us"), -1, "period_us: must be a whole number"),
    (("partitions", "a", "duration_us"), 6000, "duration_us: is 6000, more than the period, 5000"),
    (("partitions", "b c", "duration_us"), 9000, "hart 2 is used by 110.00 %: more than 100"),
    (("partitions", "x" * 32), {}, "a name has 1 to 31 bytes"),
    ((*FLIGHT, "frame_us"), 7000, "frame_us: is 7000, no multiple of the period of a, 5000"),
    ((*FLIGHT, "relaxed"), 1, "relaxed: must be true or false"),
    ((*FLIGHT, "correction_us"), 300, "correction_us: is 300, more than a tenth"),
    (("tables", "a/b"), {}, '"a/b" is no name of a table'),
    ((*FLIGHT, "harts", "one"), [], '"one" is no hart'),
    ((*FLIGHT, "harts", "1"), [[0, 1000]], "1[0]: is no window"),
    ((*FLIGHT, "harts", "1"), [[0, 0, "a"]], "is 0; possible are 1 to 1000000"),
    ((*FLIGHT, "harts", "1"), [[0, 1000, "d"]], 'there is no partition "d"'),
    ((*FLIGHT, "harts", "1"), [[0, 20, "a"]], "0 + 20 us of a on hart 1: a switch alone costs 20"),
    ((*FLIGHT, "harts", "1"), [[0, 1000, "a"], [9500, 1000, "a"]], "behind the frame of 10000 us"),
    ((*FLIGHT, "harts", "1"), [[0, 1000, "a"], [500, 1000, "a"]], "overlaps 0 + 1000 us of a"),
    ((*FLIGHT, "harts", "1"), [[0, 1000, "a"]], "a has 0 us on hart 1 in its period from 5000"),
    ((*FLIGHT, "harts", "1"), [[1, 1000, "a"], [5000, 1000, "a"]], "they must be the same"),
    ((*FLIGHT, "harts", "3"), [[0, 1000, "a"]], "is of a, which has no vCPU there"),
    (("tables", "survey", "harts", "2", 1), [6000, 3000, "b c"], "leaves b c without time for"),
])
def test_schedule_refused(cli, path, value, text):
    cli.run("sched", "set", write(cli, PLAN))
    before = cli.json("sched", "show", "-i", 0)["schedule"]["config"]
    assert text in cli.error("sched", "set", write(cli, changed(PLAN, path, value)))
    assert cli.json("sched", "show", "-i", 0)["schedule"]["config"] == before


def test_schedule_refused_by_shyper(cli):
    assert "plan.json:1:2: " in cli.error("sched", "set", write(cli, "[1"))
    assert "must be an object" in cli.error("sched", "set", write(cli, "[1]"))
    cli.run("sched", "set", write(cli, PLAN))
    assert 'no table "night"; there are flight, survey' in cli.error("sched", "switch", "night")
    assert "at most half a frame" in cli.error("sched", "shift", 20000)
    (cli.fake / "0.refuse").write_text("x")
    assert "plan.json: node /partitions, property harts: a: the board has no hart 9" in \
        cli.error("sched", "set", write(cli, PLAN))
