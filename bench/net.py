#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""iperf3 between guests, and between a guest and the management VM, through the switch and through
vhost, beside the management VM's own loopback; exits, frames and copied bytes are counted.

Each figure is the median of runs made in turn, in one QEMU: the ratio to loopback says more
than Mbit/s. TCP is left to cut segments as it likes (frames of up to 64 KiB); UDP sends frames of
1514 bytes. Frames are those of the guest's card; copies are the bytes that the switch wrote to
guests over those that it delivered. All are kept in build/bench/net.json.
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
SWITCH = {"mvm": "10.77.0.1", "vm1": "10.77.0.11", "vm2": "10.77.0.12"}
VHOST = {"mvm": "10.78.0.1", "vm1": "10.78.0.11", "vm2": "10.78.0.12"}
CARDS = {"vhost": "eth0", "switch": "eth1"}     # as Linux finds them in the guest
KINDS = {"TCP": "", "TCP back": "-R", "UDP 1514": "-u -b 0 -l 1472"}


class Counts:
    """Exits so far of the guest and of the MVM; frames and bytes of one of the guest's cards; bytes
    that the switch wrote and delivered.
    """

    def __init__(self, shyper, guest, card):
        self.exits = {name: sum(shyper.vm(vm)["exits"].values())
                      for name, vm in (("guest", "vm1"), ("MVM", 0))}
        self.frames = self.bytes = 0
        if card:
            lines = guest.run(f"cd /sys/class/net/{card}/statistics; "
                              "cat tx_packets rx_packets tx_bytes rx_bytes")
            numbers = [int(line) for line in lines.split()]
            self.frames, self.bytes = sum(numbers[:2]), sum(numbers[2:])
        cards = [one for one in shyper.json("net list") if one["backend"] == "switch"]
        self.copied, self.delivered = (sum(card.get(key, 0) for card in cards)
                                       for key in ("copied", "rx_bytes"))

    def since(self, before, card):
        """For each frame; and for each byte, where the switch is in use."""
        frames, delivered = self.frames - before.frames, self.delivered - before.delivered
        if not frames:
            return {}
        each = {f"{name} exits": (n - before.exits[name]) / frames
                for name, n in self.exits.items()}
        each["bytes"] = (self.bytes - before.bytes) / frames
        if card == CARDS["switch"]:
            each["copies"] = (self.copied - before.copied) / delivered
        return each


def iperf(run, server, options, seconds):
    """Mbit/s that arrived."""
    text = run(f"iperf3 -c {server} -t {seconds} -f m {options} | grep receiver", 60 + 20 * seconds)
    return float(re.search(r"([\d.]+) Mbits/sec", text).group(1))


def measure(shyper, guest, rows, runs, seconds):
    """{(name, kind): [(Mbit/s, counts)]}; all in turn."""
    figures = {}
    for _ in range(runs):
        for kind, options in KINDS.items():
            for name, (run, server, card) in rows.items():
                before = Counts(shyper, guest, card)
                rate = iperf(run, server, options, seconds)
                counts = Counts(shyper, guest, card).since(before, card)
                figures.setdefault((name, kind), []).append((rate, counts))
    return figures


def start(shyper, number):
    """A guest with both kinds of cards, on the switch and by vhost in the bridge br0."""
    name = f"vm{number}"
    shyper.config_guest(number, nics=[{}, {"backend": "vhost", "bridge": "br0"}])
    shyper.run(f"vm boot {name}")
    guest = shyper.guest(name)
    guest.login()
    guest.run("killall udhcpc; dmesg -n 1; "
              f"ip link set {CARDS['vhost']} up; ip link set {CARDS['switch']} up; "
              f"ip addr add {VHOST[name]}/24 dev {CARDS['vhost']}; "
              f"ip addr add {SWITCH[name]}/24 dev {CARDS['switch']}; "
              f"ping -c 3 {VHOST['mvm']} && ping -c 3 {SWITCH['mvm']}", 120)
    return guest


def all_paths(shyper, runs, seconds):
    mvm = shyper.mvm
    mvm.run(f"ip link add br0 type bridge && ip addr add {VHOST['mvm']}/24 dev br0 && "
            "ip link set br0 up && iperf3 -s -D")
    one, two = (start(shyper, number) for number in (1, 2))
    two.run("iperf3 -s -D")
    rows = {"MVM loopback": (mvm.run, "127.0.0.1", None)}
    for name, addresses in ("switch", SWITCH), ("vhost", VHOST):
        card = CARDS[name]
        rows[f"guest-guest, {name}"] = (one.run, addresses["vm2"], card)
        rows[f"guest-MVM, {name}"] = (one.run, addresses["mvm"], card)
    return measure(shyper, one, rows, runs, seconds)


def medians(rows):
    rates, counts = zip(*rows)
    names = set().union(*counts)
    return {"Mbit/s": statistics.median(rates)} | {
        name: statistics.median(c[name] for c in counts if name in c) for name in sorted(names)}


def show(results):
    line = "{:22}{:10}{:>8}{:>7}{:>13}{:>11}{:>8}{:>8}"
    columns = {"guest exits": 2, "MVM exits": 2, "bytes": 0, "copies": 3}
    print(line.format("", "for each frame:", "", "", *columns))
    print(line.format("", "", "Mbit/s", "ratio", "", "", "", ""))
    for (name, kind), row in results.items():
        own = results["MVM loopback", kind]["Mbit/s"]
        cells = (f"{row[column]:.{digits}f}" if column in row else "–"
                 for column, digits in columns.items())
        print(line.format(name, kind, f"{row['Mbit/s']:.0f}", f"{row['Mbit/s'] / own:.2f}", *cells))


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    variables = dict(word.split("=", 1) for word in sys.argv[3:])
    subprocess.run(["make", "-s", "all", "vmdef-check", "images"], cwd=TOP, check=True)
    mvm = Mvm(OUT / "net", timeout=180, **variables)
    try:
        mvm.login()
        figures = all_paths(Shyper(mvm), runs, seconds)
    finally:
        mvm.close()
    results = {key: medians(rows) for key, rows in figures.items()}
    print(f"medians of {runs} runs of {seconds} s")
    show(results)
    (OUT / "net.json").write_text(json.dumps(
        [{"path": name, "kind": kind, **row} for (name, kind), row in results.items()], indent=1)
        + "\n")


main()
