# SPDX-License-Identifier: BSD-2-Clause
"""Completion for bash: what follows when Tab is pressed behind some words."""
import re
import subprocess

import pytest

from commandline import SHYPER, TOP

SCRIPT = """
. "$COMPLETION"
compopt() { echo files; }
shyper() { "$SHYPER" "$@"; }
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_shyper
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def complete(cli):
    """A function: the choices behind these words, of which the last is begun."""
    def run(*words):
        done = subprocess.run(
            ["bash", "-c", SCRIPT, "bash", "shyper", *words], text=True, capture_output=True,
            check=True, timeout=60, env=cli.environment | {
                "COMPLETION": str(TOP / "tools/cli/completion.bash"), "SHYPER": str(SHYPER)})
        assert done.stderr == ""
        return [one for one in done.stdout.split("\n") if one]

    return run


def verbs(cli):
    """All of them, aliases too."""
    found = re.findall(r"^  ((?:vm |sched |trace |net |system )?[a-z]+)", cli.out("help"), re.M)
    for verb in list(found):
        found += re.findall(r"The same: shyper (.*)", cli.out("help", *verb.split()))
    return found


def test_every_verb_and_option(cli, complete):
    assert len(verbs(cli)) > 20
    for verb in verbs(cli):
        words = verb.split()
        assert words[-1] in complete(*words), verb
        for option in re.findall(r"--[a-z]+", cli.out(*words, "--help")):
            assert option in complete(*words, "--"), (verb, option)


def test_names_of_vms(cli, complete):
    cli.config()
    cli.config(name="my \"v'm")
    assert complete("vm", "boot", "") == ["a", "my\\ \\\"v\\'m", "--json", "--help", "--display"]
    assert complete("vm", "stop", "my\\ ") == ["my\\ \\\"v\\'m"]
    assert complete("vm", "info", "x") == []
    assert "a" in complete("vm", "shutdown", "--wait", "")
    assert "a" in complete("vm", "shutdown", "--timeout", "5", "")
    assert "a" not in complete("vm", "shutdown", "a", "")
    assert complete("vm", "boot", "a", "--display", "") == ["sdl"]
    assert complete("vm", "reboot", "-t", "") == []
    assert complete("trace", "record", "-e", "w") == ["wake", "window"]


def test_files(complete):
    for verb in ("vm", "config"), ("trace", "svg"), ("system", "daemon"), ("system", "update"):
        assert complete(*verb, "x") == ["files"]
        assert complete(*verb, "--j") == ["--json"]
    assert complete("trace", "record", "--output", "x") == ["files"]


def test_without_the_module(cli, complete):
    cli.environment.pop("SHYPER_FAKE")
    assert complete("vm", "boot", "") == ["--json", "--help", "--display"]
