# SPDX-License-Identifier: BSD-2-Clause
"""What an exit may cost, in whole-machine instructions: exact, so a bound is a bound."""
import sys

import pytest

from machine import TOP

sys.path.insert(0, str(TOP / "bench"))
from exits import measure  # noqa: E402

# Instructions, the operation's own included.
BOUNDS = {"null_call": 150, "plic_read": 220}


@pytest.fixture(scope="module")
def costs(make):
    make("guest-payloads")
    return measure(TOP / "build/test-logs/test_exits.py_bench")


@pytest.mark.parametrize("operation", BOUNDS)
def test_exit_costs_at_most(costs, operation):
    assert costs[operation] <= BOUNDS[operation]
