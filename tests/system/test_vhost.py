# SPDX-License-Identifier: BSD-2-Clause
"""What the management VM's kernel serves, network cards with `"backend": "vhost"` and sockets: as
the guide has it, and what happens to them when VM, daemon or the serving process end.
"""
import pytest

from guests import DEBUG
from test_network import ping

ROUTER, GUEST = "10.78.0.1", "10.78.0.11"
HOST, CID = 2, 3


@pytest.fixture
def bridge(shyper):
    """A bridge in the management VM, and the daemon; all are gone afterwards."""
    shyper.mvm.run(f"ip link add br0 type bridge && ip addr add {ROUTER}/24 dev br0 && "
                   "ip link set br0 up")
    shyper.daemon()
    yield
    for vm in shyper.json("vm list")[1:]:
        shyper.run(f"vm remove {vm['id']}")
    shyper.await_line("ls /sys/class/net/br0/brif | wc -l", "^0$")
    shyper.mvm.run("ip link del br0")


def connect(guest):
    """What DHCP would do."""
    guest.login()
    guest.run(f"killall udhcpc; ip link set eth0 up; ip addr add {GUEST}/24 dev eth0")
    ping(guest, ROUTER)


def test_vhost(shyper, bridge):
    shyper.config_guest(1, nics=[{"backend": "vhost", "bridge": "br0"}], vsock={})
    shyper.run("vm boot vm1")
    guest = shyper.guest("vm1")
    connect(guest)
    assert "vm1-0" in shyper.mvm.run("ls /sys/class/net/br0/brif")
    bulk(shyper, guest)
    listed(shyper)
    sockets(shyper, guest)
    shyper.kill_daemon()
    ping(guest, ROUTER)
    send(guest, shyper.mvm, HOST)
    shyper.daemon()
    connection_ends(shyper, guest)
    server_killed(shyper, guest)


def server(shyper):
    """The process that serves the devices, or ""."""
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


def listed(shyper):
    card = shyper.json("net list")[-1]
    assert (card["name"], card["backend"], card["tap"]) == ("vm1", "vhost", "vm1-0")
    assert card["driver"] and card["link"] and min(card["tx_bytes"], card["rx_bytes"]) > 50 << 20
    assert card["mac"] in shyper.mvm.run("cat /proc/net/arp")


# --- Sockets --------------------------------------------------------------------------------------

def until_said(line, word):
    """The socat in the background has said so."""
    line.run(f"i=0; until grep -q '{word}' /tmp/said; do i=$((i + 1)); [ $i -lt 600 ] || break; "
             "usleep 100000; done; [ $i -lt 600 ]", 90)


def listen(line, options):
    line.run(f"socat -d -d {options} 2>/tmp/said & true")
    until_said(line, "listening")


def send(sender, receiver, cid):
    """1 MB to whoever has the address."""
    listen(receiver, "-u VSOCK-LISTEN:1000 OPEN:/tmp/in,creat,trunc")
    sent = sender.run("head -c 1048576 /dev/urandom >/tmp/out; sha256sum </tmp/out; "
                      f"socat -u OPEN:/tmp/out VSOCK-CONNECT:{cid}:1000", 120)
    assert sent == receiver.run("wait; sha256sum </tmp/in", 60)


def unheard(line, cid):
    """Why nobody answers there."""
    return line.run(f"socat -u /dev/null VSOCK-CONNECT:{cid}:9 2>&1 || true", 60)


def sockets(shyper, guest):
    assert shyper.vm("vm1")["cid"] == CID
    send(shyper.mvm, guest, CID)
    send(guest, shyper.mvm, HOST)
    assert "reset by peer" in unheard(shyper.mvm, CID)
    assert "reset by peer" in unheard(guest, HOST)
    assert "No such device" in unheard(shyper.mvm, CID + 1)
    driver_again(guest)
    send(shyper.mvm, guest, CID)


def driver_again(guest):
    """It lets go of the device, which is reset, and takes it anew."""
    guest.run("cd /sys/bus/virtio/drivers/*vsock* && name=$(echo virtio*) && "
              "echo $name >unbind && ! [ -e $name ] && echo $name >bind && [ -e $name ] && cd")


# --- What ends ------------------------------------------------------------------------------------

def rebooted(shyper, guest):
    shyper.run("vm reboot --force vm1")
    connect(guest)
    send(shyper.mvm, guest, CID)


def connection_ends(shyper, guest):
    """With the guest: who reads from it hears that."""
    listen(guest, "VSOCK-LISTEN:1000 EXEC:'sleep 1000'")
    shyper.mvm.run(f"socat -u VSOCK-CONNECT:{CID}:1000 OPEN:/tmp/in,creat,trunc 2>/tmp/said & true")
    until_said(guest, "accepting")
    rebooted(shyper, guest)
    assert "reset by peer" in shyper.mvm.run("wait; cat /tmp/said", 60)


def server_killed(shyper, guest):
    """Its devices are broken, the guest lives; the next boot brings them back."""
    shyper.mvm.run(f"kill -9 {server(shyper)}")
    shyper.await_line("ls /sys/class/net/br0/brif | wc -l", "^0$")
    assert "100% packet loss" in guest.run(f"ping -c 2 -W 1 {ROUTER} || true")
    assert "No such device" in unheard(shyper.mvm, CID)
    assert "timed out" in unheard(guest, HOST)
    rebooted(shyper, guest)
    assert len(shyper.mvm.run(f"cat {DEBUG}/backends").split("\n")) == 3


def test_refusals(shyper, bridge):
    """Nothing is left of a boot that fails."""
    shyper.config_guest(1, nics=[{"backend": "vhost", "bridge": "br7"}])
    assert 'bridge "br7": there is none' in shyper.fails("vm boot vm1")
    assert shyper.vm("vm1")["state"] == "made"
    assert server(shyper) == ""
    shyper.mvm.run("! [ -e /sys/class/net/vm1-0 ]")


def test_address_of_another(shyper, bridge):
    """Two definitions that name the same one at the same moment: the second does not boot."""
    shyper.config_guest(1, vsock={})
    shyper.config_guest(2, vsock={"cid": 9})
    shyper.mvm.run("sed -i 's/9}/3}/; s/\"cid\": *9/\"cid\": 3/' /var/lib/shyper/2.json")
    shyper.run("vm boot vm1")
    assert "cid 3: another VM has it" in shyper.fails("vm boot vm2")
    assert shyper.vm("vm2")["state"] == "made"
