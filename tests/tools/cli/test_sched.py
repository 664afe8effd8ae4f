# SPDX-License-Identifier: BSD-2-Clause
"""VMs that share harts: sched show, vm set and vm stats."""
import pytest

from commandline import WAYS

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
    harts = two.json("sched", "show", "--interval", "0.1")
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
    assert all("share" not in vcpu for hart in two.json("sched", "show", "-i", 0)
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
        one = [vcpu for vcpu in two.json("sched", "show", "-i", 0)[2]["vcpus"]
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
    (["vm", "set", "a", "-p", "-1"], "--priority needs a number", 2),
    (["sched", "show", "-i", "x"], "an interval of", 2),
    (["sched", "show", "-i", "-1"], "an interval of", 2),
    (["sched", "shw"], "sched show", 2), (["vm", "stats", "x"], "no VM", 1)])
def test_refused(two, words, text, status):
    assert text in two.error(*words, status=status)
