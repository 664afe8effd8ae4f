# SPDX-License-Identifier: BSD-2-Clause
"""The shyper command in the management VM: VMs from definition to removal, daemon or none."""
import json
import struct

import pytest

from machine import INITRD, IRQ, TOP

# sw 0x73333, (0x100000): the test finisher's word for "failed, code 7".
FAILS = struct.pack("<5I", 0x001002b7, 0x00073337, 0x33330313, 0x0062a023, 0x6f)
# stvec = 0x1000, where no memory is; then an illegal instruction.
CRASHES = struct.pack("<3I", 0x000012b7, 0x10529073, 0xc0001073)


@pytest.fixture(autouse=True)
def payloads(shyper, tmp_path):
    """A few images in /root."""
    if shyper.mvm.run("ls fails.bin 2>/dev/null || true"):
        return
    (tmp_path / "fails.bin").write_bytes(FAILS)
    shyper.mvm.put(tmp_path / "fails.bin", "/root/fails.bin")
    (tmp_path / "crashes.bin").write_bytes(CRASHES)
    shyper.mvm.put(tmp_path / "crashes.bin", "/root/crashes.bin")
    shyper.mvm.put(TOP / "build/guest/counter.bin", "/root/counter.bin")


@pytest.fixture(params=["alone", "daemon"])
def served(shyper, request):
    if request.param == "daemon":
        shyper.daemon()
    return shyper


def test_life_of_a_payload(served):
    free = served.pages()
    assert served.config(name="count", kernel="counter.bin", memory="64M", harts=[2]) == 1
    assert served.vm("count")["state"] == "made"
    served.run("vm boot count")
    vm = served.vm("count")
    assert (vm["state"], vm["harts"], vm["memory"]) == ("running", [2], 64 << 20)
    before = served.vm(1)["exits"]["mmio-write"]
    assert any(served.vm(1)["exits"]["mmio-write"] > before for _ in range(100))
    served.run("vm pause count")
    held = served.vm(1)
    assert held["state"] == "paused" and served.vm(1)["exits"] == held["exits"]
    served.run("vm resume 1")
    assert served.vm(1)["state"] == "running"
    served.run("vm reset count")
    assert served.vm(1)["boots"] == 2
    assert "another VM has this name" in served.fails("vm config count.json")
    served.mvm.run("sed 's/\"count\"/\"other\"/' count.json >other.json")
    assert "hart 2" in served.fails("vm config other.json")
    served.mvm.run("sed 's/64M/64G/; s/[[]2[]]/[3]/' other.json >large.json")
    assert "memory" in served.fails("vm config large.json")
    assert "running already" in served.fails("vm boot 1")
    assert "shut it down first" in served.fails("vm delconfig 1")
    served.run("vm shutdown --force count")
    assert served.vm(1)["reason"] == "stop"
    served.run("vm remove count")
    assert [vm["name"] for vm in served.json("vm list")] == ["mvm"]
    assert served.pages() == free
    names = [event["event"] for event in served.events()]
    assert names[0] == "configured" and names[-1] == "removed"


def test_linux_with_an_initrd(shyper):
    shyper.mvm.put(INITRD, "/root/test.gz")
    shyper.config(name="linux", kernel="Image", initrd="test.gz", memory="256M", vcpus=2,
                  cmdline="console=ttyS0 quiet guest.off")
    shyper.run("vm boot linux")
    shyper.until("linux", "ended by: +poweroff")
    shyper.run("vm boot linux")
    shyper.until("linux", "ended by: +poweroff")
    assert shyper.vm("linux")["boots"] == 2
    shyper.run("vm remove linux")


def test_rust_shypers_files(shyper):
    shyper.run("vm config vm1_config_riscv.json")
    assert "needs a mediated disk" in shyper.fails("vm boot 1")
    shyper.daemon()
    shyper.run("vm boot 1")
    assert shyper.vm("guest-os-1")["harts"] == [1, 2, 3]
    assert shyper.vm("guest-os-1")["disks"][0]["path"] == "/root/vm1.img"
    shyper.run("vm delconfig 1 -f")


def test_rust_shypers_aia_file(shyper):
    """An APLIC and interrupt files at the places that the file names, where the board has them."""
    shyper.daemon()
    if IRQ != "aia":
        assert "no AIA: give the VM a PLIC" in shyper.fails("vm config vm1_config_riscv_aia.json")
        return
    shyper.run("vm config vm1_config_riscv_aia.json")
    shyper.run("vm boot 1")
    assert shyper.vm("guest-os-1")["harts"] == [1, 2, 3]
    shyper.run("vm delconfig 1 -f")


def test_policy_and_a_killed_daemon(shyper):
    shyper.daemon()
    shyper.config(name="fails", kernel="fails.bin", memory="64M", restart="on-failure")
    shyper.config(name="count", kernel="counter.bin", memory="64M")
    shyper.run("vm boot count")
    shyper.run("vm boot fails")
    shyper.until("fails", "boots: +[3-9]")
    shyper.kill_daemon()
    assert shyper.vm("count")["state"] == "running"
    boots = shyper.vm("fails")["boots"]
    shyper.daemon()
    shyper.until("fails", f"boots: +([1-9][0-9]|[{boots + 1}-9])")
    shyper.run("vm shutdown -f fails")
    boots = shyper.vm("fails")["boots"]
    shyper.mvm.run("sleep 3")
    assert shyper.vm("fails")["boots"] == boots
    assert shyper.vm("count")["boots"] == 1
    assert 7 in {event.get("code") for event in shyper.events()}


def test_a_crash_has_a_cause(shyper):
    shyper.daemon()
    shyper.config(name="crashes", kernel="crashes.bin", memory="64M")
    shyper.run("vm boot crashes")
    shyper.until("crashes", "ended by: +crash")
    cause = shyper.vm("crashes")["cause"]
    assert "its trap vector 0x1000 is not in its memory (first fault: cause 2 at pc" in cause
    shyper.await_line("shyper events", "ended, reason crash, cause vCPU 0: its trap vector 0x1000")


def test_cycles_lose_no_page(shyper):
    shyper.mvm.run("truncate -s 1M c.img")
    shyper.config(name="c", kernel="counter.bin", memory="64M", disks=["c.img"])
    shyper.run("vm remove c")
    free = shyper.pages()
    shyper.mvm.run("i=0; while [ $i -lt 200 ] && shyper vm config c.json && shyper vm boot c && "
                   "shyper vm remove c; do i=$((i + 1)); done >/dev/null; [ $i = 200 ]", 400)
    assert shyper.pages() == free


def test_the_system(served):
    """system test makes, runs and removes a guest; without a free hart that is skipped."""
    assert served.run("system test").count("passed:") == 4
    tests = [json.loads(line)["test"] for line in served.run("system test --json").split("\n")]
    assert tests[3]["detail"] == "was made, ran and powered off"
    served.config(name="all", kernel="counter.bin", memory="64M", vcpus=3)
    assert "guest      skipped: all 4 harts serve VMs" in served.run("system test")
    assert "all (VM 1) is running" not in served.run("vm list")
    served.run("vm boot all")
    for verb in "reboot", "shutdown":
        assert "VM 1 (all) is running: shut it down first" in served.fails(f"system {verb}")
    assert "is not an image of Shyper" in served.fails("system update Image")
    served.mvm.put(TOP / "build/shyper.bin", "/root/shyper.bin")
    assert "does not come from /boot/shyper.bin" in served.fails("system update shyper.bin")
    served.mvm.run("mkdir -p /boot && head -c 99 Image >/boot/shyper.bin")
    served.run("system update shyper.bin")
    served.mvm.run("cmp shyper.bin /boot/shyper.bin && [ -s /boot/shyper.bin.old ] && rm -r /boot")


def test_this_machine_is_no_guest(shyper):
    for words in ("boot 0", "pause mvm", "resume 0", "reboot 0 -f", "reset 0", "shutdown 0",
                  "remove mvm", "delconfig 0 -f"):
        assert "VM 0 is this machine: " in shyper.fails(f"vm {words}")
    assert "its console is its serial port" in shyper.fails("vm console 0")
    assert shyper.vm("mvm")["state"] == "running"


def test_for_root_alone(shyper):
    shyper.daemon()
    for words in "vm list", "vm boot 1", "system info":
        said = shyper.mvm.run(f"busybox su -s /bin/sh nobody -c 'shyper {words} 2>&1 || "
                              "[ $? = 1 ]'")
        assert said == "shyper: /dev/shyper may not be opened: become root"


def test_manual(shyper):
    assert "manage virtual machines" in shyper.mvm.run("man shyper 2>&1 | cat")
    assert "definitions of virtual machines" in shyper.mvm.run("man 5 shyper 2>&1 | cat")
    for page in 1, 5:
        assert shyper.mvm.run(f"man {page} shyper 2>&1 >/dev/null | cat; mandoc -T lint -W warning "
                              f"/usr/share/man/man{page}/shyper.{page}") == ""


def test_completion(shyper):
    """As it is typed."""
    shyper.mvm.run("""echo '{"name": "web server", "kernel": "counter.bin"}' >web.json""")
    shyper.run("vm config web.json")
    shyper.mvm.type("shyper vm inf\tweb\t\r")
    shyper.mvm.expect(r"name: +web server\r")
    shyper.mvm.expect(shyper.mvm.PROMPT)


def test_the_progress_bar(shyper):
    """On a terminal, and gone when all is loaded."""
    shyper.config(name="bar", kernel="Image", memory="64M")
    shyper.mvm.send("shyper vm boot bar")
    shyper.mvm.expect(r"kernel  \[#+ +\] +\d+\.\d of 29\.7 MiB")
    shyper.mvm.expect(r"\r\x1b\[Kbar \(VM 1\): booted")
    shyper.mvm.expect(shyper.mvm.PROMPT)
    assert shyper.mvm.run("shyper vm reset bar 2>&1 | cat -A") == "bar (VM 1): reset$"
