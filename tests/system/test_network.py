# SPDX-License-Identifier: BSD-2-Clause
"""The network of guests as docs/networking.md has it: addresses and names from the management VM,
each other, and the world behind QEMU's user network.
"""
import http.server
import threading

import pytest

PAGE = b"a page of the test host\n"


@pytest.fixture
def web():
    """A server on this host's loopback, which QEMU's network shows as 10.0.2.2; its port."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.fixture
def guests(shyper):
    """vm1 and vm2, logged in."""
    both = []
    for number in (1, 2):
        shyper.config_guest(number)
        shyper.run(f"vm boot vm{number}")
        both.append(shyper.guest(f"vm{number}"))
    for guest in both:
        guest.login()
        guest.run("i=0; until grep -q nameserver /etc/resolv.conf; do i=$((i + 1)); "
                  "[ $i -lt 300 ] || break; usleep 100000; done")
    return both


def test_addresses_and_names(shyper, guests, web):
    one, two = guests
    assert "10.77.0.11/24" in one.run("ip addr show dev eth0")
    assert "10.77.0.12/24" in two.run("ip addr show dev eth0")
    assert "3 packets received" in one.run("ping -c 3 vm2")
    assert "3 packets received" in one.run("ping -c 3 10.77.0.1")
    assert "3 packets received" in shyper.mvm.run("ping -c 3 vm2")
    assert PAGE.decode().strip() in two.run(f"wget -qO- http://10.0.2.2:{web}/")
