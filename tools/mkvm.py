#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Packs kernels, initrds and VM definitions into a boot image (FIT) for Shyper.

One VM from options, or several from definition files. A kernel may be a flat binary, a RISC-V
Linux Image, an ELF file, or any of these compressed with gzip or as an EFI zboot image. The
format of definitions is described in docs/vm-definition.md.
"""
import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

RAM_BASE = 0x80000000
FLAT_OFFSET = 0x200000      # where QEMU's -kernel puts a flat image on this machine
PAGE = 4096
MAX_VMS = 16
MAX_KERNEL = 1 << 30        # bytes, decompressed
CHECKER = Path(__file__).resolve().parent.parent / "build/tools/vmdef-check"


class Failure(Exception):
    """Something outside is wrong; the message is for the user."""


# --- Kernels --------------------------------------------------------------------------------------

class Kernel:
    """What is copied into the guest: data at load (None: RAM base + offset), start at entry."""

    def __init__(self, data, offset=FLAT_OFFSET, load=None, entry=None, size=0):
        self.data = data
        self.offset = offset
        self.load = load
        self.entry = entry
        self.size = max(size, len(data))    # bytes of memory, with what follows the file

    def address(self, base):
        return base + self.offset if self.load is None else self.load


def is_linux_image(data):
    """A RISC-V Image has "RISCV" at 0x30 and "RSC\\x05" at 0x38 (Documentation/arch/riscv)."""
    return len(data) >= 0x40 and (data[0x30:0x35] == b"RISCV" or data[0x38:0x3c] == b"RSC\x05")


def parse_linux_image(data):
    text_offset, image_size = struct.unpack_from("<QQ", data, 8)
    return Kernel(data, offset=text_offset, size=image_size)


def elf_segments(data, name):
    """(offset, vaddr, paddr, filesz, memsz) of each loadable segment, and the entry."""
    if len(data) < 64 or data[4] != 2 or data[5] != 1:
        raise Failure(f"{name}: not a little-endian 64-bit ELF file")
    machine, = struct.unpack_from("<H", data, 18)
    entry, phoff = struct.unpack_from("<QQ", data, 24)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    if machine != 243:
        raise Failure(f"{name}: an ELF file for another machine than RISC-V ({machine})")
    segments = []
    for i in range(phnum):
        at = phoff + i * phentsize
        if phentsize < 56 or at + 56 > len(data):
            raise Failure(f"{name}: ELF program headers are cut off")
        kind, _, offset, vaddr, paddr, filesz, memsz = struct.unpack_from("<IIQQQQQ", data, at)
        if kind == 1 and memsz:
            if filesz > memsz or offset + filesz > len(data):
                raise Failure(f"{name}: ELF segment {i} is cut off")
            segments.append((offset, vaddr, paddr, filesz, memsz))
    if not segments:
        raise Failure(f"{name}: the ELF file has nothing to load")
    return segments, entry


def parse_elf(data, name):
    """Flatten by physical address; an entry in virtual addresses is translated."""
    segments, entry = elf_segments(data, name)
    base = min(s[2] for s in segments)
    size = max(s[2] + s[4] for s in segments) - base
    if size > MAX_KERNEL:
        raise Failure(f"{name}: ELF segments spread over {size >> 20} MiB")
    flat = bytearray(size)
    for offset, _, paddr, filesz, _ in segments:
        flat[paddr - base:paddr - base + filesz] = data[offset:offset + filesz]
    starts = [s[2] + entry - s[1] for s in segments if s[1] <= entry < s[1] + s[4]]
    starts += [entry for s in segments if s[2] <= entry < s[2] + s[4]]
    if not starts:
        raise Failure(f"{name}: the ELF entry 0x{entry:x} is in no segment")
    return Kernel(bytes(flat), load=base, entry=starts[0])


def gunzip(data, name):
    try:
        unpacked = zlib.decompressobj(wbits=31).decompress(data, MAX_KERNEL + 1)
    except zlib.error as error:
        raise Failure(f"{name}: damaged gzip data ({error})") from error
    if len(unpacked) > MAX_KERNEL:
        raise Failure(f"{name}: more than {MAX_KERNEL >> 20} MiB when unpacked")
    return unpacked


def unpack(data, name):
    """Undo gzip, or the EFI zboot wrapper (drivers/firmware/efi/libstub) around it."""
    if data[:2] == b"MZ" and data[4:8] == b"zimg" and len(data) >= 0x38:
        offset, size = struct.unpack_from("<II", data, 8)
        method = data[0x18:0x38].split(b"\0")[0].decode("ascii", "replace")
        if method != "gzip":
            raise Failure(f"{name}: an EFI zboot image compressed with {method}; only gzip works")
        data = data[offset:offset + size]
    return gunzip(data, name) if data[:2] == b"\x1f\x8b" else data


def load_kernel(path):
    data = unpack(read_file(path), path)
    if data[:4] == b"\x7fELF":
        return parse_elf(data, path)
    return parse_linux_image(data) if is_linux_image(data) else Kernel(data)


# --- Small parts ----------------------------------------------------------------------------------

def read_file(path):
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
    if not data:
        raise Failure(f"{path}: the file is empty")
    return data


def start(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace",
                              check=False)
    except FileNotFoundError as error:
        raise Failure(f"{command[0]} is not installed; make deps installs it") from error


def run(*command):
    """Run a tool; its output is the message when it fails."""
    done = start(*command)
    if done.returncode:
        raise Failure((done.stdout + done.stderr).strip() or f"{command[0]} failed")
    return done.stdout


def parse_size(text):
    """256M, 1G, 65536K, or bytes."""
    units = {"K": 10, "M": 20, "G": 30, "T": 40}
    text = str(text).strip().upper()
    digits = text[:-1] if text[-1:] in units else text
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{text!r} is not a size; write it like 256M or 1G")
    size = int(digits) << units.get(text[-1:], 0)
    if size == 0 or size % PAGE:
        raise ValueError(f"{text} is not a multiple of 4K")
    if size >= 1 << 56:
        raise ValueError(f"{text} is more than an address can reach")
    return size


def parse_harts(text):
    try:
        return [int(part, 0) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"{text!r} is not a list of harts; write it like 0,1") from None


def quote(text):
    """A device-tree source string."""
    out = []
    for byte in os.fsencode(text):
        plain = 0x20 <= byte < 0x7f and byte not in b'"\\'
        out.append(chr(byte) if plain else f"\\x{byte:02x}")
    return '"' + "".join(out) + '"'


def cells(value):
    return f"0x{value >> 32:x} 0x{value & 0xffffffff:x}"


# --- VMs ------------------------------------------------------------------------------------------

ACTIONS = ("restart", "stop")
LEAVES = ("4K", "64K", "2M", "1G")


def one_of(*words):
    def check(value):
        if value not in words:
            raise ValueError(f"{value!r} is not possible; choose from {', '.join(words)}")
        return value
    return check


def number(low, high):
    def check(value):
        if isinstance(value, bool) or not str(value).isdigit() or not low <= int(value) <= high:
            raise ValueError(f"{value!r} is not a number from {low} to {high}")
        return int(value)
    return check


def text(value):
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"{value!r} is not a text")
    return value


def hart_list(value):
    harts = parse_harts(value) if isinstance(value, str) else value
    if not isinstance(harts, list) or not harts:
        raise ValueError(f"{value!r} is not a list of harts")
    return [number(0, (1 << 64) - 1)(hart) for hart in harts]


def flag(value):
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def mac(value):
    match = re.fullmatch("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", text(value))
    if not match:
        raise ValueError(f"{value!r} is not a MAC address; write it like 52:54:00:12:34:56")
    return value.replace(":", " ")


def bit_rate(value):
    """Bits a second, like 100M, in kbit/s."""
    units = {"K": 1, "M": 1000, "G": 1000000}
    digits, unit = str(value)[:-1], str(value)[-1:].upper()
    if unit not in units or not (digits.isascii() and digits.isdigit()) or not int(digits):
        raise ValueError(f"{value!r} is not a rate; write it like 100M or 2G, in bits a second")
    return int(digits) * units[unit]


# What may be said of a network device, and the property that it becomes.
NIC_KEYS = {
    "switch": (text, lambda v: quote(v)), "mac": (mac, lambda v: f"[{v}]"),
    "vlan": (number(1, 4094), lambda v: f"<{v}>"), "rate": (bit_rate, lambda v: f"<{v}>"),
    "mtu": (number(68, 65535), lambda v: f"<{v}>"), "locked": (flag, None),
    "small_frames": (flag, None), "monitor": (flag, None),
}


def nic_list(value):
    if not isinstance(value, list) or len(value) > 4:
        raise ValueError("a list of at most 4 network devices, like [{}], is expected")
    nics = []
    for nic in value:
        if not isinstance(nic, dict) or set(nic) - set(NIC_KEYS):
            raise ValueError(f"{nic!r} is no network device; it may have {', '.join(NIC_KEYS)}")
        nics.append({key: NIC_KEYS[key][0](nic[key]) for key in nic})
    return nics


def sched(value):
    """Policy and numbers; what they mean together, Shyper's own check says."""
    keys = {"policy": one_of("pinned", "priority", "partition"), "priority": number(0, 31),
            "budget_us": number(100, 10000000), "period_us": number(1000, 10000000),
            "strict": flag}
    if not isinstance(value, dict) or "policy" not in value:
        raise ValueError('write it like {"policy": "priority", "priority": 1}')
    for key in value:
        if key not in keys:
            raise ValueError(f"unknown key {key!r}; possible are {', '.join(keys)}")
    return {key: keys[key](said) for key, said in value.items()}


# What may be said of a VM, in options and in JSON.
KEYS = {
    "name": text, "kernel": text, "initrd": text, "cmdline": text, "dts": text,
    "vcpus": number(1, 16), "memory": parse_size, "harts": hart_list,
    "on_reboot": one_of(*ACTIONS), "on_crash": one_of(*ACTIONS),
    "max_restarts": number(0, (1 << 32) - 1), "max_leaf": one_of(*LEAVES), "autostart": flag,
    "management": flag, "irqchip": one_of("plic", "aplic"), "nics": nic_list,
    "sched": sched, "time": one_of("runs", "stops-while-paused"),
}
DEFAULTS = {"name": "guest", "vcpus": 1, "memory": parse_size("256M"), "autostart": True}


def check_keys(raw, where):
    if not isinstance(raw, dict):
        raise Failure(f"{where}: a VM is an object {{…}}")
    vm = {}
    for key, value in raw.items():
        if key not in KEYS:
            raise Failure(f"{where}: unknown key {key!r}; possible are {', '.join(KEYS)}")
        try:
            vm[key] = KEYS[key](value)
        except ValueError as error:
            raise Failure(f"{where}: {key}: {error}") from error
    return vm


def relative_to(path, folder):
    return str(Path(folder) / path)


def no_twice(pairs):
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key is there twice")
    return keys


def json_of(path):
    try:
        return json.loads(read_file(path), object_pairs_hook=no_twice)
    except (ValueError, RecursionError) as error:
        raise Failure(f"{path}: not JSON: {error}") from error


def vms_of_json(path):
    """A VM, a list of VMs, or {"vms": list}. File names count from the JSON file's folder."""
    tree = json_of(path)
    if isinstance(tree, dict) and set(tree) == {"vms"}:
        tree = tree["vms"]
    vms = []
    for n, raw in enumerate(tree if isinstance(tree, list) else [tree], 1):
        vm = check_keys(raw, f"{path}: VM {n}")
        for key in ("kernel", "initrd", "dts"):
            if key in vm:
                vm[key] = relative_to(vm[key], Path(path).parent)
        vms.append(vm)
    return vms


def vms_of_file(path):
    if path.endswith(".json"):
        return vms_of_json(path)
    if path.endswith(".dts"):
        return [{"dts": path}]
    raise Failure(f"{path}: a definition file ends in .dts or .json")


def nic_properties(nic):
    for key, value in nic.items():
        write = NIC_KEYS[key][1]
        if write:
            yield f"{key} = {write(value)};"
        elif value:
            yield f"{key.replace('_', '-')};"


class Definition:
    """One VM on its way into the FIT."""

    def __init__(self, vm, work, n):
        self.base = None
        self.tree = work / f"vm-{n}.dtb"
        self.source = work / f"vm-{n}.dts"
        if "dts" in vm:
            self.base = work / f"base-{n}.dtb"
            run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(self.base), vm["dts"])
            vm = {**self.images_of_base(vm["dts"]), **vm}
        else:
            vm = {**DEFAULTS, **vm}
            if "harts" in vm and len(vm["harts"]) != vm["vcpus"]:
                raise Failure(f"{vm['name']}: {vm['vcpus']} vCPUs but {len(vm['harts'])} harts")
        self.vm = vm
        self.name = vm.get("name") or self.base_property("/", "vm-name") or f"VM {n}"
        if "kernel" not in vm:
            raise Failure(f"{self.name}: no kernel is named")

    def base_property(self, node, name, kind="s"):
        """A property of the given definition, or None."""
        if not self.base:
            return None
        done = start("fdtget", "-t", kind, str(self.base), node, name)
        return done.stdout.strip("\n") if done.returncode == 0 else None

    def images_of_base(self, path):
        """In a definition given to this tool, image names a file beside it."""
        found = {}
        for key in ("kernel", "initrd"):
            image = self.base_property("/" + key, "image")
            if image:
                found[key] = relative_to(image, Path(path).parent)
        return found

    def shares(self):
        """Its vCPUs share their harts with those of other VMs."""
        policy = self.base_property("/sched", "policy")
        return self.vm.get("sched", {"policy": policy})["policy"] in ("priority", "partition")

    def ram(self):
        """Base and size of the memory that the kernel goes to."""
        if "memory" in self.vm:
            return RAM_BASE, self.vm["memory"]
        nodes = run("fdtget", "-l", str(self.base), "/").split()
        regs = [self.base_property("/" + node, "reg", "x") or "" for node in nodes
                if node.split("@")[0] == "memory"]
        ranges = sorted([int(c, 16) for c in reg.split()] for reg in regs)
        if not ranges or len(ranges[0]) != 4:
            return RAM_BASE, DEFAULTS["memory"]
        high, low, size_high, size_low = ranges[0]
        return high << 32 | low, size_high << 32 | size_low

    def check_room(self, kernel, initrd):
        """Kernel, initrd and the guest's device tree fit; the rest of the placing is Shyper's."""
        base, size = self.ram()
        load = kernel.address(base)
        if self.base_property("/kernel", "load", "x"):
            return
        if not base <= load < base + size:
            raise Failure(f"{self.name}: {self.vm['kernel']} must be loaded at 0x{load:x}, which "
                          f"is outside its memory 0x{base:x} to 0x{base + size - 1:x}")
        needed = load - base + kernel.size + len(initrd or b"") + (1 << 21)
        if needed > size:
            missing = -(-(needed - size) // (1 << 20))
            raise Failure(f"{self.name}: {size >> 20} MiB of memory are too little for kernel and "
                          f"initrd; {missing} MiB are missing")

    def lines(self, kernel, kernel_image, initrd_image):
        """Device-tree source of what options, JSON and images say."""
        vm = self.vm
        if not self.base:
            yield 'compatible = "shyper,vm-v1";'
            yield "#address-cells = <2>;"
            yield "#size-cells = <2>;"
        for key, name in (("name", "vm-name"), ("cmdline", "bootargs"), ("on_reboot", "on-reboot"),
                          ("on_crash", "on-crash"), ("max_leaf", "max-leaf"), ("time", "time")):
            if key in vm:
                yield f"{name} = {quote(vm[key])};"
        for key, name in (("vcpus", "vcpus"), ("max_restarts", "max-restarts")):
            if key in vm:
                yield f"{name} = <{vm[key]}>;"
        if "harts" in vm:
            yield f"harts = <{' '.join(cells(hart) for hart in vm['harts'])}>;"
        if vm.get("autostart"):
            yield "autostart;"
        if vm.get("management"):
            yield "management;"
        if "memory" in vm:
            yield (f"memory@{RAM_BASE:x} {{ reg = <{cells(RAM_BASE)} {cells(vm['memory'])}>; }};")
        if "sched" in vm:
            numbers = "".join(f" {key.replace('_', '-')} = <{value}>;"
                              for key, value in vm["sched"].items()
                              if key not in ("policy", "strict"))
            numbers += " strict;" if vm["sched"].get("strict") else ""
            yield f"sched {{ policy = {quote(vm['sched']['policy'])};{numbers} }};"
        yield from self.image_lines(kernel, kernel_image, initrd_image)
        yield "devices {"
        if "irqchip" in vm:
            yield f"\t{vm['irqchip']} {{ }};"
        for n, nic in enumerate(vm.get("nics", ())):
            yield f"\tnet{n} {{ {' '.join(nic_properties(nic))} }};"
        yield "};"

    def image_lines(self, kernel, kernel_image, initrd_image):
        yield "kernel {"
        yield f"\timage = {quote(kernel_image)};"
        if not self.base_property("/kernel", "load", "x"):
            yield f"\tload = <{cells(kernel.address(self.ram()[0]))}>;"
            if kernel.entry is not None:
                yield f"\tentry = <{cells(kernel.entry)}>;"
        yield "};"
        if initrd_image:
            yield f"initrd {{ image = {quote(initrd_image)}; }};"

    def write(self, kernel, kernel_image, initrd_image):
        body = "".join(f"\t{line}\n" for line in self.lines(kernel, kernel_image, initrd_image))
        head = "/dts-v1/;\n"
        if self.base:
            head = run("dtc", "-q", "-I", "dtb", "-O", "dts", str(self.base)) + "\n"
        self.source.write_text(f"{head}\n/ {{\n{body}}};\n")
        run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(self.tree), str(self.source))
        if CHECKER.exists():
            try:
                run(str(CHECKER), str(self.tree))
            except Failure as failure:
                raise Failure(f"{self.name}: {str(failure).replace(f'{self.tree}: ', '')}") \
                    from failure


# --- The schedule ---------------------------------------------------------------------------------

def fields(raw, where, **checks):
    """The values of an object that may have these keys; those of None are left out."""
    if not isinstance(raw, dict):
        raise Failure(f"{where}: an object {{…}} is expected")
    for key in raw:
        if key not in checks:
            raise Failure(f"{where}: unknown key {key!r}; possible are {', '.join(checks)}")
    try:
        return {key: check(raw[key]) for key, check in checks.items() if key in raw}
    except ValueError as error:
        raise Failure(f"{where}: {error}") from error


def any_object(value):
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not an object {{…}}")
    return value


MICROSECONDS = number(0, (1 << 32) - 1)


def partition_lines(partitions):
    for n, (name, raw) in enumerate(partitions.items()):
        said = fields(raw, f"schedule, partition {name}", harts=hart_list,
                      period_us=MICROSECONDS, duration_us=MICROSECONDS)
        yield f"\t\tp{n}: partition-{n} {{"
        yield f"\t\t\tvm-name = {quote(name)};"
        if "harts" in said:
            yield f"\t\t\tharts = <{' '.join(map(str, said['harts']))}>;"
        for key in ("period_us", "duration_us"):
            if key in said:
                yield f"\t\t\t{key.replace('_', '-')} = <{said[key]}>;"
        yield "\t\t};"


def window_cells(raw, names, where):
    """[offset, duration, partition], times in microseconds."""
    if not isinstance(raw, list) or len(raw) != 3:
        raise Failure(f"{where}: {raw!r} is no window; write it like [0, 1000, \"control\"]")
    if raw[2] not in names:
        raise Failure(f"{where}: there is no partition {raw[2]!r}; there are {', '.join(names)}")
    try:
        return f"<{MICROSECONDS(raw[0])} {MICROSECONDS(raw[1])} &p{names.index(raw[2])}>"
    except ValueError as error:
        raise Failure(f"{where}: {error}") from error


def table_lines(name, raw, names):
    where = f"schedule, table {name}"
    said = fields(raw, where, frame_us=MICROSECONDS, correction_us=MICROSECONDS, relaxed=flag,
                  harts=any_object)
    if not re.fullmatch("[a-zA-Z0-9,._+-]{1,31}", name):
        raise Failure(f"{where}: a table's name is 1 to 31 letters, digits, and any of ,._+-")
    yield f"\t\t{name} {{"
    for key in ("frame_us", "correction_us"):
        if key in said:
            yield f"\t\t\t{key.replace('_', '-')} = <{said[key]}>;"
    if said.get("relaxed"):
        yield "\t\t\trelaxed;"
    for hart, windows in said.get("harts", {}).items():
        if not hart.isdecimal() or not isinstance(windows, list):
            raise Failure(f"{where}: harts are written like {{\"1\": [[0, 1000, \"control\"]]}}")
        cells_ = ", ".join(window_cells(window, names, f"{where}, hart {hart}")
                           for window in windows)
        yield f"\t\t\thart{hart} {{ hart = <{hart}>; windows = {cells_ or '[]'}; }};"
    yield "\t\t};"


def schedule_source(raw):
    """Device-tree source of a schedule in JSON; what it means, Shyper's own check says."""
    said = fields(raw, "schedule", switch_us=MICROSECONDS, late_us=MICROSECONDS,
                  partitions=any_object, tables=any_object)
    lines = ["/dts-v1/;", "/ {", '\tcompatible = "shyper,schedule-v1";']
    lines += [f"\t{key.replace('_', '-')} = <{said[key]}>;"
              for key in ("switch_us", "late_us") if key in said]
    lines += ["\tpartitions {", *partition_lines(said.get("partitions", {})), "\t};",
              "\ttables {"]
    for name, table in said.get("tables", {}).items():
        lines += table_lines(name, table, list(said.get("partitions", {})))
    return "\n".join(lines + ["\t};", "};", ""])


def schedule_tree(schedule, work):
    """The tree of a schedule: a .dts or .json file, or what JSON said."""
    tree, source = work / "schedule.dtb", work / "schedule.dts"
    if isinstance(schedule, str) and schedule.endswith(".dts"):
        source = schedule
    else:
        if isinstance(schedule, str):
            schedule = json_of(schedule)
        source.write_text(schedule_source(schedule))
    run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(tree), str(source))
    if CHECKER.exists():
        try:
            run(str(CHECKER), str(tree))
        except Failure as failure:
            raise Failure(f"schedule: {str(failure).replace(f'{tree}: ', '')}") from failure
    return tree


# --- The FIT --------------------------------------------------------------------------------------

IMAGE = """\
		{name} {{
			description = {description};
			data = /incbin/({path});
			type = "{type}";
			arch = "riscv";
			os = "linux";
			compression = "none";{addresses}
			hash-1 {{
				algo = "crc32";
			}};
		}};
"""

FIT = """\
/dts-v1/;

/ {{
	description = "Shyper boot image";
	#address-cells = <2>;

	images {{
{images}	}};

	configurations {{
		default = "vms";

		vms {{
			description = "VM definitions, in the order of their ids";
			loadables = {loadables};
		}};
	}};
}};
"""


class Fit:
    """Collects images, each distinct content once."""

    def __init__(self, work):
        self.work = work
        self.parts = []
        self.names = {}
        self.vms = []

    def add(self, kind, image_type, data, description):
        known = self.names.get((kind, data))
        if known:
            return known
        name = f"{kind}-{1 + sum(k == kind for k, _ in self.names)}"
        self.names[kind, data] = name
        (self.work / name).write_bytes(data)
        self.add_file(name, image_type, self.work / name, description)
        return name

    def add_file(self, name, image_type, path, description):
        # mkimage insists on addresses for kernels; the definition's are what counts.
        addresses = "\n\t\t\tload = <0 0>;\n\t\t\tentry = <0 0>;" if image_type == "kernel" else ""
        self.parts.append(IMAGE.format(name=name, description=quote(Path(description).name),
                                       path=quote(str(path)), type=image_type,
                                       addresses=addresses))

    def add_schedule(self, tree):
        self.add_file("schedule", "flat_dt", tree, "schedule")
        self.vms.append("schedule")

    def add_vm(self, definition):
        name = f"vm-{sum(vm != 'schedule' for vm in self.vms) + 1}"
        self.add_file(name, "flat_dt", definition.tree, definition.name)
        self.vms.append(name)

    def write(self, out):
        """Data goes behind the tree, page aligned, so that it is usable where it lies."""
        its, itb = self.work / "boot.its", self.work / "boot.itb"
        its.write_text(FIT.format(images="".join(self.parts),
                                  loadables=", ".join(quote(vm) for vm in self.vms)))
        run("mkimage", "-q", "-E", "-B", f"{PAGE:x}", "-f", str(its), str(itb))
        try:
            Path(out).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(itb, f"{out}.new")
            os.replace(f"{out}.new", out)
        except OSError as error:
            raise Failure(f"{out}: {error.strerror}") from error


def check_together(definitions):
    """Names belong to one VM each, and so do harts, but to those that all share."""
    names, harts = set(), {}
    if len(definitions) > MAX_VMS:
        raise Failure(f"{len(definitions)} VMs; possible are {MAX_VMS}")
    for definition in definitions:
        if definition.name in names:
            raise Failure(f"two VMs have the name {definition.name}")
        names.add(definition.name)
        for hart in definition.vm.get("harts", []):
            other = harts.setdefault(hart, definition)
            if other is not definition and not (other.shares() and definition.shares()):
                raise Failure(f"hart {hart} is given to {other.name} and {definition.name}")


def build(vms, schedule, out):
    with tempfile.TemporaryDirectory(prefix="mkvm-") as folder:
        work = Path(folder)
        definitions = [Definition(vm, work, n) for n, vm in enumerate(vms, 1)]
        check_together(definitions)
        fit = Fit(work)
        if schedule:
            fit.add_schedule(schedule_tree(schedule, work))
        for definition in definitions:
            vm = definition.vm
            kernel = load_kernel(vm["kernel"])
            initrd = read_file(vm["initrd"]) if vm.get("initrd") else None
            definition.check_room(kernel, initrd)
            kernel_image = fit.add("kernel", "kernel", kernel.data, vm["kernel"])
            initrd_image = initrd and fit.add("initrd", "ramdisk", initrd, vm["initrd"])
            definition.write(kernel, kernel_image, initrd_image)
            fit.add_vm(definition)
        fit.write(out)


# --- Command line ---------------------------------------------------------------------------------

def option(check):
    """A check as argparse wants it: its message becomes the usage error."""
    def convert(value):
        try:
            return check(value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    return convert


def parse_arguments(argv):
    parser = argparse.ArgumentParser(prog="mkvm.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", required=True, metavar="FILE", help="boot image to write")
    parser.add_argument("--vm", action="append", default=[], metavar="FILE",
                        help="definition file (.dts, or .json with one VM or a list); repeatable")
    parser.add_argument("--schedule", metavar="FILE",
                        help="schedule of the VMs that are partitions (.dts or .json)")
    one = parser.add_argument_group("one VM from options")
    for key, metavar, text_ in (
            ("kernel", "FILE", "its kernel"),
            ("initrd", "FILE", "its initrd"),
            ("cmdline", "TEXT", "its command line"),
            ("name", "NAME", "its name (default: guest)"),
            ("vcpus", "N", "number of vCPUs (default: 1)"),
            ("memory", "SIZE", "size of its memory (default: 256M)"),
            ("harts", "LIST", "hart of each vCPU, like 0,1 (default: Shyper chooses)"),
            ("on_reboot", "ACTION", "restart (default) or stop"),
            ("on_crash", "ACTION", "restart or stop (default)"),
            ("max_restarts", "N", "restarts after crashes (default: 0, no limit)"),
            ("irqchip", "KIND", "plic or aplic (default: as the board has)"),
            ("max_leaf", "SIZE", "largest G-stage page: 4K, 64K, 2M or 1G (default)"),
            ("dts", "FILE", "definition to start from; the other options override it")):
        one.add_argument("--" + key.replace("_", "-"), type=option(KEYS[key]), metavar=metavar,
                         help=text_)
    args = parser.parse_args(argv)
    given = {key: getattr(args, key) for key in KEYS if getattr(args, key, None) is not None}
    if args.vm and given:
        parser.error("--vm cannot be combined with the options of one VM")
    if not args.vm and "kernel" not in given and "dts" not in given:
        parser.error("name a --kernel, a --dts or a --vm")
    return args, given


def main(argv):
    args, given = parse_arguments(argv)
    try:
        vms = [vm for path in args.vm for vm in vms_of_file(path)] if args.vm else [given]
        if not vms:
            raise Failure("there is no VM in the definition files")
        build(vms, args.schedule, args.out)
    except Failure as failure:
        print(f"mkvm: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
