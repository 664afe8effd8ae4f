# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's gdb server, as far as watchpoints need it. The machine stands still from the connection on
until go(). It is started with QEMUFLAGS=Gdb.flags(path).
"""
import select
import socket

from terminal import SCALE


class Gdb:
    """A connection; addresses are virtual ones, watched on all harts."""

    @staticmethod
    def flags(path):
        return f"-gdb unix:{path},server=on,wait=off"

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60 * SCALE)
        self._socket.connect(str(path))

    def _send(self, text):
        self._socket.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())

    def _byte(self):
        byte = self._socket.recv(1)
        assert byte, "QEMU has closed the connection"
        return byte

    def _receive(self):
        """The next packet, acknowledged."""
        while self._byte() != b"$":
            pass
        text = b""
        while (byte := self._byte()) != b"#":
            text += byte
        self._socket.recv(2)
        self._socket.sendall(b"+")
        return text.decode()

    def _ask(self, text):
        self._send(text)
        answer = self._receive()
        assert answer == "OK", f"{text}: {answer}"

    def watch(self, address, size):
        """Stop at any load or store in this range, which lies in one page."""
        self._ask(f"Z4,{address:x},{size:x}")

    def unwatch(self, address, size):
        self._ask(f"z4,{address:x},{size:x}")

    def go(self):
        self._send("c")

    def stopped(self, seconds):
        """The address whose watchpoint has stopped the machine within this time; or None."""
        while select.select([self._socket], [], [], seconds)[0]:
            byte = self._socket.recv(1, socket.MSG_PEEK)
            if byte == b"+":
                self._byte()
                continue
            reply = self._receive()
            assert "awatch:" in reply, reply
            return int(reply.split("awatch:")[1].split(";")[0], 16)
        return None

    def close(self):
        """The machine goes on."""
        self._socket.close()
