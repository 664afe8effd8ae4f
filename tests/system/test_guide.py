# SPDX-License-Identifier: BSD-2-Clause
"""The guide (docs/managing.md) as a newcomer from Rust-Shyper types it, line by line: Rust-Shyper's
own PLIC example, its guest at minicom and picocom on /dev/hvc1, on the serial line and by ssh.
"""
import pytest

from guests import FOLDER
from machine import IRQ
from mvm import PROMPT

# Line, and what it says. The daemon says its words whenever it gets to it.
GUIDE = [
    ("insmod /root/shyper_riscv64.ko", ""),
    ("shyper system daemon mediated-cfg.json &", r"\[1\] \d+"),
    ("shyper vm config vm1_config_riscv.json", r"guest-os-1 \(VM 1\): configured"),
    ("shyper vm boot 1", r"guest-os-1 \(VM 1\): booted"),
    ("shyper vm list", r"1 guest-os-1 +running +3 1 2 3 +1G +1 "),
]
GUEST = r"root@vm1:[^ ]*# "


def type_guide(line):
    for words, said in GUIDE:
        line.send(words)
        line.expect(said)
        line.expect(PROMPT)


def log_in(line):
    """From the guest's boot, or whatever is there, to its shell."""
    line.expect("vm1 login: ", 120)
    line.send("root")
    line.password("vm1")
    line.expect(GUEST)


def use_shell(line):
    """Both directions, keys that terminals have views about, and a line longer than any buffer.
    Who says that it sleeps is in the foreground: Ctrl-C a moment earlier is the shell's alone.
    """
    line.send("echo $((6 * 7)) $(uname -m)")
    line.expect("42 riscv64")
    line.expect(GUEST)
    line.send("sh -c \"echo sleep''ing; exec sleep 1000\"")
    line.expect("sleeping")
    line.control("c")
    line.expect(GUEST)
    text = "0123456789" * 40
    line.send(f"echo {text} | md5sum | cut -c-8")
    line.expect("0b13fe5e")
    line.expect(GUEST)


def leave(line, keys, said, escape="\x01"):
    """By Ctrl-A and a key; twice Ctrl-A where QEMU has a Ctrl-A of its own."""
    line.type(escape + keys)
    line.expect(said)


def leave_minicom(line, escape="\x01"):
    leave(line, "x", "Leave Minicom", escape)
    line.type("\r")
    line.expect(PROMPT)


def leave_picocom(line, escape="\x01"):
    leave(line, "\x18", "Thanks for using picocom", escape)
    line.expect(PROMPT)


def test_on_the_serial_line(mvm):
    type_guide(mvm)
    mvm.send("minicom -D /dev/hvc1 -b 115200")
    log_in(mvm)
    use_shell(mvm)
    leave_minicom(mvm, "\x01\x01")
    mvm.send("picocom -b 115200 /dev/hvc1")
    mvm.expect("Terminal ready")
    mvm.send("")
    mvm.expect(GUEST)
    use_shell(mvm)
    leave_picocom(mvm, "\x01\x01")
    mvm.send("shyper vm console 1")
    mvm.expect("leaves it")
    mvm.send("exit")
    log_in(mvm)
    mvm.control("]")
    mvm.expect(PROMPT)
    assert "guest-os-1 (VM 1): removed" in mvm.run("shyper vm remove 1")


def test_by_ssh(mvm):
    """All of it in one session, the guest in another."""
    one, two = mvm.shell("one"), mvm.shell("two")
    type_guide(one)
    one.send("picocom -b 115200 /dev/hvc1")
    log_in(one)
    use_shell(one)
    two.send("minicom -D /dev/hvc1 -b 115200")
    two.expect("Failed to lock /dev/hvc1")
    two.expect(PROMPT)
    assert "somebody else" in two.run("shyper vm console 1 2>&1 || true")
    leave_picocom(one)
    two.send("minicom -D /dev/hvc1 -b 115200")
    two.expect("Welcome to minicom")
    two.send("")
    two.expect(GUEST)
    use_shell(two)
    leave_minicom(two)


def test_pasted(mvm):
    """All lines at once: commands wait for the daemon that has just been started."""
    mvm.type("\r".join(words for words, _ in GUIDE) + "\r")
    for _, said in GUIDE[1:]:
        mvm.expect(said)
    assert mvm.run("shyper vm info 1 --json | grep -c vm1.img") == "1"


@pytest.mark.skipif(IRQ == "aia", reason="the right machine")
@pytest.mark.parametrize("name", ["vm1_config_riscv_aia.json"])
def test_the_wrong_machine(mvm, name):
    """AIA's example where the machine has a PLIC: what to do instead is said."""
    mvm.send(GUIDE[0][0])
    mvm.send(f"shyper vm config {name}; echo status $?")
    text = (FOLDER / name).read_text()
    at = text.index('{', text.index('"emulated_device_list"'))
    line, column = text.count("\n", 0, at) + 1, at - text.rindex("\n", 0, at)
    mvm.expect(f"shyper: {name}:{line}:{column}: .*no AIA: give the VM a PLIC")
    mvm.expect("status 1")
    mvm.expect(PROMPT)
    assert mvm.run("shyper vm list --json | grep -c name") == "1"
