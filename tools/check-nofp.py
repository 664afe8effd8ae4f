#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reads `objdump -d` on stdin; fails on an FP or vector instruction outside fp_* and vec_*.

FP and vector registers belong to the guests while the hypervisor runs. The encodings are decoded
here, because objdump does not name instructions of extensions that the image is not built for.
"""
import re
import sys

OPCODES = {0x07, 0x27, 0x43, 0x47, 0x4B, 0x4F, 0x53, 0x57}  # loads, stores, FMA, OP-FP, OP-V
CSRS = {0x001, 0x002, 0x003, 0x008, 0x009, 0x00A, 0x00F, 0xC20, 0xC21, 0xC22}
COMPRESSED = {(0, 1), (0, 5), (2, 1), (2, 5)}  # c.fld c.fsd c.fldsp c.fsdsp: (quadrant, funct3)
ALLOWED = ("fp_", "vec_")


def is_fp(word, size):
    if size == 2:
        return (word & 3, word >> 13) in COMPRESSED
    opcode = word & 0x7F
    if opcode == 0x73 and (word >> 12) & 3:
        return word >> 20 in CSRS
    return opcode in OPCODES


def main():
    symbol = ""
    bad = []
    count = 0
    for line in sys.stdin:
        if head := re.match(r"[0-9a-f]+ <(.+)>:$", line):
            symbol = head.group(1)
        elif insn := re.match(r"\s*[0-9a-f]+:\s+([0-9a-f]{4}|[0-9a-f]{8})\s", line):
            count += 1
            code = insn.group(1)
            if is_fp(int(code, 16), len(code) // 2) and not symbol.startswith(ALLOWED):
                bad.append(f"{symbol}: {line.strip()}")
    if not count:
        bad.append("no instructions in the disassembly")
    for text in bad:
        print(f"check-nofp: {text}", file=sys.stderr)
    return 1 if bad else 0


sys.exit(main())
