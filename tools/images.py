# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the images: localhost/phpops-host:bookworm and :trixie for the tests, phpops-sanity:trixie for ansible-test.

An image carries the hash of everything here that determines it, as the label phpops.hash: the next run reuses it.
vm_images.py makes virtual machines of the hosts' images. LAYERS are a host's image with more packages, whose services
are disabled: what one scenario needs stays away from the hosts of all others.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import vm_images
from image_tools import ENVIRONMENT, FOLDER, LIMIT_SECONDS, hash_of, packages, podman

# The image -> what determines it, beside this file: its packages first, then the hooks' files.
HOST = ("host.txt", "before.sh", "after.sh", "debconf.txt")
IMAGES = {
    "localhost/phpops-host:bookworm": HOST,
    "localhost/phpops-host:trixie": HOST,
    "localhost/phpops-sanity:trixie": ("sanity.txt",),
}
# The image -> the one below it, and its packages.
LAYERS = {
    f"localhost/phpops-metrics:{release}": (f"localhost/phpops-host:{release}", "metrics.txt")
    for release in ("bookworm", "trixie")
}
METADATA = ('CMD ["/lib/systemd/systemd"]', "STOPSIGNAL SIGRTMIN+3")


def bootstrap_command(image: str) -> list[str]:
    """Return the command that writes the image's root file system to its standard output."""
    packages_file, *hooks = IMAGES[image]
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", "--dpkgopt=force-unsafe-io"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "locale")]
    if hooks:
        command.append(f"--essential-hook='{FOLDER}/before.sh' \"$1\" '{FOLDER}'")
        command.append(f"--customize-hook='{FOLDER}/after.sh' \"$1\"")
    command.append(f"--include={','.join(packages(packages_file))}")
    return [*command, image.rpartition(":")[2], "-"]


def content_hash(image: str) -> str:
    """Hash all that determines an image; where the checkout lies does not."""
    command = " ".join(bootstrap_command(image)).replace(str(FOLDER), "")
    return hash_of(f"{command} {METADATA}", *(FOLDER / name for name in IMAGES[image]))


def build(image: str, digest: str) -> None:
    """Make a root file system and hand it to podman without a file between."""
    load = ["podman", "import", "--quiet"]
    for change in (*METADATA, f"LABEL phpops.hash={digest}"):
        load += ["--change", change]
    # A name of its own until it is known to be whole.
    new = f"{image}-new"
    with subprocess.Popen(
        bootstrap_command(image), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=ENVIRONMENT
    ) as root:
        subprocess.run(
            [*load, "-", new],
            check=True,
            stdin=root.stdout,
            stdout=subprocess.DEVNULL,
            env=ENVIRONMENT,
            timeout=LIMIT_SECONDS,
        )
    if root.returncode:
        podman("image", "rm", "--force", new)
        raise RuntimeError(f"mmdebstrap ended with {root.returncode} for {image}; its messages are above")
    podman("tag", new, image)
    podman("untag", new, new)


def layer_hash(image: str) -> str:
    """Hash all that determines a layer: the image below it, its packages and how they are put in."""
    below, _packages = LAYERS[image]
    return hash_of(f"{content_hash(below)} {layer_text(image)}")


def layer_text(image: str) -> str:
    """Return how a layer is made, as a Containerfile: no service of its packages starts here, nor at a host's boot."""
    below, packages_file = LAYERS[image]
    apt = "apt-get --quiet=2 --yes -o APT::Sandbox::User=root -o DPkg::Options::=--force-unsafe-io"
    names = " ".join(packages(packages_file))
    steps = (
        "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod 0755 /usr/sbin/policy-rc.d",
        "find /etc/systemd/system -type l | sort >/tmp/before",
        f"{apt} update",
        f"DEBIAN_FRONTEND=noninteractive {apt} --no-install-recommends install {names}",
        "find /etc/systemd/system -type l | sort | comm -13 /tmp/before - | xargs --no-run-if-empty rm",
        "rm -rf /tmp/before /usr/sbin/policy-rc.d /var/cache/apt/archives/*.deb /var/cache/apt/*.bin",
        "rm -rf /var/lib/apt/lists/*",
    )
    return f"FROM {below}\nRUN {' && '.join(steps)}\n"


def build_layer(image: str, digest: str) -> None:
    """Put the packages into an image on top of another one."""
    with tempfile.TemporaryDirectory(prefix="phpops-layer-") as folder:
        file = Path(folder) / "Containerfile"
        file.write_text(layer_text(image), encoding="utf-8")
        command = ("build", "--quiet", "--isolation", "chroot", "--network", "host", "--pull=never", "--no-cache")
        podman(*command, "--label", f"phpops.hash={digest}", "--tag", image, "--file", str(file), folder)


def ensure(image: str) -> str:
    """Build what is missing of an image, the machine's and the layers that are made of it; return what was done."""
    digest = content_hash(image)
    outcome = [ensure_container(image, digest, build)]
    if IMAGES[image] is HOST:
        outcome.append(vm_images.ensure(image, digest))
    for layer, (below, _packages) in LAYERS.items():
        if below == image:
            outcome.append(ensure_container(layer, layer_hash(layer), build_layer))
    return "\n".join(outcome)


def ensure_container(image: str, digest: str, build: Callable[[str, str], None]) -> str:
    """Build an image unless it is there already; return a line that says what was done."""
    if podman("images", "--format", '{{index .Labels "phpops.hash"}}', image) == digest:
        return f"images: {image} is there ({digest})"
    started = time.monotonic()
    print(f"images: {image} is being built, which takes a minute or two", flush=True)
    build(image, digest)
    return f"images: {image} built in {time.monotonic() - started:.0f} s ({digest})"


def prune() -> None:
    """Remove our images that lost their name to a newer one."""
    for image in podman("images", "--quiet", "--filter", "dangling=true", "--filter", "label=phpops.hash").split():
        # Without --force, one that a container still uses stays for a later run.
        subprocess.run(["podman", "image", "rm", image], env=ENVIRONMENT, capture_output=True, check=False)


def main() -> int:
    """Build what is missing, all at the same time."""
    failed = 0
    # A second run that starts meanwhile waits, and then finds them built.
    lock = (FOLDER / "containers.conf").open(encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_EX)
    with lock, ThreadPoolExecutor() as pool:
        for job in [pool.submit(ensure, image) for image in IMAGES]:
            try:
                print(job.result(), flush=True)
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                print(f"images: {error}", file=sys.stderr)
                failed = 1
        if not failed:
            print(vm_images.ensure_accelerator(), flush=True)
    prune()
    return failed


if __name__ == "__main__":
    sys.exit(main())
