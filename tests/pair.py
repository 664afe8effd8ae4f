# SPDX-License-Identifier: BSD-2-Clause
"""Two Linux guests by Rust-Shyper's examples, VM 1 on harts 1 to 3 and VM 2 on 2 and 3, fio and
stress-ng in both: their shares of the harts, and whether a register of one has what is another's.
"""
import json
import re

from guests import compile_program
from machine import IRQ, TOP

CONFIG = {n: f"vm{n}_config_riscv{'_aia' if IRQ == 'aia' else ''}.json" for n in (1, 2)}
SHARED = 2, 3   # the harts of both
PERIOD = 100_000
# Time by instructions, one in 16 ns.
VIRTUAL = {"QEMUFLAGS": "-icount shift=4,sleep=off"}


def put_registers(shyper, folder):
    """The program registers, onto the disks of both."""
    compile_program(folder / "registers", TOP / "tests/system/registers.c")
    shyper.mvm.put(folder / "registers", "/tmp/registers")
    for n in CONFIG:
        shyper.mvm.run(f"mkdir -p /tmp/m; mount -o loop /root/vm{n}.img /tmp/m && "
                       "install -m 755 /tmp/registers /tmp/m/root; umount /tmp/m", 60)


def start(shyper):
    """The daemon, and both logged in: {id: guest}."""
    shyper.daemon()
    guests = {}
    for n, config in CONFIG.items():
        shyper.run(f"vm config {config}", 300)
        shyper.run(f"vm boot {n}")
        guests[n] = shyper.guest(n, f"vm{n}")
    for guest in guests.values():
        guest.login()
    return guests


def set_shares(shyper, percent):
    for n, share in zip(CONFIG, percent):
        shyper.run(f"vm set {n} --budget {share * PERIOD // 100} --period {PERIOD}")


def keep_busy(guests):
    """Disk, all processors, all registers: until stop()."""
    for guest in guests.values():
        guest.write_for_ever()
        guest.run("/root/registers /tmp/stop >/tmp/registers & "
                  "stress-ng --quiet --cpu 0 >/tmp/stress 2>&1 & true")


def stop(guests):
    """Returns what registers said: {id: (rounds, mismatches)}, with vector registers too."""
    said = {}
    for n, guest in guests.items():
        assert guest.run("killall stress-ng && cat /tmp/stress") == ""
        assert guest.stop_writing() > 0
        text = guest.run("cat /tmp/registers")
        found = re.fullmatch(r"rounds (\d+) mismatches (\d+) vector 1", text)
        assert found, text
        said[n] = tuple(int(number) for number in found.groups())
    return said


def had(shyper, seconds):
    """Percent of each shared hart that each VM has had of those seconds: {(hart, id): percent}."""
    text = shyper.mvm.run(f"shyper sched show --json --interval {seconds}", 60 + 20 * seconds)
    return {(hart["hart"], vcpu["vm"]): vcpu["share"] for hart in json.loads(text)["harts"]
            for vcpu in hart["vcpus"] if hart["hart"] in SHARED}
