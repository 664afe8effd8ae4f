# SPDX-License-Identifier: BSD-2-Clause
"""What an exit may cost, in whole-machine instructions: exact, so a bound is a bound."""
import sys

import pytest

from machine import TOP

sys.path.insert(0, str(TOP / "bench"))
from exits import measure, measure_messages, measure_sswi  # noqa: E402
import frames  # noqa: E402

# Instructions, the operation's own included.
BOUNDS = {"null_call": 150, "plic_read": 220}

# Shapes of frames (bench/frames.py), many at once: instructions besides the copy, and of it.
FRAMES = {"one": (620, 520), "two": (1100, 1250), "five": (1850, 950), "large": (12000, 56000)}


@pytest.fixture(scope="module")
def costs(make):
    make("guest-payloads")
    return measure(TOP / "build/test-logs/test_exits.py_bench")


def test_messages_cost_what_they_cost_without_shyper(make):
    """To the own file exactly, between harts that sleep within a tenth."""
    make("guest-payloads")
    folder = TOP / "build/test-logs/test_exits.py_msi"
    for vcpus, operation, share in ((1, "msi_self", 1.0), (2, "msi_round_trip", 1.1)):
        bare = measure_messages(folder, vcpus=vcpus, BARE=1, AIA_GUESTS=0)
        shyper = measure_messages(folder, vcpus=vcpus)
        assert shyper[operation] <= bare[operation] * share


def test_ipi_without_firmware_costs_at_most(make):
    make("guest-payloads")
    found = measure_sswi(TOP / "build/test-logs/test_exits.py_sswi")
    assert found["sswi_round_trip"] <= 900


def test_frame_costs_at_most(make):
    """From card to card, besides its copy, and the copy: not much more than loads and stores."""
    make("guest-payloads")
    found = frames.measure(TOP / "build/test-logs/test_exits.py_frames")
    for shape, (besides, copy) in FRAMES.items():
        assert found[f"{shape}_besides"] <= besides and found[f"{shape}_copy"] <= copy, found


@pytest.mark.parametrize("operation", BOUNDS)
def test_exit_costs_at_most(costs, operation):
    assert costs[operation] <= BOUNDS[operation]
