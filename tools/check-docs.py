#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks that what the documents name exists: files, folders, make targets and variables.

Reads the READMEs and docs/*.md. A name with NAME in it is a pattern for the reader, and build/ is
not looked into.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", *sorted(p.relative_to(ROOT) for p in (ROOT / "docs").glob("*.md")),
         "tests/guest/README.md"]
FOLDERS = "arch|bench|config|docs|drivers|images|src|tests|tools"
INCLUDES = ["src/include", "arch/riscv64/include"]

SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(rf"(?<![\w./-])((?:{FOLDERS})/[\w.*/-]*[\w*])")
HEADER = re.compile(r"(?<![\w./-])((?:hv|asm)/\w+\.h)\b")
FILE = re.compile(r"[\w.-]+\.(?:c|h|S|md|py|sh|mk|ld|json)")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
MAKE = re.compile(r"(?:^|[;&] *|(?<= ))make((?: [^\s;&|#]+)+)")
ASSIGN = re.compile(r"([A-Z_]+)=")


def code_of(lines):
    """(line number, code) of each inline span, fenced line and indented line; \\ joins lines."""
    fenced, joined = False, ""
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    ") or joined:
            joined += line.strip()
            if joined.endswith("\\"):
                joined = joined[:-1]
            else:
                yield number, joined
                joined = ""
        else:
            yield from ((number, span) for span in SPAN.findall(line))


class Tree:
    """What there is to be named."""

    def __init__(self):
        text = (ROOT / "Makefile").read_text()
        text += "".join(p.read_text() for p in (ROOT / "tests/guest").glob("*.mk"))
        self.targets = set(re.findall(r"^([a-z][a-z-]*)(?= ?[:&])", text, re.M))
        for names in re.findall(r"^\.PHONY:(.*)", text, re.M):
            self.targets |= set(names.split())
        self.variables = set(re.findall(r"^([A-Z_]+) *\?=", text, re.M))
        self.variables |= set(re.findall(r"\$[({]?([A-Z]{1,9})\b", text))
        self.files = {p.name for top in FOLDERS.split("|") for p in (ROOT / top).rglob("*")}
        self.files |= {p.name for p in ROOT.iterdir()}

    def path(self, name):
        return "NAME" in name or any(ROOT.glob(name))

    def header(self, name):
        return any((ROOT / folder / name).exists() for folder in INCLUDES)

    def make(self, words):
        """The words behind `make` that mean nothing to the Makefile."""
        for word in words:
            assigned = ASSIGN.match(word)
            if assigned and assigned.group(1) not in self.variables:
                yield f"make variable {assigned.group(1)}"
            elif word in ("…", "-f"):
                return
            elif not assigned and re.fullmatch(r"[a-z][a-z-]*", word) and \
                    word not in self.targets:
                yield f"make target {word}"


def check(tree, page):
    lines = (ROOT / page).read_text().split("\n")
    for number, line in enumerate(lines, 1):
        yield from ((number, name) for name in PATH.findall(line) if not tree.path(name))
        yield from ((number, name) for name in HEADER.findall(line) if not tree.header(name))
        for name in LINK.findall(line):
            if not ((ROOT / page).parent / name).exists():
                yield number, f"link to {name}"
    for number, code in code_of(lines):
        if FILE.fullmatch(code) and "NAME" not in code and code not in tree.files:
            yield number, code
        for arguments in MAKE.findall(re.sub(r'"[^"]*"', "x", code)):
            yield from ((number, what) for what in tree.make(arguments.split()))


def main():
    tree, bad = Tree(), 0
    for page in PAGES:
        for number, what in check(tree, page):
            print(f"{page}:{number}: {what} does not exist", file=sys.stderr)
            bad += 1
    if not bad:
        print(f"docs-check: what {len(PAGES)} pages name exists")
    return 1 if bad else 0


sys.exit(main())
