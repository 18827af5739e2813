#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the test hosts' images: localhost/phpops-host:bookworm and :trixie.

An image carries the hash of everything here that determines it, as the label phpops.hash: the next run reuses it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve()
FOLDER = HERE.parent.parent / "molecule" / "images"
INPUTS = ("packages.txt", "debconf.txt", "before.sh", "after.sh")
RELEASES = ("bookworm", "trixie")
BUILD_SECONDS = 900


def podman(*arguments: str) -> str:
    """Run podman with the collection's own settings and return what it says."""
    environment = {**os.environ, "CONTAINERS_CONF": str(FOLDER / "containers.conf")}
    return subprocess.run(
        ["podman", *arguments], check=True, env=environment, stdout=subprocess.PIPE, text=True, timeout=300
    ).stdout.strip()


def content_hash(release: str) -> str:
    """Hash all that determines the image of a release."""
    digest = hashlib.sha256(release.encode())
    for path in (HERE, *(FOLDER / name for name in INPUTS)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def packages() -> list[str]:
    """Read the names of the packages to install."""
    lines = (FOLDER / "packages.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def built_hash(image: str) -> str:
    """Return the hash that an image carries, or "" where it does not exist."""
    return podman("images", "--format", '{{index .Labels "phpops.hash"}}', image)


def build(release: str, digest: str) -> None:
    """Make a root file system with mmdebstrap and hand it to podman without a file between."""
    image = f"localhost/phpops-host:{release}"
    bootstrap = [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=apt",
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        f"--essential-hook='{FOLDER}/before.sh' \"$1\" '{FOLDER}'",
        f"--customize-hook='{FOLDER}/after.sh' \"$1\"",
        f"--include={','.join(packages())}",
        release,
        "-",
    ]
    load = ["podman", "import", "--quiet"]
    for change in ('CMD ["/lib/systemd/systemd"]', "STOPSIGNAL SIGRTMIN+3", f"LABEL phpops.hash={digest}"):
        load += ["--change", change]
    environment = {**os.environ, "CONTAINERS_CONF": str(FOLDER / "containers.conf"), "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(bootstrap, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment) as root:
        subprocess.run(
            [*load, "-", f"{image}-new"],
            check=True,
            stdin=root.stdout,
            stdout=subprocess.DEVNULL,
            env=environment,
            timeout=BUILD_SECONDS,
        )
    if root.returncode:
        podman("image", "rm", "--force", f"{image}-new")
        raise RuntimeError(f"mmdebstrap ended with {root.returncode} for {release}; its messages are above")
    podman("tag", f"{image}-new", image)
    podman("untag", f"{image}-new", f"{image}-new")


def ensure(release: str) -> str:
    """Build the image of a release unless it is there already; return a line that says what was done."""
    image, digest = f"localhost/phpops-host:{release}", content_hash(release)
    if built_hash(image) == digest:
        return f"{image} is there ({digest})"
    started = time.monotonic()
    build(release, digest)
    return f"{image} built in {time.monotonic() - started:.0f} s ({digest})"


def prune() -> None:
    """Remove our images that lost their name to a newer one; one that a container still uses stays."""
    for image in podman("images", "--quiet", "--filter", "dangling=true", "--filter", "label=phpops.hash").split():
        if not podman("ps", "--all", "--quiet", "--filter", f"ancestor={image}"):
            podman("image", "rm", image)


def main() -> int:
    """Build what is missing, both releases at the same time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("releases", nargs="*", metavar="release", help=f"one of {', '.join(RELEASES)}; default: all")
    wanted = parser.parse_args().releases or RELEASES
    failed = 0
    with ThreadPoolExecutor() as pool:
        for job in [pool.submit(ensure, release) for release in wanted]:
            try:
                print(job.result(), flush=True)
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                print(f"error: {error}", file=sys.stderr)
                failed = 1
    prune()
    return failed


if __name__ == "__main__":
    sys.exit(main())
