# SPDX-License-Identifier: BSD-2-Clause
"""Network cards that the management VM's kernel serves, `"backend": "vhost"`: as the guide has it,
and what happens to them when VM, daemon or the serving process end.
"""
import pytest

from guests import DEBUG
from test_network import ping

ROUTER, GUEST = "10.78.0.1", "10.78.0.11"


@pytest.fixture
def bridge(shyper):
    """A bridge in the management VM, and the daemon; all are gone afterwards."""
    shyper.mvm.run(f"ip link add br0 type bridge && ip addr add {ROUTER}/24 dev br0 && "
                   "ip link set br0 up")
    shyper.daemon()
    yield
    if shyper.json("vm list")[1:]:
        shyper.run("vm remove vm1")
    shyper.await_line("ls /sys/class/net/br0/brif | wc -l", "^0$")
    shyper.mvm.run("ip link del br0")


def connect(guest):
    """What DHCP would do."""
    guest.login()
    guest.run(f"killall udhcpc; ip link set eth0 up; ip addr add {GUEST}/24 dev eth0")
    ping(guest, ROUTER)


def test_vhost(shyper, bridge):
    shyper.config_guest(1, nics=[{"backend": "vhost", "bridge": "br0"}])
    shyper.run("vm boot vm1")
    guest = shyper.guest("vm1")
    connect(guest)
    assert "vm1-0" in shyper.mvm.run("ls /sys/class/net/br0/brif")
    bulk(shyper, guest)
    shyper.kill_daemon()
    ping(guest, ROUTER)
    shyper.daemon()
    rebooted(shyper, guest)
    server_killed(shyper, guest)


def server(shyper):
    """The process that serves the card, or ""."""
    return shyper.mvm.run("for pid in $(pidof shyper); do tr '\\0' ' ' </proc/$pid/cmdline | "
                          "grep -q 'net serve' && echo $pid; done; true")


def bulk(shyper, guest):
    """Frames do not pass through the process, but through a thread of the kernel's."""
    shyper.mvm.run("iperf3 -s -D")
    for way in "", "-R":
        guest.run(f"iperf3 -c {ROUTER} -n 50M {way}", 200)
    pid = server(shyper)
    assert int(shyper.mvm.run(f"awk '{{ print $14 + $15 }}' /proc/{pid}/task/{pid}/stat")) < 100
    assert f"vhost-{pid}" in shyper.mvm.run(f"cat /proc/{pid}/task/*/comm")
    shyper.mvm.run("killall iperf3")


def rebooted(shyper, guest):
    shyper.run("vm reboot --force vm1")
    connect(guest)


def server_killed(shyper, guest):
    """The card is broken, the guest lives; the next boot brings the card back."""
    shyper.mvm.run(f"kill -9 {server(shyper)}")
    shyper.await_line("ls /sys/class/net/br0/brif | wc -l", "^0$")
    assert "100% packet loss" in guest.run(f"ping -c 2 -W 1 {ROUTER} || true")
    rebooted(shyper, guest)
    assert len(shyper.mvm.run(f"cat {DEBUG}/backends").split("\n")) == 2


def test_refusals(shyper, bridge):
    """Nothing is left of a boot that fails."""
    shyper.config_guest(1, nics=[{"backend": "vhost", "bridge": "br7"}])
    assert 'bridge "br7": there is none' in shyper.fails("vm boot vm1")
    assert shyper.vm("vm1")["state"] == "made"
    assert server(shyper) == ""
    shyper.mvm.run("! [ -e /sys/class/net/vm1-0 ]")
