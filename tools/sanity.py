# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the whole of ansible-test sanity on a real copy of the tracked files.

oldest: with the ansible-core of .venv, here. newest: with requirements/sanity-newest.txt, in a Debian 13 container.
ansible-test itself ends with 0 when a program that it needs is missing; this fails then.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from image_tools import podman
from paths import CACHE, ROOT, VENV, environment

COLLECTION = "ansible_collections/phpops/webhost"
IMAGE = "localhost/phpops-sanity:trixie"
# Stands in for the script that ansible-test would download from a server of its own: PyPI is enough.
GET_PIP = """\
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
arguments = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", *arguments]).returncode)
"""
# The version of pip in the script's name, per ansible-core.
GET_PIP_NAMES = {"oldest": "get_pip_24_2.py", "newest": "get_pip_25_2.py"}
INSIDE = """\
set -eu
stamp=$(sha256sum /requirements.txt /usr/bin/python3 | sha256sum)
if [ "$(cat /root/stamp 2>/dev/null)" != "$stamp" ]; then
    rm -rf /root/venv
    python3 -m venv /root/venv
    /root/venv/bin/pip install --quiet --requirement /requirements.txt
    echo "$stamp" >/root/stamp
fi
exec /root/venv/bin/ansible-test sanity --local --color no
"""


def copy_tracked(target: Path) -> None:
    """Copy the tracked files as they are now: ansible-test passes in silence over links."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for name in filter(None, listing.split("\0")):
        source = ROOT / name
        if source.exists() or source.is_symlink():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)


def real_interpreters() -> list[str]:
    """Return the folders of a version manager's interpreters: its shims would end with 127."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    return sorted(str(path) for path in versions.glob("3.*/bin"))


def run_here(collection: Path, home: Path) -> subprocess.Popen[str]:
    """Start ansible-test from .venv."""
    settings = environment()
    path = [folder for folder in settings["PATH"].split(":") if not folder.endswith("/shims")]
    settings["PATH"] = ":".join([*path, *real_interpreters()])
    pip_settings = Path.home() / ".config" / "pip" / "pip.conf"
    if pip_settings.exists():
        settings["PIP_CONFIG_FILE"] = str(pip_settings)
    return subprocess.Popen(
        [str(VENV / "bin" / "ansible-test"), "sanity", "--local", "--color", "no"],
        cwd=collection,
        env={**settings, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_in_container(collection: Path, home: Path) -> subprocess.Popen[str]:
    """Start ansible-test in a container; its caches stay in home, and it trusts the certificates that we trust."""
    # The cache is this run's own until main() ends: what has its name is left from a run that was killed.
    name = f"phpops-sanity-{zlib.crc32(bytes(home)):08x}"
    podman("rm", "--force", "--ignore", "--time", "0", name)
    command = ["podman", "run", "--rm", f"--name={name}", "--network=podman"]
    command += ["--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096", "--env=LC_ALL=C.UTF-8", "--env=HOME=/root"]
    command += [f"--volume={collection.parents[2]}:/tree", f"--volume={home}:/root"]
    command += [f"--volume={ROOT}/requirements/sanity-newest.txt:/requirements.txt:ro"]
    command += ["--volume=/etc/ssl/certs:/etc/ssl/certs:ro", f"--workdir=/tree/{COLLECTION}"]
    return subprocess.Popen(
        [*command, IMAGE, "sh", "-c", INSIDE],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def judge(log: str, status: int) -> list[str]:
    """Return what is wrong with a run; a Python that is not installed is not."""
    problems = [f"ansible-test ended with {status}"] if status else []
    for line in log.splitlines():
        if re.search(r"Required program|Skipping sanity test", line) and not re.search(
            r"on Python [\d.]+ because it (could not be found|is unsupported)", line
        ):
            problems.append(f"not run: {line.strip()}")
    pythons = re.findall(r'"import" on Python (\d+\.\d+)$', log, re.MULTILINE)
    skipped = re.findall(r'"import" on Python (\d+\.\d+) because it could not be found', log)
    print(f"imported on Python: {' '.join(pythons) or 'none'}; not installed: {' '.join(skipped) or 'none'}")
    if not pythons:
        problems.append("the import test ran on no Python")
    return problems


def main() -> int:
    """Run ansible-test and judge it by its log too."""
    which = sys.argv[1] if len(sys.argv) == 2 else ""
    if which not in GET_PIP_NAMES:
        sys.exit("usage: sanity.py oldest|newest")
    home = CACHE / f"sanity-{which}"
    script = home / ".ansible" / "test" / "cache" / GET_PIP_NAMES[which]
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(GET_PIP, encoding="utf-8")
    with script.open(encoding="utf-8") as lock, tempfile.TemporaryDirectory(prefix="phpops-sanity-") as temporary:
        fcntl.flock(lock, fcntl.LOCK_EX)
        collection = Path(temporary) / COLLECTION
        copy_tracked(collection)
        start = run_here if which == "oldest" else run_in_container
        lines = []
        with start(collection, home) as process:
            for line in process.stdout or ():
                lines.append(line)
                print(line, end="", flush=True)
    problems = judge("".join(lines), process.returncode)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
