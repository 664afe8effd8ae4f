# SPDX-License-Identifier: BSD-2-Clause
"""shyper vm console: two terminals, of which this test holds the far ends."""
import os
import tty

import pexpect
import pytest

from commandline import SHYPER


@pytest.fixture
def console(cli):
    """(the far end of VM 1's console, its near end, which stays open as init's would)"""
    cli.config()
    far, near = os.openpty()
    tty.setraw(far)
    (cli.fake / "1.console").symlink_to(os.ttyname(near))
    yield far
    os.close(far)
    os.close(near)


def attach(cli, name="a"):
    user = pexpect.spawn(str(SHYPER), ["vm", "console", name], env=cli.environment, timeout=20,
                         cwd=cli.folder, echo=False)
    user.delaybeforesend = 0.1
    return user


def test_both_directions_and_escape(cli, console):
    user = attach(cli)
    user.expect("leaves it")
    os.write(console, b"login: \xff\r\n")
    user.expect(b"login: \xff\r\n")
    user.send(b"ro\x03ot\r")
    assert os.read(console, 10) == b"ro\x03ot\r"
    user.send(b"x\x1dy")
    user.expect(pexpect.EOF)
    user.wait()
    assert user.exitstatus == 0
    assert os.read(console, 10) == b"x"


def test_one_at_a_time(cli, console):
    user = attach(cli)
    user.expect("leaves it")
    assert "somebody else is at the console" in cli.error("vm", "console", "a")
    user.send("\x1d")
    user.expect(pexpect.EOF)


def test_what_has_none(cli):
    cli.config()
    assert "no console for VM 1" in cli.error("vm", "console", "a")
    assert "there is no VM \"b\"" in cli.error("vm", "console", "b")
    assert "needs NAME|ID" in cli.error("vm", "console", status=2)
