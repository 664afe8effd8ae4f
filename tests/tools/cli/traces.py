# SPDX-License-Identifier: BSD-2-Clause
"""Recorded traces, made by hand: tools/cli/lib/trace_file.h."""
import json
import struct

TIMEBASE = 10_000_000
START = 5_000_000
(SWITCH, WAKE, SLEEP, EXIT, INTERRUPT, STATE, WINDOW, IDLE) = range(8)
NOBODY = 0xFF
BEGIN, RECORDS, END = 1, 2, 3


def record(time, event, vm=NOBODY, vcpu=NOBODY, detail=0, value=0, data=0):
    """Times in ticks since the recording began."""
    return struct.pack("<QBBBBIQ", START + time, event, vm, vcpu, detail, value, data)


def chunk(kind, body):
    if isinstance(body, dict):
        body = json.dumps(body).encode()
        body += b" " * (-len(body) % 8)
    return struct.pack("<II", kind, len(body)) + body


def records(hart, *some, lost=0, hartid=None):
    return chunk(RECORDS, struct.pack("<IIQQ", hart, len(some), hartid or hart, lost) +
                 b"".join(some))


def head(version=1):
    return b"shyptrc\0" + struct.pack("<II", version, 0)


def begin(timebase=TIMEBASE, start=START):
    return chunk(BEGIN, {"timebase": timebase, "start": start})


def end(ticks, names=()):
    return chunk(END, {"end": START + ticks,
                       "vms": [{"id": i, "name": name} for i, name in names]})


class Hart:
    """Writes the records of a hart, as src/trace.c does."""

    def __init__(self, number):
        self.number, self.running, self.left, self.records = number, 0xFFFF, START, []

    def add(self, *what, **more):
        self.records.append(record(*what, **more))

    def enter(self, time, vm, vcpu=0):
        """The hart goes to this vCPU; NOBODY: it becomes idle."""
        who = vm << 8 | (NOBODY if vm == NOBODY else vcpu)
        self.add(time, SWITCH, who >> 8, who & 0xFF, value=self.running, data=self.left)
        self.running = who

    def leave(self, time):
        self.left = START + time

    def chunk(self, lost=0):
        return records(self.number, *self.records, lost=lost)


def partitions(frames, late=0):
    """Four partitions on three harts in frames of 20 ms, VM 1 on two of them; `late` ticks."""
    harts = [Hart(1), Hart(2), Hart(3)]
    plan = [[(1, 0, 0, 80), (2, 0, 80, 120), (3, 0, 120, 200)],
            [(1, 1, 0, 80), (4, 0, 80, 200)],
            [(4, 1, 0, 50), (3, 1, 60, 120), (2, 1, 120, 190)]]
    for frame in range(frames):
        at = frame * 200_000
        for hart, windows in zip(harts, plan):
            for vm, vcpu, a, b in windows:
                hart.add(at, WINDOW, vm, vcpu, 0, (b - a) * 1000, START + at + a * 1000)
            for vm, vcpu, a, b in windows:
                hart.enter(at + a * 1000 + late, vm, vcpu)
                for i in range(4):
                    hart.add(at + a * 1000 + (i + 1) * 5000, EXIT, vm, vcpu, i % 3, 15)
                hart.leave(at + b * 1000 - 20)
            if windows[-1][3] < 200:
                hart.enter(at + windows[-1][3] * 1000, NOBODY)
    names = [(1, "control"), (2, "radio"), (3, "vision"), (4, "linux")]
    return (head() + begin() + b"".join(hart.chunk() for hart in harts) +
            end(frames * 200_000, names))
