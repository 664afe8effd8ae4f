# SPDX-License-Identifier: BSD-2-Clause
"""Shyper's log and its monitor on the management VM's hvc0."""
import re

from machine import TOP

HELP = ("help", "vms", "vm ID", "harts", "memory", "log LEVEL")


def ask(mvm, command, answer):
    """Type a command to the monitor until it has answered, and return all that it said."""
    return mvm.run(
        "(cat /dev/hvc0 >/tmp/hvc0 & reader=$!; i=0; "
        f"until printf '\\025{command}\\r' >/dev/hvc0; sleep 0.5; grep -q '^{answer}' /tmp/hvc0; "
        "do i=$((i + 1)); [ $i -lt 120 ] || break; done; kill $reader; wait $reader; "
        "tr -d '\\r' </tmp/hvc0)", timeout=120)


def configure(shyper):
    shyper.mvm.put(TOP / "build/guest/counter.bin", "/root/counter.bin")
    shyper.config(name="count", kernel="counter.bin", memory="64M", harts=[2])


def test_lines_from_before_it_was_read(shyper):
    configure(shyper)
    text = ask(shyper.mvm, "memory", "  pages of 4 KiB")
    assert re.search(r"\[ +[\d.]+\] hart 0: mvm: VM 0, 1 vCPU, ", text)
    assert "] hart 0: count: VM 1, 1 vCPU, 64 MiB\n" in text


def test_log_and_commands(shyper):
    """In picocom, which begins with dropping what is there: the log as it grows, commands."""
    configure(shyper)
    terminal = shyper.mvm.shell("hvc0")
    terminal.send("picocom /dev/hvc0")
    terminal.expect("Terminal ready")
    shyper.run("vm boot count")
    terminal.expect(r"\] hart 0: count: starts\r\n")
    terminal.type("\r")
    terminal.expect(r"\[shyper\] ")
    terminal.send("log")
    terminal.expect(r"\[ +[\d.]+\] hart 0: mvm: VM 0, 1 vCPU, ")
    terminal.expect(r"\] hart 0: count: VM 1, 1 vCPU, 64 MiB")
    terminal.expect(r"\] hart 0: count: starts\r\n")
    terminal.send("vms")
    terminal.expect(r"vms\r\n  VM 0 mvm: running, vCPUs 1, harts 0, \d+ MiB, \d+ exits\r\n"
                    r"  VM 1 count: running, vCPUs 1, harts 2, 64 MiB, \d+ exits\r\n")
    terminal.send("vm 1")
    terminal.expect(r"  exits \d+: sbi \d+ .*\r\n  vCPU 0: running on hart 2\r\n")
    terminal.send("harts")
    terminal.expect(r"  hart 0: vCPU 0 of VM 0 mvm\r\n  hart 1: free\r\n"
                    r"  hart 2: vCPU 0 of VM 1 count\r\n  hart 3: free\r\n")
    terminal.send("memory")
    total, free = terminal.expect(r"4 KiB: (\d+) in all, (\d+) free").groups()
    info = shyper.json("system info")
    assert (int(total), int(free)) == (info["pages_total"], info["pages_free"])
    terminal.send("reboot")
    terminal.expect("there is no command 'reboot'; there are:")
    for command in HELP:
        terminal.expect(f"\n  {command} ")
    terminal.send("log err")
    terminal.expect("  lines up to level err")
    shyper.run("vm shutdown -f count")
    shyper.run("vm remove count")
    terminal.send("log info")
    terminal.expect(r"kept:\r\n\[shyper\] log info\r\n  lines up to level info")
    terminal.expect("count: was stopped")
    terminal.control("a")
    terminal.control("x")
    terminal.expect(terminal.PROMPT)
    log = shyper.run("system log")
    assert "count: VM 1, 1 vCPU" in log and "count: was stopped" in log


def test_a_flood_that_nobody_reads(shyper):
    """Neither the MVM nor Shyper waits for a reader of hvc0; afterwards there are answers."""
    mvm = shyper.mvm
    configure(shyper)
    mvm.run("yes vms | head -c 200000 >/dev/hvc0", timeout=120)
    mvm.run("head -c 100000 /dev/urandom >/dev/hvc0", timeout=120)
    mvm.run("tr '\\0' x </dev/zero | head -c 100000 >/dev/hvc0", timeout=120)
    shyper.run("vm boot count")
    shyper.until("count", "running")
    text = ask(mvm, "memory", "  pages of 4 KiB")
    assert "  VM 1 count: " in text
    assert "hart 0: count: starts\n" in ask(mvm, "log", ".*count: starts")
    shyper.run("vm shutdown -f count")
    shyper.run("vm remove count")


def test_a_terminal_that_echoes(shyper):
    """Shyper does not take its own words for commands, so it does not talk to itself."""
    mvm = shyper.mvm
    mvm.run("stty -F /dev/hvc0 sane echo")
    text = ask(mvm, "memory", "  pages of 4 KiB")
    assert "  pages of 4 KiB" in text
    quiet = mvm.run("(cat /dev/hvc0 >>/tmp/quiet & sleep 3; >/tmp/quiet; sleep 5; kill $!; "
                    "wait $!; wc -c </tmp/quiet)")
    mvm.run("stty -F /dev/hvc0 raw -echo")
    assert quiet == "0"
