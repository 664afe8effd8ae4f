# SPDX-License-Identifier: BSD-2-Clause
"""The shyper command on the host, with the VMs of fake_device.c instead of /dev/shyper."""
import json
import os
import signal
import struct
import subprocess
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
SHYPER = TOP / "build/tools/shyper-host"
RUNNING, STOPPING, ENDED = 1, 2, 3
REASONS = {"poweroff": 0, "reboot": 1, "failure": 2, "crash": 3}


WAYS = ["alone", "daemon"]


def short(value):
    """A test's name for a parameter, which may be long."""
    return ascii(value)[:40]


class Cli:
    """A folder with VMs of its own; the command runs in it."""

    def __init__(self, folder):
        self.folder = folder
        self.fake = folder / "fake"
        self.state = folder / "state"
        self.socket = folder / "sock"
        self.fake.mkdir()
        self.environment = os.environ | {
            "SHYPER_FAKE": str(self.fake), "SHYPER_STATE": str(self.state),
            "SHYPER_SOCKET": str(self.socket)}
        self.daemons = []
        (folder / "flat.bin").write_bytes(b"\x13\0\0\0" * 5000)

    def served(self, way):
        """The same, with its requests served by a daemon or by each command alone."""
        if way == "daemon":
            self.daemon()
        return self

    def run(self, *words, status=0):
        """Run it; returns what it wrote to both."""
        done = subprocess.run([str(SHYPER), *map(str, words)], cwd=self.folder, text=True,
                              errors="replace", capture_output=True, timeout=60, check=False,
                              env=self.environment)
        assert done.returncode == status, done.stdout + done.stderr
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        return done.stdout, done.stderr

    def out(self, *words):
        return self.run(*words)[0]

    def error(self, *words, status=1):
        out, error = self.run(*words, status=status)
        assert out == ""
        return error

    def json(self, *words):
        return json.loads(self.out(*words, "--json"))

    def write(self, definition, name="vm.json"):
        """A definition file, from text or something that becomes JSON."""
        text = definition if isinstance(definition, str) else json.dumps(definition)
        (self.folder / name).write_text(text)
        return name

    def config(self, **more):
        """Configure a small native VM; returns its id."""
        vm = {"name": "a", "kernel": "flat.bin", "memory": "64M"} | more
        return self.json("vm", "config", self.write(vm, f"{vm['name']}.json"))["id"]

    def vm(self, name):
        return self.json("vm", "info", name)

    def end(self, vm, reason, code=0, cause=""):
        """What a guest does to itself."""
        path = self.fake / f"{vm}.vm"
        with open(path, "r+b", buffering=0) as file:
            file.seek(280)
            file.write(cause.encode().ljust(160, b"\0"))
            file.seek(32)  # whoever sees this sees the rest
            file.write(struct.pack("<III", ENDED, REASONS[reason], code))

    def stopping(self, vm):
        """It has ended, and nobody knows yet whether it restarts."""
        with open(self.fake / f"{vm}.vm", "r+b", buffering=0) as file:
            file.seek(32)
            file.write(struct.pack("<I", STOPPING))

    def tree(self, vm):
        return self.fake / f"{vm}.dtb"

    def boot_words(self, vm):
        """entry, initrd, initrd_size, fdt of the last boot"""
        return struct.unpack("<4Q", (self.fake / f"{vm}.boot").read_bytes())

    def disk(self, vm, number):
        """[flags, serial number, file] of a disk that the module has, or None."""
        path = self.fake / f"{vm}.disk{number}"
        return path.read_text().rstrip("\n").split(" ", 2) if path.exists() else None

    def image(self, name):
        """An image file; returns its full name."""
        (self.folder / name).write_bytes(b"\0" * 512)
        return str(self.folder / name)

    def mediated(self, *names):
        """Keep a list of mediated disks, as a daemon that was there."""
        self.state.mkdir(exist_ok=True)
        (self.state / "mediated.json").write_text(
            json.dumps({"mediated": [self.image(name) for name in names]}))

    def ram(self, vm, at, size):
        with open(self.fake / f"{vm}.ram", "rb") as file:
            file.seek(at - 0x80000000)
            return file.read(size)

    def events(self):
        lines = self.out("events", "--json").splitlines()
        return [json.loads(line)["event"] for line in lines]

    def daemon(self, *words):
        """Start a daemon; returns its process."""
        log = open(self.folder / f"daemon-{len(self.daemons)}.log", "w")
        process = subprocess.Popen([str(SHYPER), "system", "daemon", *map(str, words)],
                                   cwd=self.folder, env=self.environment, stderr=log)
        self.daemons.append(process)
        text = Path(log.name)
        self.until(lambda: "listening" in text.read_text() or process.poll() is not None)
        assert process.poll() is None, text.read_text()
        return process

    @staticmethod
    def until(condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it has not happened"
            time.sleep(0.02)

    def close(self):
        for process in self.daemons:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0
        for log in self.folder.glob("daemon-*.log"):
            assert "Sanitizer" not in log.read_text(), log.read_text()
