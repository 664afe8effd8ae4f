# SPDX-License-Identifier: BSD-2-Clause
"""Graceful ends, with a guest agent of this test's own behind the port: good, bad and none."""
import json
import socket
import subprocess
import threading
import time

import pytest

from commandline import SHYPER, short

SENTINEL = b"\xff"


def line(answer):
    return json.dumps(answer).encode() + b"\n"


class Agent:
    """VM 1's agent. A method per command, which tests replace: it gets the arguments and returns
    bytes to send, or None to close.
    """

    def __init__(self, cli):
        self.cli = cli
        self.asked = []
        self.before = b""
        self.end = "poweroff"
        self.answers = {"guest-sync-delimited": lambda a: SENTINEL + line({"return": a["id"]}),
                        "guest-sync": lambda a: line({"return": a["id"]}),
                        "guest-shutdown": self.shutdown}
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(cli.fake / "1.agent"))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def shutdown(self, arguments):
        self.asked.append(arguments["mode"])
        if self.end:
            threading.Timer(0.2, self.cli.end, [1, self.end]).start()
        return b""

    def _serve(self):
        while True:
            try:
                client = self._socket.accept()[0]
            except OSError:
                return
            with client:
                try:
                    self._talk(client)
                except (BrokenPipeError, ConnectionResetError):
                    pass

    def _talk(self, client):
        client.sendall(self.before)
        for request in client.makefile("rb"):
            request = json.loads(request.lstrip(SENTINEL))
            answer = self.answers[request["execute"]](request["arguments"])
            if answer is None:
                return
            client.sendall(answer)

    def close(self):
        self._socket.close()


@pytest.fixture(params=["alone", "daemon"])
def served(cli, request):
    if request.param == "daemon":
        cli.daemon()
    return cli


@pytest.fixture
def vm(cli):
    """A command line with a VM that runs."""
    cli.config(restart="always")
    cli.run("vm", "boot", "a")
    return cli


@pytest.fixture
def agent(vm):
    one = Agent(vm)
    yield one
    one.close()


def names(cli):
    return [e["event"] for e in cli.events() if e["event"] != "ended"]


def test_shutdown(served, vm, agent):
    assert vm.vm("a")["agent"] == "answers"
    assert "agent:      answers\n" in vm.out("vm", "info", "a")
    assert vm.out("vm", "shutdown", "a") == "a (VM 1): asked to shut down\n"
    assert agent.asked == ["powerdown"]
    vm.until(lambda: vm.vm(1)["state"] == "ended")
    assert vm.vm(1)["reason"] == "poweroff" and "agent" not in vm.vm(1)
    assert "it stays so" in vm.out("vm", "shutdown", "a")
    assert names(vm) == ["configured", "booted", "asked to shut down"]


def test_wait(served, vm, agent):
    assert vm.out("vm", "stop", "a", "--wait") == "a (VM 1): shut down\n"
    assert vm.vm(1)["reason"] == "poweroff"
    time.sleep(1.5)
    assert vm.vm(1)["state"] == "ended"         # whatever its policy, "always", says


def test_disks_are_let_go(cli):
    image = cli.image("a.img")
    cli.config(disks=["a.img"])
    cli.run("vm", "boot", "a")
    agent = Agent(cli)
    assert cli.disk(1, 0) == ["0", "", image]
    cli.run("vm", "shutdown", "--wait", "a")
    assert cli.disk(1, 0) is None
    agent.close()


def test_reboot(served, vm, agent):
    agent.end = "reboot"
    for boots in 2, 3:
        assert vm.out("vm", "reboot", "a") == "a (VM 1): rebooted\n"
        assert (vm.vm(1)["state"], vm.vm(1)["boots"]) == ("running", boots)
    assert agent.asked == ["reboot", "reboot"]
    time.sleep(1.5)                             # the daemon has wanted to boot it too
    assert vm.vm(1)["boots"] == 3
    assert "restart failed" not in names(vm)


def test_reboot_of_what_does_not_run(cli):
    cli.config()
    assert "`shyper vm boot` starts it" in cli.error("vm", "reboot", "a")


def test_reboot_undoes_a_shutdown_that_was_asked_for(vm, agent):
    agent.end = None
    vm.run("vm", "shutdown", "a")
    assert (vm.state / "1.hold").exists()
    agent.end = "reboot"
    vm.run("vm", "reboot", "a")
    assert not (vm.state / "1.hold").exists()


def test_the_daemon_comes_second(vm):
    """What it asks for is done once, even when somebody has booted the VM before it could."""
    vm.daemon()
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(str(vm.socket))
        one.sendall(b'{"verb": "vm boot", "args": {"vm": "1", "boots": 0}}\n')
        assert "by somebody else" in one.makefile().readline()


def garbage_sentinel(a):
    return (b'{"return": {}}\n' + SENTINEL + b'{"retu' + SENTINEL + line({"return": 1}) +
            SENTINEL + line({"return": a["id"]}))


@pytest.mark.parametrize("before, answer", [
    (b'{"return": 5}\n{"error": 7}\n', None),
    (b"x" * 200000, None),                      # and no end of line
    (b"\0\xff\xff\n\n[" * 1000, None),
    (SENTINEL + line({"return": 4}), None),     # to somebody else
    (b"", garbage_sentinel),
], ids=["answers", "long", "binary", "number", "between"])
def test_what_an_earlier_client_left(vm, agent, before, answer):
    agent.before = before
    if answer:
        agent.answers["guest-sync-delimited"] = answer
    assert vm.out("vm", "shutdown", "-w", "a") == "a (VM 1): shut down\n"


HUGE = b'{"return": "' + b"x" * 100000
ERROR = line({"error": {"class": "GenericError", "desc": "the command \033[31m is disabled"}})


@pytest.mark.parametrize("command, answer, words", [
    ("guest-sync-delimited", b"", "does not answer (--timeout gives it more time)"),
    ("guest-sync-delimited", None, "no guest agent runs in it"),
    ("guest-sync-delimited", SENTINEL + b'{"retu', "does not answer"),
    ("guest-sync-delimited", SENTINEL + HUGE, "longer than 64 KiB"),
    ("guest-sync-delimited", SENTINEL + line({"return": 4}), "does not answer"),
    ("guest-sync-delimited", line({"return": 4}), "does not answer"),
    ("guest-shutdown", ERROR, "refuses: the command ?[31m is disabled"),
    ("guest-shutdown", line({"error": 3}), "refuses: it does not say why"),
    ("guest-shutdown", HUGE, "longer than 64 KiB"),
    ("guest-shutdown", b"[]\n", "no JSON object"),
    ("guest-shutdown", b"[" * 5000 + b"\n", "no JSON object"),
    ("guest-shutdown", b'{"error": "\xff\n', "no JSON object"),
], ids=short)
def test_agents_that_fail(vm, agent, command, answer, words):
    agent.answers[command] = lambda a: answer
    error = vm.error("vm", "shutdown", "--timeout", 1, "a")
    assert "VM 1 (a) cannot be asked to shut down: " in error and words in error
    assert error.endswith("; power it off from inside, or use --force\n")
    assert vm.vm(1)["state"] == "running" and not (vm.state / "1.hold").exists()
    vm.run("vm", "shutdown", "--force", "a")


def test_half_an_answer_and_the_end(vm, agent):
    agent.before = b'\xff{"return"'
    agent.answers["guest-sync-delimited"] = lambda a: None
    assert "went away while it answered" in vm.error("vm", "shutdown", "a")
    assert vm.vm("a")["agent"] == "none"


@pytest.mark.parametrize("answer", [b"", None, line({"return": {}})])
def test_success_has_no_answer(vm, agent, answer):
    """The guest's way down may silence its agent, or the command keep it busy."""
    agent.answers["guest-shutdown"] = lambda a: (agent.shutdown(a), answer)[1]
    if answer == b"":
        agent.answers["guest-sync"] = lambda a: b""
    vm.run("vm", "shutdown", "a", "-w", "-t", 2)
    assert vm.vm(1)["reason"] == "poweroff"


def test_no_agent(vm):
    assert vm.vm("a")["agent"] == "none"
    assert "no port for its guest agent" in vm.error("vm", "shutdown", "a")
    error = vm.error("vm", "reboot", "a")
    assert "VM 1 (a) cannot be asked to reboot: " in error
    assert error.endswith("; reboot inside it, or use --force\n")


def test_paused(vm, agent):
    vm.run("vm", "pause", "a")
    assert "agent" not in vm.vm("a")
    assert "is paused: resume it first, or use --force" in vm.error("vm", "shutdown", "a")
    assert agent.asked == []


def test_a_guest_that_does_not_end(served, vm, agent):
    agent.end = None
    begin = time.monotonic()
    error = vm.error("vm", "shutdown", "a", "--wait", "--timeout", 1)
    assert "has not ended after 1 seconds" in error and "--force" in error
    assert time.monotonic() - begin < 20
    assert "asked to reboot, but has not ended" in vm.error("vm", "reboot", "a", "-t", 1)


def test_force_meanwhile(served, vm, agent):
    """Somebody who waits does not keep others from ending it."""
    agent.end = None
    waiter = subprocess.Popen([str(SHYPER), "vm", "shutdown", "a", "--wait"], text=True,
                              env=vm.environment, cwd=vm.folder, stdout=subprocess.PIPE)
    vm.until(lambda: agent.asked)
    vm.run("vm", "shutdown", "--force", "a")
    assert waiter.communicate(timeout=20)[0] == "a (VM 1): shut down\n"
    assert waiter.returncode == 0


@pytest.mark.parametrize("reason", ["crash", "reboot", "failure"])
def test_another_end(vm, agent, reason):
    agent.end = reason
    assert f"did not shut down, it ended by {reason}" in vm.error("vm", "shutdown", "-w", "a")


def test_one_at_a_time(vm, agent):
    busy = vm.fake / "1.busy"
    busy.touch()
    assert "somebody else uses" in vm.error("vm", "shutdown", "a", "--timeout", 1)
    assert vm.vm("a")["agent"] == "busy"
    threading.Timer(0.5, busy.unlink).start()
    vm.run("vm", "shutdown", "--wait", "a")


@pytest.mark.parametrize("seconds", ["0", "-1", "x", "", "86401", "1.5", "99999999999999999999"])
def test_bad_timeouts(vm, agent, seconds):
    error = vm.error("vm", "shutdown", "a", "--timeout", seconds, status=2)
    assert "from 1 to 86400" in error and agent.asked == []
