# SPDX-License-Identifier: BSD-2-Clause
"""Guests that end themselves when they are asked, through Debian's qemu-guest-agent in them."""
import pytest

ANSWERS = "agent: *answers"
PATIENT = "--timeout 80"
OFFER = "; power it off from inside, or use --force"


@pytest.fixture
def guest(shyper):
    """vm1 at its console, its root file system in use; restarted whenever it ends."""
    shyper.config_guest(1, restart="always")
    shyper.run("vm boot vm1")
    one = shyper.guest("vm1")
    one.login()
    shyper.until("vm1", ANSWERS)
    # Somebody writes and never lets go of the file.
    one.run("(while :; do echo more; usleep 20000; done >>/root/written) & sync")
    return one


def file_system(shyper):
    """What tools of ext4 think of the disk, as it lies there."""
    return shyper.mvm.run("dumpe2fs -h /root/vm1.img 2>/dev/null | grep -E 'features|state'; "
                          "e2fsck -n /root/vm1.img 2>&1 || true")


def test_shutdown(shyper, guest):
    shyper.daemon()
    assert "needs_recovery" in file_system(shyper)
    assert "vm1 (VM 1): shut down" in shyper.run(f"vm shutdown vm1 --wait {PATIENT}")
    assert shyper.vm(1)["reason"] == "poweroff"
    state = file_system(shyper)
    assert "needs_recovery" not in state and "guest: clean," in state
    shyper.mvm.run("sleep 3")
    assert shyper.vm(1)["state"] == "ended"
    assert shyper.disks() == {}


@pytest.mark.parametrize("daemon", [False, True])
def test_reboot(shyper, guest, daemon):
    if daemon:
        shyper.daemon()
    assert "vm1 (VM 1): rebooted" in shyper.run(f"vm reboot vm1 {PATIENT}")
    assert shyper.vm(1)["boots"] == 2
    guest.login()
    shyper.until("vm1", ANSWERS)
    assert guest.run("dmesg | grep -iE 'recover|orphan' || true") == ""
    events = [event["event"] for event in shyper.events()]
    assert events[-1] == "rebooted" and "restart failed" not in events
    shyper.run(f"vm shutdown vm1 --wait {PATIENT}")
    assert "guest: clean," in file_system(shyper)


def test_an_agent_that_is_stuck_or_gone(shyper):
    """In the guest of Rust-Shyper's form, whose console is elsewhere."""
    shyper.daemon()
    shyper.run("vm config vm1_config_riscv.json")
    shyper.run("vm boot 1")
    guest = shyper.guest("guest-os-1", "vm1")
    guest.login()
    shyper.until(1, ANSWERS)
    guest.run("kill -STOP $(pidof qemu-ga)")
    error = shyper.fails("vm shutdown 1 --timeout 2")
    assert "its guest agent does not answer" in error and OFFER in error
    assert shyper.vm(1)["agent"] == "none"
    guest.run("kill -CONT $(pidof qemu-ga)")
    shyper.until(1, ANSWERS)                    # what it was asked before is not in the way
    guest.run("sed -i /guest-agent/d /etc/inittab; kill -HUP 1; killall -KILL qemu-ga; true")
    shyper.until(1, "agent: *none")
    error = shyper.fails("vm shutdown 1 --wait")
    assert "no guest agent runs in it" in error and OFFER in error
    assert "or use --force" in shyper.fails("vm reboot 1")
    assert shyper.vm(1)["state"] == "running"
    shyper.run("vm shutdown 1 --force")
    assert shyper.vm(1)["reason"] == "stop"
