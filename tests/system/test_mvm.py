# SPDX-License-Identifier: BSD-2-Clause
"""The management VM: Debian on hart 0 with the board's devices, reached by console and by ssh."""
import json
import subprocess

import pytest

from machine import TOP

KIB = 1024


def test_console_network_and_poweroff(mvm):
    assert mvm.run("nproc") == "1"
    assert mvm.run("uname -m") == "riscv64"
    assert int(mvm.run("awk '/MemTotal/ { print $2 }' /proc/meminfo")) > 900 * KIB
    mvm.run("i=0; until ip -4 addr show eth0 | grep -q 10.0.2.15; do "
            "i=$((i + 1)); [ $i -lt 60 ] || break; sleep 0.5; done; "
            "ip -4 addr show eth0 | grep inet")
    mvm.run("ping -c 1 -W 5 10.0.2.2")
    mvm.send("poweroff")
    assert mvm.wait() == 0


def test_ssh_by_password_only_with_the_right_one(mvm):
    status, text = mvm.ssh("hostname; cat /proc/cmdline; exit 7")
    assert status == 7
    assert text.split("\n")[0] == "mvm" and "root=/dev/vda" in text
    assert mvm.ssh("true", password="toor")[0] is None


def test_reboot(mvm):
    mvm.run("echo kept >/root/mark; sync")
    mvm.send("reboot")
    mvm.login()
    assert mvm.run("cat /root/mark") == "kept"
    log = mvm.run("timeout 5 cat /dev/hvc0; true")      # all of it, of the life before too
    assert "mvm: VM 0, 1 vCPU" in log and "mvm: reboots (code 0), starting again" in log
    mvm.run("sha256sum /root/Image")
    mvm.send("poweroff")
    assert mvm.wait() == 0


def test_ends_by_the_command(mvm):
    """Not while a guest runs, unless it may be ended; a reboot of the MVM leaves Shyper running."""
    mvm.put(TOP / "build/guest/counter.bin", "/root/counter.bin")
    mvm.run("""echo '{"name": "c", "kernel": "counter.bin"}' >c.json; insmod shyper_riscv64.ko""")
    mvm.run("shyper vm config c.json && shyper vm boot c")
    for verb in "reboot", "shutdown":
        mvm.send(f"shyper system {verb}; echo status $?")
        mvm.expect(r"VM 1 \(c\) is running: shut it down first, or use --force")
        mvm.expect("status 1")
        mvm.expect(mvm.PROMPT)
    mvm.send("shyper system reboot -f")
    mvm.login()
    mvm.run("insmod shyper_riscv64.ko")
    assert "ended (stop)" in mvm.run("shyper vm list")
    mvm.run("shyper vm boot c")
    mvm.send("shyper system shutdown --force")
    assert mvm.wait() == 0


def test_disk_under_load_reads_back_what_was_written(mvm):
    mvm.run("fio --name=t --filename=/root/t --size=16M --bs=4k --rw=randwrite --ioengine=libaio "
            "--iodepth=32 --direct=1 --verify=crc32c --fsync=32 >/tmp/fio.log || "
            "{ cat /tmp/fio.log; false; }", timeout=120)
    assert mvm.run("rm /root/t; dmesg | grep -ci 'i/o error' || true") == "0"


def test_what_the_guide_needs_is_there(mvm):
    folder = TOP / "images/mvm/files/root"
    for name in ("vm1.json", "mediated-cfg.json", "vm1_config_riscv.json",
                 "vm1_config_riscv_aia.json"):
        kept = json.loads((folder / name).read_text())
        assert json.loads(mvm.run(f"cat /root/{name}")) == kept
    for image in json.loads((folder / "mediated-cfg.json").read_text())["mediated"]:
        assert int(mvm.run(f"stat -c %s {image}")) == 8192000 * 512
    mvm.run("cd /root && [ -s Image ] && [ -s initrd.gz ]")
    for program in ("picocom", "minicom", "insmod", "mke2fs", "fio", "sshd", "man"):
        mvm.run(f"command -v {program}")


def test_refuses_what_it_cannot_do():
    for argument, reason in (("IRQ=x", "IRQ=x is none of plic"),
                             ("MVM=/nonexistent.dts", "MVM=/nonexistent.dts cannot be read"),
                             ("KERNEL=x", "unknown argument KERNEL=x")):
        done = subprocess.run(["sh", str(TOP / "tools/run-mvm.sh"), "SNAPSHOT=1", argument],
                              capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 2 and reason in done.stderr


@pytest.mark.parametrize("variables", [{"SMP": 1, "MEMORY": "3G"}, {"CPU": "max"}],
                         ids=["small", "max"])
def test_other_machines(boot_mvm, variables):
    mvm = boot_mvm(**variables)
    mvm.send("poweroff")
    assert mvm.wait() == 0
