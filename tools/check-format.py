#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks the plain rules of the house: SPDX line, tabs, 100 columns, clean line ends, sizes."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 100
FUNCTION_LINES = 80
FILE_LINES = 800
CODE = {".c", ".h", ".S"}
SPDX = CODE | {".py", ".sh", ".mk", ".ld", ".dts"}


def files():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split("\n")
    return [Path(n) for n in names if n and (ROOT / n).is_file()]


def width(line):
    return len(line.expandtabs(8))


def check_lines(path, lines):
    code = path.suffix in CODE
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "space at the end of the line"
        if path.suffix in SPDX and width(line) > COLUMNS:
            yield number, f"{width(line)} columns"
        if code and re.match(r" {8}| +\t", line):
            yield number, "indented with spaces"


def check_functions(lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start > FUNCTION_LINES:
                yield start, f"function of {number - start} lines"
            start = None


def check(path):
    text = (ROOT / path).read_text()
    lines = text.split("\n")
    if path.suffix in SPDX and not any("SPDX-License-Identifier:" in l for l in lines[:3]):
        yield 1, "no SPDX line"
    if text and not text.endswith("\n"):
        yield len(lines), "no newline at the end"
    if path.suffix == ".c" and len(lines) > FILE_LINES:
        yield len(lines), f"{len(lines)} lines: split it"
    yield from check_lines(path, lines)
    if path.suffix == ".c":
        yield from check_functions(lines)


def main():
    checked, bad = 0, 0
    for path in files():
        if path.suffix in SPDX or path.name in ("Makefile", "README.md"):
            checked += 1
            for number, what in check(path):
                print(f"{path}:{number}: {what}", file=sys.stderr)
                bad += 1
    if not bad:
        print(f"format-check: {checked} files are clean")
    return 1 if bad else 0


sys.exit(main())
