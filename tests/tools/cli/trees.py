# SPDX-License-Identifier: BSD-2-Clause
"""Definitions that become trees of Shyper, and what is in them."""
import struct
import subprocess

from commandline import TOP

CHECK = TOP / "build/tools/vmdef-check"
EXAMPLES = TOP / "images/mvm/files/root"
MIB = 1 << 20


def prop(tree, node, name, kind="s"):
    done = subprocess.run(["fdtget", "-t", kind, str(tree), node, name], capture_output=True,
                          text=True, check=False, timeout=30)
    return done.stdout.strip() if done.returncode == 0 else None


def nodes(tree):
    """Of the devices."""
    return subprocess.run(["fdtget", "-l", str(tree), "/devices"], capture_output=True, text=True,
                          check=True, timeout=30).stdout.split()


def checked(tree):
    """A tree that Shyper's own parser accepts."""
    done = subprocess.run([str(CHECK), str(tree)], capture_output=True, text=True, check=False,
                          timeout=30)
    assert done.returncode == 0, done.stdout
    return tree


def linux_image(path, size=MIB, room=4 * MIB, offset=0x200000):
    header = struct.pack("<IIQQQIIQ4s4s", 0, 0, offset, room, 0, 2, 0, 0, b"RISC", b"V\0\0\0")
    header = header[:48] + b"RISCV\0\0\0" + b"RSC\x05" + b"\0" * 4
    path.write_bytes(header.ljust(size, b"k"))


def refused(cli, definition, words):
    """What is said of a definition that Shyper refuses in these words."""
    (cli.fake / "0.refuse").write_text(words)
    cli.write(definition)
    error = cli.error("vm", "config", "vm.json")
    assert cli.json("vm", "list") == [] and not list(cli.state.glob("*.json"))
    return error
