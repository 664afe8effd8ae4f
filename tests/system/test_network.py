# SPDX-License-Identifier: BSD-2-Clause
"""The network of guests as docs/networking.md has it: addresses and names from the management VM,
each other, and the world behind QEMU's user network; and what must not disturb it.
"""
import http.server
import re
import statistics
import threading
import urllib.request

import pytest

from machine import TOP

PAGE = "a page of the test host"
ONE, TWO, ROUTER = "10.77.0.11", "10.77.0.12", "10.77.0.1"
PAYLOAD = TOP / "build/guest/net.bin"


@pytest.fixture(scope="module")
def variables(tmp_path_factory):
    """A management VM with the card in a VLAN that the guide gives it."""
    card = re.search(r"\n    net2 \{.*?\};\n", (TOP / "docs/networking.md").read_text(), re.DOTALL)
    definition = (TOP / "config/mvm.dts").read_text()
    file = tmp_path_factory.mktemp("mvm") / "mvm.dts"
    file.write_text(definition.replace("\tdevices {", f"\tdevices {{{card.group(0)}", 1))
    return {"MVM": file}


@pytest.fixture
def web():
    """A server on this host's loopback, which QEMU's network shows as 10.0.2.2; its port."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            self.send_response(200)
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE.encode())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def start(shyper, number, **more):
    shyper.config_guest(number, **more)
    shyper.run(f"vm boot vm{number}")
    return shyper.guest(f"vm{number}")


def log_in(guest):
    """To a shell, and until DHCP is done: its disk may have the names' server of a run before."""
    guest.login()
    guest.run("i=0; until ip route | grep -q default && grep -q nameserver /etc/resolv.conf; do "
              "i=$((i + 1)); [ $i -lt 600 ] || break; usleep 100000; done; [ $i -lt 600 ]", 120)


@pytest.fixture
def guests(shyper):
    """vm1, with a card in VLAN 7, too, and vm2, whose port is locked, logged in, with addresses."""
    both = [start(shyper, 1, nics=[{}, {"vlan": 7}]), start(shyper, 2, nics=[{"locked": True}])]
    for guest in both:
        log_in(guest)
    return both


def ping(line, address, count=3):
    """Times of all answers, in ms; none may be missing."""
    text = line.run(f"ping -c {count} -i 0.05 {address}", 60)
    times = [float(ms) for ms in re.findall(r"time=([\d.]+) ms", text)]
    assert len(times) == count, text
    return times


def card(shyper, name, number=0):
    return shyper.json(f"net info {name}")[number]


def test_what_the_guide_says(shyper, guests, web):
    one, two = guests
    assert ONE in one.run("ip addr show dev eth0") and TWO in two.run("ip addr show dev eth0")
    for line, name in (one, "vm2"), (two, "vm1"), (one, ROUTER), (shyper.mvm, "vm2"):
        ping(line, name)
    assert PAGE in two.run(f"wget -qO- http://10.0.2.2:{web}/")
    assert card(shyper, "vm1")["addresses"] == [ONE]
    assert f"addresses:  {TWO}" in shyper.run("vm info vm2")
    names = [(one["name"], one["card"]) for one in shyper.json("net list")]
    assert names == [("mvm", 0), ("mvm", 1), ("mvm", 2), ("vm1", 0), ("vm1", 1), ("vm2", 0)]
    vlan(shyper, one)
    no_ssh(shyper, one, "eth1", ROUTER)
    another_name(shyper, one, two)
    forward(shyper, one)
    mirror(shyper, one)
    unplug(shyper, one, two)
    locked(shyper, one, two)
    bridge(shyper, guests, web)


def vlan(shyper, one):
    """The management VM's card there reaches the guest's."""
    shyper.mvm.run("ip addr add 10.79.0.1/24 dev eth3 && ip link set eth3 up")
    one.run("ip addr add 10.79.0.2/24 dev eth1 && ip link set eth1 up")
    ping(one, "10.79.0.1")
    ping(shyper.mvm, "10.79.0.2")
    assert card(shyper, "mvm", 2)["vlan"] == card(shyper, "vm1", 1)["vlan"] == 7
    shyper.mvm.run("ip addr flush dev eth3 && ip link set eth3 down")


def no_ssh(shyper, guest, device, address):
    """Its server is there for QEMU's forward alone; by IPv6, too."""
    line = shyper.await_line(f"ip -6 addr show dev {device}", "inet6 fe80.* scope link")
    local = re.search(r"fe80[^/]*", line).group()
    guest.run("ip addr add fe80::77/64 dev eth0 2>/dev/null; true")     # udhcpc removes its own
    for target in f"TCP4:{address}:22", f"TCP6:[{local}%eth0]:22":
        said = guest.run(f"i=0; until socat -u {target} STDOUT 2>&1 | grep -E 'refused|SSH'; do "
                         "i=$((i + 1)); [ $i -lt 100 ] || break; usleep 100000; done", 300)
        assert "Connection refused" in said, target
    assert shyper.mvm.ssh("hostname") == (0, "mvm")


def another_name(shyper, one, two):
    """Who asks with it gets neither its address, though nobody has that, nor the name."""
    one.run(GIVE_BACK)
    said = two.run("udhcpc -i eth0 -n -q -x hostname:vm1 -s /bin/true 2>&1", 90)
    assert f"lease of {TWO} obtained" in said
    assert ask_again(one) == ONE
    assert f"({ONE})" in shyper.mvm.run("ping -c 1 vm1", 60)


def forward(shyper, one):
    """The example in nftables.conf, for the port that QEMU's network lets in: for once that leads
    from this host to vm1's web server.
    """
    one.run("mkdir -p /tmp/www && echo hello of vm1 >/tmp/www/index.html && httpd -h /tmp/www")
    assert "hello of vm1" in shyper.mvm.run("wget -qO- http://vm1/")
    shyper.mvm.run("cd /etc && cp nftables.conf /tmp && sed -i 's/# iifname/iifname/; "
                   "s/dport 8080/dport 22/' nftables.conf && nft -f nftables.conf")
    with urllib.request.urlopen(f"http://127.0.0.1:{shyper.mvm.port}/", timeout=60) as page:
        assert b"hello of vm1" in page.read()
    shyper.mvm.run("mv /tmp/nftables.conf . && nft -f nftables.conf; cd")


def mirror(shyper, one):
    shyper.mvm.run("tcpdump -i eth2 -c 6 -w /tmp/seen icmp 2>/tmp/tcpdump & "
                   "i=0; until grep listening /tmp/tcpdump; do i=$((i + 1)); "
                   "[ $i -lt 100 ] || break; usleep 100000; done")
    ping(one, TWO)
    assert shyper.run("net mirror vm2") == "vm2 (VM 2): mirrored"
    ping(one, TWO)
    assert "mirrored" in shyper.run("net list")
    shyper.mvm.run("wait", 60)
    seen = shyper.mvm.run("tcpdump -nr /tmp/seen 2>/dev/null")
    assert len(re.findall(f"{ONE} > {TWO}: ICMP echo request", seen)) == 3
    assert len(re.findall(f"{TWO} > {ONE}: ICMP echo reply", seen)) == 3
    shyper.run("net mirror vm2 --off")
    frames = card(shyper, "mvm", 1)["rx_frames"]
    ping(one, TWO)
    assert card(shyper, "mvm", 1)["rx_frames"] == frames


def await_carrier(guest, value):
    guest.run(f"i=0; until [ $(cat /sys/class/net/eth0/carrier) = {value} ]; do i=$((i + 1)); "
              "[ $i -lt 100 ] || break; usleep 100000; done; [ $i -lt 100 ]")


def unplug(shyper, one, two):
    shyper.run("net link vm1 --down")
    await_carrier(one, 0)
    assert "100% packet loss" in two.run(f"ping -c 2 -W 1 {ONE} || true")
    assert card(shyper, "vm1")["drops"]["down"] > 0
    shyper.run("net link vm1")
    await_carrier(one, 1)
    ping(two, ONE)


def pretend(guest):
    """Three frames for all, by an address that is nobody's."""
    everyone, nobody = r"\377" * 6, r"\002\000\000\000\000\231"
    guest.run(f"for i in 1 2 3; do printf '{everyone}{nobody}\\210\\265%046d' 0 | "
              "socat -u - INTERFACE:eth0 || break; done")


def locked(shyper, one, two):
    for guest in one, two:
        pretend(guest)
    shyper.await_line("shyper net stats vm2", "spoofed 3")
    for guest, address in (one, TWO), (two, ONE):
        ping(guest, address)
    assert [card(shyper, name)["drops"]["spoofed"] for name in ("vm1", "vm2")] == [0, 3]


GIVE_BACK = ("killall -USR2 udhcpc; i=0; while ip addr show dev eth0 | grep -q 'inet '; do "
             "i=$((i + 1)); [ $i -lt 600 ] || break; usleep 100000; done")


def ask_again(guest):
    """Its DHCP client gives its address back and asks for another one; returns that."""
    guest.run(f"{GIVE_BACK}; killall -USR1 udhcpc")
    text = guest.run("i=0; until ip addr show dev eth0 | grep 'inet '; do i=$((i + 1)); "
                     "[ $i -lt 600 ] || break; usleep 100000; done", 90)
    return re.search(r"inet ([\d.]+)", text).group(1)


def bridge(shyper, guests, web):
    """The network behind eth0 gives guests their addresses, as it does the management VM, which
    keeps its own; and back. Whoever is logged in by ssh, as at the guests' consoles, stays so.
    """
    shyper.mvm.run("/etc/init.d/network bridge; ip addr show dev uplink | grep 10.0.2.15; "
                   "[ $(pidof udhcpc | wc -w) = 1 ]")
    one, two = map(ask_again, guests)
    assert one.startswith("10.0.2.") and len({one, two, "10.0.2.15"}) == 3
    ping(guests[0], two)
    ping(guests[0], "10.0.2.15")
    no_ssh(shyper, guests[0], "uplink", "10.0.2.15")
    assert PAGE in guests[1].run(f"wget -qO- http://10.0.2.2:{web}/")
    shyper.mvm.run("/etc/init.d/network nat; ip addr show dev eth0 | grep 10.0.2.15; "
                   "! [ -e /sys/class/net/uplink ] && [ $(pidof udhcpc | wc -w) = 1 ]")
    assert [ask_again(guest) for guest in guests] == [ONE, TWO]
    assert PAGE in guests[1].run(f"wget -qO- http://10.0.2.2:{web}/")


def test_who_does_not_run(shyper, guests):
    one, _ = guests
    paused_receiver(shyper, one)
    management_vm_asleep(shyper, one)
    management_vm_starts_again(shyper, one)


def paused_receiver(shyper, one):
    """Who sends to it is not held up, and it goes on where it was. It has 256 buffers."""
    ping(one, TWO)
    shyper.run("vm pause vm2")
    before = card(shyper, "vm2")["drops"]["no-buffer"]
    one.run(f"ping -c 400 -i 0.01 -W 1 {TWO}; true", 120)
    assert card(shyper, "vm2")["drops"]["no-buffer"] - before > 100
    ping(one, ROUTER)
    shyper.run("vm resume vm2")
    # Its buffers are full of what came meanwhile.
    one.run(f"i=0; until ping -c 1 -W 1 {TWO}; do i=$((i + 1)); [ $i -lt 60 ] || break; done", 120)
    ping(one, TWO)


def management_vm_asleep(shyper, one):
    """Its devices are suspended for some seconds, and nothing of it runs."""
    one.run(f"(while :; do ping -c 1 -W 1 {TWO} >/dev/null && cut -d' ' -f1 /proc/uptime "
            ">>/tmp/log; usleep 100000; done) & true")
    clock = "cut -d' ' -f1 /proc/uptime"
    before, after = map(float, shyper.mvm.run(
        f"echo platform >/sys/power/pm_test; {clock}; echo freeze >/sys/power/state; {clock}; "
        "echo none >/sys/power/pm_test", 120).split())
    assert after - before > 4
    times = [float(line) for line in one.run("cat /tmp/log").split()]
    assert times[-1] - times[0] > 4
    assert max(b - a for a, b in zip(times, times[1:])) < 2
    ping(one, ROUTER)
    ping(shyper.mvm, ONE)


def management_vm_starts_again(shyper, one):
    """Not a frame between its guests is lost; afterwards it is their router as ever. They have lost
    their disks, so VM 1, whose programs are in its memory, only keeps on; VM 2 boots anew.
    """
    one.run(f"mount -o remount,noatime / && (ping -i 0.2 {TWO} >/tmp/again & echo $! >/tmp/pid)")
    shyper.mvm.send("sync; reboot -f")
    shyper.mvm.login()
    shyper.begin()
    one = shyper.guest("vm1")
    last = one.run("kill $(cat /tmp/pid); grep -c seq= /tmp/again; tail -n 1 /tmp/again", 60)
    count, number = map(int, re.search(r"(\d+)\s[^\0]*seq=(\d+) ", last).groups())
    assert count == number + 1 > 20, last
    ping(one, TWO)
    assert ask_again(one) == ONE
    shyper.run("vm reset vm2")
    two = shyper.guest("vm2")
    log_in(two)
    for line, address in (one, TWO), (two, ONE), (two, ROUTER), (shyper.mvm, "vm2"):
        ping(line, address)


def test_bulk(shyper, guests):
    one, two = guests
    for line in one, two, shyper.mvm:
        line.run("iperf3 -s -D")
    large_frames(shyper, one)
    for way in "", "-R":
        one.run(f"iperf3 -c {ROUTER} -n 50M {way}", 200)
    one.run(f"iperf3 -c {TWO} -n 1M -u -b 10M", 200)
    card_goes_under_traffic(shyper, one, two)


def large_frames(shyper, one):
    """They cross uncut, checksums unmade: hardly more of them than there are pieces of 64 KiB."""
    before = card(shyper, "vm2")
    one.run(f"iperf3 -c {TWO} -n 100M", 200)
    after = card(shyper, "vm2")
    frames, size = (after[key] - before[key] for key in ("rx_frames", "rx_bytes"))
    assert size > 100e6 and size / frames > 10000


def card_goes_under_traffic(shyper, one, two):
    """VM 2 is removed while VM 1 sends to it, and while it sends to VM 1; and comes back."""
    one.run(f"(iperf3 -c {TWO} -t 100 >/dev/null 2>&1) & (iperf3 -c {TWO} -t 100 -u -b 0 "
            "-l 1000 >/dev/null 2>&1) & true")
    two.run(f"(iperf3 -c {ONE} -t 100 >/dev/null 2>&1) & true")
    shyper.await_line("shyper net stats vm2", "vm2 +0 +[0-9]{3,}")
    shyper.run("vm remove vm2")
    ping(one, ROUTER)
    shyper.config_guest(2)
    shyper.run("vm boot vm2")
    log_in(two)
    ping(two, ONE)
    one.run("killall iperf3; true")
    ping(one, TWO)


def payload(shyper, role, hart):
    """A VM of tests/guest/net.c."""
    shyper.config(name="bad", kernel="/root/net.bin", memory="64M", harts=[hart],
                  nics=[{"mac": f"02:00:00:00:00:{role:02x}"}])
    shyper.run("vm boot bad")
    shyper.await_line("shyper net list", "bad .*in use")


def round_trips(shyper, one, role):
    """Their median beside a guest of this role, and what came of that guest's frames."""
    payload(shyper, role, 3)
    median = statistics.median(ping(one, TWO, 100) + ping(one, ROUTER, 50))
    drops = card(shyper, "bad")["drops"]
    shyper.run("vm remove bad")
    return median, drops


def test_storm(shyper, guests):
    """A third guest sends to everyone as fast as it can. Compared with one that only keeps its
    hart, and so this host, busy, the round trips of the others take at most twice the time. What
    else this host does disturbs both: it is tried again.
    """
    one, _ = guests
    shyper.mvm.put(PAYLOAD, "/root/net.bin")
    for _ in range(4):
        (before, _), (during, drops) = (round_trips(shyper, one, role) for role in (7, 6))
        assert drops["storm"] > 10000
        if during < 2 * before + 1:
            break
    assert during < 2 * before + 1, (before, during)
