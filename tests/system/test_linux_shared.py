# SPDX-License-Identifier: BSD-2-Clause
"""Two Linux guests with 3 and 2 vCPUs on harts 1 to 3 and 2 to 3, by Rust-Shyper's two examples as
they are; with AIA on harts whose interrupt files are enough for both, and on others.
"""
import pytest

import pair
from machine import IRQ

# With vector units.
MACHINES = [{"CPU": "max"} | more
            for more in {"aia": [{"AIA_GUESTS": 3}, {"AIA_GUESTS": 1}]}.get(IRQ, [{}])]
# Work for all harts at once, that needs no disk: how long it takes is printed.
WORK = ("time sh -c 'for i in 1 2 3; do "
        "dd if=/dev/zero bs=1M count=4 2>/dev/null | sha256sum >/dev/null & done; wait'")


@pytest.fixture(scope="module", params=MACHINES, ids=lambda m: "-".join(map(str, m.values())))
def variables(request):
    return request.param


@pytest.fixture
def two(shyper):
    return pair.start(shyper)


def test_both_work(shyper, two, variables):
    assert [vm["harts"] for vm in shyper.json("vm list")] == [[0], [1, 2, 3], [2, 3]]
    assert [guest.run("nproc") for guest in two.values()] == ["3", "2"]
    before = {n: shyper.vm(n)["exits"] for n in two}
    for n, guest in two.items():
        print(n, guest.run("dmesg | grep 'Run /init'"), before[n])
    if IRQ == "aia":    # to a file in memory each of the guest's IPIs is one of Shyper's
        assert (before[2]["ipi"] > 500) == (variables["AIA_GUESTS"] == 1)
    for guest in two.values():
        guest.line.start(WORK)
    for n, guest in two.items():
        seconds = guest.line.finish(300).split()
        after = shyper.vm(n)["exits"]
        print(n, seconds, {cause: after[cause] - before[n][cause] for cause in after})


def crash(guest):
    guest.line.send("echo c >/proc/sysrq-trigger")
    guest.line.expect("Kernel panic")


def test_what_one_does_disturbs_no_other(shyper, two):
    """Both write; one of them is paused, reset, crashes and is removed."""
    for guest in two.values():
        guest.write_for_ever()
    shyper.await_requests(two)
    for victim, witness in (1, 2), (2, 1):
        shyper.run(f"vm pause {victim}")
        shyper.await_requests([witness])
        assert shyper.vm(victim)["state"] == "paused"
        shyper.run(f"vm resume {victim}")
        shyper.await_requests([victim])
    shyper.run("vm reset 2")
    shyper.await_requests([1])
    two[2].login()
    two[2].write_for_ever()
    shyper.await_requests(two)
    crash(two[2])
    shyper.await_requests([1])
    two[2].login()
    two[2].write_for_ever()
    shyper.await_requests(two)
    assert two[1].stop_writing() > 0
    shyper.run("vm remove 1")
    shyper.await_requests([2])
    shyper.run(f"vm config {pair.CONFIG[1]}")
    shyper.run("vm boot 1")
    two[1].line.close()
    guest = shyper.guest(1, "vm1")
    guest.login()
    assert guest.run("nproc") == "3"
    assert two[2].stop_writing() > 0
