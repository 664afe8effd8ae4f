# SPDX-License-Identifier: BSD-2-Clause
"""A machine with Shyper in it, driven over its serial console: one QEMU process each.

SHYPER_TEST_TIMEOUT_SCALE stretches every timeout on slow hosts.
"""
import os
import re
import signal
from pathlib import Path

import pexpect

TOP = Path(__file__).resolve().parent.parent
LINUX = TOP / "build/images/linux/Image"
INITRD = TOP / "build/images/linux/initrd.gz"
SCALE = float(os.environ.get("SHYPER_TEST_TIMEOUT_SCALE", "1"))
PROMPT = "guest# "
INIT = r"shyper guest: init reached after ([\d.]+) s"


class Failure(AssertionError):
    """The machine did not do what was waited for; the text shows the end of its console."""


class Machine:
    """One QEMU process started by a script of tools/, with the variables of `make run-guest`."""

    SCRIPT = "tools/run-guest.sh"
    PROMPT = PROMPT

    def __init__(self, folder, timeout=90, **variables):
        folder.mkdir(parents=True, exist_ok=True)
        variables.setdefault("OUT", folder)
        self.log = folder / "console.log"
        self.timeout = timeout * SCALE
        self.status = None
        self._file = open(self.log, "w", encoding="utf-8", errors="replace", newline="")
        self._process = pexpect.spawn(
            "sh", [str(TOP / self.SCRIPT)] + [f"{k}={v}" for k, v in variables.items()],
            cwd=str(TOP), encoding="utf-8", codec_errors="replace", echo=False,
            timeout=self.timeout, dimensions=(24, 80))
        self._process.delaybeforesend = None
        self._process.logfile_read = self._file

    def expect(self, pattern, timeout=None):
        """Wait for a regular expression; returns the match. A failure shows the console's end."""
        return self._wait([pattern], timeout)

    def _wait(self, patterns, timeout):
        limit = self.timeout if timeout is None else timeout * SCALE
        try:
            self._process.expect(patterns, timeout=limit)
        except (pexpect.TIMEOUT, pexpect.EOF) as why:
            self._file.flush()
            raise Failure(f"{type(why).__name__} waiting for {patterns[0]!r}; {self.log} ends:\n"
                          + self.output()[-2000:]) from None
        return self._process.match

    def send(self, text):
        """Type a line."""
        self._process.send(text + "\r")

    def type(self, text):
        """Type without the return key."""
        self._process.send(text)

    def control(self, letter):
        """Type Ctrl and a letter."""
        self._process.sendcontrol(letter)

    def run(self, command, timeout=None):
        """Run a command in the guest's shell; returns what it printed. Fails on its failure."""
        self.send(f"echo output'='; {command}; echo status'='$?")  # quoted: the echo must not match
        found = self.expect(r"(?s)output=\r*\n(.*)status=(\d+)", timeout)
        text, status = found.group(1).replace("\r", ""), int(found.group(2))
        self.expect(self.PROMPT, timeout)
        assert status == 0, f"{command}: status {status}\n{text}"
        return text.strip()

    def wait(self, timeout=None):
        """Wait until QEMU ends; returns its exit status, or minus the signal that ended it."""
        self._wait([pexpect.EOF], timeout)
        self._process.wait()
        process = self._process
        self.status = process.exitstatus if process.signalstatus is None else -process.signalstatus
        return self.status

    def output(self):
        """All of the console so far."""
        if not self._file.closed:
            self._file.flush()
        return self.log.read_bytes().decode("utf-8", "replace").replace("\r", "")

    def boot(self):
        """Wait for the test guest's shell; returns the guest's uptime when init began."""
        uptime = float(self.expect(INIT).group(1))
        self.expect(PROMPT)
        return uptime

    def user_seconds(self):
        """CPU time that QEMU has used so far, in user mode."""
        text = Path(f"/proc/{self._process.pid}/stat").read_text()
        return int(text.rsplit(")", 1)[1].split()[11]) / os.sysconf("SC_CLK_TCK")

    def close(self):
        if self._process.isalive():
            self._process.kill(signal.SIGKILL)
            self._process.wait()
        self._process.close(force=True)
        self._file.close()
