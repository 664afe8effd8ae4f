# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the shyper command's tests on the host."""
import pytest

from commandline import Cli


@pytest.fixture
def cli(tmp_path):
    one = Cli(tmp_path)
    yield one
    one.close()
