# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes virtual machines of the test hosts' images: <cache>/vm/images/<release>/ with root.img, kernel and initrd.

A container's root and a kernel is quicker than a root from scratch, and both kinds of hosts have the same packages.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

from image_tools import ENVIRONMENT, FOLDER, LIMIT_SECONDS, hash_of, packages, podman
from paths import CACHE, ROOT

sys.path.insert(0, str(ROOT / "molecule" / "shared" / "vm"))

from machine import VM, Machine, MachineError

KEY = CACHE / "id_ed25519.pub"
DISK_SIZE = "6G"
TRIAL_SECONDS = 60


def content_hash(container_digest: str) -> str:
    """Hash all that determines a machine's image: the container's, and what is done to it here."""
    return hash_of(f"{container_digest} {DISK_SIZE}", FOLDER / "vm.sh", FOLDER / "vm.txt", KEY)


def run(*words: str) -> None:
    """Run a command that says nothing unless it fails."""
    subprocess.run(words, check=True, env=ENVIRONMENT, stdin=subprocess.DEVNULL, timeout=LIMIT_SECONDS)


def export(image: str, root: Path) -> None:
    """Unpack a container image."""
    container = podman("create", image)
    try:
        with subprocess.Popen(["podman", "export", container], env=ENVIRONMENT, stdout=subprocess.PIPE) as source:
            unpack = ["tar", "--extract", "--numeric-owner", "--xattrs", "--xattrs-include=*", f"--directory={root}"]
            subprocess.run(unpack, check=True, stdin=source.stdout, timeout=LIMIT_SECONDS)
        if source.returncode:
            raise RuntimeError(f"podman export of {image} ended with {source.returncode}")
    finally:
        podman("rm", container)


def build(image: str, target: Path) -> None:
    """Make a machine's files from a container image."""
    root = target / "root"
    root.mkdir(parents=True)
    export(image, root)
    run("sh", str(FOLDER / "vm.sh"), str(root), str(KEY), *packages("vm.txt"))
    for pattern, name in (("vmlinuz-*", "kernel"), ("initrd.img-*", "initrd")):
        (found,) = (root / "boot").glob(pattern)
        shutil.move(found, target / name)
    # Tables that are written at the first mount would be written by each machine.
    options = ["-q", "-t", "ext4", "-E", "lazy_itable_init=0", "-d", str(root)]
    run("mke2fs", *options, str(target / "root.img"), DISK_SIZE)
    shutil.rmtree(root)


def ensure(image: str, container_digest: str) -> str:
    """Make a machine's image unless it is there already; return a line that says what was done."""
    release = image.rpartition(":")[2]
    target = VM / "images" / release
    stamp = target / "hash"
    digest = content_hash(container_digest)
    if stamp.is_file() and stamp.read_text(encoding="ascii") == digest:
        return f"images: the machine {release} is there ({digest})"
    started = time.monotonic()
    print(f"images: the machine {release} is being made, which takes a minute", flush=True)
    new = target.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    build(image, new)
    (new / "hash").write_text(digest, encoding="ascii")
    # Machines that run keep the files that they have open.
    shutil.rmtree(target, ignore_errors=True)
    new.rename(target)
    return f"images: the machine {release} made in {time.monotonic() - started:.0f} s ({digest})"


def ensure_accelerator() -> str:
    """Find out, once, whether KVM works by booting each image with it; it may be there and fault in the guest."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "images: machines run without KVM, which is not there"
    images = sorted((VM / "images").glob("*/hash"))
    tried = " ".join([platform.release(), *(stamp.read_text(encoding="ascii") for stamp in images)])
    note = VM / "accelerator"
    if not note.is_file() or note.read_text(encoding="utf-8").partition(" ")[2] != tried:
        note.write_text(f"{try_kvm([stamp.parent for stamp in images])} {tried}", encoding="utf-8")
    works = note.read_text(encoding="utf-8").startswith("kvm ")
    return f"images: machines run {'with KVM' if works else 'without KVM: they do not boot with it here'}"


def try_kvm(images: list[Path]) -> str:
    """Boot each image with KVM, briefly; return "kvm" when all come up, else "tcg"."""
    machine = Machine("kvm-trial")
    try:
        for image in images:
            machine.start(image, accelerated_by="kvm", reboots=False)
            machine.wait(TRIAL_SECONDS)
    except (OSError, MachineError, subprocess.SubprocessError):
        return "tcg"
    finally:
        machine.remove()
    return "kvm"
