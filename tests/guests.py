# SPDX-License-Identifier: BSD-2-Clause
"""What tests do in a management VM: the command shyper, guests at their consoles, their disks; and
how programs for riscv64 and definitions come there.
"""
import json
import re
import subprocess

from machine import TOP
from mvm import PROMPT

DEBUG = "/sys/kernel/debug/shyper"
FOLDER = TOP / "images/mvm/files/root"
# A line of the MVM's kernel that no test may cause.
TROUBLE = "BUG|WARNING|Oops|INFO: task|refcount|leak|UBSAN: "


def fio(name, size="16M", path="/root/t"):
    """Random writes of 4 KiB with a sync after every 32, all read back and checked."""
    return (f"fio --name={name} --filename={path} --size={size} --bs=4k --rw=randwrite "
            "--ioengine=libaio --iodepth=32 --direct=1 --verify=crc32c --fsync=32 --eta=never "
            f"--output=/tmp/{name}.log || {{ cat /tmp/{name}.log; false; }}")


def compile_program(target, *sources):
    """A static program for riscv64 that may use the ABI's headers."""
    subprocess.run(["riscv64-linux-gnu-gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror",
                    f"-I{TOP}/src/include", "-o", target, *sources], check=True)


def compile_tree(source, target):
    """A definition tree from its text."""
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", target], input=source, check=True, text=True)


def pack(folder, *files):
    """An archive of files without their folders; those that name none lie in this one."""
    words = []
    for file in files:
        words += ["-C", (folder / file).parent, (folder / file).name]
    subprocess.run(["tar", "-cf", folder / "archive.tar", *words], check=True)
    return folder / "archive.tar"


class Shyper:
    """A management VM with the module, and the command there."""

    def __init__(self, mvm):
        self.mvm = mvm
        self._guests = []
        self.begin()
        self.free = self.pages()

    def begin(self):
        """The module is loaded."""
        self.mvm.run("cd /root; [ -e /dev/shyper ] || insmod shyper_riscv64.ko; "
                     "grep -q debugfs /proc/mounts || mount -t debugfs debugfs /sys/kernel/debug")

    def end(self):
        """As before: no VM, no daemon, no file of theirs, no page lost; and the module goes."""
        for guest in self._guests:
            guest.line.close()
        self._guests = []
        self.begin()
        for vm in self.json("vm list")[1:]:
            self.run(f"vm remove {vm['id']}")
        self.kill_daemon()
        assert self.disks() == {}
        assert len(self.mvm.run(f"cat {DEBUG}/backends").split("\n")) == 1
        assert self.pages() == self.free
        self.mvm.run("rmmod shyper_riscv64")
        assert self.mvm.run(f"dmesg | grep -E '{TROUBLE}' || true") == ""
        self.mvm.run("rm -rf /var/lib/shyper")

    # --- The command ---

    def run(self, words, timeout=None):
        return self.mvm.run(f"shyper {words}", timeout)

    def json(self, words):
        return json.loads(self.run(f"{words} --json 2>/dev/null"))

    def fails(self, words, status=1):
        """What it says on stderr."""
        return self.mvm.run(f"shyper {words} 2>&1 >/dev/null || [ $? = {status} ]")

    def config(self, **vm):
        self.mvm.run(f"echo '{json.dumps(vm)}' >{vm['name']}.json")
        return self.json(f"vm config {vm['name']}.json")["id"]

    def vm(self, name):
        return self.json(f"vm info {name}")

    def until(self, name, condition, seconds=60):
        """`vm info` matches an extended regular expression; returns the line."""
        return self.await_line(f"shyper vm info {name}", condition, seconds)

    def await_line(self, command, condition, seconds=60):
        return self.mvm.run(
            f"i=0; until {command} | grep -E '{condition}'; do i=$((i + 1)); "
            f"[ $i -lt {seconds * 5} ] || {{ {command}; false; break; }}; sleep 0.2; done",
            seconds + 30)

    def events(self):
        return [json.loads(line)["event"] for line in self.run("events --json").splitlines()]

    def pages(self):
        return self.json("system info")["pages_free"]

    # --- The daemon ---

    def daemon(self):
        self.mvm.run("(shyper system daemon mediated-cfg.json >daemon.log 2>&1 &) ; i=0; "
                     "until shyper vm list >/dev/null && [ -S /run/shyper.sock ]; do "
                     "i=$((i + 1)); [ $i -lt 50 ] || break; sleep 0.2; done; "
                     "[ -S /run/shyper.sock ]")

    def kill_daemon(self):
        """The daemon and what it is doing die at once. Consoles are processes, too."""
        self.mvm.run("for pid in $(pidof shyper); do "
                     "tr '\\0' ' ' </proc/$pid/cmdline | grep -q 'system daemon' && "
                     "kill -9 $pid; done; rm -f /run/shyper.sock; true")

    # --- Disks ---

    def disks(self):
        """The module's table: {(vm, disk): {column: text}}."""
        head, *lines = (line.split() for line in
                        self.mvm.run(f"cat {DEBUG}/disks").split("\n"))
        return {(int(line[0]), int(line[1])): dict(zip(head, line)) for line in lines}

    def await_requests(self, vms, more=200):
        """The disks of all these VMs have that many more requests served."""
        before = {vm: int(row["requests"]) for (vm, _), row in self.disks().items()}
        for vm in vms:
            self.await_line(f"awk '$1 == {vm} && $6 >= {before[vm] + more}' {DEBUG}/disks", ".")

    # --- Guests ---

    def guest(self, name, host=None):
        """A guest that runs, at its console."""
        guest = Guest(self.mvm.shell(name), name, host or name)
        self._guests.append(guest)
        return guest

    def config_guest(self, number, **more):
        """vm1.json for VMs 1 to 3: one vCPU on the hart of that number, the disk vmN.img."""
        name = f"vm{number}"
        vm = json.loads((FOLDER / "vm1.json").read_text())
        return self.config(**vm | {"name": name, "harts": [number], "memory": "256M",
                                   "disks": [f"/root/{name}.img"]} | more)


class DiskCounts:
    """What Shyper and the module have counted so far of a VM and one of its disks."""

    def __init__(self, shyper, vm, disk):
        module = shyper.disks()[shyper.vm(vm)["id"], disk]
        self.requests = int(module["requests"])
        self.values = {f"guest {name}": n for name, n in shyper.vm(vm)["exits"].items()}
        self.values |= {f"MVM {name}": n for name, n in shyper.vm(0)["exits"].items()}
        self.values |= {name: int(module[name])
                        for name in ("doorbells", "interrupts", "copied")}

    def each(self, before):
        """For each request since then."""
        requests = self.requests - before.requests
        return {name: (n - before.values[name]) / requests for name, n in self.values.items()}


class Guest:
    """A guest's console on a line that is at the MVM's prompt."""

    def __init__(self, line, name, host):
        self.line = line
        self.prompt = f"root@{host}:[^ ]*# "
        self.greeting = f"{host} login: "
        self.attach(name)

    def attach(self, name):
        self.line.send(f"shyper vm console {name}")
        self.line.expect("leaves it")
        self.line.PROMPT = self.prompt

    def leave(self):
        self.line.control("]")
        self.line.expect(PROMPT)
        self.line.PROMPT = PROMPT

    def login(self):
        """From its boot to a shell."""
        self.line.expect(self.greeting, 120)
        self.line.send("root")
        self.line.password("vm1")
        self.line.expect(self.prompt)

    def run(self, command, timeout=None):
        return self.line.run(command, timeout)

    def write_for_ever(self, size="8M"):
        """fio again and again, until stop_writing()."""
        self.run("rm -f /tmp/stop; (n=0; until [ -e /tmp/stop ]; do "
                 f"{fio('load', size, '/root/load')} >/tmp/said || exit; n=$((n + 1)); "
                 "echo $n rounds >/tmp/said; done) & true")

    def stop_writing(self):
        """No round of fio has failed; returns how many there were."""
        said = self.run("touch /tmp/stop; wait; cat /tmp/said", 120)
        rounds = re.search(r"(\d+) rounds$", said)
        assert rounds, said
        return int(rounds.group(1))
