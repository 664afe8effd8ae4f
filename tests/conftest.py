# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures that all QEMU tests share. Every machine is a fresh QEMU, killed at the end of its test;
its console is kept in build/test-logs/<test>/console.log.
"""
import re
import subprocess

import pytest

from guests import Shyper
from machine import INITRD, LINUX, TOP, Machine
from mvm import Mvm


@pytest.fixture
def machine(request):
    """A function that starts machines: machine(KERNEL=…, VCPUS=4). All end with the test."""
    yield from machines(request, Machine)


@pytest.fixture
def boot_mvm(request):
    """A function that starts the management VM, up to a shell on its console."""
    yield from mvms(request)


def mvms(request):
    for start in machines(request, Mvm):
        def boot(**variables):
            mvm = start(**variables)
            mvm.login()
            return mvm

        yield boot


@pytest.fixture
def mvm(boot_mvm):
    """The management VM with a shell on its console."""
    return boot_mvm()


class Shared:
    """One management VM with the module for the tests of a file."""

    def __init__(self, boot):
        self.boot = boot
        self.one = None

    def get(self):
        if not self.one:
            self.one = Shyper(self.boot())
        return self.one

    def drop(self):
        self.one.mvm.close()
        self.one = None


@pytest.fixture(scope="module")
def variables():
    """Of the file's shared machine; a file may have its own."""
    return {}


@pytest.fixture(scope="module")
def shared(request, variables):
    for boot in mvms(request):
        yield Shared(lambda boot=boot: boot(**variables))


@pytest.fixture
def shyper(shared):
    """The file's management VM with the module: no daemon, no VM. The same is checked afterwards;
    where it is not so, the next test gets another.
    """
    one = shared.get()
    one.begin()
    yield one
    try:
        one.end()
    except BaseException:
        shared.drop()
        raise


def machines(request, kind):
    started = []
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", request.node.nodeid.rsplit("/", 1)[-1]).strip("_")

    def start(**variables):
        folder = TOP / "build/test-logs" / (name if not started else f"{name}-{len(started) + 1}")
        started.append(kind(folder, **variables))
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
