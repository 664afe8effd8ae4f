# SPDX-License-Identifier: BSD-2-Clause
"""A shell at the other end of a line, driven by what it prints; all of it is kept in a file.

SHYPER_TEST_TIMEOUT_SCALE stretches every timeout on slow hosts.
"""
import os
import signal
import time

import pexpect

SCALE = float(os.environ.get("SHYPER_TEST_TIMEOUT_SCALE", "1"))


class Failure(AssertionError):
    """What was waited for did not come; the text shows the end of what did."""


def spawn(command, timeout, **options):
    """A process on a terminal of its own, whatever the one is where the tests are started."""
    options = {"env": os.environ | {"TERM": "xterm"}} | options
    process = pexpect.spawn(command[0], [str(word) for word in command[1:]], encoding="utf-8",
                            codec_errors="replace", echo=False, timeout=timeout,
                            dimensions=(24, 80), **options)
    process.delaybeforesend = None
    return process


class Terminal:
    """What is said with a process on a terminal."""

    PROMPT = "# "

    def __init__(self, log, process):
        self.log = log
        self.timeout = process.timeout
        self._process = process
        self._command = None
        self._file = open(log, "w", encoding="utf-8", errors="replace", newline="")
        process.logfile_read = self._file

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

    def password(self, text):
        """Answer the login program, up to the shell's prompt, which is there once more afterwards.
        On a busy machine an answer may fall between the question and the flush after it.
        """
        self.expect("Password: ")
        for _ in range(4):
            time.sleep(0.5)
            self.send(text)
            if self._process.expect([r"root@\w+:[^ ]*# ", pexpect.TIMEOUT], 12 * SCALE) == 0:
                break
        self.send("")

    def type(self, text):
        """Type without the return key."""
        self._process.send(text)

    def control(self, letter):
        """Type Ctrl and a letter."""
        self._process.sendcontrol(letter)

    def start(self, command):
        """Type a command whose output run() or finish() wants."""
        self._command = command
        self.send(f"echo output'='; {command}; echo status'='$?")  # quoted: the echo must not match

    def finish(self, timeout=None):
        """What the started command printed, once it is done. Fails on its failure."""
        found = self.expect(r"(?s)output=\r*\n(.*)status=(\d+)", timeout)
        text, status = found.group(1).replace("\r", ""), int(found.group(2))
        self.expect(self.PROMPT, timeout)
        assert status == 0, f"{self._command}: status {status}\n{text}"
        return text.strip()

    def run(self, command, timeout=None):
        """Run a command in the shell; returns what it printed. Fails on its failure."""
        self.start(command)
        return self.finish(timeout)

    def output(self):
        """All that came so far."""
        if not self._file.closed:
            self._file.flush()
        return self.log.read_bytes().decode("utf-8", "replace").replace("\r", "")

    def close(self):
        if self._process.isalive():
            self._process.kill(signal.SIGKILL)
            self._process.wait()
        self._process.close(force=True)
        self._file.close()
