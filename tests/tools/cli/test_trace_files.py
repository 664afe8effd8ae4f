# SPDX-License-Identifier: BSD-2-Clause
"""Recorded traces: made by `trace record`, summed up, drawn, refused when they are not sound."""
import signal
import struct
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

import traces
from commandline import SHYPER
from traces import (BEGIN, END, EXIT, IDLE, INTERRUPT, NOBODY, RECORDS, SLEEP, START, STATE, SWITCH,
                    WAKE, Hart, begin, chunk, end, head, record, records)

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def make(cli):
    """A function: writes a trace of these parts, returns its name."""
    def write(*parts, name="t.trace"):
        (cli.folder / name).write_bytes(b"".join(parts))
        return name

    return write


def of_harts(*harts, ticks=100_000, names=((1, "web"), (2, "radio"))):
    return head() + begin() + b"".join(hart.chunk() for hart in harts) + end(ticks, names)


def shared():
    """web and radio share a hart for 10 ms: 3 + 4 ms, 2 ms, idle between."""
    hart = Hart(0)
    hart.enter(0, 1)
    hart.add(10_000, EXIT, 1, 0, 0, 50, 0x10 << 32)
    hart.add(29_000, EXIT, 1, 0, 5, 150)
    hart.leave(30_000)
    hart.add(30_010, SLEEP, 1, 0)
    hart.enter(30_020, 2)
    hart.add(50_015, WAKE, 1, 0, 0, 1 << 5, START + 50_000)
    hart.leave(50_020)
    hart.enter(50_040, 1)
    hart.add(60_000, INTERRUPT, 1, 0, 0, 1 << 9)
    hart.leave(90_040)
    hart.enter(90_050, NOBODY)
    hart.add(95_000, IDLE, value=1 << 5)
    return hart


def test_sums(cli, make):
    result = cli.json("trace", "report", make(of_harts(shared())))
    (hart,), (web, radio) = result["harts"], result["vcpus"]
    assert result["seconds"] == pytest.approx(0.01)
    assert hart["run"] == pytest.approx(0.009) and hart["share"] == pytest.approx(90)
    assert (hart["hart"], hart["switches"], hart["lost"]) == (0, 4, 0)
    assert hart["woken"] == {"software": 0, "timer": 1, "external": 0}
    assert (web["name"], web["vm"], web["vcpu"], web["runs"]) == ("web", 1, 0, 2)
    assert web["run"] == pytest.approx(0.007) and radio["run"] == pytest.approx(0.002)
    assert web["exits"]["sbi"] == {"count": 1, "seconds": pytest.approx(5e-6)}
    assert web["exits"]["timer"] == {"count": 1, "seconds": pytest.approx(15e-6)}
    assert sum(one["count"] for one in radio["exits"].values()) == 0
    # from when its timer was due
    assert web["latency"] == {"count": 1, "max": pytest.approx(4e-6), "mean": pytest.approx(4e-6)}
    assert (web["wakeups"], web["interrupts"]) == (1, 1)


def test_report_for_people(cli, make):
    text = cli.out("trace", "report", make(of_harts(shared())))
    assert "90.00 %" in text and "0.007000 s" in text and "4.0 / 4.0 us" in text
    assert "exits of web vCPU 0: sbi 1 (5.0 us) timer 1 (15.0 us)" in text


def test_windows(cli, make):
    result = cli.json("trace", "report", make(traces.partitions(10, late=7)))
    assert [hart["hart"] for hart in result["harts"]] == [1, 2, 3]
    assert len(result["vcpus"]) == 8
    for vcpu in result["vcpus"]:
        assert vcpu["windows"]["count"] == 10
        assert vcpu["windows"]["max"] == pytest.approx(7e-7)
    assert result["vcpus"][0]["windows"]["planned"] == pytest.approx(0.08)


def test_lost_records(cli, make):
    """What follows a gap tells who was there before it."""
    hart = Hart(0)
    hart.enter(0, 1)
    before = hart.chunk()
    rest = Hart(0)
    rest.add(40_000, STATE, 2, 0, 3)
    rest.running = 0x200
    rest.leave(60_000)
    rest.enter(60_000, 1)
    name = make(head(), begin(), before, rest.chunk(lost=7), end(100_000))
    out, notes = cli.run("trace", "report", name)
    assert "7 records were lost" in notes and "VM 2" in out
    result = cli.json("trace", "report", name)
    assert result["harts"][0]["lost"] == 7
    assert result["harts"][0]["run"] == pytest.approx(0.006)
    assert cli.json("trace", "svg", name)["file"] == "t.trace.svg"
    assert "records lost" in (cli.folder / "t.trace.svg").read_text()


# --- Pictures ---

def picture(cli, *words):
    out = cli.json("trace", "svg", *words)["file"]
    return ElementTree.parse(cli.folder / out).getroot()


def of_class(root, name):
    return [one for one in root.iter() if one.get("class") == name]


def test_picture(cli, make):
    root = picture(cli, make(traces.partitions(5)))
    texts = [one.text for one in root.iter(SVG + "text")]
    for text in ("control", "radio", "vision", "linux", "hart 1", "hart 3", "planned window",
                 "milliseconds since the recording began"):
        assert text in texts
    runs, windows = of_class(root, "run"), of_class(root, "window")
    assert len(runs) == 5 * 8 and len(windows) == 5 * 8 + 1    # and in the legend
    assert len({one.get("fill") for one in runs}) == 4
    title = runs[0].find(SVG + "title").text
    assert title.startswith("control vCPU 0 on hart 1\n0.0000 to 7.9980 ms")
    for one in runs + windows[:-1]:
        assert float(one.get("x")) >= 110 and float(one.get("width")) > 1
        assert float(one.get("x")) + float(one.get("width")) <= 1550.01
    # Self-contained: nothing is loaded from elsewhere.
    assert not [one for one in root.iter() for key in one.attrib if key.endswith("href")]


def test_picture_of_many_frames(cli, make):
    name = make(traces.partitions(1000))
    root = picture(cli, name, "-o", "many.svg")
    assert (cli.folder / "many.svg").stat().st_size < 1_000_000
    assert not of_class(root, "run") and len(of_class(root, "sum")) == 3 + 2 + 3
    root = picture(cli, name, "--from", 10, "--to", 10.02)
    assert len(of_class(root, "run")) == 8
    assert "radio" in [one.text for one in of_class(root, "label")]


def test_pictures_of_names_and_of_little(cli, make):
    hart = Hart(5)
    hart.enter(10, 9, 3)
    root = picture(cli, make(of_harts(hart, ticks=30, names=((9, "a<b>&\"c"),))))
    assert of_class(root, "run")[0].get("fill") == "url(#h9)"
    assert "a<b>&\"c" in [one.text for one in root.iter(SVG + "text")]
    picture(cli, make(head(), begin(), end(1)))


@pytest.mark.parametrize("words, why", [
    (("--from", "x"), "--from x is not possible; the recording has 0.100000 s"),
    (("--to", "0.2"), "--to 0.2 is not possible"), (("--to", "-1"), "--to -1 is not possible"),
    (("--to", "nan"), "--to nan is not possible"),
    (("--from", "0.05", "--to", "0.05"), "nothing lies between"),
])
def test_spans_refused(cli, make, words, why):
    assert why in cli.error("trace", "svg", make(traces.partitions(5)), *words, status=2)
    assert not (cli.folder / "t.trace.svg").exists()


def test_picture_that_cannot_be_written(cli, make):
    assert "No such file" in cli.error("trace", "svg", make(traces.partitions(1)), "-o", "no/x")


# --- What is no trace ---

BAD_RECORDS = [
    (record(0, 8), "there is no such event"),
    (record(0, SWITCH, 16, 0), "there is no such vCPU"),
    (record(0, WAKE, 1, 16), "there is no such vCPU"),
    (record(0, SWITCH, 1, 0, value=0x10000), "there is no such vCPU"),
    (record(0, EXIT, 1, 0, 9), "there is no such cause"),
    (record(-1, IDLE), "time runs backwards"),
    (record(5, IDLE) + record(4, IDLE), "record 1: time runs backwards"),
    (record(101, IDLE), "after its end"),
]
CUT = struct.pack("<II", RECORDS, 0x7FFFFFF8)
BAD = [
    (b"", "not a trace"), (b"shyptrc", "not a trace"), (b"\x7fELF" + bytes(100), "not a trace"),
    (head(2) + begin() + end(1), "version 2; this command reads version 1"),
    (head(), "cut off at byte 16"), (head() + begin(), "was not finished"),
    (head() + begin() + CUT, "was not finished"), (head() + begin() + end(1)[:-1], "cut off"),
    (head() + end(1), "no place here"), (head() + begin() + begin(), "no place here"),
    (head() + begin() + chunk(9, b""), "no part of kind 9"),
    (head() + chunk(BEGIN, b"[1]     "), "not a JSON object"),
    (head() + chunk(BEGIN, {"timebase": 1, "start": 0}), "1 Hz is not possible"),
    (head() + chunk(BEGIN, {"timebase": 10_000_000}), '"start" is not a number'),
    (head() + chunk(BEGIN, {"timebase": -1, "start": 0}), '"timebase" is not a number'),
    (head() + begin() + end(-1), "ends before it starts"),
    (head() + begin() + end(1, [(16, "x")]), 'entry 0 of "vms"'),
    (head() + begin() + end(1, [(1, "x" * 32)]), 'entry 0 of "vms"'),
    (head() + begin() + chunk(END, {"end": START, "vms": [3]}), 'entry 0 of "vms"'),
    (head() + begin() + end(1) + b"x", "something follows its end"),
    (head() + begin() + chunk(RECORDS, bytes(16)), "too few"),
    (head() + begin() + records(64), "there is no hart 64"),
    (head() + begin() + chunk(RECORDS, struct.pack("<IIQQ", 0, 2, 0, 0) + bytes(24)),
     "2 records do not take"),
    (head() + begin() + chunk(RECORDS, struct.pack("<IIQQ", 0, 0xFFFFFFFF, 0, 0)),
     "4294967295 records do not take"),
] + [(head() + begin() + records(0, bad) .replace(struct.pack("<II", 0, 1), struct.pack(
    "<II", 0, len(bad) // 24), 1) + end(100), why) for bad, why in BAD_RECORDS]


@pytest.mark.parametrize("data, why", BAD, ids=[f"{i}-{why}" for i, (_, why) in enumerate(BAD)])
def test_refused(cli, make, data, why):
    name = make(data)
    for verb in "report", "svg":
        error = cli.error("trace", verb, name)
        assert error.startswith("shyper: t.trace: ") and why in error
    assert not (cli.folder / "t.trace.svg").exists()


def test_every_cut_is_refused(cli, make):
    whole = of_harts(shared())
    for size in range(16, len(whole), 61):
        assert "cut off" in cli.error("trace", "report", make(whole[:size]))


def test_files_that_are_not_there(cli):
    assert "No such file" in cli.error("trace", "report", "none")
    assert "directory" in cli.error("trace", "svg", ".")
    cli.error("trace", "report", status=2)


# --- Recording ---

def test_record(cli):
    """Times of the fake's records are when they are read."""
    cli.config(name="web")
    some = [record(0, SWITCH, 1, 0, value=0xFFFF)] + [record(0, EXIT, 1, 0, 1, 0)] * 500
    (cli.fake / "2.trace").write_bytes(b"".join(some))
    out = cli.json("trace", "record", "-d", 0.2, "-o", "x.trace")
    assert out["file"] == "x.trace" and out["records"] == 501 and out["lost"] == 0
    assert 0.2 <= out["seconds"] < 20
    assert not (cli.folder / "x.trace.part").exists()
    result = cli.json("trace", "report", "x.trace")
    assert [hart["hart"] for hart in result["harts"]] == [0, 1, 2, 3]
    assert [vcpu["name"] for vcpu in result["vcpus"]] == ["web"]
    assert result["vcpus"][0]["exits"]["mmio-read"]["count"] == 500


def test_record_with_a_daemon_there(cli):
    cli.daemon()
    assert "shyper.trace: 0." in cli.out("trace", "record", "-d", "0.1", "-e", "wake,window")
    assert (cli.folder / "shyper.trace").exists()


def test_record_until_interrupted(cli):
    process = subprocess.Popen([str(SHYPER), "trace", "record"], cwd=cli.folder,
                               env=cli.environment)
    cli.until(lambda: (cli.folder / "shyper.trace.part").exists())
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    cli.json("trace", "report", "shyper.trace")


@pytest.mark.parametrize("words, why", [
    (("-e", "wake,walk"), 'no events "walk"; there are switch wake sleep exit interrupt state'),
    (("-d", "0"), '"0" seconds'), (("-d", "1x"), '"1x" seconds'), (("-d", "nan"), "seconds"),
    (("-d", "1e9"), "up to 86400"), (("-r", "99999999"), 'ring of "99999999" records'),
    (("-r", "-1"), "has up to 65536"), (("-r", ""), "ring of"),
])
def test_record_refused(cli, words, why):
    assert why in cli.error("trace", "record", *words, status=2)
    assert not list(cli.folder.glob("*.trace*"))


def test_record_when_somebody_does(cli):
    (cli.fake / "0.tracing").touch()
    assert "one at a time" in cli.error("trace", "record", "-d", "1")
    assert not list(cli.folder.glob("*.trace*"))


def test_record_where_nothing_can_be_written(cli):
    assert "No such file" in cli.error("trace", "record", "-d", "1", "-o", "no/x")
