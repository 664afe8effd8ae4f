# SPDX-License-Identifier: BSD-2-Clause
"""What it costs to share a hart, in instructions: exact, so a bound is a bound."""
import sys

import pytest

from machine import TOP

sys.path.insert(0, str(TOP / "bench"))
from latency import measure  # noqa: E402
from switch import PHASES, breakdown, totals, world  # noqa: E402

LOGS = TOP / "build/test-logs"

# Registers moved by the world switch, and whole turns as a guest feels them.
WORLD = {"switch_fp_clean": 210, "switch_fp": 300}
TURN = {"switch": 1130, "switch_fp": 1225}

# Beside whom: the latest that a timer of higher priority may come, and 99 of 100.
LATE = {"alone": (300, 300), "spin": (2000, 2000), "sleep_storm": (3000, 2000),
        "hostile": (3000, 3000), "flood": (4000, 3500), "net": (3000, 3000)}
# Beside one that resets itself all the time: memory is cleared and loaded in steps. 64 MiB at once
# take ten millions, and to write a device tree 0.3 million.
RESET = 10_000


@pytest.fixture(scope="module", autouse=True)
def payloads(make):
    make("guest-payloads")


def test_turn_costs_at_most():
    found = totals(LOGS / "test_switch.py_turn")
    assert all(found[name] <= bound for name, bound in TURN.items()), found


@pytest.mark.parametrize("name", WORLD)
def test_world_switch_costs_at_most(name):
    stay = breakdown(LOGS / f"test_switch.py_{name}", PHASES[name])
    assert world(stay) <= WORLD[name], stay


@pytest.mark.parametrize("other", LATE)
def test_timer_comes_within(other):
    found = measure(LOGS / "test_switch.py_latency", other, count=200)
    assert (found["max"], found["p99"]) <= LATE[other] and found["p99"] <= LATE[other][1], found


@pytest.mark.parametrize("irq,cpu", [("plic", "rv64"), ("aia", "max")])
def test_timer_comes_within_a_reset(irq, cpu):
    found = measure(LOGS / f"test_switch.py_{irq}", "fp_residue", count=200, cpu=cpu, IRQ=irq)
    assert found["max"] <= RESET and found["p50"] <= 3000, found
