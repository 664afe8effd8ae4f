# SPDX-License-Identifier: BSD-2-Clause
"""The daemon: its socket, restart policies, and that killing it loses nothing."""
import fcntl
import json
import signal
import socket
import subprocess
import threading
import time

import pytest

from commandline import SHYPER, short


def ends(cli):
    return [e for e in cli.events() if e["event"] == "ended"]


def connect(cli):
    one = socket.socket(socket.AF_UNIX)
    one.settimeout(20)
    one.connect(str(cli.socket))
    return one


def ask(cli, data):
    """Send bytes; returns the lines that come back."""
    with connect(cli) as one:
        one.sendall(data)
        one.shutdown(socket.SHUT_WR)
        with one.makefile() as file:
            return [json.loads(line) for line in file]


@pytest.mark.parametrize("policy, reason, again", [
    ("never", "crash", False), ("never", "failure", False), ("never", "poweroff", False),
    ("never", "reboot", True),
    ("on-failure", "crash", True), ("on-failure", "failure", True),
    ("on-failure", "poweroff", False), ("on-failure", "reboot", True),
    ("always", "crash", True), ("always", "poweroff", True), ("always", "reboot", True),
])
def test_policies(cli, policy, reason, again):
    cli.daemon()
    cli.config(restart=policy)
    cli.run("vm", "boot", "a")
    cli.end(1, reason)
    cli.until(lambda: ends(cli))
    assert ends(cli)[0]["reason"] == reason
    if again:
        cli.until(lambda: cli.vm(1)["state"] == "running")
        assert cli.vm(1)["boots"] == 2
    else:
        time.sleep(1.3)
        assert cli.vm(1)["state"] == "ended"


def test_back_off(cli):
    cli.daemon()
    cli.config(restart="on-failure")
    cli.run("vm", "boot", "a")
    for _ in range(2):
        cli.until(lambda: cli.vm(1)["state"] == "running")
        cli.end(1, "crash")
        cli.until(lambda: cli.vm(1)["state"] == "ended")
    cli.until(lambda: len(ends(cli)) == 2)
    assert [e["restart_in"] for e in ends(cli)] == [1, 2]


def test_a_stopped_vm_stays_down(cli):
    cli.daemon()
    cli.config(restart="always")
    cli.run("vm", "boot", "a")
    cli.end(1, "crash")
    cli.run("vm", "shutdown", "--force", "a")       # while it waits to be restarted
    time.sleep(1.5)
    assert cli.vm(1)["state"] == "ended"
    cli.run("vm", "boot", "a")
    assert cli.vm(1)["state"] == "running"


def test_a_failed_restart_is_told(cli):
    cli.daemon()
    cli.config(restart="always")
    cli.run("vm", "boot", "a")
    (cli.folder / "flat.bin").unlink()
    cli.end(1, "reboot")
    cli.until(lambda: any(e["event"] == "restart failed" for e in cli.events()))
    assert "flat.bin" in cli.events()[-1]["error"]


def test_killed_and_started_again(cli):
    daemon = cli.daemon()
    cli.config(restart="on-failure")
    cli.run("vm", "boot", "a")
    cli.end(1, "crash")
    cli.until(lambda: ends(cli))
    daemon.send_signal(signal.SIGKILL)              # with a restart promised
    daemon.wait(10)
    assert cli.vm("a")["restart"] == "on-failure"   # the command alone
    cli.daemon()
    cli.until(lambda: cli.vm(1)["state"] == "running")
    assert len(ends(cli)) == 1
    cli.daemons[-1].send_signal(signal.SIGKILL)
    cli.daemons[-1].wait(10)
    cli.end(1, "crash")                             # while nobody looks
    cli.daemon()
    cli.until(lambda: cli.vm(1)["boots"] == 3)
    assert len(ends(cli)) == 2


def test_disks_go_back(cli):
    """At once when the VM stays down, by the next daemon when this one dies over it."""
    cli.image("one.img")
    cli.config(disks=["one.img"], restart="on-failure")
    daemon = cli.daemon()
    cli.run("vm", "boot", "a")
    cli.end(1, "crash")
    cli.until(lambda: cli.vm(1)["boots"] == 2)
    assert cli.disk(1, 0)
    cli.end(1, "poweroff")
    cli.until(lambda: cli.disk(1, 0) is None)
    cli.run("vm", "boot", "a")
    daemon.send_signal(signal.SIGKILL)
    daemon.wait(10)
    cli.end(1, "poweroff")
    assert cli.vm(1)["state"] == "ended" and cli.disk(1, 0)
    cli.daemon()
    cli.until(lambda: cli.disk(1, 0) is None)


def test_a_crash_has_a_cause(cli):
    cli.daemon()
    cli.config()
    cli.run("vm", "boot", "a")
    cli.end(1, "crash", cause="vCPU 0: did the impossible")
    cli.until(lambda: ends(cli))
    assert ends(cli)[0]["cause"] == cli.vm(1)["cause"] == "vCPU 0: did the impossible"
    assert "cause:      vCPU 0: did the impossible" in cli.out("vm", "info", "a")
    assert "crash, cause vCPU 0: did the impossible" in cli.out("events")
    cli.run("vm", "boot", "a")
    cli.end(1, "poweroff", cause="of another end")
    assert "cause" not in cli.vm(1)


def test_a_promise_of_another_run(cli):
    """The clock of a restart that was promised has begun anew with the MVM."""
    cli.config(restart="on-failure")
    cli.run("vm", "boot", "a")
    cli.end(1, "crash")
    (cli.state / "1.run").write_text('{"ended": 1, "failures": 1, "due": 1000000000000000}')
    cli.daemon()
    cli.until(lambda: cli.vm(1)["boots"] == 2)


def start_anew(cli, vm=1):
    """What the VM's record says when the MVM has been restarted."""
    path = cli.state / f"{vm}.host"
    note = json.loads(path.read_text())
    assert len(note["host"]) == 36
    path.write_text(json.dumps(note | {"host": "another"}))


def lost(cli):
    return [e for e in cli.events() if e["event"] == "lost its disks"]


@pytest.mark.parametrize("policy", ["on-failure", "always"])
def test_lost_disks_are_a_crash(cli, policy):
    cli.image("one.img")
    cli.config(disks=["one.img"], restart=policy)
    cli.run("vm", "boot", "a")
    assert "disks_lost" not in cli.vm("a")
    start_anew(cli)
    assert cli.vm("a")["disks_lost"] is True
    cli.daemon()
    cli.until(lambda: cli.vm("a")["boots"] == 2)
    assert cli.vm("a")["state"] == "running" and "disks_lost" not in cli.vm("a")
    assert [e.get("restart_in") for e in lost(cli)] == [0]


def test_lost_disks_without_a_restart(cli):
    cli.image("one.img")
    cli.config(disks=["one.img"])
    cli.run("vm", "boot", "a")
    start_anew(cli)
    for _ in range(2):
        daemon = cli.daemon()
        cli.until(lambda: lost(cli))
        daemon.send_signal(signal.SIGKILL)
        daemon.wait(10)
    assert len(lost(cli)) == 1 and "vm reset" in lost(cli)[0]["error"]
    assert "lost: the MVM has started anew" in cli.out("vm", "info", "a")
    assert cli.vm("a")["boots"] == 1
    cli.run("vm", "reset", "a")
    assert "disks_lost" not in cli.vm("a") and cli.disk(1, 0)


def test_without_disks_nothing_is_lost(cli):
    cli.config(restart="always")
    cli.run("vm", "boot", "a")
    assert not (cli.state / "1.host").exists()


def test_there_is_one(cli):
    cli.daemon()
    assert "runs already" in cli.error("system", "daemon")
    assert cli.json("vm", "list") == []


def test_events_are_followed(cli):
    cli.daemon()
    cli.config()
    follower = subprocess.Popen([str(SHYPER), "events", "-f"], env=cli.environment, text=True,
                                stdout=subprocess.PIPE)
    try:
        assert "configured" in follower.stdout.readline()
        cli.run("vm", "boot", "a")
        assert "booted" in follower.stdout.readline()
        cli.end(1, "failure", 3)
        assert "ended, reason failure, code 3" in follower.stdout.readline()
    finally:
        follower.kill()
        follower.wait(10)
        follower.stdout.close()


@pytest.mark.parametrize("data, words", [
    (b"\n", None),
    (b"{}\n", 'needs a "verb"'),
    (b"[]\n", "a request is an object"),
    (b"nonsense\n", "expected"),
    (b'{"verb": 5}\n', 'needs a "verb"'),
    (b'{"verb": "system daemon"}\n', 'needs a "verb"'),
    (b'{"verb": "vm boot"}\n', "name or id is missing"),
    (b'{"verb": "vm boot", "args": []}\n', '"args" must be an object'),
    (b'{"verb": "vm boot", "args": {"vm": 1}}\n', "name or id is missing"),
    (b'{"verb": "vm config", "args": {}}\n', "configuration file is missing"),
    (b'{"verb": "vm list", "cwd": "/nonexistent"}\n', "cannot be entered"),
    (b"x" * (2 << 20), None),
    (b"[" * 100000 + b"\n", "depth"),
    (b'{"verb": "\xff"}\n', "unable to decode"),
    (b"\0\0\n", "expected"),
], ids=short)
def test_bad_requests(cli, data, words):
    cli.daemon()
    try:
        lines = ask(cli, data)
    except (BrokenPipeError, ConnectionResetError):
        lines = []
    if words:
        assert words in lines[-1]["error"]
    else:
        assert lines == []
    assert cli.json("vm", "list") == []


def test_several_requests_on_a_line_each(cli):
    cli.daemon()
    lines = ask(cli, b'{"verb": "vm list"}\n{"verb": "system info"}\n')
    assert lines[0]["result"] == [] and lines[1]["result"]["harts"] == 4


def test_many_clients_at_once(cli):
    cli.daemon()
    cli.config()
    idle = [connect(cli) for _ in range(40)]
    results = []
    threads = [threading.Thread(target=lambda: results.append(cli.json("vm", "list")))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8 and all(r[0]["name"] == "a" for r in results)
    for one in idle:
        one.close()


def test_the_socket_is_roots_alone(cli):
    cli.daemon()
    assert cli.socket.stat().st_mode & 0o777 == 0o600


def test_commands_wait_for_one_that_starts(cli):
    """Lines that are pasted: the daemon has its lock, but does not listen yet."""
    cli.state.mkdir()
    with open(cli.state / "daemon.lock", "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        command = subprocess.Popen([str(SHYPER), "vm", "getvmid"], env=cli.environment, text=True,
                                   stdout=subprocess.PIPE)
        with socket.socket(socket.AF_UNIX) as one:
            time.sleep(0.3)
            assert command.poll() is None
            one.bind(str(cli.socket))
            one.listen()
            served, _ = one.accept()
            with served, served.makefile("rw") as file:
                assert json.loads(file.readline())["verb"] == "vm getvmid"
                print('{"result": {"id": 0}, "notes": []}', file=file, flush=True)
            assert command.communicate(timeout=20)[0] == "0\n"


def test_mediated_disks(cli):
    (cli.folder / "one.img").write_bytes(b"\0" * 512)
    cli.write({"mediated": ["one.img"]}, "mediated-cfg.json")
    cli.daemon("mediated-cfg.json")
    kept = json.loads((cli.state / "mediated.json").read_text())
    assert kept == {"mediated": [str(cli.folder / "one.img")]}


def test_mediated_disks_lie_beside_the_file_or_here(cli):
    (cli.folder / "sub").mkdir()
    for name in "sub/one.img", "one.img", "two.img":
        cli.image(name)
    cli.write({"mediated": ["one.img", "two.img"]}, "sub/m.json")
    cli.daemon("sub/m.json")
    kept = json.loads((cli.state / "mediated.json").read_text())["mediated"]
    assert kept == [str(cli.folder / "sub/one.img"), str(cli.folder / "two.img")]


@pytest.mark.parametrize("text, words", [
    ("", "is empty"), ("[]", "must be an object"), ("{}", '"mediated" is missing'),
    ('{"mediated": "x"}', "must be a list"), ('{"mediated": ["none.img"]}', "No such file"),
    ('{"mediated": [1]}', "must be a text"), ('{"mediated": ["."]}', "neither a file nor"),
    ('{"mediated": ["a.img",\n "./a.img"]}',
     'm.json:2:2: mediated[1]: "./a.img" is number 0 of the list already'),
    ('{"mediated": ["a.img"}', "m.json:1:22:"),
    ('{"mediated": ["a.img"], "mediated": []}', "duplicate"),
    ('{"mediated": ["\xff"]}', "m.json:1:"),
    ('{"mediated": ["' + "x" * 5000 + '"]}', "at most 4095"),
    (json.dumps({"mediated": ["a.img"] * 257}), "has 257 items"),
])
def test_bad_mediated_disks(cli, text, words):
    cli.image("a.img")
    cli.write(text, "m.json")
    assert words in cli.error("system", "daemon", "m.json")
    assert "No such file" in cli.error("system", "daemon", "none.json")
