# SPDX-License-Identifier: BSD-2-Clause
"""Disks of VMs, served by the kernel module in the MVM: disk_vm.c runs VMs by /dev/shyper alone.
The payload tests/guest/virtio_blk.c does to a disk whatever a guest can do.
"""
import re
import subprocess

import pytest

from guests import DEBUG, Shyper, compile_program, compile_tree, pack
from machine import IMAGES, TOP

HERE = TOP / "tests/system"
PAYLOAD = TOP / "build/guest/virtio_blk.bin"
BOOT_INITRD = IMAGES / "mvm/initrd.gz"
MVM = TOP / "config/mvm.dts"
DISKS = f"{DEBUG}/disks"

# The init of a Linux guest without a root: disks, then what a test wants, then off.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /tmp /mnt
while read -r module; do insmod "/modules/$module"; done </modules/order
say() { echo "$*" >>/tmp/said; }
%s
dd if=/tmp/said of=/dev/vdb bs=64k conv=sync,fsync 2>/dev/null
poweroff -f
"""


def linux_initrd(folder, script):
    """The initramfs of guests with a disk, with another init laid over it."""
    init = folder / "init"
    init.write_text(INIT % script)
    init.chmod(0o755)
    packed = subprocess.run("echo init | cpio --quiet -o -H newc -R 0:0 | gzip -n", cwd=folder,
                            shell=True, check=True, capture_output=True).stdout
    target = folder / "initrd.gz"
    target.write_bytes(BOOT_INITRD.read_bytes() + packed)
    return target


@pytest.fixture(scope="module")
def archive(tmp_path_factory, make):
    """What the tests bring into the MVM: the program, its definition, the payload."""
    make("guest-payloads")
    folder = tmp_path_factory.mktemp("disks")
    compile_program(folder / "disk_vm", HERE / "disk_vm.c", HERE / "vm.c")
    compile_tree((HERE / "disk_vm.dts").read_text(), folder / "vm.dtb")
    return pack(folder, "disk_vm", "vm.dtb", PAYLOAD)


def unpack(mvm, archive):
    mvm.put(archive, "/tmp/archive.tar")
    mvm.run("cd /tmp && tar -xf archive.tar")


@pytest.fixture
def host(shyper, archive):
    """The MVM with all that in /tmp, and no disk of a VM in /root."""
    unpack(shyper.mvm, archive)
    shyper.mvm.run("rm -f /root/a.img /root/b.img /root/said.img")
    return shyper


def run_payload(mvm, disk):
    """The payload on one kind of disk."""
    mvm.run("stty -F /dev/hvc1 raw -echo; cat /dev/hvc1 >/tmp/console & echo $! >/tmp/reader")
    ended = mvm.run(f"timeout 100 ./disk_vm run vm.dtb virtio_blk.bin vm.dtb {disk} "
                    ">/tmp/ended 2>&1; cat /tmp/ended", timeout=120)
    said = mvm.run("sleep 1; kill $(cat /tmp/reader); grep -v ^ok /tmp/console")
    assert re.search(r"^done \d+ passed, 0 failed", said, re.M), said
    assert "ended: reason 0" in ended


def test_every_refusal(host):
    mvm = host.mvm
    mvm.run("truncate -s 1M /root/a.img")
    assert mvm.run("./disk_vm refuse vm.dtb /root/a.img").endswith("passed")


def test_payload_on_a_file(host):
    mvm = host.mvm
    mvm.run("truncate -s 16M /root/a.img")
    run_payload(mvm, "/root/a.img")


def test_payload_in_the_page_cache(host):
    """A file whose file system has no direct I/O."""
    mvm = host.mvm
    mvm.run("truncate -s 16M /tmp/a.img")
    run_payload(mvm, "/tmp/a.img")


def test_payload_on_a_block_device(boot_mvm, archive, tmp_path):
    disk = tmp_path / "disk.img"
    with open(disk, "wb") as file:
        file.truncate(16 << 20)
    # Linux numbers disks by address, and QEMU puts the first one highest.
    definition = tmp_path / "mvm.dts"
    definition.write_text(MVM.read_text().replace("root=/dev/vda", "root=/dev/vdb"))
    mvm = boot_mvm(MVM=definition,
                   QEMUFLAGS=f"-drive file={disk},format=raw,if=none,id=d,discard=unmap "
                             "-device virtio-blk-device,drive=d")
    host = Shyper(mvm)
    unpack(mvm, archive)
    run_payload(mvm, "/dev/vda")
    host.end()


def run_linux(mvm, tmp_path, script, disk, before="true", during="true"):
    """A Linux guest that runs the script; returns what it said."""
    mvm.put(linux_initrd(tmp_path, script), "/tmp/initrd.gz")
    mvm.run(f"truncate -s 64k /root/said.img; {before}", timeout=60)
    mvm.run(f"./disk_vm run vm.dtb /root/Image initrd.gz {disk} /root/said.img "
            f">/tmp/ended 2>&1 & {during}; wait; grep 'ended: reason 0' /tmp/ended || "
            "{ cat /tmp/ended; false; }", timeout=150)
    return mvm.run("tr -d '\\0' </root/said.img").split("\n")


def test_linux_and_the_image_agree(host, tmp_path):
    """What a guest has written and synced is in the image; what it discards is given back."""
    mvm = host.mvm
    said = run_linux(mvm, tmp_path, """
mke2fs -F /dev/vda >/dev/null 2>&1; mount -t ext4 /dev/vda /mnt
dd if=/dev/urandom of=/mnt/data bs=1M count=24 2>/dev/null
sync
say $(sha256sum </mnt/data)
say $(cat /sys/block/vda/serial) $(cat /sys/block/vda/queue/write_cache)
rm /mnt/data; fstrim /mnt && say trimmed
dd if=/dev/urandom of=/mnt/kept bs=1M count=4 2>/dev/null
umount /mnt
mount -t ext4 /dev/vda /mnt && say $(sha256sum </mnt/kept)
umount /mnt""", "/root/a.img", "truncate -s 64M /root/a.img", "sleep 3; cat " + DISKS)
    assert said[1] == "serial-0 write back" and said[2] == "trimmed"
    mvm.run("mkdir -p /tmp/m && mount -o loop,ro /root/a.img /tmp/m")
    assert mvm.run("sha256sum </tmp/m/kept") .split()[0] == said[3].split()[0]
    assert int(mvm.run("du -k /root/a.img | cut -f1")) < 12 * 1024
    mvm.run("umount /tmp/m")


def test_a_full_or_vanished_image_is_an_error(host, tmp_path):
    """The guest's write fails, its reads go on, and nothing hangs."""
    mvm = host.mvm
    said = run_linux(mvm, tmp_path, """
dd if=/dev/zero of=/dev/vda bs=1M count=40 oflag=direct 2>/dev/null || say full
dd if=/dev/vda of=/dev/null bs=1M count=1 iflag=direct 2>/dev/null && say readable
dd if=/dev/vda of=/dev/null bs=1M skip=63 count=1 iflag=direct 2>/dev/null || say short
say done""", "/tmp/m/a.img", "truncate -s 16M /root/fs.img && mke2fs -q -F /root/fs.img && "
                     "mkdir -p /tmp/m && mount -o loop /root/fs.img /tmp/m && "
                     "truncate -s 64M /tmp/m/a.img",
                     "until grep -q '^vm ' /tmp/ended; do sleep 0.1; done; sleep 0.5; "
                     "truncate -s 60M /tmp/m/a.img")
    assert said == ["full", "readable", "short", "done"]
    mvm.run("umount /tmp/m")


def test_stops_under_load(host, tmp_path):
    """A VM that is stopped with requests under way ends, and its disk serves the next one."""
    mvm = host.mvm
    mvm.put(linux_initrd(tmp_path, "while :; do dd if=/dev/urandom of=/dev/vda bs=1M 2>/dev/null; "
                         "done"), "/tmp/initrd.gz")
    mvm.run("truncate -s 64M /root/a.img; truncate -s 64k /root/b.img")
    before = mvm.run("free -k | awk '/Mem/ { print $3 }'")
    for _ in range(3):
        mvm.run("./disk_vm run vm.dtb /root/Image initrd.gz /root/a.img /root/b.img >/tmp/ended & "
                "until [ $(awk '$1 == 1 && $2 == 0 { print $8 }' " + DISKS + " || echo 0)0 -gt "
                "100000 ]; do sleep 0.1; done; ./disk_vm stop 1; wait; "
                "grep 'ended: reason 4' /tmp/ended", timeout=60)
    after = mvm.run("free -k | awk '/Mem/ { print $3 }'")
    assert int(after) < int(before) + 64 * 1024
