# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the images: localhost/phpops-host:bookworm and :trixie for the tests, phpops-sanity:trixie for ansible-test.

An image carries the hash of everything here that determines it, as the label phpops.hash: the next run reuses it.
vm_images.py makes virtual machines of the hosts' images.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import vm_images
from image_tools import ENVIRONMENT, FOLDER, LIMIT_SECONDS, hash_of, packages, podman

# The image -> what determines it, beside this file: its packages first, then the hooks' files.
HOST = ("host.txt", "before.sh", "after.sh", "debconf.txt")
IMAGES = {
    "localhost/phpops-host:bookworm": HOST,
    "localhost/phpops-host:trixie": HOST,
    "localhost/phpops-sanity:trixie": ("sanity.txt",),
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


def ensure(image: str) -> str:
    """Build an image and the machine's that is made of it, unless they are there; return what was done."""
    digest = content_hash(image)
    outcome = ensure_container(image, digest)
    if IMAGES[image] is HOST:
        outcome += "\n" + vm_images.ensure(image, digest)
    return outcome


def ensure_container(image: str, digest: str) -> str:
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
