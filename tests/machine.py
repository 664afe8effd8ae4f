# SPDX-License-Identifier: BSD-2-Clause
"""A machine with Shyper in it, driven over its serial console: one QEMU process each."""
import os
from pathlib import Path

import pexpect

from boot_hart import chosen
from terminal import SCALE, Terminal, spawn

TOP = Path(__file__).resolve().parent.parent
# Which Linux the images have, as make's variable.
SUFFIX = f"-{os.environ.get('KERNEL_SUITE') or 'trixie'}".removesuffix("-trixie")
IMAGES = TOP / f"build/images{SUFFIX}"
LINUX = IMAGES / "linux/Image"
INITRD = IMAGES / "linux/initrd.gz"
IRQ = os.environ.get("IRQ", "plic")     # the machines' interrupt controller (tools/qemu.sh)
IMAGE_BASE = 0x80200000     # where QEMU's firmware starts Shyper
PROMPT = "guest# "
INIT = r"shyper guest: init reached after ([\d.]+) s"


class Machine(Terminal):
    """One QEMU process started by a script of tools/, with the variables of `make run-guest`.
    With boot_hart firmware boots on that one of SMP harts.
    """

    SCRIPT = "tools/run-guest.sh"
    PROMPT = PROMPT

    def __init__(self, folder, timeout=90, boot_hart=None, **variables):
        folder.mkdir(parents=True, exist_ok=True)
        variables.setdefault("OUT", folder)
        self.status = None
        with chosen(boot_hart, variables.get("SMP")) as flags:
            if flags:
                variables["QEMUFLAGS"] = variables.get("QEMUFLAGS", "") + flags
            command = ["sh", TOP / self.SCRIPT, *(f"{k}={v}" for k, v in variables.items())]
            super().__init__(folder / "console.log", spawn(command, timeout * SCALE, cwd=str(TOP)))

    def wait(self, timeout=None):
        """Wait until QEMU ends; returns its exit status, or minus the signal that ended it."""
        self._wait([pexpect.EOF], timeout)
        self._process.wait()
        process = self._process
        self.status = process.exitstatus if process.signalstatus is None else -process.signalstatus
        return self.status

    def boot(self):
        """Wait for the test guest's shell; returns the guest's uptime when init began."""
        uptime = float(self.expect(INIT).group(1))
        self.expect(PROMPT)
        return uptime

    def user_seconds(self):
        """CPU time that QEMU has used so far, in user mode."""
        text = Path(f"/proc/{self._process.pid}/stat").read_text()
        return int(text.rsplit(")", 1)[1].split()[11]) / os.sysconf("SC_CLK_TCK")
