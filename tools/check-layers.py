#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks the arrows of the design: which folder may include what, and that no cycle exists."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
COMPILER = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h"}
BASE = {f"hv/{name}.h" for name in ["errno", "string", "types", "util"]}
BASE |= {f"hv/{source.stem}.h" for source in (ROOT / "src/lib").glob("*.c")}

# Folder (the longest that matches rules) -> what its files may include, beside headers of the
# compiler and headers of their own folder. An entry ending in / allows all below it.
RULES = {
    "src/lib": BASE,
    "src": {"hv/", "abi/", "asm/", "libfdt.h"},
    "src/include/abi": {"abi/", "linux/types.h", "linux/ioctl.h", "sys/ioctl.h"},
    "src/include/libfdt": {"hv/string.h"},
    "arch": {"hv/", "abi/", "asm/", "drivers/host/", "version.h", "libfdt.h"},
    "arch/riscv64/include": {"hv/", "abi/", "asm/"},
    "drivers/host": {"hv/", "abi/", "asm/", "libfdt.h"},
    "drivers/guest": {"hv/", "abi/"},
}
# Headers of the machine the guest sees may be used by whoever assembles that machine.
EXTRA = {"src": {"guest/"}, "arch": {"guest/", "host/"}, "drivers/guest": {"guest/"},
         "drivers/host": {"host/"}}

# Single files that know more than their folder, each with its reason.
FILES = {
    # Puts a VM's devices together and arms their timers on the harts that its vCPUs run on.
    "drivers/guest/machine.c": {"asm/hart.h"},
    # Tells the MVM which version it runs under.
    "src/hypercall.c": {"version.h"},
}


def rule_of(path):
    for folder in (str(p) for p in path.parents):
        if folder in RULES:
            return folder
    return None


def allowed(path, folder, name):
    entries = RULES[folder] | EXTRA.get(folder, set()) | FILES.get(str(path), set())
    return name in COMPILER or any(
        name.startswith(e) if e.endswith("/") else name == e for e in entries)


def resolve(path, name):
    for base in ("src/include", "arch/riscv64/include", "drivers/include", str(path.parent)):
        if (ROOT / base / name).is_file():
            return Path(base) / name
    return None


def cycles(graph):
    done, found = set(), []

    def visit(node, trail):
        if node in trail:
            found.append(" -> ".join(map(str, trail[trail.index(node):] + [node])))
        elif node not in done:
            for child in graph.get(node, ()):
                visit(child, trail + [node])
            done.add(node)

    for node in graph:
        visit(node, [])
    return found


def main():
    bad, graph, files = [], {}, 0
    for top in ("src", "arch", "drivers"):
        for full in sorted((ROOT / top).rglob("*.[chS]")):
            path = full.relative_to(ROOT)
            folder = rule_of(path)
            files += 1
            for quote, name in INCLUDE.findall(full.read_text()):
                local = quote == '"' and (full.parent / name).is_file()
                if folder and not local and not allowed(path, folder, name):
                    bad.append(f"{path}: may not include {name}")
                target = resolve(path, name)
                if target and path.suffix == ".h":
                    graph.setdefault(path, []).append(target)
    bad += [f"include cycle: {text}" for text in cycles(graph)]
    for text in bad:
        print(f"layers: {text}", file=sys.stderr)
    if not bad:
        print(f"layers: {files} files, every include follows the arrows")
    return 1 if bad else 0


sys.exit(main())
