# SPDX-License-Identifier: BSD-2-Clause
"""Which hart firmware boots on. Boards draw lots; QEMU's is nearly always hart 0, unless its
gdbstub has the others wait until one has set up the UART (machine virt, OpenSBI's fw_dynamic)."""
import contextlib
import socket
import struct
import tempfile

RESET = 0x1000                  # where harts begin
PREFERRED = RESET + 0x28 + 40   # struct fw_dynamic_info behind the code there, boot_hart
IDLE = 0x84000000               # memory that nobody has used yet
# lui t0, 0x10000; 1: lbu t1, 3(t0); beqz t1, 1b; lui t0, 1; jr t0: while the LCR is 0, as reset
LATE = struct.pack("<5I", 0x100002b7, 0x0032c303, 0xfe030ee3, 0x000012b7, 0x00028067)
PC = 0x20                       # its number in the protocol


@contextlib.contextmanager
def chosen(hart, harts):
    """Yields QEMU's options, for one that is started in the block: this one of the harts is first
    there.
    """
    if hart is None:
        yield ""
        return
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{folder}/gdb")
        door.listen()
        door.settimeout(60)
        yield f" -S -chardev socket,path={folder}/gdb,id=boot-hart -gdb chardev:boot-hart"
        with door.accept()[0] as stub:
            stub.settimeout(60)
            choose(stub, hart, harts)


def command(stub, text):
    """One packet of GDB's remote protocol, and its answer without the frame."""
    stub.sendall(b"$%s#%02x" % (text, sum(text) % 256))
    answer = b""
    while answer[-3:-2] != b"#":
        some = stub.recv(4096)
        assert some, f"QEMU has gone; it said {answer}"
        answer += some
    stub.sendall(b"+")
    return answer.partition(b"$")[2][:-3]


def choose(stub, hart, harts):
    command(stub, b"qSupported:multiprocess+")
    steps = [b"M%x,%x:%s" % (IDLE, len(LATE), LATE.hex().encode()),
             b"M%x,8:%s" % (PREFERRED, struct.pack("<Q", hart).hex().encode())]
    for other in set(range(harts)) - {hart}:
        steps += [b"Hgp1.%x" % (other + 1),
                  b"P%x=%s" % (PC, struct.pack("<Q", IDLE).hex().encode())]
    for step in [*steps, b"D;1"]:
        assert command(stub, step) == b"OK", step
