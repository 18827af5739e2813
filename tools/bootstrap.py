# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a fresh Debian 12 to where every part can run; a second run only looks."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time

from paths import CACHE, ROOT, TREE, VENV, environment

# The distribution's own: another python3 on PATH may be too new for the pinned requirements.
PYTHON = "/usr/bin/python3"
PACKAGES = (
    "aardvark-dns",
    "ca-certificates",
    "chromium",
    "debian-archive-keyring",
    "e2fsprogs",
    "git",
    "iproute2",
    "iptables",
    "mmdebstrap",
    "netavark",
    "openssh-client",
    "podman",
    "python3-venv",
    "qemu-system-x86",
    "qemu-utils",
    "runc",
    "shellcheck",
)
LIMIT_SECONDS = 1800


def run(*command: str) -> None:
    """Run a command; show what it said only when it failed."""
    done = subprocess.run(
        command,
        env={**environment(), "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")


def missing_packages() -> list[str]:
    """Ask dpkg which of PACKAGES are not installed."""
    query = ("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *PACKAGES)
    listing = subprocess.run(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    return [name for name in PACKAGES if f"{name} installed" not in listing.splitlines()]


def packages() -> str:
    """Install the system packages that are missing."""
    missing = missing_packages()
    if not missing:
        return "all there"
    if os.geteuid():
        raise RuntimeError(f"these packages are missing and only root can install them: {' '.join(missing)}")
    run("apt-get", "--quiet", "update")
    run("apt-get", "--quiet", "--yes", "--no-install-recommends", "install", *missing)
    return f"installed {' '.join(missing)}"


def venv() -> str:
    """Make .venv from the pinned requirements, unless it was made from exactly these."""
    pins = ROOT / "requirements" / "test.txt"
    stamp = VENV / "requirements.sha256"
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return "as pinned"
    if not (VENV / "bin" / "pip").exists():
        run(PYTHON, "-m", "venv", "--clear", str(VENV))
    run(str(VENV / "bin" / "pip"), "install", "--quiet", "--no-input", "--no-compile", "--requirement", str(pins))
    # All but the collections, three quarters of the files: Ansible compiles those anew whenever it loads one.
    compile_all = ("-m", "compileall", "-qq", "-j", "0", "-x", "site-packages/ansible_collections")
    run(str(VENV / "bin" / "python"), *compile_all, str(VENV / "lib"))
    stamp.write_text(digest, encoding="utf-8")
    return "installed from requirements/test.txt"


def tree() -> str:
    """Link the checkout to where Ansible looks for the collection."""
    link = TREE / "ansible_collections" / "phpops" / "webhost"
    if link.is_symlink() and link.resolve() == ROOT:
        return "there"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(ROOT, target_is_directory=True)
    return "linked"


def key() -> str:
    """Make the key that opens the test hosts."""
    path = CACHE / "id_ed25519"
    if path.exists():
        return "there"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "phpops-test-hosts", "-f", str(path))
    return "made"


def main() -> int:
    """Do all steps and say of each what it took."""
    CACHE.mkdir(parents=True, exist_ok=True, mode=0o700)
    for title, step in (("system packages", packages), (".venv", venv), ("collection tree", tree), ("SSH key", key)):
        started = time.monotonic()
        try:
            outcome = step()
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"bootstrap: {title}: FAILED: {error}", file=sys.stderr)
            return 1
        print(f"bootstrap: {title}: {outcome} ({time.monotonic() - started:.1f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
