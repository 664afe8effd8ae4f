# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures that all QEMU tests share. Every machine is a fresh QEMU, killed at the end of its test;
its console is kept in build/test-logs/<test>/console.log.
"""
import re
import subprocess

import pytest

from machine import INITRD, LINUX, TOP, Machine


@pytest.fixture
def machine(request):
    """A function that starts machines: machine(KERNEL=…, VCPUS=4). All end with the test."""
    started = []
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", request.node.nodeid.rsplit("/", 1)[-1]).strip("_")

    def start(**variables):
        folder = TOP / "build/test-logs" / (name if not started else f"{name}-{len(started) + 1}")
        started.append(Machine(folder, **variables))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def linux(machine):
    """A function that boots the Debian kernel with the busybox initramfs up to its prompt."""

    def start(prompt=True, cmdline="console=ttyS0 quiet", **variables):
        guest = machine(KERNEL=LINUX, INITRD=INITRD, CMDLINE=cmdline, **variables)
        if prompt:
            guest.boot()
        return guest

    return start


@pytest.fixture(scope="session")
def make():
    """A function that runs make on targets of the source tree, e.g. make('guest-payloads')."""

    def run(*targets):
        result = subprocess.run(["make", *targets], cwd=TOP, capture_output=True, text=True)
        if result.returncode:
            pytest.fail(f"make {' '.join(targets)}:\n{result.stdout}{result.stderr}", pytrace=False)

    return run
