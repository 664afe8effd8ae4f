# SPDX-License-Identifier: BSD-2-Clause
"""Two static Linux guests on four harts: neither sees the other, one may crash without the other
missing a beat, and each ends by its own policy."""
import json
import re
import subprocess

import pytest

from machine import INIT, INITRD, LINUX, TOP

SWITCH = "t"        # Ctrl-T and a digit give the input to that VM
COUNTER = "while :; do echo beat $(cut -d' ' -f1 /proc/uptime); usleep 200000; done"
LONGEST_PAUSE = 2.0  # seconds; QEMU's own threads share a busy host


@pytest.fixture
def two(machine, request):
    """A function that starts both VMs with policies for a's reboot."""

    def start(on_reboot="restart"):
        definition = json.loads((TOP / "config/two-linux.json").read_text())
        for vm in definition:
            vm |= {"kernel": str(LINUX), "initrd": str(INITRD),
                   "cmdline": "console=ttyS0 quiet panic=1"}
        definition[0]["on_reboot"] = on_reboot
        folder = TOP / "build/test-logs" / request.node.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "two.json").write_text(json.dumps(definition))
        subprocess.run(["/usr/bin/python3", str(TOP / "tools/mkvm.py"), "--vm",
                        str(folder / "two.json"), "--out", str(folder / "two.itb")], check=True)
        guest = machine(FIT=folder / "two.itb", SMP=4, MEMORY="1G", LOGLEVEL="info")
        waiting = {"linux-a", "linux-b"}
        while waiting:
            # The last line before the prompt: nothing of it may mix with what a test asks for.
            waiting.discard(guest.expect(r"\[(linux-[ab])\] Enter 'help'").group(1))
        return guest

    return start


def focus(guest, number):
    guest.control(SWITCH)
    guest.type(str(number))
    guest.expect(rf"input goes to VM {number}")
    guest.send("")
    guest.expect("guest# ")


def run(guest, command):
    """Like guest.run(), without the names that begin each line."""
    return re.sub(r"(?m)^\[linux-[ab]\] ?", "", guest.run(command)).strip()


def beats(guest):
    # Whole ones: a line that another one interrupts is repeated.
    return [float(t) for t in re.findall(r"\[linux-b\] beat (\d+\.\d\d)\n", guest.output())]


def wait_beats(guest, count):
    for _ in range(count):
        guest.expect(r"\[linux-b\] beat [\d.]+")


def pauses(times):
    return [after - before for before, after in zip(times, times[1:])]


def start_counter_in_b(guest):
    focus(guest, 1)
    guest.send(COUNTER)
    wait_beats(guest, 5)
    guest.control(SWITCH)
    guest.type("0")
    guest.expect("input goes to VM 0")
    guest.send("")


def crash_a(guest):
    # The pause lets the echo of the line go out before the kernel writes past it.
    guest.send("sleep 1; echo c >/proc/sysrq-trigger")
    guest.expect("Kernel panic - not syncing: sysrq triggered crash")


def test_neither_sees_the_other(two):
    guest = two()
    for number in (0, 1):
        focus(guest, number)
        assert run(guest, "nproc") == "2"
        run(guest, f"echo {number} >/root/mark")
    focus(guest, 0)
    assert run(guest, "cat /root/mark") == "0"
    guest.send("poweroff -f")
    guest.expect("linux-a: powered off")
    focus(guest, 1)
    assert run(guest, "cat /root/mark") == "1"
    guest.send("poweroff -f")
    assert guest.wait() == 0


def test_a_crashes_and_restarts_while_b_counts(two):
    guest = two()
    start_counter_in_b(guest)
    crash_a(guest)
    guest.expect(rf"\[linux-a\] {INIT}")
    wait_beats(guest, 5)
    times = beats(guest)
    assert times == sorted(times) and max(pauses(times)) < LONGEST_PAUSE


def test_a_crashes_and_stays_stopped_while_b_counts(two):
    guest = two(on_reboot="stop")
    start_counter_in_b(guest)
    crash_a(guest)
    guest.expect(r"linux-a: reboots \(code 0\)\r*\n")
    wait_beats(guest, 10)
    times = beats(guest)
    assert times == sorted(times) and max(pauses(times)) < LONGEST_PAUSE
    assert len(re.findall(r"\[linux-a\] shyper guest: init", guest.output())) == 1
