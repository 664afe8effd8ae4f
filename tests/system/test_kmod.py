# SPDX-License-Identifier: BSD-2-Clause
"""The kernel module in the MVM: shyper_ioctl_test.c and calls_vm.c exercise every call of
/dev/shyper, and VMs outlive whoever made them, the module too.
"""
import pytest

from guests import DEBUG, TROUBLE, compile_program, compile_tree, pack
from machine import SUFFIX, TOP

HERE = TOP / "tests/system"
MODULE = TOP / f"build/kmod{SUFFIX}/shyper_riscv64.ko"
MVM = TOP / "config/mvm.dts"

SCHEDULE = """/dts-v1/;
/ {
	compatible = "shyper,schedule-v1";
	partitions {
		a: a { harts = <1>; period-us = <5000>; duration-us = <1000>; };
	};
	tables {
		one { frame-us = <5000>; hart1 { hart = <1>; windows = <0 1000 &a>; }; };
		two { frame-us = <5000>; hart1 { hart = <1>; windows = <0 2000 &a>; }; };
	};
};"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory, make):
    """What the tests bring into the MVM: the programs, their definitions, the module."""
    make("kmod", "guest-payloads")
    folder = tmp_path_factory.mktemp("kmod")
    compile_program(folder / "ioctl-test", HERE / "shyper_ioctl_test.c")
    source = (HERE / "shyper_ioctl_test.dts").read_text()
    compile_tree(source, folder / "vm.dtb")
    compile_tree(source.replace('"ioctl-test"', '"second"'), folder / "second.dtb")
    compile_tree(SCHEDULE, folder / "schedule.dtb")
    compile_program(folder / "calls", HERE / "calls_vm.c", HERE / "vm.c")
    compile_tree((HERE / "disk_vm.dts").read_text(), folder / "calls.dtb")
    return pack(folder, "ioctl-test", "vm.dtb", "second.dtb", "schedule.dtb",
                "calls", "calls.dtb", MODULE,
                TOP / "build/guest/counter.bin")


def unpack(mvm, archive):
    mvm.put(archive, "/tmp/archive.tar")
    mvm.run("tar -C /tmp -xf /tmp/archive.tar")


def insmod(mvm, archive):
    unpack(mvm, archive)
    mvm.run("insmod /tmp/shyper_riscv64.ko")


def vms(mvm):
    """The table of /sys/kernel/debug/shyper/vms: {id: (name, state)}."""
    lines = mvm.run(f"cat {DEBUG}/vms").split("\n")[1:]
    return {int(line.split()[0]): tuple(line.split()[1:3]) for line in lines}


def check_kernel_log(mvm):
    assert mvm.run(f"dmesg | grep -cE '{TROUBLE}' || true") == "0"


def test_every_call_and_every_refusal(mvm, archive):
    insmod(mvm, archive)
    assert mvm.run("/tmp/ioctl-test all /tmp/vm.dtb", timeout=120) == "passed"
    assert vms(mvm) == {0: ("mvm", "running")}
    assert mvm.run("/tmp/ioctl-test schedule /tmp/schedule.dtb") == "passed"
    mvm.run("rmmod shyper_riscv64")
    check_kernel_log(mvm)


def test_calls_by_rule(mvm, archive):
    """Wild pointers, wrong descriptors, wrong states, no rights: each call."""
    insmod(mvm, archive)
    said = mvm.run("cd /tmp; ./calls calls.dtb counter.bin | tee said; grep -x passed said")
    assert "FAILED" not in said
    mvm.run("rmmod shyper_riscv64")
    check_kernel_log(mvm)


def test_vms_outlive_the_module(mvm, archive):
    insmod(mvm, archive)
    first, second = (mvm.run(f"/tmp/ioctl-test make /tmp/{tree}")
                     for tree in ("vm.dtb", "second.dtb"))
    mvm.send("sleep 1000 </dev/shyper & echo $! >/tmp/holder")
    mvm.expect(mvm.PROMPT)
    assert mvm.run("rmmod shyper_riscv64 2>/dev/null || echo in use") == "in use"
    mvm.run("kill $(cat /tmp/holder); wait")
    mvm.run(f"rmmod shyper_riscv64 && ! [ -e /dev/shyper ] && ! [ -e {DEBUG} ]")
    mvm.run("insmod /tmp/shyper_riscv64.ko")
    assert vms(mvm) == {0: ("mvm", "running"), 1: ("ioctl-test", "running"),
                        2: ("second", "running")}
    for vm in first, second:
        mvm.run(f"/tmp/ioctl-test unmake {vm}")
    assert vms(mvm) == {0: ("mvm", "running")}
    mvm.run("rmmod shyper_riscv64")
    check_kernel_log(mvm)


def test_vms_outlive_the_mvm(mvm, archive):
    insmod(mvm, archive)
    mvm.run("cp /tmp/ioctl-test /tmp/vm.dtb /tmp/shyper_riscv64.ko /root")
    vm = mvm.run("/tmp/ioctl-test make /tmp/vm.dtb")
    mvm.send("reboot -f")
    mvm.login()
    mvm.run("insmod shyper_riscv64.ko")
    mvm.run(f"./ioctl-test unmake {vm}")
    assert mvm.run("./ioctl-test all vm.dtb", timeout=120) == "passed"


def test_without_shyper(boot_mvm, archive):
    mvm = boot_mvm(BARE=1)
    unpack(mvm, archive)
    assert "No such device" in mvm.run("insmod /tmp/shyper_riscv64.ko 2>&1 || true")
    mvm.run("dmesg | grep 'does not run under Shyper'")


def test_without_management(boot_mvm, archive, tmp_path):
    definition = tmp_path / "mvm.dts"
    definition.write_text(MVM.read_text().replace("\tmanagement;\n", ""))
    mvm = boot_mvm(MVM=definition)
    unpack(mvm, archive)
    assert "No such device" in mvm.run("insmod /tmp/shyper_riscv64.ko 2>&1 || true")
    mvm.run("dmesg | grep 'may not manage others'")
