# SPDX-License-Identifier: BSD-2-Clause
"""The management VM under Shyper, by its serial console and by ssh; tools/run-mvm.sh, SNAPSHOT=1,
so that every machine begins with the pristine image.
"""
import re
import socket
import time

import pexpect

from machine import Machine
from terminal import SCALE, Failure, Terminal, spawn

PROMPT = "root@mvm:[^ ]*# "
INIT = r"shyper mvm: init reached after ([\d.]+) s"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Mvm(Machine):
    """One QEMU with Shyper and the MVM, with the variables of `make run`."""

    SCRIPT = "tools/run-mvm.sh"
    PROMPT = PROMPT

    def __init__(self, folder, **variables):
        self.port = free_port()
        self._shells = []
        super().__init__(folder, **{"SNAPSHOT": 1, "PORT": self.port} | variables)

    def login(self):
        """From power on to a shell on the console."""
        self.expect("mvm login: ")
        self.send("root")
        self.password("root")
        self.expect(PROMPT)
        self.run("dmesg -n 1")      # the kernel's lines would get into others

    def _client(self, words, source="/dev/null"):
        """An ssh client that asks for the password; waits for the server."""
        command = ["sh", "-c", 'exec ssh "$@" <"$0"', source, "-p", self.port,
                   "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                   "-o", "PreferredAuthentications=password", "-o", "LogLevel=ERROR",
                   "root@127.0.0.1", *words]
        end = time.monotonic() + 60 * SCALE
        while True:
            client = spawn(command, self.timeout)
            if client.expect(["password: ", pexpect.EOF]) == 0:
                return client
            if time.monotonic() > end:
                raise Failure(f"no ssh server answers: {client.before}")
            time.sleep(0.5)

    def shell(self, name):
        """A login shell by ssh, as often as one likes; it ends with the machine."""
        client = self._client(["-tt"], "/dev/stdin")
        client.send("root\r")
        one = Terminal(self.log.with_name(f"{name}.log"), client)
        one.PROMPT = PROMPT
        one.expect(PROMPT)
        self._shells.append(one)
        return one

    def put(self, source, target):
        """Copy a file into the MVM. In virtual time a login may be late on a busy host."""
        for _ in range(3):
            status, text = self.ssh(f"cat >{target}", source=source)
            if status == 0:
                return
        raise Failure(f"{source} cannot be copied: {text}")

    def ssh(self, command, password="root", source="/dev/null"):
        """Run a command through ssh, input from a file here; returns (exit status, output). Waits
        for the server.
        """
        client = self._client([command], source)
        client.send(password + "\r")
        if client.expect([pexpect.EOF, "password: "]):
            client.close(force=True)
            return None, "refused"
        client.wait()
        return client.exitstatus, re.sub(r"\r", "", client.before).strip()

    def close(self):
        for one in self._shells:
            one.close()
        super().close()
