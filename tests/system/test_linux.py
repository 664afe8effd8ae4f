# SPDX-License-Identifier: BSD-2-Clause
"""An unmodified Debian Linux as a static guest: processors, power off, reboot, on several CPUs."""
import pytest

from machine import IRQ

CPUS = ["rv64", "max", "rv64,sstc=off"]


@pytest.mark.parametrize("vcpus", [1, 4])
@pytest.mark.parametrize("cpu", CPUS)
def test_shell_and_poweroff(linux, cpu, vcpus):
    guest = linux(CPU=cpu, VCPUS=vcpus)
    assert guest.run("nproc") == str(vcpus)
    assert guest.run("uname -m") == "riscv64"
    guest.send("poweroff")
    assert guest.wait() == 0


@pytest.mark.parametrize("cpu", CPUS)
def test_reboot_restarts_the_guest(linux, cpu):
    guest = linux(CPU=cpu, VCPUS=2)
    guest.run("echo mark >/root/mark")
    guest.send("reboot")
    guest.boot()
    assert guest.run("ls /root") == "", "memory of the former life is still there"
    assert guest.run("nproc") == "2"
    guest.send("poweroff -f")
    assert guest.wait() == 0


def test_sees_no_hypervisor_extension(linux):
    guest = linux(CPU="max")
    isa = guest.run("grep -m1 '^isa' /proc/cpuinfo").split(":")[1].strip()
    single = isa.split("_")[0].removeprefix("rv64")
    assert single.startswith("ima") and "h" not in single
    guest.send("poweroff -f")
    assert guest.wait() == 0


def test_time_passes_and_processors_share_work(linux):
    guest = linux(VCPUS=4)
    before = float(guest.run("cut -d' ' -f1 /proc/uptime"))
    guest.run("for i in 1 2 3 4; do sleep 1 & done; wait")
    passed = float(guest.run("cut -d' ' -f1 /proc/uptime")) - before
    assert 1 <= passed < 60
    timers = guest.run("grep -c riscv-timer /proc/interrupts")
    assert int(timers) >= 1
    guest.send("poweroff -f")
    assert guest.wait() == 0


@pytest.mark.skipif(IRQ != "plic", reason="about machines of their own")
@pytest.mark.parametrize("irq, chip", [("aplic", "APLIC-DIRECT"), ("aclint", "SiFive PLIC")])
def test_other_interrupt_controllers(linux, irq, chip):
    """An APLIC without IMSICs; harts that interrupt each other by an ACLINT."""
    guest = linux(VCPUS=4, IRQ=irq)
    assert chip in guest.run("grep ttyS0 /proc/interrupts")
    ipis = "grep -E 'IPI[01]' /proc/interrupts | awk '{ n += $2 + $3 + $4 + $5 } END { print n }'"
    before = int(guest.run(ipis))
    guest.run("for i in 1 2 3 4; do (for n in $(seq 50); do echo | cat | cat >/dev/null; done) & "
              "done; wait")
    for cpu in 1, 2, 3:
        guest.run(f"cd /sys/devices/system/cpu/cpu{cpu}; echo 0 >online; echo 1 >online")
    assert guest.run("nproc") == "4"
    assert int(guest.run(ipis)) - before > 20
    guest.send("poweroff -f")
    assert guest.wait() == 0


def test_processor_off_and_on(linux):
    guest = linux(VCPUS=2)
    guest.run("echo 0 >/sys/devices/system/cpu/cpu1/online")
    assert guest.run("nproc") == "1"
    guest.run("echo 1 >/sys/devices/system/cpu/cpu1/online")
    assert guest.run("nproc") == "2"
    guest.send("poweroff -f")
    assert guest.wait() == 0


def test_console_takes_much_input(linux):
    guest = linux(VCPUS=1)
    text = "0123456789abcdef" * 10
    assert guest.run(f"echo {text} | wc -c") == str(len(text) + 1)
    guest.send("sh -c \"echo ready'='; exec cat >/dev/null\"")
    guest.expect("ready=")
    guest.control("c")
    guest.expect("guest# ")
    guest.send("poweroff -f")
    assert guest.wait() == 0
