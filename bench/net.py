#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""iperf3 between guests, and between a guest and the management VM through the switch and through
vhost, beside the management VM's own loopback; exits and frames are counted.

Each figure is the median of runs made in turn, in one QEMU: the ratio to loopback says more
than Mbit/s. TCP is left to cut segments as it likes (frames of up to 64 KiB); UDP sends frames of
1514 bytes. They are kept in build/bench/net.json.
usage: bench/net.py [RUNS [SECONDS [VARIABLE=value…]]]   (default 3 and 4; variables of make run)
"""
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from guests import Shyper  # noqa: E402
from machine import TOP  # noqa: E402
from mvm import Mvm  # noqa: E402

OUT = TOP / "build/bench"
ROUTER, ONE, TWO = "10.77.0.1", "10.77.0.11", "10.77.0.12"
BRIDGE, TAPPED = "10.78.0.1", "10.78.0.11"
UNITS = {"": 1e-6, "K": 1e-3, "M": 1, "G": 1e3}    # of a megabyte
KINDS = {"TCP": "", "TCP back": "-R", "UDP 1514": "-u -b 0 -l 1472"}


class Counts:
    """Exits so far of the guest and of the MVM, and frames of the guest's card, if it has one."""

    def __init__(self, shyper):
        self.exits = {name: sum(shyper.vm(vm)["exits"].values())
                      for name, vm in (("guest", "vm1"), ("MVM", 0))}
        cards = shyper.json("net info vm1")
        self.frames = sum(card["tx_frames"] + card["rx_frames"] for card in cards)

    def since(self, before, megabytes):
        frames = self.frames - before.frames
        each = {f"{name} exits/MB": (n - before.exits[name]) / megabytes
                for name, n in self.exits.items()}
        if frames:
            each["guest exits/frame"] = (self.exits["guest"] - before.exits["guest"]) / frames
            each["bytes/frame"] = 1e6 * megabytes / frames
        return each


def iperf(run, server, options, seconds):
    """Mbit/s and megabytes that arrived."""
    text = run(f"iperf3 -c {server} -t {seconds} -f m {options} | grep receiver", 60 + 20 * seconds)
    found = re.search(r"([\d.]+) ([KMG]?)Bytes +([\d.]+) Mbits/sec", text)
    return float(found.group(3)), float(found.group(1)) * UNITS[found.group(2)]


def measure(shyper, rows, runs, seconds):
    """{(name, kind): [(Mbit/s, counts)]}; loopback in turn with all others."""
    figures = {}
    for _ in range(runs):
        for kind, options in KINDS.items():
            for name, (run, server) in rows.items():
                before = Counts(shyper)
                rate, megabytes = iperf(run, server, options, seconds)
                counts = Counts(shyper).since(before, max(megabytes, 0.001))
                figures.setdefault((name, kind), []).append((rate, counts))
    return figures


def start(shyper, number, **more):
    shyper.config_guest(number, **more)
    shyper.run(f"vm boot vm{number}")
    guest = shyper.guest(f"vm{number}")
    guest.login()
    return guest


def through_switch(shyper, runs, seconds):
    one, two = (start(shyper, number) for number in (1, 2))
    for line in one, two:
        line.run("i=0; until grep -q nameserver /etc/resolv.conf; do i=$((i + 1)); "
                 "[ $i -lt 600 ] || break; usleep 100000; done")
    two.run("iperf3 -s -D")
    rows = {"MVM loopback": (shyper.mvm.run, "127.0.0.1"), "guest-guest": (one.run, TWO),
            "guest-MVM, switch": (one.run, ROUTER)}
    figures = measure(shyper, rows, runs, seconds)
    one.leave()
    two.leave()
    shyper.run("vm remove vm1")
    shyper.run("vm remove vm2")
    return figures


def through_vhost(shyper, runs, seconds):
    shyper.mvm.run(f"ip link add br0 type bridge && ip addr add {BRIDGE}/24 dev br0 && "
                   "ip link set br0 up")
    one = start(shyper, 1, nics=[{"backend": "vhost", "bridge": "br0"}])
    one.run(f"killall udhcpc; ip link set eth0 up; ip addr add {TAPPED}/24 dev eth0; "
            f"ping -c 3 {BRIDGE}", 60)
    return measure(shyper, {"guest-MVM, vhost": (one.run, BRIDGE)}, runs, seconds)


def medians(rows):
    rates, counts = zip(*rows)
    names = set().union(*counts)
    return {"Mbit/s": statistics.median(rates)} | {
        name: statistics.median(c[name] for c in counts if name in c) for name in sorted(names)}


def show(results):
    line = "{:20}{:10}{:>9}{:>8}{:>12}{:>12}{:>13}{:>12}"
    columns = "guest exits/MB", "MVM exits/MB", "guest exits/frame", "bytes/frame"
    print(line.format("", "", "Mbit/s", "ratio", "guest ex/MB", "MVM ex/MB", "guest ex/frm",
                      "bytes/frm"))
    for (name, kind), row in results.items():
        own = results["MVM loopback", kind]["Mbit/s"]
        cells = (f"{row[column]:.2f}" if column in row else "–" for column in columns)
        print(line.format(name, kind, f"{row['Mbit/s']:.0f}", f"{row['Mbit/s'] / own:.2f}", *cells))


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    variables = dict(word.split("=", 1) for word in sys.argv[3:])
    subprocess.run(["make", "-s", "all", "vmdef-check", "images"], cwd=TOP, check=True)
    mvm = Mvm(OUT / "net", timeout=180, **variables)
    try:
        mvm.login()
        shyper = Shyper(mvm)
        mvm.run("iperf3 -s -D")
        figures = through_switch(shyper, runs, seconds) | through_vhost(shyper, runs, seconds)
    finally:
        mvm.close()
    results = {key: medians(rows) for key, rows in figures.items()}
    print(f"medians of {runs} runs of {seconds} s")
    show(results)
    (OUT / "net.json").write_text(json.dumps(
        [{"path": name, "kind": kind, **row} for (name, kind), row in results.items()], indent=1)
        + "\n")


main()
