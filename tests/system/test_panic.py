# SPDX-License-Identifier: BSD-2-Clause
"""What is left to see when Shyper itself is broken (boot argument selftest=KIND): the message, the
registers, an end of the machine with status 255, and no other hart that runs on."""
import json
import subprocess

import pytest

from machine import TOP
from terminal import Failure

COUNTER = TOP / "build/guest/counter.bin"
PANIC_STATUS = 255

SAYS = {
    "panic": r"PANIC: selftest",
    "fault": r"PANIC: trap in Shyper: scause 0xf stval 0x8 ",
    "text": r"PANIC: trap in Shyper: scause 0xf stval 0x80200000 ",
    "exec": r"PANIC: trap in Shyper: scause 0xc ",
    "stack": r"PANIC: trap in Shyper: scause 0xf ",
    "smash": r"PANIC: stack smashed",
}


@pytest.fixture
def other_hart(tmp_path):
    """A boot image whose guest counts on hart 1, while hart 0 has nothing to do but panic."""
    definition = [{"name": "counter", "kernel": str(COUNTER), "memory": "64M", "harts": [1]}]
    (tmp_path / "vm.json").write_text(json.dumps(definition))
    subprocess.run(["/usr/bin/python3", str(TOP / "tools/mkvm.py"), "--vm",
                    str(tmp_path / "vm.json"), "--out", str(tmp_path / "vm.itb")], check=True)
    return tmp_path / "vm.itb"


@pytest.mark.parametrize("kind", SAYS)
def test_panic_says_why_and_ends_the_machine(machine, kind):
    guest = machine(KERNEL=COUNTER, SMP=2, APPEND=f"selftest={kind}")
    guest.expect(SAYS[kind])
    assert guest.wait() == PANIC_STATUS
    assert guest.output().count("PANIC") == 1


def test_panic_halts_all_harts_when_told_to(machine, other_hart):
    """The guest counts on another hart; after the message it gets no further than a line or two."""
    guest = machine(FIT=other_hart, SMP=2, MEMORY="512M",
                    APPEND="selftest=panic panic=halt")
    guest.expect("all harts stop")
    for _ in range(3):
        try:
            guest.expect(r"count \d+", timeout=2)
        except Failure:
            return
    raise AssertionError("the guest goes on after the panic")
